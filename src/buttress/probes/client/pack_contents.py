"""Rules of this probe as contents of packs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.probes.client import texts
from buttress.probes.client.checks import CHECKS, RULES
from buttress.probes.client.probe import limit
from buttress.rules.packed_subjects import RuleDomain, packed_subject_rules
from buttress.rules.subject import Subject, at_line

# In examples: what the probe draws from a package.
_FACTS: Final = "package.facts.json"
_CALLS: Final = "android.calls"


def _limit(path: Path) -> int:
    return texts.MAX_JSON if path.name in (_FACTS, _CALLS) else limit(path)


def _subjects(_path: Path, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    if file.name == _FACTS:
        return iter([Subject("package", json.loads(file.data), at_line(1))])
    if file.name == _CALLS:
        return iter([Subject("android.call", file.data.decode(), at_line(1), lookalikes=False)])
    return texts.subjects(file, reading, delivered=texts.is_delivered(file.location))


CLIENT_RULES: Final = packed_subject_rules(RULES, RuleDomain(_limit, _subjects, CHECKS))
