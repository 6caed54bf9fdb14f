"""Rules of this probe as contents of packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.probes.client import texts
from buttress.probes.client.checks import CHECKS
from buttress.probes.client.probe import KIND, limit, own_rules
from buttress.rules.pack_rules import RuleDomain, SubjectRules
from buttress.rules.subject import Subject


def _subjects(_path: Path, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    return texts.subjects(file, reading, delivered=texts.is_delivered(file.location))


CLIENT_RULES: Final = SubjectRules(KIND, RuleDomain(limit, _subjects, own_rules, CHECKS))
