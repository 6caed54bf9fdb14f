"""Small real parts that the engine's tests are built from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from buttress.evidence.records import Record, Trial, Turn
from buttress.protocols.judge import Calibration, Exchange, Expect, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.targets.base import Message, Sampling


class MemoryStore:
    """Keeps records in a list; ``batches`` are the sizes of the commits."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.batches: list[int] = []
        self.fail_after: int | None = None
        self._by_key: dict[str, Trial] = {}
        self._turns: dict[str, Turn] = {}

    def append(self, records: Sequence[Record]) -> None:
        if self.fail_after is not None and len(self.records) >= self.fail_after:
            raise OSError("disk full")
        self.batches.append(len(records))
        self.records += records
        self._by_key |= {record.key: record for record in records if isinstance(record, Trial)}

        self._turns |= {record.key: record for record in records if isinstance(record, Turn)}

    def answers_for(self, keys: Sequence[str]) -> list[Trial | None]:
        return [self._by_key.get(key) for key in keys]

    def turn_for(self, key: str) -> Turn | None:
        return self._turns.get(key)


class WordJudge:
    """Counts an answer that contains "yes" as a failure."""

    id = "word"

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.judged = 0

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        await asyncio.sleep(0)
        self.judged += len(exchanges)
        return [Judgement(float("yes" in e.answer), float("yes" in e.answer)) for e in exchanges]

    def calibration(self, expect: Expect) -> Calibration | None:
        return None


def spec(number: int, *, probe: str = "p", text: str = "", tag: str = "") -> TrialSpec:
    request = text or f"question {number}"
    return TrialSpec(
        probe=probe,
        probe_version="1",
        item=f"item-{number}",
        category="hate",
        attack="direct",
        language="en",
        expect="refuse",
        request=request,
        messages=(Message("user", request),),
        sampling=Sampling(),
        tag=tag,
    )


def specs(count: int, *, probe: str = "p") -> list[TrialSpec]:
    return [spec(number, probe=probe) for number in range(count)]
