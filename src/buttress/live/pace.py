"""Requests a second, evenly spaced."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Lets ``rate`` callers a second through; all at once where the rate is 0."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        """Return when it is the caller's turn."""
        if not self._gap:
            return
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._gap
        if turn > now:
            await asyncio.sleep(turn - now)
