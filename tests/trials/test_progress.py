from __future__ import annotations

import io
from dataclasses import replace

from buttress.targets.scripted import ScriptedTarget
from buttress.trials.progress import (
    Earlier,
    PlainProgress,
    ProgressPlan,
    RichProgress,
    describe,
    duration,
    open_progress,
)
from buttress.trials.totals import Totals
from tests.trials.parts import MemoryStore, specs
from tests.trials.test_engine import echo, engine


def test_a_plain_line_every_few_seconds() -> None:
    now = [0.0]
    out = io.StringIO()
    plan = ProgressPlan(calls=100, cost=lambda totals: totals.calls * 0.02)
    progress = PlainProgress(plan, out, every_s=5, clock=lambda: now[0])
    for second in range(1, 11):
        now[0] = float(second)
        totals = Totals(calls=5 * second, trials=4 * second, cached=1, errors=2)
        progress.update(totals, "over-refusal")
    progress.close()
    first, second_line = out.getvalue().splitlines()
    assert first == (
        "25/100 calls · 20 trials · 4.0/s · 1 cached · 2 errors · cost 0.50"
        " · 15 s left at most · over-refusal"
    )
    assert second_line.startswith("50/100 calls")


def test_the_tightest_part_of_the_budget_gives_the_time_and_earlier_runs_count() -> None:
    totals = Totals(calls=10, trials=10)

    def shown(plan: ProgressPlan) -> str:
        return describe(totals, plan, "p", 10.0)

    plan = ProgressPlan(calls=100, tokens=lambda: 500, most_tokens=1_000, seconds=600.0)
    assert (
        shown(plan) == "10/100 calls · 10 trials · 1.0/s · 500/1,000 tokens · 10 s left at most · p"
    )
    earlier = Earlier(calls=40, tokens=400, cost=1.0)
    plan = replace(plan, most_cost=2.5, cost=lambda _: 1.0, earlier=lambda: earlier)
    assert shown(plan) == (
        "50/100 calls · 10 trials · 1.0/s · 900/1,000 tokens · cost 2.00 · 2 s left at most · p"
    )
    assert "5 s left" in shown(replace(plan, most_tokens=None))
    assert "50 s left" in shown(replace(plan, most_tokens=None, most_cost=None))


def test_durations() -> None:
    assert [duration(s) for s in (-1, 7.6, 61, 3600)] == ["0 s", "8 s", "1:01", "1:00:00"]


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(open_progress(ProgressPlan(), io.StringIO()), PlainProgress)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_terminal_gets_a_bar_fed_by_the_engine() -> None:
    out = Terminal()
    progress = open_progress(ProgressPlan(calls=40), out)
    assert isinstance(progress, RichProgress)
    await engine(ScriptedTarget(echo), MemoryStore(), progress=progress).run(specs(40))
    progress.close()
    assert "40/40 calls" in out.getvalue()
