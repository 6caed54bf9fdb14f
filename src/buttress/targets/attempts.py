"""One attempt at a question: within the places, the allowance and the time, with what it cost."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from buttress.errors import FOREIGN_FAILURES, ButtressError
from buttress.targets.allowance import Allowance
from buttress.targets.base import (
    Answer,
    Request,
    Target,
    TargetError,
    needs_no_timeout,
    time_for_answer,
    unusable,
)
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.metering import Meter
from buttress.targets.tokens import estimated
from buttress.targets.waits import Waits


class Attempts:
    """Makes the attempts of all questions to one target; arguments as of ``RetryingClient``."""

    def __init__(
        self,
        target: Target,
        limit: ConcurrencyLimit,
        *,
        timeout_s: float,
        clock: Callable[[], float],
        allowance: Allowance,
        meter: Meter,
        waits: Waits,
        whom: str,
    ) -> None:
        self._target = target
        self._limit = limit
        own_s = time_for_answer(target)
        ends_itself = needs_no_timeout(target)
        self._timeout_s = math.inf if ends_itself else timeout_s if own_s is None else own_s
        self._told_s = own_s if ends_itself else self._timeout_s
        self._clock = clock
        self._allowance = allowance
        self._meter = meter
        self._waits = waits
        self._whom = whom
        self._answered_begun = deque[float](maxlen=256)  # when questions began that were answered
        self.last_answer = -math.inf  # when it came, by the clock

    async def once(self, request: Request, *, held: bool = False) -> Answer | TargetError:
        """The answer, or why there is none; ``held`` says that a place is held already.

        Raises:
            SpentError: the allowance is used up.
            ButtressError: the target can't work at all.
        """
        if not held:
            await self._limit.acquire()
        await self._admission()
        self._meter.called()
        start = self._clock()
        timeout_s = self._allowance.seconds_left(self._timeout_s)
        self._waits.begin(self._whom, self._told_s)
        answer: Answer | None = None
        try:
            async with asyncio.timeout(timeout_s if timeout_s < math.inf else None):
                answer = await self._target.answer(request)
        except TargetError as error:
            return self._placed(error, request, start)
        except TimeoutError:
            self._allowance.check_time()
            late = f"no answer within {timeout_s:g} s"
            return self._placed(TargetError(late, retry=True, timed_out=True), request, start)
        except ButtressError:
            raise
        except FOREIGN_FAILURES as error:  # one question must not end the run
            return TargetError(f"{type(error).__name__}: {error}", retry=False)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return TargetError("CancelledError: the target cancelled the question", retry=False)
        finally:
            self._waits.end(self._whom, answered=answer is not None)
            self._limit.release()
        if wrong := unusable(answer):
            return TargetError(f"the target gave no usable answer: {wrong}", retry=False)
        self._answered_begun.append(start)
        self.last_answer = self._clock()
        self._limit.succeeded(self.last_answer - start)
        self._meter.answered(answer)
        return answer

    def _placed(self, error: TargetError, request: Request, start: float) -> TargetError:
        """The error of an attempt begun at ``start``, with how many have overtaken it."""
        if error.timed_out:
            self._meter.timed_out(estimated(*(turn.content for turn in request.messages)))
            error.overtaken = sum(begun > start for begun in self._answered_begun)
            error.alone = self.last_answer < start
        return error

    async def _admission(self) -> None:
        """Wait until the allowance admits the attempt, without keeping the place meanwhile.

        Raises:
            SpentError: it never will.
        """
        held = True
        try:
            while not self._allowance.admits():
                self._limit.release()
                held = False
                await self._allowance.changed()
                await self._limit.acquire()
                held = True
        except BaseException:
            if held:
                self._limit.release()
            raise
