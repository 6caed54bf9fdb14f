"""Judging without holding up the questions in flight.

A judge that computes keeps the event loop busy, and every answer that arrives meanwhile waits, so
it gets slices of half a millisecond; where that adds up, and there is a second processor, it moves
to a process of its own. A judge that waits for a model gets all at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from buttress.errors import FOREIGN_FAILURES, ButtressError, debugging, describe_exception
from buttress.json_process import ProcessEndedError
from buttress.judges.known import known
from buttress.judges.no_help import revised
from buttress.processes import usable_processors
from buttress.protocols.judge import DECISIONS, ComputingJudge, Exchange, Judge, Judgement
from buttress.protocols.probe import TrialSpec
from buttress.protocols.unjudged import JudgeGoneError, UnjudgedError
from buttress.trials.judge_process import JudgeProcess
from buttress.trials.repetition import Repetition

CHECK: Final = "check"  # what a record names as its judge where the probe checked exactly
SLICE_S: Final = 0.0005
FIRST: Final = 4  # exchanges in the first slice, before the judge's pace is known
# A process of its own takes about a second of a processor to start. It is worth that once the
# judge has computed for longer, and for no small part of the time that went by.
APART_AFTER_S: Final = 3.0
APART_FROM_SHARE: Final = 0.15


def decided_by(spec: TrialSpec, judge: Judge) -> tuple[str, str]:
    """Id and version of what decides the outcome."""
    return (CHECK, spec.probe_version) if spec.check else (judge.id, judge.version)


class BatchedJudge:
    """Calls the judge in slices whose size follows its pace.

    ``problem`` is told of each exchange that the judge could not decide. ``repetition`` remembers
    the answers of the system. A judge that has computed for ``apart_after_s`` seconds moves to a
    process of its own, which ``stop`` ends.
    """

    def __init__(
        self,
        judge: Judge,
        problem: Callable[[str], None],
        repetition: Repetition | None = None,
        *,
        apart_after_s: float = APART_AFTER_S,
    ) -> None:
        self._judge = judge
        self._problem = problem
        self._repetition = repetition or Repetition()
        self.ended: ButtressError | None = None  # why nothing more is judged
        self._size = FIRST
        self._waits = False
        self._apart: JudgeProcess | None = None
        self._apart_after_s = apart_after_s
        self._computed_s = 0.0
        self._began = time.perf_counter()

    @property
    def apart(self) -> bool:
        """Whether a process of its own judges."""
        return self._apart is not None and self._apart.ready

    @property
    def waits(self) -> bool:
        """Whether the judge waits for somebody, such as a model, rather than computes."""
        return self._waits

    def stop(self) -> None:
        """End the judge's process, if there is one."""
        if self._apart is not None:
            self._apart.stop()

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement | None]:
        """One judgement per exchange, in order; None where there is none."""
        self._repetition.note(exchanges)
        settled = [known(exchange) for exchange in exchanges]
        unknown = [e for e, s in zip(exchanges, settled, strict=True) if s is None]
        decided = iter(
            said and revised(exchange, said, repeated=self._repetition.everywhere(exchange.answer))
            for exchange, said in zip(unknown, await self._judged(unknown), strict=True)
        )
        return [next(decided) if each is None else each for each in settled]

    async def _judged(self, exchanges: Sequence[Exchange]) -> list[Judgement | None]:
        if exchanges and self._apart is not None and self._apart.ready:
            try:
                return [*await self._apart.judge(exchanges)]
            except ProcessEndedError:
                pass  # this process judges as well
        judgements: list[Judgement | None] = []
        while len(judgements) < len(exchanges):
            done = len(judgements)
            if self._waits:
                judgements += await self._decide(exchanges[done:])
                break
            judgements += await self._slice(exchanges[done : done + self._size])
            await asyncio.sleep(0)  # let the loop see to what has arrived
        return judgements

    async def _decide(self, exchanges: Sequence[Exchange]) -> Sequence[Judgement | None]:
        try:
            said = await self._judge.judge(exchanges)
        except UnjudgedError as error:
            for problem in error.problems:
                self._problem(problem)
            return error.judgements
        except JudgeGoneError as error:
            self.ended = self.ended or error.reason
            return error.judgements or [None] * len(exchanges)
        except ButtressError:
            raise
        except FOREIGN_FAILURES as error:  # its answers stay undecided
            if debugging():
                raise
            self._problem(f"judge {self._judge.id} failed ({describe_exception(error)})")
            return [None] * len(exchanges)
        wrong = _wrong(said, len(exchanges))
        if wrong:
            self._problem(f"judge {self._judge.id} failed ({wrong})")
            return [None] * len(exchanges)
        return said

    async def _slice(self, exchanges: Sequence[Exchange]) -> Sequence[Judgement | None]:
        turned: list[bool] = []
        asyncio.get_running_loop().call_soon(turned.append, True)
        start = time.perf_counter()
        judgements = await self._decide(exchanges)
        if turned:  # the loop went on meanwhile: the judge waits rather than computes
            self._waits = True
        else:
            seconds = time.perf_counter() - start
            each = seconds / len(exchanges)
            self._size = max(1, min(2 * self._size, int(SLICE_S / max(each, 1e-9))))
            self._computed_s += seconds
            self._consider_a_process()
        return judgements

    def _consider_a_process(self) -> None:
        if (
            self._apart is None
            and self._computed_s >= self._apart_after_s
            and self._computed_s >= APART_FROM_SHARE * (time.perf_counter() - self._began)
            and isinstance(self._judge, ComputingJudge)
            and usable_processors() > 1
        ):
            self._apart = JudgeProcess(self._judge.worker_command)


def _wrong(said: object, count: int) -> str:
    """What is wrong with what a judge gave, which may be a third party's; nothing where it fits."""
    if not isinstance(said, list | tuple):
        return f"it gave {type(said).__name__} in place of a list of judgements"
    if len(said) != count:
        return f"it gave {len(said)} judgements for {count} answers"
    for one in said:
        if not isinstance(one, Judgement):
            return f"it gave {type(one).__name__} in place of a judgement"
        for name, value in (("outcome", one.outcome), ("score", one.score)):
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                return f"{name} {value!r} is not between 0 and 1"
        if not isinstance(one.decision, str) or one.decision not in DECISIONS:
            return f"decision {one.decision!r} is none of {', '.join(filter(None, DECISIONS))}"
        if not isinstance(one.reason, str):
            return f"reason {one.reason!r} is no text"
    return ""
