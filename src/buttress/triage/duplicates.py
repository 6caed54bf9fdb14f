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

    The same rule with the same message is one cause. So is the same weakness (CWE) that two
    probes find on one line, such as a key that is written into a call. What one probe finds
    there twice is two causes, and neither of them vanishes: of ``n`` findings of one probe and
    ``m`` of another with the same weakness the greater number stays.
    """
    at_place: dict[tuple[object, ...], list[int]] = {}
    chosen: list[LocatedFinding] = []
    probes: list[set[str]] = []  # that found each of the chosen
    for one in found:
        keys = list(_keys(one))
        known = sorted({index for key in keys for index in at_place.get(key, ())})
        at = next((index for index in known if _equal(chosen[index], one)), None)
        if at is None:
            at = next((index for index in known if one.finding.probe not in probes[index]), None)
        if at is None:
            at = len(chosen)
            chosen.append(one)
            probes.append(set())
        elif _gravity(one) > _gravity(chosen[at]):
            chosen[at] = one
        probes[at].add(one.finding.probe)
        for key in keys:
            at_place.setdefault(key, []).append(at)
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


def _equal(kept: LocatedFinding, one: LocatedFinding) -> bool:
    return (kept.finding.rule, kept.finding.message) == (one.finding.rule, one.finding.message)


def _gravity(one: LocatedFinding) -> int:
    return SEVERITIES.index(one.finding.severity)
