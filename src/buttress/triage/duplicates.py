"""Findings of one cause at one place, which are told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.evidence.places import LocatedFinding

_POSITION: Final = re.compile(
    r"(?i)\b((?:line|cell|byte|offset|opcode|position)s?)[ :]+[0-9][0-9,]*|@[0-9]+"
)


def cause(finding: Finding) -> str:
    """The message without positions: findings of a rule with the same one have the same cause."""
    return without_positions(finding.message)


def without_positions(text: str) -> str:
    """``text`` with the numbers of lines, cells and bytes replaced, which move."""
    return " ".join(_POSITION.sub(r"\1 #", text).split())


def without_duplicates(found: Iterable[LocatedFinding]) -> list[LocatedFinding]:
    """The findings, each cause at a line once; of several the gravest stays.

    The same rule with the same message is one cause. So is the same weakness (CWE) that different
    probes find on one line: two secrets that one probe finds there are two.
    """
    kept: dict[tuple[object, ...], int] = {}
    chosen: list[LocatedFinding] = []
    for one in found:
        keys = list(_keys(one))
        known = (kept[key] for key in keys if key in kept)
        at = next((index for index in known if _same(chosen[index], one)), None)
        if at is None:
            at = len(chosen)
            chosen.append(one)
        elif _gravity(one) > _gravity(chosen[at]):
            chosen[at] = one
        for key in keys:
            kept.setdefault(key, at)
    return chosen


def _keys(one: LocatedFinding) -> Iterator[tuple[object, ...]]:
    where = one.path, one.inside, one.line, one.finding.where.offset
    yield (*where, one.finding.rule, one.finding.message)
    if one.line is not None:
        yield from (
            (one.path, one.inside, one.line, ref)
            for ref in one.finding.references
            if ref.startswith("CWE-")
        )


def _same(kept: LocatedFinding, one: LocatedFinding) -> bool:
    if kept.finding.probe != one.finding.probe:
        return True
    return (kept.finding.rule, kept.finding.message) == (one.finding.rule, one.finding.message)


def _gravity(one: LocatedFinding) -> int:
    return SEVERITIES.index(one.finding.severity)
