from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from buttress.errors import ButtressError, InputError
from buttress.evidence.records import Trial
from buttress.protocols.judge import Exchange, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.protocols.unjudged import UnjudgedError
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from buttress.trials.loop import run_async
from buttress.trials.totals import Totals
from tests.trials.parts import MemoryStore, WordJudge, spec, specs


def engine(target: Any, store: MemoryStore, **options: Any) -> TrialEngine:
    settings: dict[str, Any] = {
        "asset": "bot",
        "run": "r1",
        "seed": 1,
        "backoff_s": 0.001,
        "clock": lambda: 5.0,
    }
    judge = options.pop("judge", None) or WordJudge()
    return TrialEngine(target, judge, store, **(settings | options))


def echo(request: Request) -> Answer:
    number = request.messages[-1].content.split()[-1]
    said = "yes" if int(number) % 3 == 0 else "no"
    return Answer(f"{said} {number}", prompt_tokens=3, completion_tokens=2, latency_s=0.5)


async def test_trials_come_back_in_order_with_all_that_is_known() -> None:
    async def slow_first(request: Request) -> Answer:
        await asyncio.sleep(0.02 if request.messages[0].content == "question 0" else 0)
        return echo(request)

    store = MemoryStore()
    running = engine(ScriptedTarget(slow_first, identity="bot-1"), store, concurrency=8)
    trials = await running.run(specs(50))
    assert [trial.item for trial in trials] == [f"item-{i}" for i in range(50)]
    assert [trial.outcome for trial in trials] == [float(i % 3 == 0) for i in range(50)]
    first = trials[0]
    assert (first.answer, first.prompt, first.request) == ("yes 0", "question 0", "question 0")
    assert (first.asset, first.target, first.run, first.time) == ("bot", "bot-1", "r1", 5.0)
    assert (first.judge, first.judge_version, first.cached) == ("word", "1", False)
    assert (first.prompt_tokens, first.completion_tokens, first.latency_s) == (3, 2, 0.5)
    assert {record.key for record in store.records} == {trial.key for trial in trials}
    assert len({trial.key for trial in trials}) == 50
    totals = running.totals
    assert (totals.calls, totals.trials, totals.cached, totals.errors) == (50, 50, 0, 0)
    assert (totals.prompt_tokens, totals.completion_tokens) == (150, 100)
    assert totals.seconds > 0


@pytest.mark.parametrize("concurrency", [1, 5, 64])
async def test_concurrency_is_never_exceeded_and_is_used(concurrency: int) -> None:
    active = most = 0

    async def count(request: Request) -> str:
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.001)
        active -= 1
        return "no"

    target = ScriptedTarget(count, concurrency=64)
    await engine(target, MemoryStore(), concurrency=concurrency).run(specs(200))
    assert most == concurrency


async def test_specs_are_pulled_only_as_fast_as_they_are_asked() -> None:
    pulled = 0
    seen: list[int] = []

    def endless() -> Iterator[TrialSpec]:
        nonlocal pulled
        while len(seen) < 100:
            pulled += 1
            yield spec(pulled)

    def deliver(trials: Sequence[tuple[int, Trial]]) -> None:
        seen.extend(index for index, _ in trials)

    async def answer(request: Request) -> str:
        await asyncio.sleep(0.002)
        return "no"

    await engine(ScriptedTarget(answer, concurrency=8), MemoryStore()).stream(endless(), deliver)
    assert pulled == len(seen) == len(set(seen))
    # What can be under way: in flight, queued, being looked up, lingering before a commit.
    assert pulled < 100 + 3 * 8 + 256


async def test_answers_are_committed_in_groups() -> None:
    store = MemoryStore()
    await engine(ScriptedTarget(echo), store).run(specs(500))
    assert sum(store.batches) == 500
    assert len(store.batches) < 50


async def test_no_trial_is_handed_over_before_its_append_has_returned() -> None:
    store = MemoryStore()

    def deliver(trials: Sequence[tuple[int, Trial]]) -> None:
        assert all(trial in store.records for _, trial in trials)

    await engine(ScriptedTarget(echo), store).stream(specs(100), deliver)
    assert len(store.records) == 100


async def test_a_resumed_run_asks_only_what_was_not_answered() -> None:
    store = MemoryStore()
    target = ScriptedTarget(echo)
    first = await engine(target, store).run(specs(30))
    again = engine(target, store)
    trials = await again.run(specs(50))
    assert target.calls == 50
    assert [t.outcome for t in trials[:30]] == [t.outcome for t in first]
    assert [t.cached for t in trials] == [True] * 30 + [False] * 20
    assert (again.totals.calls, again.totals.trials, again.totals.cached) == (20, 50, 30)
    assert len(store.records) == 50, "what is in the evidence is not put there twice"


@pytest.mark.parametrize(("stable", "calls"), [(True, 20), (False, 40)])
async def test_another_run_reuses_answers_of_stable_targets_only(stable: bool, calls: int) -> None:
    store = MemoryStore()
    target = ScriptedTarget(echo, stable=stable)
    await engine(target, store).run(specs(20))
    trials = await engine(target, store, run="r2").run(specs(20))
    assert target.calls == calls
    assert {trial.run for trial in trials} == {"r2"}
    assert all(trial.cached == stable for trial in trials)
    assert len(store.records) == 40


async def test_known_answers_are_judged_again_by_a_new_judge_only() -> None:
    store = MemoryStore()
    target = ScriptedTarget(echo, stable=True)
    await engine(target, store).run(specs(20))
    same, new = WordJudge(), WordJudge("2")
    await engine(target, store, run="r2", judge=same).run(specs(20))
    assert same.judged == 0
    trials = await engine(target, store, run="r2", judge=new).run(specs(20))
    assert new.judged == 20
    assert target.calls == 20
    assert {(trial.judge_version, trial.cached) for trial in trials} == {("2", True)}


async def test_an_answer_serves_another_probe_that_asks_the_same() -> None:
    store = MemoryStore()
    target = ScriptedTarget(echo)
    await engine(target, store).run(specs(10))
    trials = await engine(target, store).run(specs(10, probe="q"))
    assert target.calls == 10
    assert {trial.probe for trial in trials} == {"q"}
    assert len(store.records) == 20


async def test_tags_and_sampling_make_questions_different() -> None:
    store = MemoryStore()
    same = [spec(1, tag="recording:1"), spec(1, tag="recording:2"), spec(1)]
    trials = await engine(ScriptedTarget(echo, stable=True), store).run(same)
    assert len({trial.key for trial in trials}) == 3


async def test_failures_that_can_pass_are_asked_again() -> None:
    failed: set[str] = set()

    def flaky(request: Request) -> Answer:
        text = request.messages[0].content
        if text not in failed:
            failed.add(text)
            raise TargetError("HTTP 500", retry=True)
        return echo(request)

    running = engine(ScriptedTarget(flaky), MemoryStore())
    trials = await running.run(specs(40))
    assert len(trials) == 40
    assert (running.totals.calls, running.totals.errors) == (80, 0)


async def test_questions_given_up_are_counted_and_the_run_goes_on() -> None:
    def partly(request: Request) -> Answer:
        number = int(request.messages[0].content.split()[-1])
        if number % 4 == 1:
            raise TargetError(f"HTTP 400: number {number % 8}", retry=False)
        if number % 4 == 2:
            raise RuntimeError("a bug in a plug-in")
        return echo(request)

    running = engine(ScriptedTarget(partly), MemoryStore())
    trials = await running.run(specs(40))
    assert [trial.item for trial in trials] == [f"item-{i}" for i in range(40) if i % 4 in {0, 3}]
    assert running.totals.errors == 20
    assert running.totals.messages["RuntimeError: a bug in a plug-in"] == 10
    assert running.totals.messages["HTTP 400: number 1"] == 5


async def test_attempts_are_bounded() -> None:
    def dead(request: Request) -> str:
        raise TargetError("HTTP 500", retry=True)

    target = ScriptedTarget(dead)
    running = engine(target, MemoryStore(), max_attempts=3)
    assert await running.run(specs(5)) == []
    assert (target.calls, running.totals.errors) == (15, 5)


async def test_a_target_that_never_answers_ends_the_run_with_what_it_said() -> None:
    def refuse(request: Request) -> str:
        raise TargetError("HTTP 401: wrong key", retry=False)

    target = ScriptedTarget(refuse, name="bot at host")
    with pytest.raises(ButtressError, match=r"bot at host: the first 20 .* HTTP 401: wrong key"):
        await engine(target, MemoryStore()).run(specs(1000))
    assert target.calls < 200


async def test_a_wrong_key_is_tried_once() -> None:
    class Service(ScriptedTarget):
        starts_slowly = True

    def refuse(request: Request) -> str:
        raise TargetError("HTTP 401: wrong key", retry=False, fatal=True)

    target = Service(refuse, name="bot at host")
    with pytest.raises(ButtressError, match="bot at host: HTTP 401: wrong key"):
        await engine(target, MemoryStore()).run(specs(1000))
    assert target.calls == 1


async def test_a_target_that_dies_on_the_way_ends_the_run_and_keeps_the_answers() -> None:
    def dying(request: Request) -> Answer:
        if int(request.messages[0].content.split()[-1]) >= 100:
            raise TargetError("connection refused", retry=False)
        return echo(request)

    store = MemoryStore()
    with pytest.raises(ButtressError, match="last 100 questions"):
        await engine(ScriptedTarget(dying), store).run(specs(5000))
    assert len(store.records) == 100


async def test_input_errors_of_a_target_end_the_run_at_once() -> None:
    def broken(request: Request) -> str:
        raise InputError("can't be loaded", file="model.gguf")

    with pytest.raises(InputError, match=r"model\.gguf"):
        await engine(ScriptedTarget(broken), MemoryStore()).run(specs(3))


async def test_a_question_that_hangs_is_timed_out() -> None:
    async def hang(request: Request) -> str:
        if request.messages[0].content == "question 3":
            await asyncio.sleep(60)
        return "no"

    running = engine(ScriptedTarget(hang), MemoryStore(), timeout_s=0.05, max_attempts=2)
    trials = await running.run(specs(6))
    assert len(trials) == 5
    assert running.totals.messages == {"no answer within 0.05 s": 1}


async def test_errors_of_the_store_and_the_judge_end_the_run() -> None:
    store = MemoryStore()
    store.fail_after = 1
    with pytest.raises(OSError, match="disk full"):
        await engine(ScriptedTarget(echo), store).run(specs(2000))

    class Broken(WordJudge):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            raise ValueError("no such category")

    with pytest.raises(ValueError, match="no such category"):
        await engine(ScriptedTarget(echo), MemoryStore(), judge=Broken()).run(specs(2000))


async def test_an_interrupted_run_keeps_what_was_answered() -> None:
    store = MemoryStore()
    answered = asyncio.Event()

    async def some(request: Request) -> str:
        if int(request.messages[0].content.split()[-1]) < 10:
            return "no"
        answered.set()
        await asyncio.sleep(60)
        return "never"

    running = asyncio.create_task(engine(ScriptedTarget(some), store).run(specs(100)))
    await answered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(store.records) == 10


async def test_interrupted_while_the_last_answers_are_judged_it_keeps_them() -> None:
    """All has been asked by then, so the run is about to end of itself."""
    store = MemoryStore()
    judging, go_on = asyncio.Event(), asyncio.Event()

    class Waiting(WordJudge):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            judging.set()
            await go_on.wait()
            return await super().judge(exchanges)

    running = asyncio.create_task(
        engine(ScriptedTarget(echo), store, judge=Waiting()).run(specs(10))
    )
    await judging.wait()
    await asyncio.sleep(0.05)  # the workers have ended, and the run winds down
    running.cancel()
    await asyncio.sleep(0.01)
    assert not running.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(store.records) == 10


async def test_a_slow_judge_holds_the_answers_back() -> None:
    ahead = most = 0

    def quick(request: Request) -> Answer:
        nonlocal ahead, most
        ahead += 1
        most = max(most, ahead)
        return echo(request)

    class Slow(WordJudge):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            nonlocal ahead
            await asyncio.sleep(0.005)
            ahead -= len(exchanges)
            return await super().judge(exchanges)

    await engine(ScriptedTarget(quick, concurrency=16), MemoryStore(), judge=Slow()).run(
        specs(3000)
    )
    assert most < 600


async def test_engines_can_share_totals() -> None:
    totals = Totals()
    for asset in ("a", "b"):
        target = ScriptedTarget(echo, identity=asset)
        await engine(target, MemoryStore(), asset=asset, totals=totals).run(specs(10))
    assert (totals.calls, totals.trials) == (20, 20)


async def test_an_empty_run() -> None:
    assert await engine(ScriptedTarget(echo), MemoryStore()).run([]) == []


def test_the_loop_runs_a_coroutine_to_its_end() -> None:
    async def main() -> int:
        await asyncio.sleep(0)
        return 7

    assert run_async(main()) == 7


async def test_an_exact_check_decides_instead_of_the_judge() -> None:
    store, judge = MemoryStore(), WordJudge()
    asked = [replace(one, check=lambda answer: Judgement("no" in answer, 1.0)) for one in specs(30)]
    trials = await engine(ScriptedTarget(echo, stable=True), store, judge=judge).run(asked)
    assert [trial.outcome for trial in trials] == [float(i % 3 != 0) for i in range(30)]
    assert {(trial.judge, trial.judge_version) for trial in trials} == {("check", "1")}
    assert judge.judged == 0
    again = engine(ScriptedTarget(echo, stable=True), store, judge=judge)
    assert await again.run(specs(30)), "the same questions, now with the judge"
    assert (again.totals.calls, judge.judged) == (0, 30)


class Doubting(WordJudge):
    """Can't decide some answers."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        said: list[Judgement | None] = list(await super().judge(exchanges))
        unclear = [i for i, e in enumerate(exchanges) if int(e.answer.split()[1]) % self.every == 0]
        for index in unclear:
            said[index] = None
        if unclear:
            raise UnjudgedError(said, [f"unclear {index}" for index in unclear])
        return [one for one in said if one]


async def test_what_the_judge_cannot_decide_is_counted_and_never_an_outcome() -> None:
    store = MemoryStore()
    running = engine(ScriptedTarget(echo), store, judge=Doubting(5))
    trials = await running.run(specs(50))
    assert {trial.item for trial in trials} == {f"item-{i}" for i in range(50) if i % 5}
    assert (running.totals.trials, running.totals.errors) == (40, 10)
    assert len(store.records) == 40


async def test_a_judge_that_never_decides_ends_the_run() -> None:
    with pytest.raises(ButtressError, match="judge word: it could not decide 20 of 20 answers"):
        await engine(ScriptedTarget(echo), MemoryStore(), judge=Doubting(1)).run(specs(50))


def test_what_ends_a_command_still_does_after_asynchronous_code() -> None:
    def ends(number: int, frame: object) -> None: ...

    async def main() -> int:
        return 7

    before = signal.signal(signal.SIGTERM, ends)
    try:
        assert run_async(main()) == 7
        assert signal.getsignal(signal.SIGTERM) is ends
    finally:
        signal.signal(signal.SIGTERM, before)
