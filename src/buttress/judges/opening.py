"""From settings, as a manifest's ``judge`` has them, to a judge."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, get_args

from buttress import extension
from buttress.errors import InputError, PluginError
from buttress.extension.contained import naming
from buttress.protocols.judge import Calibration, Expect, Judge
from buttress.targets.base import Target
from buttress.targets.open import open_target as open_any_target

_DEEPEST: Final = 3  # panels within panels


class Opener(Protocol):
    """What opens the target that a judge asks."""

    def __call__(self, settings: Mapping[str, Any], *, base: Path) -> Target:
        """See ``targets.open.open_target``."""
        ...


def open_judge(
    settings: Mapping[str, Any],
    *,
    base: Path,
    depth: int = 0,
    open_target: Opener = open_any_target,
) -> Judge:
    """The judge with that ``id``; the other settings are what its ``create`` takes.

    ``target`` is opened by ``open_target``, ``members`` as judges, and ``calibration`` is a path;
    both paths are relative to ``base``.

    Raises:
        InputError: no such judge, a setting that it does not take, lacks, or can't use.
        PluginError: the judge can't be made, or is none.
    """
    others = {key: value for key, value in settings.items() if value is not None}
    name = others.pop("id", "offline")
    if not isinstance(name, str):
        raise InputError("is no name", field="judge.id", expected="a judge's name")
    create = extension.load("judges", name)
    takes = inspect.signature(create).parameters
    for key in others:
        if key not in takes:
            raise InputError(
                f"judge {name} doesn't take it", field=f"judge.{key}",
                expected="one of " + ", ".join(["id", *takes]),
            )  # fmt: skip
    for key, parameter in takes.items():
        if parameter.default is parameter.empty and key not in others:
            raise InputError("missing", field=f"judge.{key}", expected=_expected(key))
    opened = {k: _opened(k, v, base, depth, open_target) for k, v in others.items()}
    part = f"judge '{name}'"
    with naming(part):
        made: Judge = create(**opened)
        fits = isinstance(made.id, str) and isinstance(made.version, str) and callable(made.judge)
        for expect in get_args(Expect):
            fits &= isinstance(made.calibration(expect), Calibration | None)
    if not fits:
        raise PluginError(part, TypeError("its id and version have to be texts"))
    return made


async def close_judge(judge: Judge | None) -> None:
    """Release what a judge holds open, where it holds something."""
    close = getattr(judge, "aclose", None)
    if close is not None:
        await close()


def _opened(key: str, value: Any, base: Path, depth: int, open_target: Opener) -> Any:
    if key == "target":
        _is(value, Mapping, "judge.target", "settings of a target")
        return open_target(value, base=base)
    if key == "calibration":
        _is(value, str | Path, "judge.calibration", "a file")
        return base / value
    if key == "members":
        _is(value, list | tuple, "judge.members", "a list of judges")
        if depth >= _DEEPEST:
            raise InputError("panels too deep", field="judge.members", expected="fewer levels")
        for member in value:
            _is(member, Mapping, "judge.members", "judges, each as a mapping with an id")
        return [
            open_judge(member, base=base, depth=depth + 1, open_target=open_target)
            for member in value
        ]
    return value


def _is(value: Any, kind: Any, field: str, expected: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"is {type(value).__name__}", field=field, expected=expected)


def _expected(key: str) -> str:
    return {"target": "the model that judges", "members": "two or more judges"}.get(key, "a value")
