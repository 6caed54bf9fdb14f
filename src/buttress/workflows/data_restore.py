"""Undoing a run over training data: files and document stay in step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from buttress.data.restore import Restored, restore
from buttress.errors import InputError
from buttress.workflows.data import load, write_outputs


def undo(folder: Path, *, ids: Sequence[str] = (), stage: str = "") -> tuple[Restored, list[str]]:
    """Put back records by id, what a stage did, or everything.

    Returns:
        What was put back, and the stages that have not seen it.

    Raises:
        InputError: no run there, no such stage, no such id, or files that were changed.
    """
    document = load(folder)
    names = [one["name"] for one in document["stages"]]
    if stage and stage not in names:
        raise InputError(
            f"the run has no stage '{stage}'",
            field="--stage",
            expected="one of " + ", ".join(names),
        )
    result = restore(
        folder, ids=ids, stage=stage, kept=document["records"]["kept"], field_name=document["field"]
    )
    _bring_up_to_date(document, result)
    write_outputs(folder, document)
    later = list(dict.fromkeys(names[names.index(stage) + 1 :])) if stage else []
    if result.missing:
        raise InputError(
            f"no record {', '.join(result.missing[:5])}", file=str(folder), field="--id",
            expected="ids of removed or changed records",
        )  # fmt: skip
    return result, later


def _bring_up_to_date(document: dict[str, Any], result: Restored) -> None:
    records = document["records"]
    records |= {"kept": result.kept, "removed": result.removed, "changed": result.changed}
    document["digest"] = result.digest
    document["restored"] += result.records
