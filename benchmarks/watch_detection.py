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

from buttress.statistics.change_detection import BETS, WEIGHTS, head_start, increments, threshold

Array = npt.NDArray[np.float64]
STREAMS = 20
A_DAY = 50
A_YEAR = 365 * A_DAY
RATE = 0.05
_BETS = np.array(BETS)[:, None]
_WEIGHTS = np.array(WEIGHTS)


class KnownLimit:
    """Streams whose rate before a change is known to be at most ``RATE``."""

    reference = 0  # size of the sample

    def gains(self, outcomes: Array) -> Array:
        """What a bet of the whole wealth wins, of each stream."""
        gain: Array = increments(outcomes, RATE, (1.0,))[..., 0] - 1.0
        return gain


class Reference:
    """Streams that are compared with a reference sample, as ``exchangeability`` compares them."""

    def __init__(self, streams: int, rng: np.random.Generator, size: int) -> None:
        self._rng = rng
        self._ones = rng.binomial(size, RATE, streams).astype(float)
        self.reference = self._size = size

    def gains(self, outcomes: Array) -> Array:
        """What a bet of the whole wealth wins, of each stream."""
        tail = np.clip(self._ones / self._size, 0.001, 0.999)
        self._ones += outcomes
        self._size += 1
        tie = self._rng.random(outcomes.size)
        failed = tie * self._ones
        passed = self._ones + tie * (self._size - self._ones)
        rank = np.where(outcomes > 0, failed, passed) / self._size
        made: Array = np.where(rank <= tail, 1.0 / tail, 0.0) - 1.0
        return made


class Statistic:
    """The Shiryaev-Roberts statistics of many streams, of shape (bets, streams)."""

    def __init__(self, detector: KnownLimit | Reference, streams: int, least: float) -> None:
        self._detector, self._least = detector, least
        self.wealth = np.full((len(BETS), streams), head_start(detector.reference, least))

    def take(self, outcomes: Array, *, cusum: bool = False) -> npt.NDArray[np.bool_]:
        """Take an outcome of each stream; which of them raise an alarm."""
        if cusum:
            np.maximum(self.wealth, 1.0, out=self.wealth)
        else:
            self.wealth += 1.0
        self.wealth *= 1.0 + _BETS * self._detector.gains(outcomes)
        over: npt.NDArray[np.bool_] = _WEIGHTS @ self.wealth >= self._least
        return over

    def restart(self, streams: npt.NDArray[np.bool_]) -> None:
        """Begin anew after an alarm."""
        self.wealth[:, streams] = 0.0


def alarms(
    detector: KnownLimit | Reference, streams: int, years: int, rng: np.random.Generator
) -> int:
    """Alarms of so many streams in so many years without a change."""
    statistic = Statistic(detector, streams, threshold([A_YEAR] * STREAMS, 1.0))
    found = 0
    for _ in range(years * 365):
        for outcomes in (rng.random((A_DAY, streams)) < RATE).astype(float):
            over = statistic.take(outcomes)
            if over.any():
                found += int(over.sum())
                statistic.restart(over)
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

    ``watched`` is how many trials were watched before the change. The rest is not played out once
    the median is known.
    """
    statistic = Statistic(detector, streams, threshold([A_YEAR], 1.0))
    taken = np.full(streams, np.inf)
    for _ in range(watched):
        statistic.restart(statistic.take((rng.random(streams) < RATE).astype(float)))
    for trial in range(4000):
        over = statistic.take((rng.random(streams) < rate).astype(float), cusum=cusum)
        taken[np.isinf(taken) & over] = trial + 1
        if np.isfinite(taken).mean() > 0.5:
            break
    return float(np.median(taken))


def detectors(rng: np.random.Generator) -> dict[str, Callable[[int], KnownLimit | Reference]]:
    """Makers of a detector for so many streams, by name."""

    def of_size(size: int) -> Callable[[int], Reference]:
        return lambda streams: Reference(streams, rng, size)

    return {
        "rate known": lambda _: KnownLimit(),
        **{f"reference of {size}": of_size(size) for size in (500, 1000, 2000, 5000)},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=10, help="of each system")
    parser.add_argument("--systems", type=int, default=50, help="with 20 streams each")
    parser.add_argument(
        "--long", action="append", help="detectors whose false alarms are counted, by name"
    )
    options = parser.parse_args()
    options.long = options.long or ["rate known", "reference of 1000"]
    rng = np.random.default_rng(20261129)
    streams, years = options.systems * STREAMS, options.years
    print(f"{options.systems * years} years of {STREAMS} streams with {A_DAY} trials a day each")
    for name, make in detectors(rng).items():
        began = time.process_time()
        told = ""
        if name in options.long:
            count = alarms(make(streams), streams, years, rng)
            bound = chi2.ppf(0.95, 2 * (count + 1)) / 2 / (options.systems * years)
            told = f"{count} false alarms, at most {bound:.3f} a year (95 %); "
        delays = ", ".join(
            f"{RATE:.0%} to {rate:.1%} {delay(make(4000), 4000, rate, rng):.0f}"
            f" (watched for 1,000: {delay(make(4000), 4000, rate, rng, watched=1000):.0f})"
            for rate in (0.075, 0.10, 0.15)
        )
        print(
            f"{name}: {told}median delay in trials: {delays}; "
            f"CPU {time.process_time() - began:.0f} s",
            flush=True,
        )
    delays = ", ".join(
        f"{RATE:.0%} to {rate:.1%} {delay(KnownLimit(), 4000, rate, rng, cusum=True):.0f}"
        for rate in (0.075, 0.10, 0.15)
    )
    print(f"CUSUM e-detector, rate known: median delay in trials: {delays}")


if __name__ == "__main__":
    main()
