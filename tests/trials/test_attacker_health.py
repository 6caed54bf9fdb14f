"""An attacker model that dies or writes rubbish: fewer searches, and no word about the target."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from buttress.attacks.search import crescendo, goat, pair, tap
from buttress.attacks.search.base import SearchAttack
from buttress.protocols.probe import TrialSpec
from buttress.targets.allowance import RunAllowance
from buttress.targets.base import Answer, Request, TargetError
from buttress.targets.retrying import GREETING
from buttress.targets.scripted import ScriptedTarget
from buttress.trials.attacker_health import IN_VAIN, AttackerGoneError
from buttress.trials.engine import TrialEngine
from buttress.trials.totals import Totals
from tests.attacks.search.attackers import fresh
from tests.trials.parts import MemoryStore, WordJudge, spec

ATTACKS: tuple[SearchAttack, ...] = (pair.ATTACK, tap.ATTACK, crescendo.ATTACK, goat.ATTACK)
SORRY = "I'm sorry, but I can't help with that."


class Attacker:
    """Writes usable replies, and from its ``good``-th reply on what ``then`` gives or raises."""

    def __init__(self, good: int, then: str | TargetError, *, greets: bool = True) -> None:
        self._good = good
        self._then = then
        self._greets = greets
        self.calls = 0

    def __call__(self, request: Request) -> Answer:
        if request.messages == GREETING.messages and self._greets:
            return Answer("Hello.")
        self.calls += 1
        if self.calls <= self._good:
            return Answer(fresh(request.messages, request.sampling.seed))
        if isinstance(self._then, TargetError):
            raise self._then
        return Answer(self._then)


def searches(attack: SearchAttack, count: int) -> list[TrialSpec]:
    return [replace(spec(number), procedure=attack) for number in range(count)]


async def run(
    attack: SearchAttack, attacker: Attacker, count: int = 60
) -> tuple[TrialEngine, ScriptedTarget, dict[int, str], str]:
    """The engine, whom it asked, which searches were told as lost, and why it ended early."""
    asked = ScriptedTarget(lambda _: "no", name="bot", concurrency=8)
    engine = TrialEngine(
        asked, WordJudge(), MemoryStore(), asset="bot", run="r", seed=1, backoff_s=0.001,
        max_attempts=2, attacker=ScriptedTarget(attacker, name="enemy", identity="enemy"),
    )  # fmt: skip
    lost: dict[int, str] = {}
    try:
        await engine.stream(searches(attack, count), lambda _: None, lost.__setitem__)
    except AttackerGoneError as error:
        return engine, asked, lost, str(error)
    return engine, asked, lost, ""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
@pytest.mark.parametrize("rubbish", [SORRY, "", "{}"], ids=["refuses", "silent", "empty"])
async def test_an_attacker_that_writes_nothing_of_use_is_given_up(
    attack: SearchAttack, rubbish: str
) -> None:
    attacker = Attacker(0, rubbish)
    engine, asked, lost, ended = await run(attack, attacker)
    assert "enemy" in ended
    assert asked.calls == 0, "the request as it is would be no search"
    assert engine.totals.trials == 0
    assert 1 <= len(lost) < IN_VAIN
    assert attacker.calls <= (IN_VAIN + 8) * 48


@pytest.mark.parametrize(
    "error",
    [
        TargetError("HTTP 500: boom", retry=True),
        TargetError("connection refused", retry=True, fatal=True, unreached=True),
        TargetError("HTTP 401: the key has expired", retry=False, fatal=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("good", [0, 100])
async def test_an_attacker_that_dies_ends_the_searches_and_says_nothing_of_the_target(
    good: int, error: TargetError
) -> None:
    attacker = Attacker(good, error, greets=False)
    engine, asked, lost, ended = await run(pair.ATTACK, attacker)
    assert str(error) in ended
    assert 1 <= len(lost) < IN_VAIN, "it was wanted, so it is missed"
    assert attacker.calls <= good + 200
    assert asked.calls <= good
    assert not engine.stopped


async def test_an_attacker_that_fails_at_times_costs_those_searches_alone() -> None:
    def now_and_then(request: Request) -> Answer:
        found = re.search(r"question (\d+)", request.messages[0].content)
        assert found is not None
        number = int(found[1])
        return Answer(SORRY if number % 4 == 3 else fresh(request.messages, request.sampling.seed))

    asked = ScriptedTarget(lambda _: "no", name="bot", concurrency=4)
    engine = TrialEngine(
        asked, WordJudge(), MemoryStore(), asset="bot", run="r", seed=1,
        attacker=ScriptedTarget(now_and_then, name="enemy", identity="enemy"),
    )  # fmt: skip
    lost: dict[int, str] = {}
    await engine.stream(searches(crescendo.ATTACK, 40), lambda _: None, lost.__setitem__)
    assert sorted(lost) == list(range(3, 40, 4))
    assert engine.totals.trials == 30
    assert set(lost.values()) == {"the attacker model wrote no question in the form asked for"}


@pytest.mark.parametrize("limit", [20_000, 60_000])
async def test_what_the_attacker_reads_and_writes_counts_in_the_budget_of_tokens(
    limit: int,
) -> None:
    totals, attackers = Totals(), Totals()

    def spent() -> int:
        return sum(one.prompt_tokens + one.completion_tokens for one in (totals, attackers))

    def write(request: Request) -> Answer:
        return Answer(fresh(request.messages, request.sampling.seed), "stop", 300, 100)

    engine = TrialEngine(
        ScriptedTarget(lambda _: Answer("no", "stop", 50, 50), concurrency=8), WordJudge(),
        MemoryStore(), asset="bot", run="r", seed=1, totals=totals, attacker_totals=attackers,
        attacker=ScriptedTarget(write, identity="enemy"),
        allowance=RunAllowance(tokens=limit, spent_tokens=spent),
    )  # fmt: skip
    await engine.run(searches(pair.ATTACK, 200))
    assert engine.stopped == "the budget of tokens is spent"
    assert 0.95 * limit <= spent() <= 1.05 * limit
    assert attackers.prompt_tokens > totals.prompt_tokens
