"""The ids of all rules that a probe's findings can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from buttress.packs.knowledge import OWN, Knowledge
from buttress.protocols.probe import InspectionProbe


@runtime_checkable
class ListsRules(Protocol):
    """A probe that says which rules it has."""

    def rule_ids(self, knowledge: Knowledge) -> Collection[str]:
        """Ids of all rules that its findings can have."""
        ...


def rule_ids(probes: Sequence[InspectionProbe], knowledge: Knowledge = OWN) -> set[str] | None:
    """The ids of the probes' rules; None where one of them does not say."""
    found: set[str] = set()
    for probe in probes:
        if not isinstance(probe, ListsRules):
            return None
        found.update(probe.rule_ids(knowledge))
    return found
