"""How many questions are asked while no judgement comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from buttress.judges.llm import create
from buttress.protocols.judge import Exchange, Judge, Judgement
from buttress.protocols.unjudged import JudgeGoneError
from buttress.targets.allowance import UNLIMITED
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.retrying_target import RetryingTarget
from buttress.targets.scripted import ScriptedTarget
from buttress.trials import engine as engine_module
from buttress.trials.backlog import LEAST, Backlog
from buttress.trials.commit import WAITING
from buttress.trials.engine import TrialEngine
from buttress.trials.totals import Totals
from tests.trials.parts import MemoryStore, WordJudge, specs

SAFE = json.dumps({"verdict": "safe", "score": 0.0, "reason": "a refusal"})


class Asked:
    """A system that answers at once; ``count`` are its answers."""

    def __init__(self) -> None:
        self.count = 0

    async def answer(self, _: Request) -> Answer:
        await asyncio.sleep(0.001)
        self.count += 1
        return Answer("no")


def engine(asked: Asked, judge: Judge, concurrency: int) -> TrialEngine:
    target = ScriptedTarget(asked.answer, concurrency=concurrency)
    return TrialEngine(target, judge, MemoryStore(), asset="bot", run="r", seed=1)


@pytest.mark.parametrize("concurrency", [1, 16, 64])
@pytest.mark.parametrize(
    "error",
    [
        TargetError("HTTP 500: boom", retry=True),
        TargetError("connection failed: refused", retry=True, fatal=True, unreached=True),
    ],
    ids=str,
)
async def test_a_judge_whose_model_fails_from_some_moment_on_wastes_few_questions(
    concurrency: int, error: TargetError
) -> None:
    asked = Asked()
    calls, good, asked_then = 0, 150, 0

    async def judged(_: Request) -> Answer:
        nonlocal calls, asked_then
        await asyncio.sleep(0.001)
        calls += 1
        if calls > good:
            asked_then = asked_then or asked.count
            raise error
        return Answer(SAFE)

    model = RetryingTarget(ScriptedTarget(judged), Totals(), UNLIMITED, backoff_s=0.002)
    run = engine(asked, create(target=model), concurrency)
    lost: list[int] = []
    with pytest.raises(JudgeGoneError, match="answers nothing any more"):
        await run.stream(specs(2000), lambda trials: None, lambda index, _: lost.append(index))
    assert asked.count - asked_then <= 2 * concurrency + WAITING
    assert lost == [], "the judge is gone: no answer of the system is missing"
    assert run.totals.trials == good


@pytest.mark.parametrize("count", [4, 500])
async def test_a_judge_that_hangs_holds_the_questions_back_and_no_interruption(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all is asked and only judgements are waited for."""
    monkeypatch.setattr(engine_module, "JUDGED_WITHIN_S", 0.01)
    asked = Asked()

    class Hanging(WordJudge):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            await asyncio.sleep(3600)
            return []

    task = asyncio.create_task(engine(asked, Hanging(), 8).run(specs(count)))
    await asyncio.sleep(0.3)
    assert min(count, LEAST) <= asked.count <= LEAST + 8 + 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_room_follows_what_comes_back() -> None:
    backlog = Backlog(256)
    for _ in range(LEAST + 1):
        backlog.add()
    assert backlog.room == LEAST
    backlog.settle(LEAST + 1, 0)
    assert backlog.room == LEAST, "nothing was judged"


async def test_room_grows_where_judgements_are_waited_for() -> None:
    backlog = Backlog(100)
    rooms = []
    for _ in range(4):
        while backlog.waiting <= backlog.room:
            backlog.add()
        held = asyncio.create_task(backlog.ease())
        await asyncio.sleep(0)
        assert not held.done()
        backlog.settle(backlog.waiting, backlog.waiting)
        await held
        rooms.append(backlog.room)
    assert rooms == [32, 64, 100, 100]
    for _ in range(5):
        backlog.add()
        backlog.settle(1, 1)
    assert backlog.room == LEAST, "few wait now"
