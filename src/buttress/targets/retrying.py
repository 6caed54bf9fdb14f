"""One question, asked until it is answered or given up: the same for targets, judges, attackers."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from buttress.answers.own_refusals import OwnRefusals
from buttress.answers.reasoning import separate
from buttress.errors import ButtressError
from buttress.targets.allowance import UNLIMITED, Allowance, SpentError
from buttress.targets.attempts import Attempts
from buttress.targets.base import (
    Answer,
    Message,
    Recorded,
    Request,
    Sampling,
    Target,
    TargetError,
    starts_slowly,
)
from buttress.targets.base import takes_images as takes_images_of
from buttress.targets.completion import one_line
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.metering import UNMETERED, Meter
from buttress.targets.settings import TIMEOUT_S
from buttress.targets.silence import Silence, is_silent
from buttress.targets.waits import Waits

ATTEMPTS: Final = 5
BACKOFF_S: Final = 0.5
LONGEST_BACKOFF_S: Final = 30.0
LONGEST_WAIT_S: Final = 300.0  # that a target may ask for; beyond it the run stops
# Being told to wait is no failure of the question, so it has a bound of its own.
THROTTLES_PER_ATTEMPT: Final = 4
ADAPTATIONS: Final = 16  # changes of form that a question may lead to
GREETINGS: Final = 3
TALKS: Final = 2  # harmless questions whose answers hold no text: the target talks no more
FAILING: Final = 20  # attempts in a row that failed; then a harmless question tells for all
OUTAGE_GREETINGS: Final = 5  # such questions: a server may begin anew
HANGS: Final = 2  # times that a question may time out while others are answered
OVERTAKEN: Final = 3  # questions begun after one and answered before it: the target is not slow
FIRST_WAIT_S: Final = 75.0  # for a limit of so many a minute, before anything was answered
THROTTLED_S: Final = 150.0  # in which nothing was answered; then a harmless question tells for all
STARTING_PAUSE_S: Final = 5.0  # between two looks at it
GREETING: Final = Request((Message("user", "Hello! Please say hello."),), Sampling(max_tokens=64))
UNCONFIRMED: Final = 4  # refusals in a row that may be a door shut on all questions
OWN_MESSAGE: Final = "a message that the manifest names under refusals"


def with_reasoning_apart(answer: Answer) -> Answer:
    """The answer with its reasoning in ``reasoning``, wherever it stood."""
    separated = separate(answer.text)
    if separated.text == answer.text:
        return answer
    reasoning = "\n\n".join(filter(None, (answer.reasoning, separated.reasoning)))
    return replace(answer, text=separated.text, reasoning=reasoning)


class TargetClosedError(ButtressError):
    """The target wants to be left alone for longer than a run waits."""


class RetryingClient:
    """Asks with exponential backoff and full jitter, within the target's concurrency.

    Args:
        target: who is asked.
        timeout_s: seconds for an answer, where neither the target nor its settings see to that.
        limit: questions in flight; a new one for the target where absent.
        allowance: what may be spent; each attempt counts.
        meter: told of each attempt and of each answer.
        own_refusals: block messages of the application, which count as refusals.
        harmless: a question that any target answers, put where one may only have closed its door.
        waits: told of questions under way and of long pauses.
        whom: the target's name for people, as ``waits`` tells it.
    """

    def __init__(
        self,
        target: Target,
        limit: ConcurrencyLimit | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        max_attempts: int = ATTEMPTS,
        backoff_s: float = BACKOFF_S,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        allowance: Allowance = UNLIMITED,
        meter: Meter = UNMETERED,
        own_refusals: OwnRefusals | None = None,
        harmless: str = "",
        waits: Waits | None = None,
        whom: str = "",
    ) -> None:
        self._target = target
        first = 1 if starts_slowly(target) else None
        self._limit = limit or ConcurrencyLimit(target.concurrency, clock, first=first)
        self._waits = waits or Waits(_to_nobody)
        self._whom = whom or target.name
        self._max_attempts = max_attempts
        self._backoff_s = backoff_s
        self._rng = random.Random(seed)
        self._clock = clock
        self._allowance = allowance
        self._attempt = Attempts(
            target,
            self._limit,
            timeout_s=timeout_s,
            clock=clock,
            allowance=allowance,
            meter=meter,
            waits=self._waits,
            whom=self._whom,
        )
        self._harmless = harmless
        self._own_refusals = own_refusals or OwnRefusals()
        self._answers = False  # whether it has answered anything
        self._first = asyncio.Lock()
        self._greeting: asyncio.Task[bool] | None = None
        self._unconfirmed = 0  # doubtful refusals since the last answer
        self._shut = False
        self._looking = asyncio.Lock()
        self._failing = 0  # attempts in a row that failed for another reason than too many at once
        self._outages = 0  # times that a harmless question was asked for that
        self._gone = False
        self._given_up = ""
        self._throttled_since: float | None = None
        self._silence = Silence()
        self._fixed = target.stable or isinstance(target, Recorded)  # can't die between two answers

    def give_up(self, why: str) -> None:
        """Ask nothing more: the target can't be asked at all."""
        self._given_up = why

    async def ask(self, request: Request) -> Answer:
        """The target's answer, its reasoning apart.

        Raises:
            TargetError: given up; the last error.
            SpentError: the allowance is used up.
            ButtressError: the target can't work at all.
        """
        pictures = any(message.images for message in request.messages)
        if pictures and not takes_images_of(self._target):
            raise TargetError("it takes no pictures", retry=False)
        if self._answers or not starts_slowly(self._target):
            return await self._begun(request)
        async with self._first:  # one at a time until one is answered
            if self._given_up:
                raise TargetError(self._given_up, retry=False, fatal=True)
            if not self._answers:
                return await self._introduced(request)
        return await self._begun(request)

    async def _introduced(self, request: Request) -> Answer:
        """As ``ask``, for the first question: where it fails, a harmless one tells why.

        Raises:
            TargetError: no answer; ``fatal`` where the target answers nothing.
        """
        try:
            return await self._begun(request)
        except TargetError as error:
            try:
                if error.fatal or await self.answers_others():
                    raise
            except SpentError as spent:
                spent.failure = spent.failure or str(error)
                raise
            self.give_up(str(error))
            error.fatal, error.doubtful = True, False  # a harmless question was not answered either
            raise

    async def _begun(self, request: Request) -> Answer:
        await self._limit.acquire()  # the first place; a question counts as begun from here
        self._allowance.begin()
        try:
            return await self._attempts(request)
        finally:
            self._allowance.end()

    async def _attempts(self, request: Request) -> Answer:
        attempts = throttles = adaptations = hangs = 0
        held = True
        began = self._clock()
        first_failed = math.inf
        failed = ""
        try:
            while True:
                error = await self._once(request, held=held)
                held = False
                if isinstance(error, Answer):
                    self._answers = True
                    return await self._heard(self._read(error))
                if self._own_refusals.match(str(error)):
                    return Answer(str(error), "content_filter", refused_by=OWN_MESSAGE)
                if error.refusal is not None:
                    refused = await self._turned_down(error.refusal)
                    if refused is not None:
                        return refused
                    if self._shut:  # a harmless question was refused too: it is about the caller
                        error.fatal, error.doubtful = True, False
                if error.adapted and adaptations < ADAPTATIONS:
                    adaptations += 1
                    continue
                failed = one_line(str(error))
                first_failed = min(first_failed, self._clock())
                if self._answers and error.retry and not error.throttled:
                    self._failing += 1
                    out = error.unreached or self._failing >= FAILING
                    if out and not await self._answers_again():
                        raise error
                if self._throttled_long(error) and not await self._answers_again():
                    raise error
                if error.timed_out and (hangs or await self._hangs_alone(error)):
                    hangs += 1
                    left = hangs < HANGS
                elif error.throttled and self._limit.limit > 1:
                    throttles += 1
                    left = throttles < THROTTLES_PER_ATTEMPT * self._max_attempts
                elif error.throttled:
                    throttles += 1
                    attempts += error.retry_after_s is None
                    left = throttles < THROTTLES_PER_ATTEMPT * self._max_attempts
                else:
                    attempts += 1
                    left = attempts < self._max_attempts
                if error.throttled and not self._answers and starts_slowly(self._target):
                    left &= self._clock() - began < FIRST_WAIT_S
                pause = self._pause(attempts + throttles, error.retry_after_s)
                if error.starting_s and not self._answers:
                    left = self._clock() - began < error.starting_s
                    pause = min(pause, STARTING_PAUSE_S)
                if error.retry and left:
                    self._check_wait(error, pause)  # before all others wait as long
                if error.throttled and not hangs:
                    self._limit.throttled(error.retry_after_s, pause)
                if not error.retry:
                    raise error
                if not left:
                    if self._answers and self._attempt.last_answer < first_failed:
                        await self._answers_again()  # ``gone`` tells what this error means
                    raise error
                self._waits.pause(self._whom, pause, failed)
                await self._allowance.sleep(pause)
        except SpentError as spent:
            spent.failure = failed
            raise

    @property
    def gone(self) -> bool:
        """Whether it answered not even a harmless question when it was last asked one."""
        return self._gone or self._silence.mute

    async def shuts_out(self, error: TargetError) -> bool:
        """Whether an error that ``ask`` raised means that nothing else is answered either.

        Raises:
            SpentError: the allowance is used up.
        """
        if self.gone:
            return True
        if not error.fatal or error.doubtful:
            return False
        return not self._answers or not await self._answers_again()

    async def _answers_again(self) -> bool:
        """Whether a target that fails on all questions answers a harmless one; one asks for all.

        Raises:
            SpentError: the allowance is used up.
        """
        if self._silence.mute:
            return False
        seen = self._outages
        async with self._looking:
            if self._outages == seen and not self._gone:
                self._gone = not await self._greet()
                self._outages += 1
            return not self._gone

    async def _hangs_alone(self, error: TargetError) -> bool:
        """Whether the target answers others while this question gets no answer.

        A server may hang just where it would comply. Then asking less at a time helps nobody, and
        asking often takes the run's time. Where nobody was answered meanwhile, a harmless question
        tells.

        Raises:
            TargetError: that one isn't answered either.
            SpentError: the allowance is used up.
        """
        if not error.alone:
            return error.overtaken >= OVERTAKEN
        if not self._answers:
            if not await self.answers_others():
                self.give_up(str(error))
                error.fatal, error.doubtful = True, False
                raise error
        elif not await self._answers_again():
            raise error
        return self._limit.limit == 1

    def _read(self, answer: Answer) -> Answer:
        """The answer with reasoning apart, and refused where it is the application's own message.

        A target that hands reasoning over in a field may leave some in the text as well.
        """
        answer = with_reasoning_apart(answer)
        if not answer.refused_by and self._own_refusals.match(answer.text):
            answer = replace(answer, refused_by=OWN_MESSAGE)
        return answer

    async def _heard(self, answer: Answer) -> Answer:
        """The answer; where too many in a row hold no text, a harmless question tells.

        Raises:
            TargetError: the answer to that holds none either.
            SpentError: the allowance is used up.
        """
        if self._fixed:
            return answer
        self._silence.add(answer)
        if self._silence.doubtful:
            async with self._looking:  # one for all
                if self._silence.doubtful:
                    self._silence.settle(talks=await self._talks())
        if self._silence.mute:
            raise TargetError(str(self._silence), retry=False, fatal=True)
        return answer

    async def _talks(self) -> bool:
        """Whether the answer to a harmless question holds text; another error tells nothing."""
        for _ in range(TALKS):
            said = await self._once(self._greeting_asked())
            if not isinstance(said, Answer) or not is_silent(said):
                return True
        return False

    def _check_wait(self, error: TargetError, pause: float) -> None:
        """Raise rather than wait for an hour.

        Raises:
            TargetClosedError: the target asks for too long a pause.
            SpentError: the pause ends after the time that there is.
        """
        self._allowance.check_pause(pause)
        if error.retry_after_s is not None and error.retry_after_s > LONGEST_WAIT_S:
            minutes = error.retry_after_s / 60
            raise TargetClosedError(
                f"{self._target.name} asks to be left alone for {minutes:.0f} minutes ({error}); "
                "go on later (a run: with --resume)"
            )

    @property
    def has_answered(self) -> bool:
        """Whether the target has answered any question, a harmless one among them."""
        return self._answers

    async def answers_others(self) -> bool:
        """Whether it answers at all: it has, or it answers a harmless question, asked once.

        Raises:
            SpentError: the allowance is used up.
        """
        if self._answers:
            return True
        if self._greeting is None:
            self._greeting = asyncio.create_task(self._greet())
        return await asyncio.shield(self._greeting)

    async def _turned_down(self, refusal: Answer) -> Answer | None:
        """A doubtful refusal if it is one: other questions are answered, and still are.

        A firewall may turn harmful questions down, and it may shut its door on a caller for all
        questions, in the same words. So after some in a row a harmless question is asked. Those
        before it are ``unconfirmed``.

        Raises:
            SpentError: the allowance is used up.
        """
        confirmed = not self._answers and self._greeting is None  # by the question that follows
        if not await self.answers_others():
            return None
        self._unconfirmed += 1
        if self._unconfirmed <= UNCONFIRMED:
            return refusal if confirmed else replace(refusal, unconfirmed=True)
        async with self._looking:  # one for all that wait
            if self._unconfirmed > UNCONFIRMED and not self._shut:
                self._shut = not await self._greet()
            return None if self._shut else refusal

    async def answers_now(self) -> bool:
        """Whether it answers a harmless question now, whatever it answered before.

        Raises:
            SpentError: the allowance is used up.
        """
        return await self._answers_again()

    async def _greet(self) -> bool:
        failures = adaptations = 0
        most = GREETINGS
        while failures < most and adaptations < ADAPTATIONS:
            said = await self._once(self._greeting_asked())
            if isinstance(said, Answer):
                self._answers = True
                return True
            if not said.retry:
                break
            if said.adapted:
                adaptations += 1
            elif said.timed_out:
                break
            else:
                failures += 1
                if self._answers:
                    most = OUTAGE_GREETINGS
                if failures < most:
                    await self._allowance.sleep(self._backoff_s * 2.0 ** (failures - 1))
        return False

    def _greeting_asked(self) -> Request:
        """A harmless question."""
        turn = Message("user", self._harmless)
        return Request((turn,), GREETING.sampling) if turn.content else GREETING

    async def _once(self, request: Request, *, held: bool = False) -> Answer | TargetError:
        """One attempt; ``held`` says that a place is held already."""
        said = await self._attempt.once(request, held=held)
        if isinstance(said, Answer):
            self._unconfirmed, self._shut = 0, False
            self._failing, self._gone = 0, False
            self._throttled_since = None
        return said

    def _throttled_long(self, error: TargetError) -> bool:
        """Whether for long it has said only that it is asked too much, and answered nothing."""
        if not error.throttled or error.timed_out or not self._answers:
            return False
        if self._throttled_since is None:
            self._throttled_since = self._clock()
        return self._clock() - self._throttled_since > THROTTLED_S

    def _pause(self, tries: int, asked_s: float | None) -> float:
        most = min(LONGEST_BACKOFF_S, self._backoff_s * 2.0 ** max(0, tries - 1))
        return (asked_s or 0.0) + self._rng.uniform(0.0, most)


def _to_nobody(_: str) -> None:
    """Nobody is told."""
