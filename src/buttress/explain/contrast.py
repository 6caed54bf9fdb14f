"""The smallest removal of words that flips a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from buttress.explain.decisions import AskedPrompt, PromptDecision

REPEATS: Final = 3  # how often a decision is asked for in all
_AT_ONCE: Final = 4
_PROVEN: Final = 2  # spans up to which the search has tried all smaller sets


@dataclass(frozen=True, slots=True)
class Contrast:
    """A prompt without the spans ``removed``, on which the target decides otherwise.

    ``smallest`` says that all smaller sets of spans were tried and do not flip the decision;
    otherwise only that putting back any one span of it undoes the flip. ``holds`` of ``asked``
    answers to it were decided so.
    """

    removed: tuple[int, ...]
    decision: PromptDecision
    smallest: bool
    holds: int
    asked: int


async def find_contrast(
    asked: AskedPrompt,
    base: PromptDecision,
    values: Sequence[float],
    singles: Sequence[PromptDecision],
) -> Contrast | None:
    """The smallest removal that was found to flip the decision; None where none does.

    Spans are removed in the order of their values until the decision flips, then put back one by
    one where it stays flipped. ``singles`` are the decisions without each span.

    Raises:
        CallsSpentError: the budget was spent on the way.
    """
    flips = [at for at, one in enumerate(singles) if one.differs(base)]
    if flips:
        at = min(flips, key=lambda span: len(asked.spans.texts[span]))
        return await _confirmed(asked, base, (at,), singles[at])
    order = sorted(range(len(values)), key=lambda at: -values[at])
    found = await _first_flip(asked, base, order)
    if found is None:
        return None
    removed, decision = found
    changed = True
    while changed:  # a span may become dispensable once others are back
        changed = False
        for at in reversed(removed):
            fewer = [span for span in removed if span != at]
            tried = await asked.decide(fewer)
            if tried.differs(base):
                removed, decision, changed = fewer, tried, True
    return await _confirmed(asked, base, tuple(sorted(removed)), decision)


async def _first_flip(
    asked: AskedPrompt, base: PromptDecision, order: Sequence[int]
) -> tuple[list[int], PromptDecision] | None:
    sizes = range(2, len(order))
    for start in range(0, len(sizes), _AT_ONCE):
        removals = [list(order[:size]) for size in sizes[start : start + _AT_ONCE]]
        for removed, one in zip(removals, await asked.decide_all(removals), strict=True):
            if one.differs(base):
                return removed, one
    return None


async def _confirmed(
    asked: AskedPrompt, base: PromptDecision, removed: tuple[int, ...], decision: PromptDecision
) -> Contrast:
    times = range(1, min(REPEATS, asked.left + 1))
    again = [await asked.decide(removed, again=time) for time in times]
    holds = 1 + sum(one.differs(base) for one in again)
    return Contrast(removed, decision, len(removed) <= _PROVEN, holds, 1 + len(again))
