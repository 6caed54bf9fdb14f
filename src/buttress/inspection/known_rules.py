"""The ids of all rules that a probe's findings can have."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import yaml

from buttress.packs.knowledge import OWN, Knowledge
from buttress.protocols.probe import InspectionProbe


@runtime_checkable
class ListsRules(Protocol):
    """A probe whose rules are not in YAML files beside its module."""

    def rule_ids(self, knowledge: Knowledge) -> Collection[str]:
        """Ids of all rules that its findings can have."""
        ...


def rule_ids(probes: Sequence[InspectionProbe], knowledge: Knowledge = OWN) -> set[str] | None:
    """The ids of the probes' rules; None where one of them does not say.

    A probe says so itself, or by its rules being data: YAML files with ``rules`` in the folder of
    its module.
    """
    found: set[str] = set()
    for probe in probes:
        own = (
            set(probe.rule_ids(knowledge))
            if isinstance(probe, ListsRules)
            else _beside(_module(probe))
        )
        if not own:
            return None
        found |= set(own)
    return found


def _module(probe: InspectionProbe) -> str:
    return str(getattr(sys.modules[type(probe).__module__], "__file__", "") or "")


@cache
def _beside(module: str) -> frozenset[str]:
    if not module:
        return frozenset()
    return frozenset(
        name for path in sorted(Path(module).parent.rglob("*.yaml")) for name in _ids(path)
    )


def _ids(path: Path) -> Iterator[str]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
    data: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    rules = data.get("rules") if isinstance(data, dict) else None
    if isinstance(rules, dict):
        yield from map(str, rules)
    elif isinstance(rules, list):
        yield from (str(one["id"]) for one in rules if isinstance(one, dict) and "id" in one)
