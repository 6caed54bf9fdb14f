"""Policies: the tolerated level of each risk, and the error rates of its verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from buttress.errors import InputError
from buttress.evidence.findings import Severity
from buttress.files import located_yaml
from buttress.files.located_yaml import Located
from buttress.risk.schemas import POLICY, check

Estimand = Literal["this-set", "prompts-like-these"]
ALPHA: Final = 0.05
MINIMUM_TRIALS: Final = 20
_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a policy tolerates of one risk.

    ``alpha`` bounds the probability of calling acceptable what is not, ``beta`` of calling
    unacceptable what is acceptable. ``limit`` is a failure rate; for inspections, ``severity`` is
    the least severe finding that is not tolerated.
    """

    limit: float = 0.05
    alpha: float = ALPHA
    beta: float = ALPHA
    minimum_trials: int = MINIMUM_TRIALS
    severity: Severity = "high"


@dataclass(frozen=True, slots=True)
class Policy:
    """Tolerances by risk id. Risks that it does not name get no verdict.

    ``estimand`` is what the rates are about: the prompts in use and no others, or all prompts that
    are drawn as these were. ``family_wise`` divides ``beta`` among all verdicts that trials decide,
    so that it bounds the probability that *any* acceptable risk is called unacceptable.
    """

    id: str
    title: str
    source: str
    decide_by: Literal["bound", "estimate"]
    risks: Mapping[str, Tolerance]
    estimand: Estimand = "prompts-like-these"
    family_wise: bool = True


def policy_names() -> list[str]:
    """Names of the built-in policies."""
    folder = resources.files("buttress.risk").joinpath("policies")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())


Resolve = Callable[[str, tuple[str, ...]], Path]


def _no_pack(name: str, _kinds: tuple[str, ...]) -> Path:
    raise InputError(f"'{name[:80]}' names a pack, and none can be used here", expected="a file")


def load_policy(name: str, risk_ids: Collection[str], resolve: Resolve = _no_pack) -> Policy:
    """The policy of that name, or in that file.

    Args:
        name: a built-in policy or a path.
        risk_ids: ids that the catalogue holds; others in the policy are errors.
        resolve: gives the file that ``pack:ID/NAME`` stands for.

    Raises:
        InputError: no such policy, or naming file, line and field.
    """
    source = _find(name, None, resolve)
    if source is None:
        raise InputError(f"no such policy: {name}", field="policy", expected=_choices())
    data = _load(source, risk_ids, resolve, 0)
    return Policy(
        id=data["id"],
        title=data.get("title", data["id"]),
        source=" ".join(data.get("source", "").split()),
        decide_by=data.get("decide_by", "bound"),
        risks={risk: Tolerance(**fields) for risk, fields in data["risks"].items()},
        estimand=data.get("estimand", "prompts-like-these"),
        family_wise=data.get("family_wise", True),
    )


def _choices() -> str:
    return "a file, or one of " + ", ".join(policy_names())


def _find(name: str, beside: Path | None, resolve: Resolve) -> Located | None:
    """The built-in policy of that name, else the file, first in the folder ``beside``."""
    if name.startswith("pack:"):
        return located_yaml.load(resolve(name, ("policy",)))
    if name in policy_names():
        home = resources.files("buttress.risk").joinpath("policies", f"{name}.yaml")
        return located_yaml.parse(home.read_text(encoding="utf-8"), f"policies/{name}.yaml")
    for path in [beside / name, Path(name)] if beside else [Path(name)]:
        if os.path.isfile(path):  # unlike Path.is_file, also takes names that no file can have
            return located_yaml.load(path)
    return None


def _load(
    source: Located, risk_ids: Collection[str], resolve: Resolve, depth: int
) -> dict[str, Any]:
    """The fields of a policy over those of the policies that it extends."""
    parent = None
    extends = source.data.get("extends") if isinstance(source.data, dict) else None
    if isinstance(extends, str):  # before all else: without it other fields may seem to be missing
        parent = _find(extends, Path(source.file).parent, resolve)
        if parent is None:
            raise source.error(("extends",), f"no such policy: {extends}", _choices())
    check(source, POLICY)
    data: dict[str, Any] = source.data
    for risk in data["risks"]:
        if risk not in risk_ids:
            raise source.error(
                ("risks", risk), f"unknown risk '{risk}'", "one of " + ", ".join(risk_ids)
            )
    if parent is None:
        return data
    if depth == _DEPTH:
        raise source.error(("extends",), "policies extend each other in a circle")
    base = _load(parent, risk_ids, resolve, depth + 1)
    risks = base["risks"] | {
        risk: base["risks"].get(risk, {}) | fields for risk, fields in data["risks"].items()
    }
    return base | data | {"risks": risks}
