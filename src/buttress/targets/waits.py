"""Telling what is waited for, so that a server that hangs does not look like a run that does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

FIRST_TOLD_S: Final = 30.0  # without an answer; told again after twice as long, and so on
_LOOK_S: Final = 1.0


@dataclass(slots=True)
class _Wait:
    """For one target: questions under way, since when nothing came, when that is told next."""

    under_way: int = 0
    since: float | None = None  # an answer is being waited for
    most_s: float | None = None
    tell_after_s: float = FIRST_TOLD_S
    paused_until: float = 0.0


class Waits:
    """Knows for whom a run waits, and says so where that takes long.

    Args:
        say: gets a line for people.
        clock: seconds.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._waits: dict[str, _Wait] = {}

    def begin(self, whom: str, most_s: float | None) -> None:
        """A question goes to ``whom``, who has so many seconds."""
        wait = self._waits.setdefault(whom, _Wait())
        if wait.since is None:
            wait.since = self._clock()
        wait.under_way += 1
        wait.most_s = most_s

    def end(self, whom: str, *, answered: bool) -> None:
        """It is over."""
        wait = self._waits[whom]
        wait.under_way -= 1
        if answered:
            wait.since = self._clock() if wait.under_way else None

    def pause(self, whom: str, seconds: float, why: str) -> None:
        """Nothing is asked of ``whom`` for so long; told once where that is long."""
        wait = self._waits.setdefault(whom, _Wait())
        now = self._clock()
        if seconds >= FIRST_TOLD_S and now >= wait.paused_until:
            wait.paused_until = now + seconds
            self._say(f"waiting {seconds:.0f} s before {whom} is asked again: {why}")

    def look(self) -> None:
        """Tell what has been waited for so long that it is to be told."""
        now = self._clock()
        for whom, wait in self._waits.items():
            quiet = now - (now if wait.since is None else wait.since)
            if wait.under_way and quiet >= wait.tell_after_s:
                wait.tell_after_s = 2 * quiet
                self._say(_told(whom, wait, quiet))

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Look every second while the body runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self.look()


def _told(whom: str, wait: _Wait, quiet: float) -> str:
    questions = "1 question" if wait.under_way == 1 else f"{wait.under_way} questions"
    most = f"; each has {wait.most_s:g} s (timeout_s)" if wait.most_s is not None else ""
    return f"waiting for {whom}: no answer for {quiet:.0f} s, {questions} under way{most}"
