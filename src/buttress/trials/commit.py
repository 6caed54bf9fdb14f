"""From answers to evidence: judged in batches, appended by group commit off the event loop.

Answers that come while a batch is being written form the next one. A batch waits up to
``LINGER_S`` for company, because a commit costs the same for one record as for a hundred.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol

from buttress.evidence.records import Record, Trial, Turn
from buttress.judges.known import unanswered
from buttress.protocols.judge import Exchange, Judge, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.targets.base import Answer
from buttress.trials.backlog import Backlog
from buttress.trials.judging import BatchedJudge, decided_by
from buttress.trials.repetition import Repetition

BATCH: Final = 128  # records in a commit at most
LINGER_S: Final = 0.02
JUDGING: Final = 4  # batches judged at once; matters for judges that wait for a model
WAITING: Final = 64  # answers that wait for a model's judgement at most: more would not help it


class Store(Protocol):
    """The part of the evidence store that trials need. Its methods are called from threads."""

    def append(self, records: Sequence[Record]) -> None:
        """Store durably: when this returns, the records survive a kill."""
        ...

    def answers_for(self, keys: Sequence[str]) -> list[Trial | None]:
        """The newest trial with each of the content addresses, None where there is none."""
        ...

    def turn_for(self, key: str) -> Turn | None:
        """A stored turn with that content address, the latest if there are several."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is yet to be judged. ``judgement`` is known where it was judged before.

    ``prompt`` is what was asked, flattened; ``calls`` the questions that it took; ``turns``
    those of its turns that are stored with it.
    """

    index: int
    spec: TrialSpec
    key: str
    prompt: str
    answer: Answer
    calls: int = 1
    cached: bool = False
    judgement: Judgement | None = None
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialOrigin:
    """What all trials of an engine have in common."""

    asset: str
    target: str
    run: str


class Committer:
    """Takes answers, hands over trials: ``deliver`` gets those whose append has returned."""

    def __init__(
        self,
        judge: Judge,
        store: Store,
        threads: Executor,
        origin: TrialOrigin,
        deliver: Callable[[Sequence[tuple[int, Trial]]], None],
        *,
        unjudged: Callable[[str], None],
        clock: Callable[[], float],
        workers: int,
        lost: Callable[[int, str], None],
        settled: Callable[[int], None],
        repetition: Repetition,
    ) -> None:
        self._judge = judge
        self._bench = BatchedJudge(judge, unjudged, repetition)
        self._store = store
        self._threads = threads
        self._origin = origin
        self._deliver = deliver
        self._lost = lost
        self._settled = settled
        self._clock = clock
        self._backlog = Backlog(max(2 * workers, 2 * BATCH))
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._pending: deque[Answered] = deque()
        self._changed = asyncio.Event()  # something came, or closing
        self._full = asyncio.Event()  # no reason to linger
        self._closing = False
        self._judging = asyncio.Semaphore(JUDGING)
        self._writing = asyncio.Lock()
        self._error: BaseException | None = None

    def put(self, answered: Answered) -> None:
        """Take an answer. Doesn't wait; see ``ease``."""
        self._pending.append(answered)
        self._backlog.add()
        self._changed.set()
        if len(self._pending) >= BATCH:
            self._full.set()

    async def ease(self) -> None:
        """Wait until there is room: answers must not pile up where the judge is slow or fails."""
        await self._backlog.ease()

    def close(self) -> None:
        """No more answers come; ``run`` ends when all are settled."""
        self._closing = True
        self._changed.set()
        self._full.set()

    def stop(self) -> None:
        """End what judges in a process of its own; after ``run``."""
        self._bench.stop()

    async def run(self) -> None:
        """Settle answers until closed.

        Raises:
            Exception: whatever judge or store raised first.
        """
        batches: set[asyncio.Task[None]] = set()
        try:
            await self._start_batches(batches)
            if batches:
                await asyncio.gather(*batches)
        finally:
            for task in batches:
                task.cancel()
        if self._error is not None:
            raise self._error

    async def _start_batches(self, batches: set[asyncio.Task[None]]) -> None:
        while self._error is None:
            if not self._pending:
                if self._closing:
                    break
                self._changed.clear()
                await self._changed.wait()
                continue
            if len(self._pending) < BATCH and not self._closing:
                await self._linger()
            await self._judging.acquire()
            size = min(BATCH, len(self._pending))
            batch = [self._pending.popleft() for _ in range(size)]
            task = asyncio.create_task(self._settle(batch))
            batches.add(task)
            task.add_done_callback(batches.discard)

    async def _linger(self) -> None:
        if len(self._pending) < BATCH and not self._closing:
            self._full.clear()
        timer = self._loop.call_later(LINGER_S, self._full.set)
        await self._full.wait()
        timer.cancel()

    async def _settle(self, batch: list[Answered]) -> None:
        trials: list[tuple[int, Trial]] = []
        try:
            trials = await self._judged(batch)
            async with self._writing:
                turns = [turn for each in batch for turn in each.turns]
                records: list[Record] = [*turns, *(trial for _, trial in trials)]
                await self._loop.run_in_executor(self._threads, self._store.append, records)
            self._deliver(trials)
            if self._bench.ended is not None:
                raise self._bench.ended
        except Exception as error:
            self._error = self._error or error
            self._changed.set()
            self._backlog.end()
        finally:
            if self._bench.waits:
                self._backlog.most = min(self._backlog.most, max(WAITING, self._workers))
            self._backlog.settle(len(batch), len(trials))
            self._settled(sum(not each.cached for each in batch))
            self._judging.release()

    async def _judged(self, batch: Sequence[Answered]) -> list[tuple[int, Trial]]:
        """Trials with the index of their spec, without those that the judge could not decide."""
        fresh = [i for i, each in enumerate(batch) if each.judgement is None]
        checks = {i: check for i in fresh if (check := batch[i].spec.check) is not None}
        judged = [i for i in fresh if i not in checks]
        exchanges = [_exchange(batch[i]) for i in judged]
        judgements = dict(zip(judged, await self._bench.judge(exchanges), strict=True))
        judgements |= {
            i: unanswered(_exchange(batch[i])) or check(batch[i].answer.text)
            for i, check in checks.items()
        }
        now = self._clock()
        for i in judged:
            if judgements[i] is None and self._bench.ended is None:
                self._lost(batch[i].index, "the judge could not decide")
        return [
            (each.index, self._trial(each, judgement, now))
            for i, each in enumerate(batch)
            if (judgement := each.judgement or judgements[i]) is not None
        ]

    def _trial(self, answered: Answered, judgement: Judgement, now: float) -> Trial:
        spec, answer = answered.spec, answered.answer
        judge, version = decided_by(spec, self._judge)
        return Trial(
            key=answered.key,
            probe=spec.probe,
            probe_version=spec.probe_version,
            asset=self._origin.asset,
            target=self._origin.target,
            item=spec.item,
            category=spec.category,
            attack=spec.attack,
            language=spec.language,
            expect=spec.expect,
            request=spec.request,
            prompt=answered.prompt,
            answer=answer.text,
            outcome=judgement.outcome,
            score=judgement.score,
            judge=judge,
            judge_version=version,
            reason=judgement.reason,
            latency_s=answer.latency_s,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seed=spec.sampling.seed,
            time=now,
            cached=answered.cached,
            run=self._origin.run,
            calls=answered.calls,
            reasoning=answer.reasoning,
            refused_by=answer.refused_by,
            finish_reason=answer.finish_reason,
            decision=judgement.decision,
            abstained=judgement.abstained,
            cluster=spec.cluster,
            subject=answer.subject,
        )


def _exchange(answered: Answered) -> Exchange:
    return exchange(answered.spec, answered.prompt, answered.answer)


def exchange(spec: TrialSpec, prompt: str, answer: Answer) -> Exchange:
    """What a judge reads of an answer to ``prompt`` in the trial ``spec``."""
    return Exchange(
        request=spec.request,
        prompt=prompt,
        answer=answer.text,
        expect=spec.expect,
        category=spec.category,
        language=spec.language,
        reasoning=answer.reasoning,
        refused_by=answer.refused_by,
        finish_reason=answer.finish_reason,
    )
