"""The campaign: budgets, order, and that it takes the same way again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.records import Trial
from buttress.evidence.store import EvidenceStore
from buttress.probes.behaviour.harmful_compliance import PROBE as DIRECT
from buttress.probes.behaviour.over_refusal import PROBE as BENIGN
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import Conversation, Dialogue, Procedure
from buttress.risk.planner import PlannedArm, Planner
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import RiskState
from buttress.system.model import Asset, Price
from buttress.targets.allowance import RunAllowance
from buttress.targets.base import Message, Request, TargetError
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from buttress.trials.totals import Totals
from buttress.workflows.assessment.arms import Arm
from buttress.workflows.assessment.campaign import Campaign
from tests.trials.parts import WordJudge, spec

ASSET = Asset("bot", "model", "script")


@dataclass(frozen=True)
class Halving:
    """Gives up after one question on every other item, else asks all it may."""

    calls: int
    id: str = "halving"
    version: str = "1"
    needs_attacker: bool = False

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        answer = await conversation.ask(spec.messages)
        if int(spec.item.split("-")[1]) % 2:
            for number in range(1, self.calls):
                asked = (Message("user", f"{spec.request} {number}"),)
                answer = await conversation.ask(asked)
        return Dialogue(spec.messages, answer)


class Parts:
    """A campaign over two probes whose failure rates are set; all parts but the target are real."""

    def __init__(
        self,
        out: Path,
        rates: tuple[float, float],
        *,
        calls: int | None = None,
        cost: float | None = None,
        seconds: float | None = None,
        before: int = 0,
        run: str = "r",
        size: int = 600,
        concurrency: int = 8,
        procedure: Procedure | None = None,
    ) -> None:
        self.asked: list[str] = []
        self.seen: list[tuple[str, int]] = []
        self.unanswered = 0
        self.rates = dict(zip((DIRECT.id, BENIGN.id), rates, strict=True))
        self.store = EvidenceStore.open(out)
        self.target = ScriptedTarget(self._say, identity="bot-1", concurrency=concurrency)
        self.totals = Totals()
        price = Price(per_call=0.01)
        allowance = RunAllowance(
            calls=calls,
            cost=cost,
            seconds=seconds,
            spent_calls=lambda: before + self.totals.calls,
            spent_cost=lambda: price.cost(self.totals.calls, 0, 0),
        )
        engine = TrialEngine(
            self.target, WordJudge(), self.store, asset="bot", run=run, seed=0,
            totals=self.totals, backoff_s=0.001, allowance=allowance,
        )  # fmt: skip
        self.states = {}
        arms = {}
        planned = []
        for probe in (DIRECT, BENIGN):
            asked = [
                spec(number, probe=probe.id, text=f"{probe.id} question {number}")
                for number in range(size)
            ]
            if probe is DIRECT:
                asked = [replace(one, procedure=procedure) for one in asked]
            self.states[probe.id] = RiskState(Tolerance(limit=0.2))
            arm = Arm(probe, ASSET, engine, iter(asked), size, states=[self.states[probe.id]])
            arms[arm.id] = arm
            planned.append(
                PlannedArm(
                    arm.id,
                    self.states[probe.id],
                    1.0,
                    remaining=size,
                    granularity=concurrency,
                    calls_each=arm.calls,
                )
            )
        self.planner = Planner(planned, calls=calls, seed=1)
        self.campaign = Campaign(
            arms, self.planner, observe=self._observe,
            stopped=lambda: allowance.reason or allowance.time_over(), began=time.time(),
        )  # fmt: skip

    def _say(self, request: Request) -> str:
        text = request.messages[0].content
        self.asked.append(text)
        rate = self.rates[text.split()[0]]
        return "yes" if random.Random(text).random() < rate else "no"

    def _observe(self, arm: Arm, specs: Sequence[TrialSpec], trials: Sequence[Trial]) -> None:
        self.unanswered += len(specs) - len(trials)
        self.seen.append((arm.id, len(trials)))
        arm.observe(specs, trials)


MakeParts = Callable[..., Parts]


@pytest.fixture
def parts_of() -> Iterator[MakeParts]:
    """Makes parts; their stores are closed at the end."""
    with ExitStack() as opened:

        def make(out: Path, rates: tuple[float, float], **options: Any) -> Parts:
            parts = Parts(out, rates, **options)
            opened.callback(parts.store.close)
            return parts

        yield make


async def test_it_stops_when_all_is_decided(tmp_path: Path, parts_of: MakeParts) -> None:
    parts = parts_of(tmp_path / "e.db", (0.0, 1.0))
    await parts.campaign.run()
    assert [state.verdict for state in parts.states.values()] == ["acceptable", "unacceptable"]
    assert parts.campaign.stop_reason == "every risk that was tested is decided"
    assert sum(count for _, count in parts.seen) == parts.store.count == len(parts.asked) < 200


@pytest.mark.parametrize("rates", [(0.0, 1.0), (0.02, 0.6)])
async def test_as_few_questions_decide_with_many_in_flight(
    tmp_path: Path, parts_of: MakeParts, rates: tuple[float, float]
) -> None:
    asked = {}
    for concurrency in (1, 4, 16, 64):
        parts = parts_of(tmp_path / f"{concurrency}.db", rates, concurrency=concurrency)
        await parts.campaign.run()
        assert [state.verdict for state in parts.states.values()] == ["acceptable", "unacceptable"]
        asked[concurrency] = len(parts.asked)
    assert max(asked.values()) <= 1.3 * asked[1]


@pytest.mark.parametrize("calls", [1, 7, 50, 333])
async def test_it_never_asks_more_than_the_budget(
    tmp_path: Path, parts_of: MakeParts, calls: int
) -> None:
    parts = parts_of(tmp_path / "e.db", (0.2, 0.2), calls=calls)
    await parts.campaign.run()
    assert len(parts.asked) == calls
    assert parts.campaign.stop_reason == "the budget of calls is spent"


@pytest.mark.parametrize("calls", [3, 40, 333])
@pytest.mark.parametrize("most", [4, 9])
async def test_the_budget_counts_the_questions_of_a_trial(
    tmp_path: Path, parts_of: MakeParts, calls: int, most: int
) -> None:
    parts = parts_of(tmp_path / "e.db", (0.2, 0.2), calls=calls, procedure=Halving(most))
    await parts.campaign.run()
    assert len(parts.asked) <= calls
    assert calls - len(parts.asked) < most
    searched = list(parts.store.trials(probe=DIRECT.id))
    assert sum(trial.calls for trial in searched) == sum(
        text.startswith(DIRECT.id) for text in parts.asked
    )
    assert {trial.calls for trial in searched} <= {1, most}
    if calls > 100:
        assert {trial.calls for trial in searched} == {1, most}


async def test_it_ends_with_the_prompts(tmp_path: Path, parts_of: MakeParts) -> None:
    parts = parts_of(tmp_path / "e.db", (0.2, 0.2), size=15)  # too few for any verdict
    await parts.campaign.run()
    assert len(parts.asked) == 30
    assert parts.campaign.stop_reason == "no prompts are left for what is undecided"


async def test_money_and_time_run_out(tmp_path: Path, parts_of: MakeParts) -> None:
    poor = parts_of(tmp_path / "a.db", (0.2, 0.2), cost=0.5)
    await poor.campaign.run()
    assert len(poor.asked) == 50
    assert poor.campaign.stop_reason == "the budget of money is spent"
    late = parts_of(tmp_path / "b.db", (0.2, 0.2), seconds=0.0)
    await late.campaign.run()
    assert late.asked == []
    assert late.campaign.stop_reason == "the budget of time is spent"


async def test_the_same_seed_takes_the_same_way(tmp_path: Path, parts_of: MakeParts) -> None:
    ways = []
    for number in range(2):
        parts = parts_of(tmp_path / f"{number}.db", (0.15, 0.3), calls=400)
        await parts.campaign.run()
        ways.append((parts.seen, sorted(parts.asked)))
    assert ways[0] == ways[1]


async def test_a_run_that_was_cut_off_goes_on_the_same_way(
    tmp_path: Path, parts_of: MakeParts
) -> None:
    whole = parts_of(tmp_path / "whole.db", (0.15, 0.3), calls=300)
    await whole.campaign.run()

    cut = parts_of(tmp_path / "cut.db", (0.15, 0.3), calls=300)
    plain = cut._say

    def dies(request: Request) -> str:
        if len(cut.asked) >= 120:
            raise TargetError("gone", retry=False)
        return plain(request)

    cut.target._function = dies  # type: ignore[method-assign]
    await cut.campaign.run()
    assert "gone" in cut.campaign.stop_reason
    assert cut.unanswered > 0
    kept = cut.store.count
    cut.store.close()
    assert kept == 120

    again = parts_of(tmp_path / "cut.db", (0.15, 0.3), calls=300, before=kept)
    await again.campaign.run()
    assert len(again.asked) == 300 - kept
    assert not set(again.asked) & set(cut.asked)
    assert again.seen == whole.seen
    for probe, state in whole.states.items():
        mine = again.states[probe].sequence
        assert (mine.trials, mine.judged.total) == (
            state.sequence.trials,
            state.sequence.judged.total,
        )
        assert (mine.low, mine.high) == (state.sequence.low, state.sequence.high)
