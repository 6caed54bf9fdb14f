"""Runs inspection probes over the assets that have files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from buttress.evidence.findings import Finding, Inspection

if TYPE_CHECKING:
    from buttress.evidence.base import RecordStore
    from buttress.protocols.probe import InspectionProbe
    from buttress.system.model import Asset


def inspect_path(
    probe: InspectionProbe, asset: str, path: Path, run: str
) -> list[Finding | Inspection]:
    """Findings in one path and the record that it was looked at, stamped with run and time."""
    return [
        replace(record, run=run, time=time.time(), probe_version=probe.version)
        for record in probe.inspect(asset, path)
    ]


def inspect(
    assets: Sequence[Asset],
    probes: Sequence[InspectionProbe],
    run: str,
    store: RecordStore,
    say: Callable[[str], None],
) -> None:
    """Put findings and inspections of all assets into the store, one path at a time.

    A path that several assets name is inspected once for each, since findings belong to assets.
    What an interrupted run has inspected already is not inspected again: the records of a path are
    appended together, so that many inspections mean that many paths.
    """
    done = Counter(
        (seen.probe, seen.probe_version, seen.asset) for seen in store.inspections(run=run)
    )
    for asset in assets:
        for probe in probes:
            if asset.kind not in probe.kinds:
                continue
            for path in asset.paths[done[probe.id, probe.version, asset.id] :]:
                say(f"{probe.id}: {asset.id}")
                store.append(inspect_path(probe, asset.id, path, run))
