"""Showing how far an assessment is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from buttress.trials.totals import Totals

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

PLAIN_EVERY_S: Final = 5.0
SHOWN_EVERY_S: Final = 0.1


class Progress(Protocol):
    """What the engine reports to, after each commit, on the event loop."""

    def update(self, totals: Totals, probe: str) -> None:
        """So far ``totals``; a trial of ``probe`` came last. Cheap: called often."""
        ...

    def say(self, text: str) -> None:
        """What is being done before or between trials."""
        ...

    def note(self, text: str) -> None:
        """What is to be read, and stays."""
        ...

    def close(self) -> None:
        """The assessment has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a resumed run had spent until it ended."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class ProgressPlan:
    """What progress is measured against.

    ``cost`` tells what the totals cost, None where there is no price, and ``tokens`` the tokens of
    all models so far; ``calls``, ``most_tokens``, ``most_cost`` and ``seconds`` are the budget, of
    which ``earlier`` was spent before.
    """

    calls: int | None = None
    cost: Callable[[Totals], float] | None = None
    most_cost: float | None = None
    seconds: float | None = None
    tokens: Callable[[], int] = lambda: 0
    most_tokens: int | None = None
    earlier: Callable[[], Earlier] = Earlier

    def seconds_left(self, totals: Totals, seconds: float) -> float | None:
        """Time left at most, by the tightest part of the budget; ``seconds`` since the start."""
        earlier = self.earlier()
        left = [] if self.seconds is None else [self.seconds - seconds]
        for most, before, spent in (
            (self.calls, earlier.calls, totals.calls),
            (self.most_tokens, earlier.tokens, self.tokens()),
            (self.most_cost, earlier.cost, 0.0 if self.cost is None else self.cost(totals)),
        ):
            if most and spent > 0:
                left.append((most - before - spent) * seconds / spent)
        return min(left, default=None)


def describe(totals: Totals, plan: ProgressPlan, probe: str, seconds: float) -> str:
    """One line: done of budget, rate, cost, time left, present probe. ``seconds`` since start."""
    earlier = plan.earlier()
    done = f"{earlier.calls + totals.calls:,}" + (f"/{plan.calls:,}" if plan.calls else "")
    rate = totals.trials / seconds if seconds > 0 else 0.0
    parts = [f"{done} calls", f"{totals.trials:,} {'trial' if totals.trials == 1 else 'trials'}"]
    parts.append(f"{rate:,.1f}/s")
    if totals.cached:
        parts.append(f"{totals.cached:,} cached")
    if totals.errors:
        parts.append(f"{totals.errors:,} errors")
    if plan.most_tokens is not None:
        parts.append(f"{earlier.tokens + plan.tokens():,}/{plan.most_tokens:,} tokens")
    if plan.cost is not None:
        parts.append(f"cost {earlier.cost + plan.cost(totals):,.2f}")
    left = plan.seconds_left(totals, seconds)
    if left is not None:
        parts.append(f"{duration(left)} left at most")
    parts.append(probe)
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Such as "8 s", "3:05" or "2:00:00"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class PlainProgress:
    """A line every few seconds, for logs and pipes."""

    def __init__(
        self,
        plan: ProgressPlan,
        stream: TextIO,
        *,
        every_s: float = PLAIN_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._stream = stream
        self._every_s = every_s
        self._clock = clock
        self._began = self._last = clock()

    def update(self, totals: Totals, probe: str) -> None:
        """Write a line if the last was long enough ago."""
        now = self._clock()
        if now - self._last >= self._every_s:
            self._last = now
            print(
                describe(totals, self._plan, probe, now - self._began),
                file=self._stream,
                flush=True,
            )

    def say(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._stream, flush=True)

    def note(self, text: str) -> None:
        """Write a line."""
        self.say(text)

    def close(self) -> None:
        """Nothing to take down."""


class RichProgress:
    """A bar on a terminal."""

    def __init__(self, plan: ProgressPlan, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichBar

        self._plan = plan
        self._bar: Bar = RichBar(
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            console=Console(file=stream),
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=plan.calls)
        self._began = time.monotonic()
        self._last = 0.0
        self._bar.start()

    def update(self, totals: Totals, probe: str) -> None:
        """Move the bar, at most ten times a second."""
        now = time.monotonic()
        if now - self._last >= SHOWN_EVERY_S:
            self._last = now
            text = describe(totals, self._plan, probe, now - self._began)
            self._bar.update(self._task, completed=totals.calls, description=text)

    def say(self, text: str) -> None:
        """Show it beside the bar."""
        self._bar.update(self._task, description=text)

    def note(self, text: str) -> None:
        """Write it above the bar, where it stays."""
        self._bar.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.stop()


def open_progress(plan: ProgressPlan, stream: TextIO | None = None) -> PlainProgress | RichProgress:
    """A bar where ``stream`` (stderr by default) is a terminal, else plain lines."""
    out = sys.stderr if stream is None else stream
    return RichProgress(plan, out) if out.isatty() else PlainProgress(plan, out)
