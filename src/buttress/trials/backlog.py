"""Answers that wait for their judgement: few where none comes back, more as they do.

As in TCP's slow start (RFC 5681), what may be under way grows only with what comes back. A judge
whose model fails from some moment on so holds the questions back, and few are asked in vain.
"""

from __future__ import annotations

import asyncio
from typing import Final

LEAST: Final = 16


class Backlog:
    """Counts answers ``waiting`` for their judgement; ``most`` is how many may ever do so."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._room = min(LEAST, most)
        self.waiting = 0
        self._peak = 0  # of those waiting, since judgements came back last
        self._held = False  # whether somebody had to wait since then
        self._changed = asyncio.Event()
        self._ended = False

    @property
    def room(self) -> int:
        """How many answers may wait now."""
        return min(self._room, self.most)

    def add(self) -> None:
        """An answer came."""
        self.waiting += 1
        self._peak = max(self._peak, self.waiting)

    def settle(self, count: int, judged: int) -> None:
        """So many answers are done with, and so many of them have a judgement."""
        self.waiting -= count
        if judged and self._held:
            self._room = min(self.most, 2 * self._room)
        elif judged:
            self._room = max(LEAST, min(self._room, 2 * self._peak))
        if judged:
            self._held, self._peak = False, self.waiting
        self._changed.set()

    def end(self) -> None:
        """Hold nobody back any more."""
        self._ended = True
        self._changed.set()

    async def ease(self) -> None:
        """Wait until there is room."""
        while self.waiting > self.room and not self._ended:
            self._held = True
            self._changed.clear()
            await self._changed.wait()
