"""The engine that runs all trials: asks, judges, stores.

A fixed set of workers pulls specs, so that nothing is created per question but the question. Specs
are taken from their iterable only as fast as they are asked, which lets a planner decide late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from operator import length_hint
from typing import Final

from buttress.answers.own_refusals import OwnRefusals
from buttress.errors import FOREIGN_FAILURES, ButtressError
from buttress.evidence.records import Trial
from buttress.protocols.judge import Judge
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import AttackerError, Procedure
from buttress.targets.address import address, flatten
from buttress.targets.allowance import UNLIMITED, Allowance, SpentError
from buttress.targets.base import Request, Target, TargetError, starts_slowly
from buttress.targets.completion import one_line
from buttress.targets.concurrency import ConcurrencyLimit
from buttress.targets.retrying import RetryingClient, TargetClosedError
from buttress.targets.settings import TIMEOUT_S
from buttress.targets.waits import Waits
from buttress.trials.attacker_health import AttackerGoneError, AttackerHealth
from buttress.trials.commit import Answered, Committer, Store, TrialOrigin
from buttress.trials.conversing import ConversationContext, EngineConversation, TargetAccess
from buttress.trials.health import TargetDiedError, TargetHealth
from buttress.trials.known_answers import KnownAnswers
from buttress.trials.lost_questions import Lost, LostQuestions
from buttress.trials.progress import Progress
from buttress.trials.repetition import Repetition
from buttress.trials.totals import Totals
from buttress.trials.unconfirmed_refusals import UnconfirmedRefusals

LOOKUP: Final = 64  # specs looked up in the store at once
FIRST_UNJUDGED: Final = 20  # answers after which a judge that decides hardly any is given up
JUDGED_WITHIN_S: Final = 6.0  # for answers that wait for a judge where a run is interrupted
HOPELESS: Final = 0.9  # share of answers that a judge can't decide, from which it is of no use

Deliver = Callable[[Sequence[tuple[int, Trial]]], None]
Question = tuple[int, TrialSpec, str]


class TrialEngine:
    """Runs trials against one target.

    Args:
        target: who is asked.
        judge: who decides the outcomes.
        store: where the evidence goes.
        asset: id of the target's asset in the manifest.
        run: id of this run. Answers of a target that isn't ``stable`` are reused only within it.
        seed: of the jitter between attempts.
        concurrency: questions in flight at most; None for what the target takes.
        timeout_s: seconds for one question; a target may have a shorter time of its own.
        max_attempts: questions that fail are asked so often at most.
        progress: shown after each commit.
        clock: Unix seconds, for the records.
        totals: shared with other engines of the same assessment.
        attacker_totals: what the attacker is asked, counted apart.
        backoff_s: longest first pause before asking again; doubles each time.
        attacker: the model that procedures search with; it may be the target itself.
        allowance: what all questions together may cost.
        own_refusals: block messages of the application, which count as refusals.
        harmless: a question that any target answers; see ``RetryingClient``.
        waits: told whom the run waits for.
    """

    def __init__(
        self,
        target: Target,
        judge: Judge,
        store: Store,
        *,
        asset: str,
        run: str,
        seed: int,
        concurrency: int | None = None,
        timeout_s: float = TIMEOUT_S,
        max_attempts: int = 5,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.time,
        totals: Totals | None = None,
        attacker_totals: Totals | None = None,
        backoff_s: float = 0.5,
        attacker: Target | None = None,
        allowance: Allowance = UNLIMITED,
        own_refusals: OwnRefusals | None = None,
        harmless: str = "",
        waits: Waits | None = None,
    ) -> None:
        self._target = target
        self._judge = judge
        self._store = store
        self._origin = TrialOrigin(asset, target.identity, run)
        self._workers = max(1, min(concurrency or target.concurrency, target.concurrency))
        self._progress = progress
        self._clock = clock
        self.totals = totals if totals is not None else Totals()
        self.attacker_totals = attacker_totals if attacker_totals is not None else Totals()
        first = 1 if starts_slowly(target) else None
        self.limit = ConcurrencyLimit(self._workers, time.monotonic, first=first)
        self._allowance = allowance

        def client(
            who: Target, limit: ConcurrencyLimit, totals: Totals, whom: str = ""
        ) -> RetryingClient:
            return RetryingClient(
                who,
                limit,
                timeout_s=timeout_s,
                max_attempts=max_attempts,
                backoff_s=backoff_s,
                seed=seed,
                allowance=allowance,
                meter=totals,
                own_refusals=own_refusals if who is target else None,
                harmless=harmless,
                waits=waits,
                whom=whom,
            )

        self._client = client(target, self.limit, self.totals)
        self._attacker: TargetAccess | None = None
        self._attacker_health = AttackerHealth("there is no attacker model")
        if attacker is not None:
            # The target's own places are shared where it is its own attacker.
            own = attacker is target
            limit = self.limit if own else ConcurrencyLimit(attacker.concurrency, time.monotonic)
            whom = f"the attacker model {attacker.name}"
            asked = client(attacker, limit, self.attacker_totals, whom)
            self._attacker_health = AttackerHealth(attacker.name)
            self._attacker = TargetAccess(attacker, asked)
        self._known = KnownAnswers(store, judge, self._origin, target)
        self._repetition = Repetition()
        self._health = TargetHealth(target.name, self._client, self.totals)
        self.stopped = ""

    async def run(self, specs: Iterable[TrialSpec]) -> list[Trial]:
        """Run all trials; those that got an outcome, in the order of ``specs``.

        Fewer are there too where the allowance was spent; ``stopped`` then says so.

        Raises:
            TargetDiedError: the target doesn't answer at all.
            AttackerGoneError: the attacker model doesn't, or writes nothing of use.
            ButtressError: judge or store failed. What was answered until then is in the evidence.
        """
        done: dict[int, Trial] = {}
        await self.stream(specs, done.update)
        return [done[index] for index in sorted(done)]

    async def stream(
        self, specs: Iterable[TrialSpec], deliver: Deliver, lost: Lost | None = None
    ) -> None:
        """As ``run``, but hands over (index of the spec, trial) as they get durable.

        ``deliver`` is called on the event loop; ``specs`` is pulled at most two rounds of
        concurrency ahead, so it may decide what to ask next from what was delivered. ``lost`` gets
        the index of each spec that was asked and has no outcome, and why. Questions that fail
        because the target has stopped to answer at all, as with a key that expires or a server that
        is gone, count as not asked: why they failed has nothing to do with what they ask.
        """
        lost = lost or _forget
        losses = LostQuestions(lost, self._health)
        began = time.perf_counter()
        with ThreadPoolExecutor(2, thread_name_prefix="evidence") as threads:

            def finish(trials: Sequence[tuple[int, Trial]]) -> None:
                nonlocal began
                now = time.perf_counter()
                self.totals.seconds += now - began
                began = now
                self._count(trials)
                deliver(trials)

            committer = Committer(
                self._judge,
                self._store,
                threads,
                self._origin,
                finish,
                unjudged=self._unjudged,
                lost=lost,
                clock=self._clock,
                workers=self._workers,
                settled=self._allowance.settle,
                repetition=self._repetition,
            )
            try:
                await self._drive(specs, committer, finish, threads, losses)
            except TargetDiedError:
                losses.close(died=True)
                raise
            except AttackerGoneError:
                losses.close(died=False)
                raise
            finally:
                committer.stop()
            losses.close(died=False)
        self.totals.seconds += time.perf_counter() - began

    async def _drive(
        self,
        specs: Iterable[TrialSpec],
        committer: Committer,
        finish: Deliver,
        threads: ThreadPoolExecutor,
        losses: LostQuestions,
    ) -> None:
        questions: asyncio.Queue[Question | None] = asyncio.Queue(self._workers)
        committing = asyncio.create_task(committer.run())
        asking = [
            asyncio.create_task(self._feed(iter(specs), questions, committer, finish, threads))
        ]
        workers = min(self._workers, max(1, length_hint(specs, self._workers)))
        room = ConversationContext(
            target=TargetAccess(self._target, self._client),
            attacker=self._attacker,
            judge=self._judge,
            store=self._store,
            threads=threads,
            origin=self._origin,
            clock=self._clock,
        )

        def hand_over(answered: Answered) -> None:
            self._allowance.hand_over()
            committer.put(answered)

        refusals = UnconfirmedRefusals(hand_over, self._health)
        asking += [
            asyncio.create_task(self._work(questions, committer, room, losses, refusals))
            for _ in range(workers)
        ]
        judged_within_s: float | None = None
        try:
            await _all({committing}, set(asking))
            await refusals.confirm()
            await losses.confirm()
        except TargetDiedError:
            refusals.release()
            raise
        except BaseException as error:
            refusals.release_all()
            if isinstance(error, asyncio.CancelledError):
                judged_within_s = JUDGED_WITHIN_S
            raise
        finally:
            # Also when interrupted: what has been answered is paid for, so it is kept.
            winding_down = _wind_down(asking, committer, committing, judged_within_s)
            await _outlast(asyncio.create_task(winding_down), committing)
        committing.result()

    async def _feed(
        self,
        specs: Iterator[TrialSpec],
        questions: asyncio.Queue[Question | None],
        committer: Committer,
        finish: Deliver,
        threads: ThreadPoolExecutor,
    ) -> None:
        """Take specs, settle those whose answer is known, pass on the others."""
        loop = asyncio.get_running_loop()
        size = min(LOOKUP, self._workers)
        index = 0
        while chunk := list(islice(specs, size)):
            keys = [self._key(spec) for spec in chunk]
            known = await loop.run_in_executor(threads, self._known.look_up, keys)
            kept: list[tuple[int, Trial]] = []
            for spec, key, trial in zip(chunk, keys, known, strict=True):
                if trial is None:
                    await questions.put((index, spec, key))
                elif self._known.holds(trial, spec):
                    kept.append((index, replace(trial, cached=True)))
                else:
                    committer.put(self._known.again(index, spec, key, trial))
                    await committer.ease()
                index += 1
            if kept:
                finish(kept)
        await questions.put(None)

    def _key(self, spec: TrialSpec) -> str:
        through: list[str] = []
        if procedure := spec.procedure:
            # Scores steer a search, so another judge means another way.
            through = [procedure.id, procedure.version, self._judge.id, self._judge.version]
            if self._attacker:
                through.append(self._attacker.target.identity)
        return address(self._origin.target, spec.messages, spec.sampling, spec.tag, through)

    async def _work(
        self,
        questions: asyncio.Queue[Question | None],
        committer: Committer,
        room: ConversationContext,
        losses: LostQuestions,
        refusals: UnconfirmedRefusals,
    ) -> None:
        while (question := await questions.get()) is not None:
            if self.stopped:
                continue
            index, spec, key = question
            begun = self._health.begin()
            try:
                answered = await self._answer(index, spec, key, room)
            except SpentError as error:
                self.stopped = self.stopped or str(error)
                if error.failure and not self._client.has_answered:
                    losses.add(index, error.failure, probe=spec.probe)
                    raise TargetDiedError(
                        f"{self._target.name}: {error.failure}; {error} and nothing was answered"
                    ) from None
                if error.failure:  # else it was not asked to its end, which is not its doing
                    losses.add(index, error.failure, probe=spec.probe)
                continue
            except TargetClosedError as error:
                losses.add(index, str(error), about_caller=True)
                raise TargetDiedError(str(error)) from None
            except AttackerError as error:
                self.totals.error(str(error))
                self._attacker_health.failed(error)
                losses.add(index, str(error), about_question=True)
                continue
            except AttackerGoneError as error:
                if self._attacker_health.end():  # one search is missed, the others are not begun
                    self.totals.error(str(error))
                    losses.add(index, str(error), about_question=True)
                raise
            except TargetError as error:
                losses.add(
                    index,
                    one_line(str(error)),
                    probe=spec.probe,
                    about_caller=error.fatal and not error.doubtful,
                    about_question=not (error.retry or error.fatal or error.doubtful),
                )
                await self._health.failed(error)
                continue
            if not answered.answer.unconfirmed:
                self._health.answered(begun)
            refusals.add(answered)
            await committer.ease()
        questions.put_nowait(None)  # for the next worker

    async def _answer(
        self, index: int, spec: TrialSpec, key: str, room: ConversationContext
    ) -> Answered:
        if spec.procedure is not None:
            return await self._carry_out(spec.procedure, index, spec, key, room)
        answer = await self._client.ask(Request(spec.messages, spec.sampling, spec.tag))
        return Answered(index, spec, key, flatten(spec.messages), answer)

    async def _carry_out(
        self, procedure: Procedure, index: int, spec: TrialSpec, key: str, room: ConversationContext
    ) -> Answered:
        """A trial of several questions.

        Raises:
            TargetError: it could not be carried to its end.
        """
        conversation = EngineConversation(spec, room)
        try:
            dialogue = await procedure.run(spec, conversation)
        except (TargetError, ButtressError):
            raise
        except FOREIGN_FAILURES as error:  # one trial must not end the run
            problem = f"{procedure.id}: {type(error).__name__}: {error}"
            raise TargetError(problem, retry=False) from None
        finally:
            await conversation.aclose()
        answer = conversation.told(dialogue.text)
        if procedure.needs_attacker:
            self._attacker_health.helped()
        prompt = flatten(dialogue.messages)
        calls = max(1, conversation.calls)
        turns = conversation.unconfirmed
        return Answered(index, spec, key, prompt, answer, calls, turns=turns)

    def _unjudged(self, problem: str) -> None:
        """Count an answer that the judge could not decide.

        Raises:
            ButtressError: it decides hardly any.
        """
        totals = self.totals
        totals.unjudged += 1
        totals.error(problem)
        if totals.unjudged >= FIRST_UNJUDGED and totals.unjudged >= HOPELESS * (
            totals.trials + totals.unjudged
        ):
            raise ButtressError(
                f"judge {self._judge.id}: it could not decide {totals.unjudged} of "
                f"{totals.trials + totals.unjudged} answers; the last: {problem}"
            )

    def _count(self, trials: Sequence[tuple[int, Trial]]) -> None:
        totals = self.totals
        self._repetition.note(trial for _, trial in trials)
        self._known.handed(trial for _, trial in trials)
        for _, trial in trials:
            totals.trials += 1
            if trial.cached:
                totals.cached += 1
            else:
                totals.asked += trial.calls
        if self._progress is not None and trials:
            self._progress.update(totals, trials[-1][1].probe)


def _forget(index: int, why: str) -> None:
    del index, why


async def _wind_down(
    asking: Sequence[asyncio.Task[None]],
    committer: Committer,
    committing: asyncio.Task[None],
    judged_within_s: float | None,
) -> None:
    """Ask no more, and settle what has been answered, for so long at most."""
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    committer.close()
    await asyncio.wait({committing}, timeout=judged_within_s)
    committing.cancel()
    await asyncio.wait({committing})
    if not committing.cancelled():
        committing.exception()  # seen, even where another error is on its way


async def _outlast(task: asyncio.Task[None], committing: asyncio.Task[None]) -> None:
    """Wait for a task to its end; where an interruption comes meanwhile, a judge gets its time."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=JUDGED_WITHIN_S)
        committing.cancel()
        await task
        raise


async def _all(background: set[asyncio.Task[None]], tasks: set[asyncio.Task[None]]) -> None:
    """Wait for all ``tasks``, or for the first error among them or in the background."""
    waiting = tasks
    while waiting:
        done, _ = await asyncio.wait(waiting | background, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if done & background:
            return
        waiting = waiting - done
