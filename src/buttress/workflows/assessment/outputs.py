"""Writes the document and the reports made from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from buttress import extension
from buttress.files.atomic import atomic_path

FILES: Final = {"json": "assessment.json", "html": "report.html", "sarif": "findings.sarif"}


def write_outputs(document: Mapping[str, Any], out: Path) -> None:
    """Write all files of an assessment into the folder ``out``, each whole or not at all."""
    for name, file in FILES.items():
        with atomic_path(out / file) as unfinished:
            extension.load("reports", name)(document, unfinished)
