"""What may be spent on questions: their number, tokens, money and time, attempts included.

An allowance is asked before each attempt. Where the next one might overdraw it, but questions in
flight may still turn out cheaper, the attempt waits for them; where nothing is in flight, it is
spent. So a budget holds however many questions are in flight.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from buttress.errors import ButtressError

GRACE: Final = 0.03  # of the time, for answers in flight when it ends
LEAST_GRACE_S: Final = 0.5


class SpentError(ButtressError):
    """Nothing more may be asked; the message says which budget is spent.

    ``failure`` is what the target said to the last attempt of the question, where it failed.
    """

    failure: str = ""


class Allowance(Protocol):
    """What a client asks before each attempt."""

    def begin(self) -> None:
        """A question is begun; it may take several attempts."""
        ...

    def end(self) -> None:
        """It is answered or given up."""
        ...

    def hand_over(self) -> None:
        """An answer waits for its judgement."""
        ...

    def settle(self, count: int) -> None:
        """So many of these answers are judged and stored."""
        ...

    def admits(self) -> bool:
        """Whether another attempt may be made now; if not, ``changed`` says when to ask again.

        Raises:
            SpentError: it will never be.
        """
        ...

    async def changed(self) -> None:
        """Wait until something has ended."""
        ...

    async def sleep(self, pause_s: float) -> None:
        """Wait between two attempts."""
        ...

    def check_pause(self, pause_s: float) -> None:
        """Whether so long a pause leaves time for another attempt.

        Raises:
            SpentError: it doesn't.
        """
        ...

    def check_time(self) -> None:
        """Whether there is time left.

        Raises:
            SpentError: there is none.
        """
        ...

    def seconds_left(self, wanted_s: float) -> float:
        """How long an attempt may take, at most as long as wanted."""
        ...


class Unlimited:
    """No limit at all."""

    def begin(self) -> None:
        """See ``Allowance``."""

    def end(self) -> None:
        """See ``Allowance``."""

    def hand_over(self) -> None:
        """See ``Allowance``."""

    def settle(self, count: int) -> None:
        """See ``Allowance``."""

    def admits(self) -> bool:
        """See ``Allowance``."""
        return True

    async def changed(self) -> None:
        """See ``Allowance``."""

    async def sleep(self, pause_s: float) -> None:
        """See ``Allowance``."""
        await asyncio.sleep(pause_s)

    def check_pause(self, pause_s: float) -> None:
        """See ``Allowance``."""

    def check_time(self) -> None:
        """See ``Allowance``."""

    def seconds_left(self, wanted_s: float) -> float:
        """See ``Allowance``."""
        return wanted_s


UNLIMITED: Final = Unlimited()


@dataclass(slots=True)
class RunAllowance:
    """The allowance of a run.

    Args:
        calls, tokens, cost, seconds: limits; None for none.
        spent_calls: calls so far, those of judge and attacker included.
        spent_tokens: tokens so far, as calls.
        spent_cost: money so far.
        judge_calls: calls of the judge that each answer leads to, if it can read all replies.
        spent_judge_calls: those so far. A judge that has to ask again takes more for each answer.
        clock: seconds, for the limit of time.
    """

    calls: int | None = None
    cost: float | None = None
    seconds: float | None = None
    spent_calls: Callable[[], int] = lambda: 0
    spent_cost: Callable[[], float] = lambda: 0.0
    tokens: int | None = None
    spent_tokens: Callable[[], int] = lambda: 0
    judge_calls: int = 0
    spent_judge_calls: Callable[[], int] = lambda: 0
    clock: Callable[[], float] = time.monotonic
    reason: str = ""
    _began: float = field(init=False)
    _tokens_before: int = field(init=False, default=0)
    _cost_before: float = field(init=False, default=0.0)
    _open: int = field(init=False, default=0)  # questions begun and not ended
    _waiting: int = field(init=False, default=0)
    _ended: int = field(init=False, default=0)
    _unjudged: int = field(init=False, default=0)
    _judged: int = field(init=False, default=0)
    _changed: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def start(self) -> None:
        """The clock starts now; what is spent already was so by an earlier run."""
        self._began = self.clock()
        self._tokens_before, self._cost_before = self.spent_tokens(), self.spent_cost()

    def begin(self) -> None:
        """See ``Allowance``."""
        self._open += 1

    def end(self) -> None:
        """See ``Allowance``."""
        self._open -= 1
        self._ended += 1
        self._wake()

    def hand_over(self) -> None:
        """See ``Allowance``."""
        self._unjudged += 1

    def settle(self, count: int) -> None:
        """See ``Allowance``."""
        self._unjudged = max(0, self._unjudged - count)
        self._judged += count
        self._wake()

    def admits(self) -> bool:
        """See ``Allowance``."""
        self.check_time()
        spent = self._overdrawn()
        if spent and self._others() <= 0:
            self._wake()
            raise self._spend(spent)
        return not spent

    async def changed(self) -> None:
        """See ``Allowance``."""
        self._waiting += 1
        try:
            self._changed.clear()
            async with asyncio.timeout(self._time_left()):
                await self._changed.wait()
        except TimeoutError:
            self.check_time()
        finally:
            self._waiting -= 1

    def _others(self) -> int:
        """What is under way beside the attempt in question, and may still free something."""
        return max(0, self._open - self._waiting - 1) + self._unjudged

    def _overdrawn(self) -> str:
        """Which budget the next attempt might overdraw; "" if none."""
        others = self._others()
        if self.calls is not None:
            left = self.calls - self.spent_calls()
            if 1 + self._judge_calls_each() * (1 + others) > left:
                return "the budget of calls is spent"
        if self.cost is not None and self._exceeds(
            self.cost, self.spent_cost(), self._cost_before, others
        ):
            return "the budget of money is spent"
        if self.tokens is not None and self._exceeds(
            self.tokens, self.spent_tokens(), self._tokens_before, others
        ):
            return "the budget of tokens is spent"
        return ""

    def _exceeds(self, limit: float, spent: float, before: float, others: int) -> bool:
        """Whether another question beside the ``others`` might, by what each took so far.

        Answers that wait for a judge's model have not taken yet what they will.
        """
        settled = self._ended - self._unjudged
        if settled <= 0:
            return spent >= limit or others >= _UNPRICED
        each = (spent - before) / settled
        return spent >= limit or spent + each * (others + 1) > limit * _ROUNDING

    def _judge_calls_each(self) -> float:
        """Calls of the judge for each answer, as they have turned out so far."""
        if not self.judge_calls or not self._judged:
            return self.judge_calls
        return max(self.judge_calls, self.spent_judge_calls() / (self._judged + self._unjudged))

    def _spend(self, reason: str) -> SpentError:
        self.reason = self.reason or reason
        return SpentError(reason)

    def _wake(self) -> None:
        self._changed.set()

    def _time_left(self) -> float | None:
        if self.seconds is None:
            return None
        return max(0.0, self._began + self.seconds - self.clock())

    async def sleep(self, pause_s: float) -> None:
        """See ``Allowance``."""
        await asyncio.sleep(pause_s)

    def check_pause(self, pause_s: float) -> None:
        """See ``Allowance``."""
        left = self._time_left()
        if left is not None and pause_s >= left:
            raise self._spend("the budget of time is spent")

    def check_time(self) -> None:
        """See ``Allowance``."""
        if spent := self.time_over():
            raise self._spend(spent)

    def time_over(self) -> str:
        """That the time is spent; "" while it isn't."""
        return "the budget of time is spent" if self._time_left() == 0.0 else ""

    def seconds_left(self, wanted_s: float) -> float:
        """See ``Allowance``."""
        left = self._time_left()
        if left is None or self.seconds is None:
            return wanted_s
        return min(wanted_s, left + max(LEAST_GRACE_S, GRACE * self.seconds))


_ROUNDING: Final = 1 + 1e-9
_UNPRICED: Final = 4  # questions in flight before the price of the first is known
