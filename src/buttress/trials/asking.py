"""One question, asked until it is answered or given up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from buttress.answers.own_refusals import OwnRefusals
from buttress.answers.reasoning import separate
from buttress.errors import ButtressError
from buttress.targets.base import Answer, Request, Target, TargetError, takes_images
from buttress.trials.concurrency import ConcurrencyLimit

LONGEST_BACKOFF_S: Final = 30.0
# Being told to wait is no failure of the question, so it has a bound of its own.
THROTTLES_PER_ATTEMPT: Final = 4
OWN_MESSAGE: Final = "a message that the manifest names under refusals"


class Asker:
    """Asks with exponential backoff and full jitter, within the target's concurrency.

    ``called`` is told of each attempt. ``own_refusals`` are the application's block messages.
    """

    def __init__(
        self,
        target: Target,
        limit: ConcurrencyLimit,
        *,
        timeout_s: float,
        max_attempts: int,
        backoff_s: float,
        seed: int,
        clock: Callable[[], float],
        called: Callable[[], None],
        own_refusals: OwnRefusals | None = None,
    ) -> None:
        self._target = target
        self._limit = limit
        self._timeout_s = timeout_s
        self._max_attempts = max_attempts
        self._backoff_s = backoff_s
        self._chance = random.Random(seed)
        self._clock = clock
        self._called = called
        self._own_refusals = own_refusals or OwnRefusals()

    async def ask(self, request: Request) -> Answer:
        """The target's answer, with ``latency_s`` set.

        Raises:
            TargetError: given up; the last error.
            ButtressError: the target can't work at all.
        """
        if any(message.images for message in request.messages) and not takes_images(self._target):
            raise TargetError("it takes no pictures", retry=False)
        attempts = throttles = 0
        while True:
            error = await self._once(request)
            if isinstance(error, Answer):
                return error
            if error.throttled:
                throttles += 1
                self._limit.throttled(error.retry_after_s)
                left = throttles < THROTTLES_PER_ATTEMPT * self._max_attempts
            else:
                attempts += 1
                left = attempts < self._max_attempts
            if not error.retry or not left:
                raise error
            await asyncio.sleep(self._pause(attempts + throttles, error.retry_after_s))

    async def _once(self, request: Request) -> Answer | TargetError:
        await self._limit.acquire()
        self._called()
        start = self._clock()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._target.answer(request)
        except TargetError as error:
            return error
        except TimeoutError:
            return TargetError(f"no answer within {self._timeout_s:g} s", retry=True)
        except ButtressError:
            raise
        except Exception as error:  # a third party's target; one question must not end the run
            return TargetError(f"{type(error).__name__}: {error}", retry=False)
        finally:
            self._limit.release()
        self._limit.succeeded(self._clock() - start)
        return self._read(answer)

    def _read(self, answer: Answer) -> Answer:
        """The answer with reasoning apart, and refused where it is the application's own message.

        A target that hands reasoning over in a field may leave some in the text as well.
        """
        separated = separate(answer.text)
        if separated.text != answer.text:
            reasoning = "\n\n".join(filter(None, (answer.reasoning, separated.reasoning)))
            answer = replace(answer, text=separated.text, reasoning=reasoning)
        if not answer.refused_by and self._own_refusals.match(answer.text):
            answer = replace(answer, refused_by=OWN_MESSAGE)
        return answer

    def _pause(self, tries: int, asked_s: float | None) -> float:
        most = min(LONGEST_BACKOFF_S, self._backoff_s * 2.0 ** (tries - 1))
        return (asked_s or 0.0) + self._chance.uniform(0.0, most)
