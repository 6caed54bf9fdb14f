"""Writes the document and the reports made from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from buttress import extension

FILES: Final = {"json": "assessment.json", "html": "report.html", "sarif": "findings.sarif"}


def write_outputs(document: Mapping[str, Any], out: Path) -> None:
    """Write all files of an assessment into the folder ``out``, each whole or not at all."""
    for name, file in FILES.items():
        unfinished = out / f".{file}.part"
        extension.load("reports", name)(document, unfinished)
        os.replace(unfinished, out / file)
