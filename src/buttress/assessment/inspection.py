"""Runs inspection probes over the assets that have files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from buttress.evidence.records import Finding, Inspection
from buttress.probes.base import InspectionProbe
from buttress.system.model import Asset


def inspect(
    assets: Sequence[Asset],
    probes: Sequence[InspectionProbe],
    run: str,
    progress: Callable[[str], None],
) -> list[Finding | Inspection]:
    """Findings and, for each probe and path, the record that it was looked at.

    A path that several assets name is inspected once for each, since findings belong to assets.
    """
    records: list[Finding | Inspection] = []
    for asset in assets:
        for probe in probes:
            if asset.kind not in probe.kinds:
                continue
            for path in asset.paths:
                progress(f"{probe.id}: {asset.id}")
                records += [
                    replace(record, run=run, time=time.time(), probe_version=probe.version)
                    for record in probe.inspect(asset.id, path)
                ]
    return records
