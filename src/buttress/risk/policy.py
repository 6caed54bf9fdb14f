"""Policies: the tolerated level of each risk, and the error rates of its verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from buttress import located_yaml
from buttress.errors import InputError
from buttress.evidence.records import Severity
from buttress.located_yaml import Located
from buttress.risk.schemas import POLICY

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
    """Tolerances by risk id. Risks that it does not name get no verdict."""

    id: str
    title: str
    source: str
    decide_by: Literal["bound", "estimate"]
    risks: Mapping[str, Tolerance]


def policy_names() -> list[str]:
    """Names of the built-in policies."""
    folder = resources.files("buttress.risk").joinpath("policies")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())


def load_policy(name: str, risk_ids: Collection[str]) -> Policy:
    """The policy of that name, or in that file.

    Args:
        name: a built-in policy or a path.
        risk_ids: ids that the catalogue holds; others in the policy are errors.

    Raises:
        InputError: no such policy, or naming file, line and field.
    """
    data, source = _load(name, 0)
    for risk in data["risks"]:
        if risk not in risk_ids:
            raise source.error(
                ("risks", risk), f"unknown risk '{risk}'", "one of " + ", ".join(risk_ids)
            )
    return Policy(
        id=data["id"],
        title=data.get("title", data["id"]),
        source=" ".join(data.get("source", "").split()),
        decide_by=data.get("decide_by", "bound"),
        risks={risk: Tolerance(**fields) for risk, fields in data["risks"].items()},
    )


def _load(name: str, depth: int) -> tuple[dict[str, Any], Located]:
    if depth > _DEPTH:
        raise InputError("policies extend each other in a circle", file=name)
    if name in policy_names():
        home = resources.files("buttress.risk").joinpath("policies", f"{name}.yaml")
        source = located_yaml.parse(home.read_text(encoding="utf-8"), f"policies/{name}.yaml")
    elif Path(name).is_file():
        source = located_yaml.load(Path(name))
    else:
        raise InputError(
            f"no such policy: {name}",
            field="policy",
            expected="a file, or one of " + ", ".join(policy_names()),
        )
    located_yaml.check(source, POLICY)
    data: dict[str, Any] = source.data
    if "extends" not in data:
        return data, source
    parent = data["extends"]
    beside = Path(name).parent / parent
    base, _ = _load(str(beside) if beside.is_file() else parent, depth + 1)
    risks = {
        risk: base["risks"].get(risk, {}) | data["risks"].get(risk, {})
        for risk in [*base["risks"], *(new for new in data["risks"] if new not in base["risks"])]
    }
    return base | data | {"risks": risks}, source
