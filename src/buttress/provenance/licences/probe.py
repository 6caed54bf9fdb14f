"""The probe ``licences``: terms of weights, data and code that don't go together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.evidence.locations import Location
from buttress.packs.knowledge import Knowledge
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.inventory.component import Inventory
from buttress.provenance.inventory.gather import complete, gather, subjects
from buttress.provenance.licences.judging import NO_ADVICE, RULES, Conflict, IntendedUse, judge

_REFERENCES: Final = ("LLM03",)
_UNSAID: Final = IntendedUse()


@dataclass(frozen=True, slots=True)
class Licences:
    """``use`` is what is known of the use; where nothing is, findings that hang on it are low."""

    use: IntendedUse = _UNSAID
    id: str = "licences"
    version: str = "1"
    title: str = "Licences of weights, data and code"
    kinds: tuple[str, ...] = ("model", "data", "source", "service", "client")
    on_request: bool = True  # what hangs on the use needs to be told it

    @property
    def options(self) -> Mapping[str, str]:
        """What can be set, by name."""
        return {
            "commercial": "whether the use is commercial: yes or no",
            "distributed": "whether it is given away, not only offered over a network: yes or no",
        }

    def with_options(self, **values: str) -> Licences:
        """The probe with these set.

        Raises:
            InputError: neither yes nor no.
        """
        said = {name: _yes(name, value) for name, value in values.items()}
        return replace(self, use=replace(self.use, **said))

    def rule_ids(self, _knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules."""
        return tuple(RULES.own)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Conflicts between the parts of the tree; as ``InspectionProbe``."""
        began = time.monotonic()
        asset = context.asset
        inventory = gather(context.tree.root, asset=asset, tree=context.tree)
        complete(inventory)
        for conflict in conflicts(inventory, self.use):
            yield finding(conflict, asset, self.id, self.version)
        unknown = sum(one.role == "package" and not one.licences for one in inventory.components)
        if unknown:
            inventory.skipped.append(
                f"licences of {unknown:,} packages: they stand in the packages, not here; "
                "see `buttress bom --installed`"
            )
        yield Inspection(
            probe=self.id,
            probe_version=self.version,
            asset=asset,
            files=inventory.files,
            bytes=inventory.bytes,
            skipped=tuple(inventory.skipped),
            seconds=time.monotonic() - began,
        )


def _yes(name: str, value: str) -> bool:
    if value not in ("yes", "no"):
        raise InputError(f"'{value}'", field=name, expected="yes or no")
    return value == "yes"


def conflicts(inventory: Inventory, use: IntendedUse) -> Iterator[Conflict]:
    """All conflicts in an inventory that is complete."""
    yield from judge(*subjects(inventory), use)


def finding(conflict: Conflict, asset: str, probe: str, version: str) -> Finding:
    """A conflict as evidence."""
    return Finding(
        rule=conflict.rule.id,
        severity=conflict.severity,
        asset=asset,
        location=conflict.subject.location or ".",
        place=Location(conflict.subject.location or "."),
        message=conflict.message,
        remedy=f"{conflict.rule.remedy} {NO_ADVICE}",
        references=_REFERENCES,
        proof=f"see {conflict.rule.references[0]}",
        probe=probe,
        probe_version=version,
    )


PROBE: Final = Licences()
