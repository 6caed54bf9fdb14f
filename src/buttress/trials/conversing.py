"""The conversation that a procedure holds: every answer is durable before the procedure sees it.

Refusals that may be a door shut on the caller are the exception: they are stored once another
question was answered, or with the trial. So a resumed run does not take them for the system's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Final

import orjson

from buttress.evidence.records import Role, Turn
from buttress.judges.known import known
from buttress.protocols.judge import Judge, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import AttackerError, CallsSpentError
from buttress.protocols.unjudged import JudgeGoneError, UnjudgedError
from buttress.targets.address import address, flatten
from buttress.targets.allowance import SpentError
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError
from buttress.targets.completion import one_line
from buttress.targets.retrying import RetryingClient, TargetClosedError
from buttress.trials.attacker_health import AttackerGoneError
from buttress.trials.commit import Store, TrialOrigin, exchange

FIRST_TOKENS: Final = 20  # the most that OpenAI's API gives at a place


@dataclass(frozen=True, slots=True)
class TargetAccess:
    """Somebody who can be asked, and how."""

    target: Target
    client: RetryingClient


@dataclass(frozen=True, slots=True)
class ConversationContext:
    """What all conversations of an engine share."""

    target: TargetAccess
    attacker: TargetAccess | None
    judge: Judge
    store: Store
    threads: Executor
    origin: TrialOrigin
    clock: Callable[[], float] = time.time


class EngineConversation:
    """See ``protocols.procedure.Conversation``. ``calls`` counts distinct questions to the target.

    At most ``most_calls`` may be asked, or as many as the trial takes at most.

    Questions are known by their content address, so that they are counted alike whether the answer
    comes from the target or from the evidence: a resumed run finds the same number left.
    """

    def __init__(
        self, spec: TrialSpec, room: ConversationContext, most_calls: int | None = None
    ) -> None:
        self._spec = spec
        self._most_calls = spec.calls if most_calls is None else most_calls
        self._room = room
        self._known: dict[str, asyncio.Task[Turn]] = {}
        self.calls = 0
        self._begun = 0  # questions to the target, those in the evidence aside
        # Refusals that may be none, by content address, with the questions begun until then.
        self._held: dict[str, tuple[Turn, int]] = {}

    @property
    def left(self) -> int:
        """Questions to the target that may still be asked."""
        return self._most_calls - self.calls

    @property
    def has_attacker(self) -> bool:
        """Whether there is an attacker model."""
        return self._room.attacker is not None

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> str:
        """The target's answer.

        Raises:
            CallsSpentError: nothing is left.
            TargetError: no answer in spite of repeated attempts.
        """
        own = self._spec.sampling
        sampling = Sampling(
            own.max_tokens if max_tokens is None else max_tokens,
            own.temperature if temperature is None else temperature,
            own.seed if seed is None else seed,
        )
        key = address(self._room.target.target.identity, messages, sampling)
        self._spend(key)
        turn = await self._turn(key, "target", self._room.target, messages, sampling)
        return turn.answer

    async def first_token(self, messages: Sequence[Message]) -> Mapping[str, float]:
        """Log probabilities, in nats, of the likeliest first tokens; empty where none are given.

        The evidence holds them as the answer, in JSON.

        Raises:
            CallsSpentError: nothing is left.
            TargetError: no answer in spite of repeated attempts.
        """
        asked, sent = self._room.target, tuple(messages)
        own = self._spec.sampling
        sampling = Sampling(1, 0.0, own.seed, FIRST_TOKENS)
        key = address(asked.target.identity, sent, sampling, f"top-logprobs {FIRST_TOKENS}")
        self._spend(key)

        async def question() -> Turn:
            answer = await asked.client.ask(Request(sent, sampling))
            given = dict(answer.token_probabilities[0]) if answer.token_probabilities else {}
            as_text = replace(answer, text=orjson.dumps(given).decode())
            return self._record(key, "target", asked.target.identity, flatten(sent), as_text)

        turn = await self._once(key, asked.target.stable, question)
        given: dict[str, float] = orjson.loads(turn.answer)
        return given

    def _spend(self, key: str) -> None:
        """Count a question that was not put before.

        Raises:
            CallsSpentError: nothing is left.
        """
        if key not in self._known:
            if self.left <= 0:
                raise CallsSpentError(f"{self._most_calls} questions are spent")
            self.calls += 1

    async def attacker(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 400,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        """The attacker model's answer.

        Raises:
            AttackerError: no answer, or no attacker model.
            AttackerGoneError: it answers nothing any more.
            SpentError: the allowance is used up.
        """
        asked = self._room.attacker
        if asked is None:
            raise AttackerError("there is no attacker model")
        sampling = Sampling(max_tokens, temperature, seed)
        key = address(asked.target.identity, messages, sampling, "attacker")
        try:
            return (await self._turn(key, "attacker", asked, messages, sampling)).answer
        except SpentError as spent:
            spent.failure = ""  # what the attacker said of it is nothing about the target
            raise
        except TargetClosedError as error:
            raise AttackerGoneError(f"the attacker model {error}") from None
        except TargetError as error:
            said = f"the attacker model {asked.target.name} gave no answer: {one_line(str(error))}"
            if await asked.client.shuts_out(error):
                raise AttackerGoneError(f"{said}; a harmless question fails too") from None
            raise AttackerError(said) from None

    async def score(self, prompt: str, answer: str) -> Judgement:
        """The run's judge on an answer to the trial's request.

        Raises:
            TargetError: it could not decide.
        """
        judge, spec = self._room.judge, self._spec
        read = exchange(spec, prompt, Answer(answer))
        asked = Message("user", orjson.dumps([spec.request, prompt, answer]).decode())
        key = address(f"judge {judge.id} {judge.version} {spec.expect}", [asked], Sampling())

        async def decide() -> Turn:
            try:
                found = known(read) or (await judge.judge([read]))[0]
            except UnjudgedError as error:
                raise TargetError(error.problems[0], retry=False) from None
            except JudgeGoneError as error:
                raise error.reason from None
            fields = [found.outcome, found.score, found.reason, found.decision, found.abstained]
            text = orjson.dumps(fields).decode()
            return self._record(key, "judge", f"{judge.id} {judge.version}", prompt, Answer(text))

        turn = await self._once(key, True, decide)
        return Judgement(*orjson.loads(turn.answer))

    def told(self, text: str) -> Answer:
        """``text`` as the answer that the whole conversation led to, with what it took."""
        done = [task for task in self._known.values() if task.done() and not task.cancelled()]
        turns = [task.result() for task in done if task.exception() is None]
        asked = [turn for turn in turns if turn.role == "target"]
        return Answer(
            text,
            prompt_tokens=sum(turn.prompt_tokens for turn in asked),
            completion_tokens=sum(turn.completion_tokens for turn in asked),
            latency_s=sum(turn.latency_s for turn in asked),
            unconfirmed=bool(self._held),
        )

    @property
    def unconfirmed(self) -> tuple[Turn, ...]:
        """Turns that are yet to be stored: refusals after which nothing was answered."""
        return tuple(turn for turn, _ in self._held.values())

    async def aclose(self) -> None:
        """Give up what is still being asked, as when one of several questions failed."""
        tasks = list(self._known.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(
        self,
        key: str,
        role: Role,
        asked: TargetAccess,
        messages: Sequence[Message],
        sampling: Sampling,
    ) -> Turn:
        sent = tuple(messages)

        async def question() -> Turn:
            self._begun += role == "target"
            number = self._begun
            answer = await asked.client.ask(Request(sent, sampling))
            turn = self._record(key, role, asked.target.identity, flatten(sent), answer)
            if answer.unconfirmed:
                self._held[key] = (turn, self._begun)
            elif role == "target":
                await self._release(number)
            return turn

        return await self._once(key, asked.target.stable, question)

    async def _release(self, answered: int) -> None:
        """Store the refusals before the question of this number, which was answered."""
        sure = [key for key, (_, begun) in self._held.items() if begun < answered]
        await self._store([self._held.pop(key)[0] for key in sure])

    async def _store(self, turns: Sequence[Turn]) -> None:
        if turns:
            loop, room = asyncio.get_running_loop(), self._room
            await loop.run_in_executor(room.threads, room.store.append, turns)

    async def _once(self, key: str, stable: bool, produce: Callable[[], Awaitable[Turn]]) -> Turn:
        """The turn with that address: known, stored, or produced now and stored."""
        task = self._known.get(key)
        if task is None:
            task = asyncio.create_task(self._found(key, stable, produce))
            self._known[key] = task
        return await asyncio.shield(task)

    async def _found(self, key: str, stable: bool, produce: Callable[[], Awaitable[Turn]]) -> Turn:
        loop, room = asyncio.get_running_loop(), self._room
        known = await loop.run_in_executor(room.threads, room.store.turn_for, key)
        if known is not None and (stable or known.run == room.origin.run):
            turn = known
        else:
            turn = await produce()
            if key not in self._held:
                await self._store([turn])
        return turn

    def _record(self, key: str, role: Role, who: str, prompt: str, answer: Answer) -> Turn:
        room, spec = self._room, self._spec
        return Turn(
            key=key,
            role=role,
            probe=spec.probe,
            asset=room.origin.asset,
            target=who,
            item=spec.item,
            prompt=prompt,
            answer=answer.text,
            latency_s=answer.latency_s,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            time=room.clock(),
            run=room.origin.run,
        )
