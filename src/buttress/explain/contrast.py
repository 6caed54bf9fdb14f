"""The smallest change of words that flips a decision: removals, and one word for another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.explain.decisions import AskedPrompt, PromptDecision

REPEATS: Final = 3  # how often a decision is asked for in all
_AT_ONCE: Final = 4
MOST_REPLACED: Final = 32  # replacements that are tried
_PROVEN: Final = 2  # spans up to which the search has tried all smaller sets


@dataclass(frozen=True, slots=True)
class Contrast:
    """A prompt without the spans ``removed``, on which the target decides otherwise.

    ``replacement`` is the word in place of the one removed span, where that and no removal of one
    span flips the decision; empty else. ``smallest`` says that all smaller sets of spans were tried
    and do not flip the decision; otherwise only that putting back any one span of it undoes the
    flip. ``holds`` of ``asked`` answers to it were decided so.
    """

    removed: tuple[int, ...]
    decision: PromptDecision
    smallest: bool
    holds: int
    asked: int
    replacement: str = ""


async def find_contrast(
    asked: AskedPrompt,
    base: PromptDecision,
    values: Sequence[float],
    singles: Sequence[PromptDecision],
    words: Sequence[str] = (),
) -> Contrast | None:
    """The smallest change that was found to flip the decision; None where none does.

    One span is removed first; then one is replaced by each of ``words``, spans of high values and
    first words first, in at most ``MOST_REPLACED`` questions and none that the removals need. Then
    spans are removed in the order of their values until the decision flips, and put back one by
    one where it stays flipped. ``singles`` are the decisions without each span.

    Raises:
        CallsSpentError: the budget was spent on the way.
    """
    flips = [at for at, one in enumerate(singles) if one.differs(base)]
    if flips:
        at = min(flips, key=lambda span: len(asked.spans.texts[span]))
        return await _confirmed(asked, base, (at,), singles[at])
    order = sorted(range(len(values)), key=lambda at: -values[at])
    if words and (replaced := await _replaced(asked, base, order, words)) is not None:
        return replaced
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


async def _replaced(
    asked: AskedPrompt, base: PromptDecision, order: Sequence[int], words: Sequence[str]
) -> Contrast | None:
    """One word for another: best first, by the places of the span and of the word together."""
    most = min(MOST_REPLACED, asked.left - 2 * len(order))
    pairs = sorted(
        ((place + rank, at, word) for place, at in enumerate(order)
         for rank, word in enumerate(words) if asked.spans.replaced(at, word) != base.prompt)
    )[: max(0, most)]  # fmt: skip
    for start in range(0, len(pairs), _AT_ONCE):
        tried = pairs[start : start + _AT_ONCE]
        made = await asyncio.gather(*(asked.decide_replaced(at, word) for _, at, word in tried))
        for (_, at, word), one in zip(tried, made, strict=True):
            if one.differs(base):
                return await _confirmed(asked, base, (at,), one, word)
    return None


async def _confirmed(
    asked: AskedPrompt,
    base: PromptDecision,
    removed: tuple[int, ...],
    decision: PromptDecision,
    word: str = "",
) -> Contrast:
    ask: Callable[[int], Awaitable[PromptDecision]] = (
        (lambda time: asked.decide_replaced(removed[0], word, again=time)) if word
        else (lambda time: asked.decide(removed, again=time))
    )  # fmt: skip
    again = [await ask(time) for time in range(1, min(REPEATS, asked.left + 1))]
    holds = 1 + sum(one.differs(base) for one in again)
    smallest = len(removed) <= _PROVEN
    return Contrast(removed, decision, smallest, holds, 1 + len(again), word)
