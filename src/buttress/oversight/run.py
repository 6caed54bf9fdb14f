"""Runs a protocol over a task, item by item in a fixed order, until it is decided.

Items are asked in groups, and looked at after each group: what is decided does not depend on which
answer came first, and a run that was cut off takes the same way again.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import orjson

from buttress.errors import ButtressError, InputError
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Trial
from buttress.oversight.asking import CallLedger, RecordedVoices, Voice
from buttress.oversight.item import OversightItem, Side
from buttress.oversight.protocols import (
    PROTOCOLS,
    ProtocolSettings,
    Voices,
    ask_overseer,
    ask_worker,
    true_examples,
)
from buttress.oversight.result import ItemOutcome, nothing_to_add, right
from buttress.oversight.tasks import OversightTask
from buttress.targets.base import TargetError

GROUP: Final = 8  # items asked at the same time at most
LOST_IN_A_ROW: Final = 16  # items without an answer after which nothing more is asked
EXAMPLES: Final = 12  # of weak-to-strong
StopReason = Literal["decided", "budget", "all items"]


@dataclass(frozen=True, slots=True)
class OversightPlan:
    """What is run. ``budget`` is the most questions to both targets together; None for no limit."""

    protocol: str
    task: OversightTask
    settings: ProtocolSettings
    margin: float = 0.1
    budget: int | None = None

    @property
    def calls(self) -> int:
        """Questions that an item takes at most."""
        protocol = PROTOCOLS[self.protocol]
        return 2 + protocol.calls + protocol.per_round * self.settings.rounds


@dataclass(slots=True)
class OversightRecord:
    """What a run has done: outcomes in the order of the items, and items without an answer."""

    outcomes: list[ItemOutcome] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    stopped: StopReason = "all items"


class OversightRun:
    """One protocol between an overseer and a worker; the store must be open for writing."""

    def __init__(
        self,
        plan: OversightPlan,
        overseer: Voice,
        worker: Voice,
        store: RecordStore,
        *,
        run: str,
        after_group: Callable[[OversightRecord], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._plan = plan
        self._overseer = overseer
        self._worker = worker
        self._store = store
        self._run = run
        self._after_group = after_group
        self._clock = clock
        self._ledger = CallLedger()
        self._probe = f"oversee-{plan.protocol}"

    async def run(self) -> OversightRecord:
        """Ask until decided, the budget is spent, or all items are asked.

        Raises:
            InputError: the budget does not suffice for one item, or the task has too few items.
            ButtressError: a target does not answer, or the store failed.
        """
        plan, record = self._plan, OversightRecord()
        items = plan.task.items
        settings = plan.settings
        if plan.protocol == "weak-to-strong":
            items, settings = await self._with_examples()
        size = min(GROUP, self._overseer.target.concurrency, self._worker.target.concurrency)
        silent = 0
        at = 0
        while at < len(items):
            count = min(max(1, size), len(items) - at)
            if plan.budget is not None:
                count = min(count, (plan.budget - self._ledger.calls) // plan.calls)
            if count < 1:
                record.stopped = "budget"
                break
            group = items[at : at + count]
            at += count
            for item, done in zip(group, await self._group(group, settings), strict=True):
                if isinstance(done, ItemOutcome):
                    record.outcomes.append(done)
                    silent = 0
                else:
                    record.lost[item.id] = done
                    silent += 1
            record.calls = self._ledger.calls
            if silent >= LOST_IN_A_ROW or (silent == at == len(items)):
                raise ButtressError(f"{silent} items in a row got no answer: {done}")
            if self._after_group is not None:
                self._after_group(record)
            if nothing_to_add(record.outcomes, plan.margin):
                record.stopped = "decided"
                break
        if not record.outcomes and record.stopped == "budget":
            raise InputError(
                f"{plan.budget} calls are too few", field="--budget",
                expected=f"{self._ledger.calls + plan.calls} or more",
            )  # fmt: skip
        return record

    async def _group(
        self, group: Sequence[OversightItem], settings: ProtocolSettings
    ) -> list[ItemOutcome | str]:
        """The outcome of each item, or why there is none."""
        done = await asyncio.gather(*(self._item(one, settings) for one in group))
        trials = [
            trial
            for item, one in zip(group, done, strict=True) if isinstance(one, ItemOutcome)
            for trial in self._trials(item, one)
        ]  # fmt: skip
        await asyncio.to_thread(self._keep, trials)
        return done

    async def _item(self, item: OversightItem, settings: ProtocolSettings) -> ItemOutcome | str:
        voices = self._voices(item.id)
        protocol = PROTOCOLS[self._plan.protocol].run
        shown = true_examples([one for one, _ in settings.examples], settings.seed)
        try:
            overseer = await ask_overseer(item, settings.seed, voices)
            worker = await ask_worker(item, settings.seed, voices, shown)
            outcome = await protocol(item, settings, voices) if protocol is not None else None
        except TargetError as error:
            return str(error)
        return ItemOutcome(item.id, overseer, worker, outcome)

    async def _with_examples(self) -> tuple[tuple[OversightItem, ...], ProtocolSettings]:
        """Items that are left, and settings with the examples that the overseer labelled."""
        items, seed = self._plan.task.items, self._plan.settings.seed
        if len(items) <= EXAMPLES:
            raise InputError(
                f"{len(items)} items, of which {EXAMPLES} are examples", field="--task",
                expected=f"more than {EXAMPLES} items",
            )  # fmt: skip
        chosen = items[-EXAMPLES:]

        async def label(item: OversightItem) -> Side | None:
            return await ask_overseer(item, seed, self._voices(item.id))

        try:
            sides = await asyncio.gather(*(label(item) for item in chosen))
        except TargetError as error:
            raise ButtressError(f"{self._overseer.target.name}: {error}") from None
        examples = [
            (item, item.letter(side, seed))
            for item, side in zip(chosen, sides, strict=True)
            if side is not None
        ]
        if not examples:
            raise ButtressError(
                f"{self._overseer.target.name} chose an option in none of {EXAMPLES} examples"
            )
        return items[:-EXAMPLES], replace(self._plan.settings, examples=examples)

    def _voices(self, item: str) -> Voices:
        return RecordedVoices(
            item, self._overseer, self._worker, self._store,
            run=self._run, probe=self._probe, ledger=self._ledger, clock=self._clock,
        )  # fmt: skip

    def _keep(self, trials: Sequence[Trial]) -> None:
        """Store the trials that this run has not stored yet."""
        known = self._store.answers_for([trial.key for trial in trials])
        new = [
            trial
            for trial, before in zip(trials, known, strict=True)
            if before is None or before.run != self._run
        ]
        if new:
            self._store.append(new)

    def _trials(self, item: OversightItem, done: ItemOutcome) -> list[Trial]:
        arms: list[tuple[str, Voice, Side | None]] = [
            ("overseer", self._overseer, done.overseer), ("worker", self._worker, done.worker),
        ]  # fmt: skip
        if done.protocol is not None:
            arms.append(("protocol", self._overseer, done.protocol.chosen))
        return [self._trial(item, *arm) for arm in arms]

    def _trial(self, item: OversightItem, arm: str, voice: Voice, side: Side | None) -> Trial:
        plan, settings = self._plan, self._plan.settings
        content = [
            plan.protocol, arm, item.id, plan.task.digest, settings.seed, settings.rounds,
            [one.id for one in settings.principles],
            self._overseer.target.identity, self._worker.target.identity,
        ]  # fmt: skip
        wrong = 1 - right(side)
        text = {"right": item.right, "wrong": item.wrong, None: ""}[side]
        return Trial(
            key=hashlib.sha256(orjson.dumps(content)).hexdigest(),
            probe=self._probe,
            probe_version="1",
            asset=voice.asset,
            target=voice.target.identity,
            item=item.id,
            category=plan.task.name,
            attack=arm,
            language=item.language,
            expect="answer",
            request=item.question,
            prompt=item.question,
            answer=text,
            outcome=wrong,
            score=wrong,
            judge="exact",
            judge_version="1",
            reason="" if side is not None else "no option could be read from the reply",
            time=self._clock(),
            run=self._run,
        )
