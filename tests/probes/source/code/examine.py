"""What the rules find in a piece of code."""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path

from buttress.evidence.findings import Finding, Inspection
from buttress.files.selection import EVERYTHING, Selection
from buttress.files.tree import Tree
from buttress.probes.source.code.matcher import Hit, RuleMatcher
from buttress.probes.source.code.probe import PROBE
from buttress.probes.source.code.rulebook import CODE
from buttress.protocols.inspection import InspectionContext


@cache
def matcher() -> RuleMatcher:
    return RuleMatcher(tuple(CODE.own.values()))


def hits(code: str) -> list[Hit]:
    result = matcher().examine_text(textwrap.dedent(code))
    assert not result.broken
    return list(result.hits)


def found(code: str) -> set[str]:
    return {hit.rule.id for hit in hits(code)}


def inspect(path: Path, chosen: Selection = EVERYTHING) -> tuple[list[Finding], Inspection]:
    *findings, inspection = PROBE.inspect(InspectionContext("app", Tree(path, chosen)))
    assert isinstance(inspection, Inspection)
    return [one for one in findings if isinstance(one, Finding)], inspection
