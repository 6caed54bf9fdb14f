"""Search state in a JSON file, so that a killed search goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.files.atomic import write_whole

_FORMAT: Final = 1


@dataclass(slots=True)
class SearchCheckpoint:
    """Where a search is. ``pool`` holds (loss, suffix) of the suffixes that it goes on from."""

    step: int
    pool: list[tuple[float, list[int]]]
    best: tuple[float, list[int]]
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0
    hit: list[int] | None = None


def save(path: Path, run: Mapping[str, Any], state: SearchCheckpoint) -> None:
    """Write the whole state; a kill at any moment leaves the old or the new one.

    Raises:
        InputError: it can't be written.
    """
    write_whole(path, orjson.dumps({"format": _FORMAT, "run": run, "state": asdict(state)}))


def restore(path: Path, run: Mapping[str, Any]) -> SearchCheckpoint | None:
    """The state in ``path``; None if there is no such file.

    Raises:
        InputError: not a checkpoint, or one of a search with other settings.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(str(error.strerror), file=str(path)) from None
    try:
        document = orjson.loads(content)
        if document["format"] != _FORMAT:
            raise InputError(
                f"format {document['format']!r}", file=str(path), expected=f"format {_FORMAT}"
            )
        held = document["run"]
        state = _state(document["state"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError("not a checkpoint of a search", file=str(path)) from None
    for name, value in run.items():
        if not isinstance(held, dict) or held.get(name) != value:
            raise InputError(
                "differs from the search that wrote this checkpoint",
                file=str(path),
                field=name,
                expected="the same settings, or another file",
            )
    return state


def _state(given: dict[str, Any]) -> SearchCheckpoint:
    hit = given["hit"]
    return SearchCheckpoint(
        step=int(given["step"]),
        pool=[_scored(one) for one in given["pool"]],
        best=_scored(given["best"]),
        losses=[float(one) for one in given["losses"]],
        seconds=float(given["seconds"]),
        tokens=int(given["tokens"]),
        hit=None if hit is None else [int(token) for token in hit],
    )


def _scored(given: Any) -> tuple[float, list[int]]:
    loss, suffix = given
    return float(loss), [int(token) for token in suffix]
