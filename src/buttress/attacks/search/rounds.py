"""Streams of a search side by side, so that time plays no part in what they ask.

All streams take a step at once, and the next step only begins when each has its answer. So a
search stops at the same point however fast the answers come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol, TypeVar

from buttress.attacks.search.search_state import Attempt, SearchState

_Result = TypeVar("_Result")


class Stream(Protocol):
    """One line of attempts that build on each other."""

    async def step(self, number: int) -> Attempt | None:
        """Ask at most one question; None where none was asked. ``number`` counts from 0."""
        ...


async def together(work: Iterable[Awaitable[_Result]]) -> list[_Result]:
    """All results, in order. Waits for all even if one fails, then raises the first failure.

    Otherwise those left behind would go on asking after the trial's end.
    """
    results = await asyncio.gather(*work, return_exceptions=True)
    found: list[_Result] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        found.append(result)
    return found


def shares(budget: int, streams: int) -> list[int]:
    """The budget dealt out; the first streams get what is left over."""
    each, over = divmod(budget, streams)
    return [each + (number < over) for number in range(streams)]


async def in_rounds(state: SearchState, streams: Sequence[Stream]) -> None:
    """Let the streams take steps until one succeeds or their shares of the budget are used up.

    Raises:
        TargetError: from the conversation.
    """
    dealt = shares(state.budget, len(streams))
    for number in range(max(dealt, default=0)):
        active = [one for one, share in zip(streams, dealt, strict=True) if number < share]
        state.offer(await together(one.step(number) for one in active))
        if state.over:
            return
