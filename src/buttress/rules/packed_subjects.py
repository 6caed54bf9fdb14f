"""Rules about pieces of files as contents of packs: how their examples are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.files.source_files import SourceFile, SourceReading
from buttress.rules.packed import PackedRules
from buttress.rules.rule import Example
from buttress.rules.rule_files import RuleKind
from buttress.rules.subject import Check, Subject, SubjectMatcher
from buttress.rules.subject_rule import SubjectRule

_ROOT: Final = Path("/example")  # examples are never written; only their names matter


@dataclass(frozen=True, slots=True)
class RuleDomain:
    """A probe's part in its rules: how many bytes of a file of that path are read, 0 for none,
    what rules can be about in it, and the checks that they can name."""

    limit: Callable[[Path], int]
    subjects: Callable[[Path, SourceFile, SourceReading], Iterator[Subject]]
    checks: Mapping[str, Check]

    def subjects_of(self, example: Example) -> list[Subject]:
        """Empty where the probe does not read such a file."""
        place, data = _ROOT / example.file, example.text.encode()
        if not 0 < len(data) <= self.limit(place):
            return []
        return list(self.subjects(place, SourceFile(example.file, data), SourceReading()))


def packed_subject_rules(
    kind: RuleKind[SubjectRule], domain: RuleDomain
) -> PackedRules[SubjectRule]:
    """Rules of that kind as contents of packs."""

    def trial(rule: SubjectRule) -> Callable[[Example], set[bool]]:
        matcher = SubjectMatcher([rule], domain.checks)

        def finds(example: Example) -> set[bool]:
            subjects = domain.subjects_of(example)
            return {any(True for one in subjects for _ in matcher.issues(one))}

        return finds

    def expected(example: Example) -> str:
        kinds = sorted({one.kind for one in domain.subjects_of(example)})
        return f"a match in {', '.join(kinds[:20])}" if kinds else "a file that the probe reads"

    return PackedRules(kind, trial, expected)
