"""What an assessment looked at, and what it did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from buttress.evidence.findings import Inspection
from buttress.system.model import Asset
from buttress.workflows.assessment.arms import arm_id

_SKIPPED_SHOWN = 20


@dataclass(slots=True)
class Coverage:
    """Collected on the way; ``not_covered`` are pairs (what, why)."""

    not_covered: list[tuple[str, str]] = field(default_factory=list)

    def record_skip(self, what: str, why: str) -> None:
        """Note something that is not covered."""
        if (what, why) not in self.not_covered:
            self.not_covered.append((what, why))

    def check_assets(self, assets: Sequence[Asset], examined: Mapping[str, object]) -> None:
        """Note the assets that no probe examined; ``examined`` has the others' ids as keys."""
        named = {what for what, _ in self.not_covered}
        for asset in assets:
            if asset.id in examined or any(name.endswith(f"@ {asset.id}") for name in named):
                continue
            self.record_skip(asset.id, _unexamined(asset))

    def document(
        self, trials: Mapping[tuple[str, str], int], inspections: Iterable[Inspection]
    ) -> dict[str, Any]:
        """The document's ``coverage`` without the risks.

        Args:
            trials: (probe, asset) -> number of trials.
            inspections: of this run.
        """
        covered: list[dict[str, Any]] = [
            {
                "probe": probe,
                "asset": asset,
                "trials": count,
                "files": None,
                "bytes": None,
                "skipped": [],
            }
            for (probe, asset), count in sorted(trials.items())
        ]
        merged: dict[tuple[str, str], dict[str, Any]] = {}
        for seen in inspections:
            row = merged.setdefault(
                (seen.probe, seen.asset),
                {
                    "probe": seen.probe,
                    "asset": seen.asset,
                    "trials": None,
                    "files": 0,
                    "bytes": 0,
                    "skipped": [],
                },
            )
            row["files"] += seen.files
            row["bytes"] += seen.bytes
            row["skipped"] = [*row["skipped"], *seen.skipped][:_SKIPPED_SHOWN]
        covered += [merged[key] for key in sorted(merged)]
        not_covered = [{"what": what, "why": why} for what, why in self.not_covered]
        told = {asset for (_, asset), row in merged.items() if row["files"]}
        told |= {what for what, _ in self.not_covered}
        for (probe, asset), row in merged.items():
            # Weights hold no source and source no weights: only an asset nobody read is news.
            if not row["files"] and asset not in told:
                why = next(
                    (note for note in row["skipped"] if note.startswith("not reached: ")),
                    "no file that this probe reads was found",
                )
                not_covered.append({"what": arm_id(probe, asset), "why": why})
        return {"covered": covered, "not_covered": not_covered}


def _unexamined(asset: Asset) -> str:
    if asset.kind == "model" or asset.paths or "://" not in asset.location:
        return f"no probe that was run examines an asset of kind {asset.kind}"
    return (
        f"no live probe was run: nothing was sent to {asset.location}, and nothing is known of it; "
        "see `buttress survey`, or give its files as path"
    )
