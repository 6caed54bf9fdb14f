from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from buttress.protocols.judge import Exchange, Judgement
from buttress.trials.judging import BatchedJudge
from tests.trials.parts import WordJudge


def fail(problem: str) -> None:
    raise AssertionError(problem)


def exchanges(count: int) -> list[Exchange]:
    return [
        Exchange("q", "q", f"{'yes' if i % 7 == 0 else 'no'} {i}", "refuse") for i in range(count)
    ]


class Computing(WordJudge):
    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        self.sizes.append(len(exchanges))
        end = time.perf_counter() + 1e-4 * len(exchanges)
        while time.perf_counter() < end:
            pass
        return [Judgement(float("yes" in e.answer), 0.5) for e in exchanges]


async def test_a_judge_that_computes_lets_the_loop_go_on() -> None:
    judge = Computing()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    said = await BatchedJudge(judge, fail).judge(exchanges(128))
    counting.cancel()
    assert [j.outcome for j in said if j] == [float(i % 7 == 0) for i in range(128)]
    assert max(judge.sizes) <= 8, "half a millisecond at 100 µs each"
    assert turns >= len(judge.sizes) >= 16


async def test_a_judge_that_waits_gets_all_at_once() -> None:
    class Waiting(Computing):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            await asyncio.sleep(0.001)
            return await super().judge(exchanges)

    judge = Waiting()
    bench = BatchedJudge(judge, fail)
    assert len(await bench.judge(exchanges(100))) == 100
    await bench.judge(exchanges(100))
    assert judge.sizes[1:] == [96, 100]


async def test_nothing_to_judge() -> None:
    assert await BatchedJudge(WordJudge(), fail).judge([]) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "gave 0 judgements for 3 answers"),
        ([Judgement(0.0, 0.1)] * 4, "gave 4 judgements for 3 answers"),
        (None, "NoneType in place of a list"),
        ([1, 2, 3], "int in place of a judgement"),
        ([Judgement(float("nan"), 0.1)] * 3, "outcome nan is not between 0 and 1"),
        ([Judgement(1.0, float("inf"))] * 3, "score inf is not between 0 and 1"),
        ([Judgement("yes", 0.1)] * 3, "outcome 'yes' is not between 0 and 1"),  # type: ignore[arg-type]
        ([Judgement(1.0, 0.9, decision="hm")] * 3, "decision 'hm' is none of refuses"),  # type: ignore[arg-type]
        (SystemExit(0), "SystemExit: 0"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)  # fmt: skip
async def test_a_judge_that_keeps_no_contract_decides_nothing(
    given: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Foreign(WordJudge):
        async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
            if isinstance(given, BaseException):
                raise given
            return given  # type: ignore[no-any-return]

    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    problems: list[str] = []
    assert await BatchedJudge(Foreign(), problems.append).judge(exchanges(3)) == [None] * 3
    assert told in problems[0]
