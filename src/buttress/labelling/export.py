"""Labels of a store in the form that ``buttress judge calibrate`` reads."""

from __future__ import annotations

from pathlib import Path

import orjson

from buttress.files.atomic import write_whole
from buttress.labelling.sample import Sample, skipped


def export(sample: Sample, to: Path) -> int:
    """Write decided labels as JSON Lines; their number.

    A graded label counts as a failure from 0.5 on. ``chance`` is kept: labels drawn with unequal
    chances are not a plain random sample of the answers.

    Raises:
        InputError: the file can't be written.
    """
    lines = [
        orjson.dumps(
            {
                "prompt": trial.prompt,
                "response": trial.answer,
                "label": int(label.outcome >= 0.5),
                "expect": trial.expect,
                "request": trial.request,
                "category": trial.category,
                "language": trial.language,
                "model": trial.target,
                "setting": trial.attack,
                "chance": label.chance,
                "labeller": label.labeller,
                "note": label.note,
            }
        )
        for trial, label in sample.labels
        if not skipped(label)
    ]
    write_whole(to, b"".join(line + b"\n" for line in lines), "--export")
    return len(lines)
