"""What the rules find in a module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from buttress.evidence.findings import SEVERITIES
from buttress.probes.source.code.rulebook import CodeRule
from buttress.probes.source.code.values import Taint


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a rule matches; lines count from 1 in the module."""

    rule: CodeRule
    line: int
    end_line: int
    it: str
    taint: Taint | None = None
    file: str = ""
    moved: bool = False  # told at a call on the way, since the place itself is not inspected
    switch: str = ""  # the setting by which whoever runs the program asks for it

    @property
    def key(self) -> tuple[str, int, str]:
        """What makes it another one in its module."""
        return (self.rule.id, self.line, self.it)


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules find in a module, and what of it could not be followed."""

    hits: Sequence[Hit]
    broken: Sequence[str] = ()  # what does not parse
    cut: Sequence[str] = ()  # what was left out


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """Hits by their place."""
    return sorted(hits, key=lambda hit: (hit.line, hit.rule.id, hit.it))


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Without hits of one flaw at one place that differ only in where the value comes from.

    A request that asks a model whose answer is run as code is told as the answer that is run: of
    several sources the one with the shortest way stays. What a stranger is shown to decide is not
    told once more as what anybody might.
    """
    nearest: dict[tuple[str, int, str, str], Hit] = {}
    for hit in in_order(hits):
        flaw = hit.rule.references[0] if hit.rule.references else hit.rule.id
        if hit.taint is None:
            flaw = hit.rule.id
        key = (hit.file, hit.line, hit.it, flaw)
        known = nearest.get(key)
        if known is None or _way(hit) < _way(known):
            nearest[key] = hit
    shown = {key for key, hit in nearest.items() if hit.taint is not None}
    return in_order(
        hit
        for (file, line, it, _), hit in nearest.items()
        if hit.taint is not None
        or not hit.rule.references
        or (file, line, it, hit.rule.references[0]) not in shown
    )


def _way(hit: Hit) -> tuple[bool, int, int]:
    """What nobody checks goes first, then a short way, then the graver rule."""
    least = -SEVERITIES.index(hit.rule.severity)
    if hit.taint is None:
        return False, 0, least
    return bool(hit.taint.check), len(hit.taint.steps), least
