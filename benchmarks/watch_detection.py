"""False alarms a year and delay of the watch's detectors, by simulation.

Many years of 20 streams with 50 trials a day each, one false alarm a year wanted over all streams:
how many alarms there are while nothing changes, with the exact upper 95 % bound of their rate, and
how many trials after a change one stream alone takes. Run: `python benchmarks/watch_detection.py`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from buttress.statistics.change_detection import BETS, WEIGHTS, increments, threshold

Array = npt.NDArray[np.float64]
Draw = Callable[[], Array]
STREAMS = 20
A_DAY = 50
A_YEAR = 365 * A_DAY
RATE = 0.05


class KnownLimit:
    """Streams whose rate before a change is known to be at most ``RATE``."""

    def increments(self, outcomes: Array) -> Array:
        return increments(outcomes, RATE)


class Reference:
    """Streams that are compared with a reference sample, as ``exchangeability`` compares them."""

    def __init__(self, streams: int, rng: np.random.Generator, size: int) -> None:
        self._rng = rng
        self._ones = rng.binomial(size, RATE, streams).astype(float)
        self._size = size

    def increments(self, outcomes: Array) -> Array:
        tail = np.clip(self._ones / self._size, 0.001, 0.999)
        self._ones += outcomes
        self._size += 1
        tie = self._rng.random(outcomes.size)
        failed = tie * self._ones
        passed = self._ones + tie * (self._size - self._ones)
        rank = np.where(outcomes > 0, failed, passed) / self._size
        gain = np.where(rank <= tail, 1.0 / tail, 0.0) - 1.0
        made: Array = 1.0 + np.array(BETS) * gain[:, None]
        return made


def alarms(
    detector: KnownLimit | Reference, streams: int, years: int, rng: np.random.Generator
) -> int:
    """Alarms of so many streams in so many years without a change."""
    least = threshold([A_YEAR] * STREAMS, 1.0)
    wealth = np.zeros((streams, len(BETS)))
    found = 0
    for _ in range(years * 365):
        outcomes = (rng.random((A_DAY, streams)) < RATE).astype(float)
        for today in outcomes:
            wealth = detector.increments(today) * (wealth + 1.0)
            over = wealth @ np.array(WEIGHTS) >= least
            if over.any():
                found += int(over.sum())
                wealth[over] = 0.0
    return found


def delay(
    detector: KnownLimit | Reference,
    streams: int,
    rate: float,
    rng: np.random.Generator,
    *,
    cusum: bool = False,
    watched: int = 0,
) -> float:
    """Median number of trials from a change to the alarm, of one stream alone; inf where later.

    ``watched`` is how many trials were watched before the change.
    """
    least = threshold([A_YEAR], 1.0)
    wealth = np.zeros((streams, len(BETS)))
    taken = np.full(streams, np.inf)
    for _ in range(watched):
        wealth = detector.increments((rng.random(streams) < RATE).astype(float)) * (wealth + 1.0)
        wealth[wealth @ np.array(WEIGHTS) >= least] = 0.0
    for trial in range(4000):
        before = np.maximum(wealth, 1.0) if cusum else wealth + 1.0
        wealth = detector.increments((rng.random(streams) < rate).astype(float)) * before
        taken[np.isinf(taken) & (wealth @ np.array(WEIGHTS) >= least)] = trial + 1
        if np.isfinite(taken).all():
            break
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=10, help="of each system")
    parser.add_argument("--systems", type=int, default=50, help="with 20 streams each")
    options = parser.parse_args()
    rng = np.random.default_rng(20261129)
    streams, years = options.systems * STREAMS, options.years
    print(f"{options.systems * years} years of {STREAMS} streams with {A_DAY} trials a day each")
    kinds: dict[str, Callable[[int], KnownLimit | Reference]] = {
        "rate known": lambda _: KnownLimit(),
        **{
            f"reference of {size}": lambda n, size=size: Reference(n, rng, size)  # type: ignore[misc]
            for size in (500, 1000, 2000, 5000)
        },
    }
    for name, make in kinds.items():
        began = time.process_time()
        told = ""
        if name in ("rate known", "reference of 1000"):
            count = alarms(make(streams), streams, years, rng)
            bound = chi2.ppf(0.95, 2 * (count + 1)) / 2 / (options.systems * years)
            told = f"{count} false alarms, at most {bound:.3f} a year (95 %); "
        delays = ", ".join(
            f"{RATE:.0%} to {rate:.1%} {delay(make(4000), 4000, rate, rng):.0f}"
            f" (watched for 1,000: {delay(make(4000), 4000, rate, rng, watched=1000):.0f})"
            for rate in (0.075, 0.10, 0.15)
        )
        print(
            f"{name}: {told}median delay in trials: {delays}; {time.process_time() - began:.0f} s"
        )
    delays = ", ".join(
        f"{RATE:.0%} to {rate:.1%} {delay(KnownLimit(), 4000, rate, rng, cusum=True):.0f}"
        for rate in (0.075, 0.10, 0.15)
    )
    print(f"CUSUM e-detector, rate known: median delay in trials: {delays}")


if __name__ == "__main__":
    main()
