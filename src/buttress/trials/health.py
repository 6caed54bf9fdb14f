"""Whether a target still answers, told from questions that failed and from a harmless one."""

from __future__ import annotations

import asyncio
from typing import Final

from buttress.errors import ButtressError
from buttress.targets.allowance import SpentError
from buttress.targets.base import TargetError
from buttress.targets.completion import one_line
from buttress.targets.retrying import RetryingClient
from buttress.trials.totals import Totals

FIRST_FAILURES: Final = 20  # questions that may fail before the first answer
FAILURES_IN_A_ROW: Final = 100  # and after it: the target has died
FATAL_IN_A_ROW: Final = 10  # that no other question would fare better with


class TargetDiedError(ButtressError):
    """The target doesn't answer, or doesn't any more."""


class TargetHealth:
    """Counts questions that failed in a row.

    A target may fail on harmful questions alone. So where too many failed, a harmless one tells
    whether it has died.

    Args:
        name: of the target, for messages.
        client: asks it.
        totals: of the run, where messages are counted.
    """

    def __init__(self, name: str, client: RetryingClient, totals: Totals) -> None:
        self._name = name
        self._client = client
        self._totals = totals
        self._answered = False
        self.begun = 0  # questions so far
        self.last_answered = 0  # the number of the latest begun that was answered
        self._failures = 0
        self._fatal = 0
        self._checking = asyncio.Lock()
        self._died = ""
        self._blamed: set[str] = set()
        self._revivals = 0  # times that a harmless question was answered after failures

    def begin(self) -> int:
        """The number of a question that begins, from 1 on."""
        self.begun += 1
        return self.begun

    def answered(self, number: int) -> None:
        """The question of this number was answered."""
        self._answered = True
        self.last_answered = max(self.last_answered, number)
        self._failures = self._fatal = 0

    async def failed(self, error: TargetError) -> None:
        """Count a question given up.

        Raises:
            TargetDiedError: too many in a row, and the harmless one too.
        """
        message = one_line(str(error))
        self._totals.error(message)
        self._failures += 1
        self._fatal = self._fatal + 1 if error.fatal else 0
        if error.fatal and not self._answered:
            if error.doubtful and await self._lives():
                return
            self._client.give_up(message)
            raise TargetDiedError(f"{self._name}: {message}") from None
        most = FAILURES_IN_A_ROW if self._answered else FIRST_FAILURES
        shut_out = self._client.gone or (self._fatal == 1 and not error.doubtful)
        if self._died or shut_out or self._failures >= most or self._fatal >= FATAL_IN_A_ROW:
            if not self._died and await self._lives():
                return
            self._died = self._died or self._last_words(message, most)
            raise TargetDiedError(self._died) from None

    def _last_words(self, message: str, most: int) -> str:
        failed = min(most, self._failures)
        if failed == 1:
            return f"{self._name}: {message}; a harmless question fails too"
        which = "last" if self._answered else "first"
        common = self._totals.messages.most_common(1)[0][0]
        return f"{self._name}: the {which} {failed} questions all failed; it said: {common}"

    def blamed(self, probe: str) -> bool:
        """Whether a question of the probe counts already as what the target may have died of."""
        known = probe in self._blamed
        self._blamed.add(probe)
        return known

    async def confirm(self, refused: str) -> None:
        """Whether the target turns down single questions, and not this caller.

        Args:
            refused: what it said.

        Raises:
            TargetDiedError: a harmless question fails too.
        """
        if not self._died and await self._lives():
            return
        said = f"{self._name}: {one_line(refused)}; a harmless question fails too"
        self._died = self._died or said
        raise TargetDiedError(self._died) from None

    async def _lives(self) -> bool:
        """Whether the target answers a harmless question now; then failures are counted anew."""
        before = self._revivals
        async with self._checking:  # one for all questions that failed meanwhile
            if self._revivals > before:
                return True
            number = self.begin()
            try:
                lives = await self._client.answers_now()
            except SpentError:
                return True  # nothing more is asked, so nothing is to be ended
            if lives:
                self.answered(number)
                self._revivals += 1
            return lives
