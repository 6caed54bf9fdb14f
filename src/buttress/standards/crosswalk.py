"""Standards, their items, and which of them an assessment says something about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from buttress.files.yaml_loader import load_yaml

NOT_ASSESSED = "not assessed"
PARTLY_ASSESSED = "partly assessed"
_WORST_FIRST = ("unacceptable", "undecided", "acceptable")


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard or list; ``items`` maps ids to short titles."""

    id: str
    title: str
    items: Mapping[str, str]


@cache
def load_standards() -> Mapping[str, Standard]:
    """All standards that risks may map to, by id."""
    file = resources.files("buttress.standards").joinpath("data", "standards.yaml")
    return {
        name: Standard(name, entry["title"], entry["items"])
        for name, entry in load_yaml(file)["standards"].items()
    }


def crosswalk(
    mapping: Mapping[str, Sequence[tuple[str, str]]], verdicts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """For each standard, its items with the risks that map to them and the worst of the verdicts.

    An item is ``partly assessed`` where all that was measured is acceptable and some of its risks
    were not measured.

    Args:
        mapping: risk id -> pairs (standard, item).
        verdicts: risk id -> verdict, for the risks that were assessed.
    """
    rows = []
    for standard in load_standards().values():
        items = []
        for item, title in standard.items.items():
            risks = [risk for risk, pairs in mapping.items() if (standard.id, item) in pairs]
            given = {verdicts[risk] for risk in risks if risk in verdicts}
            worst = next((verdict for verdict in _WORST_FIRST if verdict in given), NOT_ASSESSED)
            if worst == "acceptable" and not all(risk in verdicts for risk in risks):
                worst = PARTLY_ASSESSED
            items.append({"id": item, "title": title, "risks": risks, "verdict": worst})
        rows.append({"standard": standard.id, "title": standard.title, "items": items})
    return rows
