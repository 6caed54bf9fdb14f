import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.evidence.records import Trial, Turn
from buttress.evidence.store import EvidenceStore
from buttress.protocols.probe import TrialSpec
from buttress.protocols.procedure import CallsSpentError, Conversation, Dialogue
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.engine import TrialEngine
from buttress.trials.health import TargetDiedError
from tests.trials.parts import MemoryStore, WordJudge, spec


@dataclass(frozen=True)
class Countdown:
    """Asks "3", "2", "1" one after the other, and is done."""

    calls: int = 3
    id: str = "countdown"
    version: str = "1"
    needs_attacker: bool = False

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        turns: list[Message] = []
        answer = ""
        for number in range(self.calls, 0, -1):
            turns.append(Message("user", f"{spec.request} {number}"))
            answer = await conversation.ask(turns)
            turns.append(Message("assistant", answer))
        return Dialogue(tuple(turns[:-1]), answer)


@dataclass(frozen=True)
class Together:
    """Asks all at once, some of them twice, and joins the answers."""

    texts: tuple[str, ...]
    calls: int = 8
    id: str = "together"
    version: str = "1"
    needs_attacker: bool = False

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        del spec
        asked = [(Message("user", text),) for text in self.texts]
        answers = await asyncio.gather(*map(conversation.ask, asked))
        return Dialogue(asked[-1], "|".join(answers))


@dataclass(frozen=True)
class Searching:
    """Lets the attacker write questions until the judge says that one worked."""

    calls: int = 6
    id: str = "searching"
    version: str = "1"
    needs_attacker: bool = True

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        best = Dialogue(spec.messages, "")
        for step in range(self.calls):
            text = await conversation.attacker([Message("user", spec.request)], seed=step)
            asked = (Message("user", text),)
            best = Dialogue(asked, await conversation.ask(asked))
            if (await conversation.score(text, best.text)).outcome:
                break
        return best


@dataclass(frozen=True)
class Broken:
    calls: int = 2
    id: str = "broken"
    version: str = "1"
    needs_attacker: bool = False

    async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
        await conversation.ask(spec.messages)
        raise RuntimeError("a plug-in's mistake")


def echo(request: Request) -> str:
    return f"heard {request.messages[-1].content}"


def target(function=echo, **settings: object) -> ScriptedTarget:
    given = {"name": "t", "identity": "t", "stable": True, "concurrency": 4} | settings
    return ScriptedTarget(function, **given)


def engine(asked: ScriptedTarget, store: object, **settings: object) -> TrialEngine:
    given = {"asset": "a", "run": "r", "seed": 1, "max_attempts": 1} | settings
    judge = given.pop("judge", WordJudge())
    return TrialEngine(asked, judge, store, **given)  # type: ignore[arg-type]


def with_procedure(procedure: object, count: int = 1) -> list[TrialSpec]:
    return [replace(spec(number), procedure=procedure) for number in range(count)]  # type: ignore[arg-type]


async def test_a_trial_of_several_questions_is_one_trial_with_its_turns_in_the_evidence() -> None:
    store, asked = MemoryStore(), target()
    trials = await engine(asked, store).run(with_procedure(Countdown(), 5))
    assert [trial.calls for trial in trials] == [3] * 5
    assert asked.calls == 15
    assert trials[2].answer == "heard question 2 1"
    assert trials[2].prompt.startswith("user: question 2 3\n\nassistant: heard question 2 3")
    turns = [record for record in store.records if isinstance(record, Turn)]
    assert len(turns) == 15
    assert {turn.role for turn in turns} == {"target"}
    stored = [record for record in store.records if isinstance(record, Trial)]
    assert sorted(stored, key=lambda trial: trial.item) == trials


@pytest.mark.parametrize("stable", [True, False])
@pytest.mark.parametrize("cut", range(6))
async def test_a_run_that_was_cut_off_asks_nothing_twice(stable: bool, cut: int) -> None:
    store = MemoryStore()
    answered = 0

    def dying(request: Request) -> str:
        nonlocal answered
        if answered == cut:
            raise TargetError("gone", retry=False)
        answered += 1
        return echo(request)

    work = with_procedure(Countdown(), 2)
    first: list[Trial] = []
    with suppress(TargetDiedError):
        await engine(target(dying, concurrency=1, stable=stable), store).stream(
            work, lambda trials: first.extend(trial for _, trial in trials)
        )
    again = target(concurrency=1, stable=stable)
    second = await engine(again, store).run(work)
    assert again.calls == 6 - cut
    assert [trial.answer for trial in second] == ["heard question 0 1", "heard question 1 1"]
    assert [trial.calls for trial in second] == [3, 3]
    assert len(first) == cut // 3
    assert sum(trial.cached for trial in second) == len(first)


async def test_answers_of_a_target_that_may_change_serve_their_own_run_only() -> None:
    store = MemoryStore()
    work = with_procedure(Countdown())
    for run, stable, calls in (("r1", False, 3), ("r1", False, 0), ("r2", False, 3)):
        asked = target(stable=stable)
        await engine(asked, store, run=run).run(work)
        assert asked.calls == calls


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8))
async def test_the_same_question_is_one_question(texts: list[str]) -> None:
    store, asked = MemoryStore(), target()
    trials = await engine(asked, store).run(with_procedure(Together(tuple(texts))))
    assert asked.calls == trials[0].calls == len(set(texts))
    assert trials[0].answer == "|".join(f"heard {text}" for text in texts)


async def test_no_more_questions_than_the_procedure_said_it_takes() -> None:
    asked = target()
    work = engine(asked, MemoryStore())
    assert await work.run(with_procedure(Together(tuple("abcdefghij"), calls=4))) == []
    assert asked.calls <= 4
    assert work.totals.errors == 1
    assert "CallsSpentError" in next(iter(work.totals.messages))


async def test_a_mistake_in_a_procedure_ends_its_trial_only() -> None:
    work = engine(target(), MemoryStore())
    both = with_procedure(Broken()) + with_procedure(Countdown(), 2)
    assert len(await work.run(both)) == 2
    assert work.totals.messages == {"broken: RuntimeError: a plug-in's mistake": 1}


def attacker(request: Request) -> str:
    return f"try {request.sampling.seed}"


def giving_in(request: Request) -> str:
    return "yes" if request.messages[-1].content == "try 3" else "no"


async def test_a_search_uses_the_attacker_and_the_judge_and_resumes() -> None:
    store, judge = MemoryStore(), WordJudge()
    asked, enemy = target(giving_in), target(attacker, identity="enemy")
    work = engine(asked, store, judge=judge, attacker=enemy)
    trial = (await work.run(with_procedure(Searching())))[0]
    assert (trial.outcome, trial.calls, trial.prompt) == (1.0, 4, "try 3")
    assert (work.totals.calls, work.attacker_totals.calls) == (4, 4)
    roles = [record.role for record in store.records if isinstance(record, Turn)]
    assert roles == ["attacker", "target", "judge"] * 4
    store.records = [record for record in store.records if isinstance(record, Turn)]
    store._by_key.clear()
    asked, enemy = target(giving_in), target(attacker, identity="enemy")
    again = (await engine(asked, store, attacker=enemy).run(with_procedure(Searching())))[0]
    assert (asked.calls, enemy.calls) == (0, 0)
    assert replace(again, time=trial.time) == trial
    other = target(giving_in)
    await engine(other, store, attacker=target(attacker, identity="other")).run(
        with_procedure(Searching())
    )
    assert other.calls == 0  # another attacker wrote the same questions


async def test_a_search_without_an_attacker_says_so() -> None:
    work = engine(target(), MemoryStore())
    assert await work.run(with_procedure(Searching())) == []
    assert work.totals.messages == {"there is no attacker model": 1}


async def test_a_target_can_be_its_own_attacker_within_its_concurrency() -> None:
    flying = most = 0

    async def slow(request: Request) -> Answer:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.001)
        flying -= 1
        return Answer(f"no {request.sampling.seed}")

    asked = target(slow, concurrency=3)
    work = engine(asked, MemoryStore(), attacker=asked)
    trials = await work.run(with_procedure(Searching(), 6))
    assert len(trials) == 6
    assert most <= 3


async def test_turns_are_verified_and_exported_with_the_rest(tmp_path: Path) -> None:
    from buttress.evidence.chain import verify
    from buttress.evidence.exchange import export, load

    with EvidenceStore.open(tmp_path / "evidence.db") as store:
        await engine(target(), store).run(with_procedure(Countdown(), 2))
        assert verify(store).ok
        assert export(store, tmp_path / "all.jsonl") == store.count == 8
        with EvidenceStore.open(tmp_path / "copy.db") as copy:
            assert load(tmp_path / "all.jsonl", copy) == 8
            assert copy.head == store.head


async def test_what_is_left_counts_known_answers_too() -> None:
    seen: list[Sequence[int]] = []

    @dataclass(frozen=True)
    class Watching(Countdown):
        async def run(self, spec: TrialSpec, conversation: Conversation) -> Dialogue:
            lefts = []
            for number in range(self.calls):
                lefts.append(conversation.left)
                await conversation.ask([Message("user", str(number))])
            with pytest.raises(CallsSpentError):
                await conversation.ask([Message("user", "more")])
            seen.append([*lefts, conversation.left])
            return Dialogue(spec.messages, "no")

    store = MemoryStore()
    for run in ("r1", "r2"):
        await engine(target(), store, run=run).run(with_procedure(Watching()))
        store._by_key.clear()
    assert seen == [[3, 2, 1, 0]] * 2


class ShuttingDoor:
    """Refuses questions that end with a number of ``refused``, and everything once it is shut."""

    def __init__(self, refused: str, shut_after: int = 10_000) -> None:
        self._refused = refused
        self._left = shut_after

    def __call__(self, request: Request) -> Answer:
        self._left -= 1
        text = request.messages[-1].content
        if self._left < 0 or text[-1] in self._refused:
            refused = Answer("Access denied", "content_filter", refused_by="firewall")
            raise TargetError("HTTP 403", retry=False, fatal=True, refusal=refused)
        return Answer(f"heard {text}")


async def test_a_ban_inside_a_dialogue_is_no_refusal_of_a_resumed_run() -> None:
    store = MemoryStore()
    work = with_procedure(Countdown(), 4)
    with pytest.raises(TargetDiedError, match="a harmless question fails too"):
        await engine(target(ShuttingDoor("", 7), concurrency=1, stable=False), store).run(work)
    assert "Access denied" not in {record.answer for record in store.records}
    trials = await engine(target(stable=False), store).run(work)
    assert [trial.answer for trial in trials] == [f"heard question {n} 1" for n in range(4)]


@pytest.mark.parametrize("refused", ["1", "2", "12"])
async def test_refusals_inside_a_dialogue_are_in_the_evidence_once_they_are_sure(
    refused: str,
) -> None:
    store = MemoryStore()
    door = target(ShuttingDoor(refused), concurrency=1, stable=False)
    trials = await engine(door, store).run(with_procedure(Countdown(), 2))
    turns = [record.answer for record in store.records if isinstance(record, Turn)]
    assert (len(turns), turns.count("Access denied")) == (6, 2 * len(refused))
    last = "Access denied" if "1" in refused else "heard question 0 1"
    assert trials[0].answer == last
