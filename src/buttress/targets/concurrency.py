"""How many questions are in flight: as many as the target takes.

Additive increase, multiplicative decrease (Chiu & Jain 1989, as TCP does): halved when the target
says that it is overloaded, at most once a window, since all questions in flight will hear the
same; one more a round trip as long as answers don't take longer than they used to. Where nobody
knows what a target takes, it begins with one question and doubles each round trip, as TCP's slow
start does: the first answer, or the first error, comes before many questions are sent.

A level at which the target was overloaded is not gone back to at once, as TCP CUBIC remembers it
(RFC 9438, section 4.6): only after some answers below it, and after twice as many each time that
it turns out to be too much again. Else a server with one slot would refuse every other question.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

INFLATION: Final = 2.0  # answers this many times slower than the best stop the growth
SLOW_START_INFLATION: Final = 3.0
SMOOTHING: Final = 0.05
SLOW_START_SMOOTHING: Final = 0.3  # few answers tell of each step
WINDOW_S: Final = 1.0
PATIENCE: Final = 8  # answers below a level that was too much, before it is tried again
MOST_PATIENCE: Final = 256
REFUSED: Final = 2  # questions in a row, beyond which all wait


class ConcurrencyLimit:
    """An adaptive semaphore: ``limit`` goes between 1 and ``most``, starting at ``first``."""

    def __init__(
        self, most: int, clock: Callable[[], float] = time.monotonic, *, first: int | None = None
    ) -> None:
        self._most = most
        self._limit = float(most if first is None else min(first, most))
        self._slow_start = self._limit < most
        self._clock = clock
        self._active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._latency = 0.0  # smoothed, seconds
        self._best = 0.0  # best smoothed latency; forgets slowly
        self._too_much: int | None = None  # the level at which it was overloaded last
        self._patience = PATIENCE
        self._since = 0  # answers since the target was overloaded
        self._refused = 0  # in a row
        self._deaf_until = 0.0
        self._closed_until = 0.0

    @property
    def limit(self) -> int:
        """Questions in flight at most, now."""
        return max(1, int(self._limit))

    @property
    def active(self) -> int:
        """Questions in flight."""
        return self._active

    async def acquire(self) -> None:
        """Wait for a place, and until the time that the target asked for is over."""
        while True:
            wait = self._closed_until - self._clock() if self._closed_until else 0.0
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            if self._active < self.limit:
                self._active += 1
                return
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._wake()  # the place given to us goes to another
                raise

    def release(self) -> None:
        """Give the place back."""
        self._active -= 1
        self._wake()

    def _wake(self) -> None:
        free = self.limit - self._active
        while free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1

    def succeeded(self, latency_s: float) -> None:
        """An answer came after ``latency_s`` seconds."""
        self._refused = 0
        if self._latency == 0.0:
            self._latency = self._best = latency_s
        smoothing = SLOW_START_SMOOTHING if self._slow_start else SMOOTHING
        self._latency += smoothing * (latency_s - self._latency)
        self._best = min(self._latency, self._best * 1.005)
        inflation = SLOW_START_INFLATION if self._slow_start else INFLATION
        if self._latency > inflation * self._best:
            self._slow_start = False
        elif self._limit < self._most:
            step = 1.0 if self._slow_start else 1.0 / self._limit
            self._grow(min(float(self._most), self._limit + step))
            self._wake()

    def _grow(self, limit: float) -> None:
        """Go up to ``limit``, but not to a level that was too much shortly before."""
        self._since += 1
        if self._too_much is not None and int(limit) >= self._too_much:
            if self._since <= self._patience:
                return
            if self.limit >= self._too_much:  # it has held this long
                self._too_much, self._patience = None, PATIENCE
            else:
                self._since = 0
        self._limit = limit

    def throttled(self, retry_after_s: float | None, pause_s: float = 0.0) -> None:
        """The target is overloaded.

        Args:
            retry_after_s: for how long it wants to be left alone, where it says so.
            pause_s: for how long it is left alone where it doesn't, once it refuses so many in a
                row that it seems to take only so many in a time.
        """
        now = self._clock()
        self._slow_start = False
        self._refused += 1
        if retry_after_s:
            self._closed_until = max(self._closed_until, now + retry_after_s)
        elif self._refused > max(REFUSED, self.limit) and now >= self._closed_until:
            self._closed_until = now + pause_s
        if now >= self._deaf_until:
            # Below a level that was too much before, it is not the number of questions that is.
            again = self._too_much is not None and self.limit >= self._too_much
            self._patience = min(MOST_PATIENCE, 2 * self._patience) if again else PATIENCE
            self._too_much, self._since = max(2, self.limit), 0
            self._limit = max(1.0, self._limit / 2)
            self._deaf_until = now + max(WINDOW_S, 2 * self._latency, retry_after_s or 0.0)
