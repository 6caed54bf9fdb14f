"""Runs inspection probes over the assets that have files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from buttress.errors import FOREIGN_FAILURES, debugging
from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.locations import Location
from buttress.files.tree import Tree
from buttress.inspection.unusable import ends_the_run, failure_of
from buttress.packs.knowledge import OWN, Knowledge
from buttress.protocols.inspection import InspectionContext

if TYPE_CHECKING:
    from buttress.evidence.base import RecordStore
    from buttress.protocols.probe import InspectionProbe
    from buttress.system.model import Asset


KEPT: Final = 64 << 20  # bytes of files that several probes share


def inspect_tree(
    probe: InspectionProbe, context: InspectionContext, run: str
) -> list[Finding | Inspection]:
    """Findings in one tree and the record that it was looked at, stamped with run and time.

    What may be a credential in the texts of a finding is blotted out, whichever probe quotes it.

    Raises:
        TypeError: the probe gave something else, or no record of what it looked at.
    """
    records = []
    for record in probe.inspect(context):
        if wrong := _wrong(record):
            raise TypeError(f"{type(record).__name__}: {wrong}")
        stamped = replace(record, run=run, time=time.time(), probe_version=probe.version)
        records.append(_without_secrets(stamped))
    if not any(isinstance(record, Inspection) for record in records):
        raise TypeError("it gave no Inspection, so that nobody knows what it looked at")
    return records


def _wrong(record: object) -> str:
    """What is wrong with what a probe gave; nothing where it fits."""
    texts: tuple[str, ...]
    several: tuple[str, ...]
    if isinstance(record, Finding):
        texts = ("rule", "asset", "location", "message", "remedy", "proof", "probe")
        if record.severity not in SEVERITIES:
            return f"severity {record.severity!r} is none of {', '.join(SEVERITIES)}"
        if not isinstance(record.place, Location | None):
            return f"place {record.place!r} is no Location"
        several = ("references",)
    elif isinstance(record, Inspection):
        texts = ("probe", "asset")
        for name in ("files", "bytes"):
            number = getattr(record, name)
            if not isinstance(number, int) or number < 0:
                return f"{name} {number!r} is no whole number from 0 up"
        several = ("skipped", "unread")
    else:
        return "neither a Finding nor an Inspection"
    for name in texts:
        if not isinstance(getattr(record, name), str):
            return f"{name} {getattr(record, name)!r} is no text"
    for name in several:
        given = getattr(record, name)
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            return f"{name} {given!r} is no tuple of texts"
    return ""


def _without_secrets(record: Finding | Inspection) -> Finding | Inspection:
    if isinstance(record, Inspection):
        return record
    from buttress.rules.credentials.blotting import blotted  # compiles much

    return replace(record, message=blotted(record.message), proof=blotted(record.proof))


def inspect(
    assets: Sequence[Asset],
    probes: Sequence[InspectionProbe],
    run: str,
    store: RecordStore,
    say: Callable[[str], None],
    *,
    failed: Callable[[str, str, str], None],
    knowledge: Knowledge = OWN,
) -> None:
    """Put findings and inspections of all assets into the store, one path at a time.

    A path that several assets name is inspected once for each, since findings belong to assets.
    What an interrupted run has inspected already is not inspected again: the records of a path are
    appended together, so that many inspections mean that many paths.

    A probe that raises an error on an asset leaves no records of that path; ``failed`` gets the ids
    of probe and asset, and the reason.
    """
    done = Counter(
        (seen.probe, seen.probe_version, seen.asset) for seen in store.inspections(run=run)
    )
    for asset in assets:
        trees = [Tree(path, keep=KEPT) for path in asset.paths]
        for probe in probes:
            if asset.kind not in probe.kinds:
                continue
            for tree in trees[done[probe.id, probe.version, asset.id] :]:
                say(f"{probe.id}: {asset.id}")
                context = InspectionContext(asset.id, tree, knowledge)
                try:
                    records = inspect_tree(probe, context, run)
                except FOREIGN_FAILURES as error:
                    if debugging() or ends_the_run(probe, error):
                        raise
                    failed(probe.id, asset.id, failure_of(error))
                    break
                store.append(records)
