"""The failure rate from a judge's outcomes and people's labels of some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy.special import betaincinv, ndtri

from buttress.evidence.records import Label, Trial
from buttress.labelling.sample import Sample, population, skipped
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.prediction_powered import (
    FLOOR,
    Draws,
    Path,
    bounds,
    estimate,
    follow,
    standard_error,
)
from buttress.statistics.two_stage import system_bounds

_FEW: Final = 5.0  # labels alike, of prompts of their own, below which the spread is not known


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate of a rate with its bounds."""

    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """High minus low."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class LabelledRate:
    """What trials and labels say about the failure rate.

    ``system`` and ``here`` may be looked at after every label: the rate of the system on requests
    drawn as these were, and the share of failures among these very trials. ``labels_only`` is as
    ``here`` without the judge's scores. ``fixed`` is as ``system``, by a normal approximation that
    only holds for a number of labels chosen beforehand; see ``_fixed``. Both take the prompt as the
    unit. ``judged`` takes the judge's outcomes as true and trials as independent, and is as biased
    as the judge.

    ``drawn`` labels were drawn with a known chance, ``known`` were not; ``skipped`` of both could
    not be decided, and count as either in the bounds. ``power`` in [0, 1] is how much the judge's
    scores are used. ``effective`` is how many labels drawn uniformly would give the labels' part of
    the standard error without the judge; None where there are too few to tell. ``independent`` is
    how many labelled prompts with one trial each would tell as much about the system, if trials of
    one prompt failed all together or not at all.
    """

    trials: int
    drawn: int
    known: int
    skipped: int
    judged: Interval
    labels_only: Interval
    here: Interval
    system: Interval
    fixed: Interval
    power: float
    effective: float | None
    independent: float

    @property
    def labels(self) -> int:
        """Trials with a label."""
        return self.drawn + self.known

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def corrected_rate(
    trials: Iterable[Trial],
    labels: Iterable[Label],
    *,
    alpha_low: float = 0.025,
    alpha_high: float = 0.025,
) -> LabelledRate:
    """The rate of failures behind judged trials of one probe, by their labels.

    Args:
        trials: of one probe and asset; those checked exactly are left out.
        labels: in the order in which they were given; those of other trials are left out.
        alpha_low, alpha_high: error probabilities of lower and upper bounds, over all times that
            one may look while labels come in.
    """
    return rate_of(Sample(population(trials), labels), alpha_low, alpha_high)


def rate_of(sample: Sample, alpha_low: float = 0.025, alpha_high: float = 0.025) -> LabelledRate:
    """As ``corrected_rate``, of a sample."""
    undecided = [skipped(label) for _, label, _ in sample.draws()]
    alpha = min(alpha_low, alpha_high)
    tuned = follow(_draws(sample, 0.5), alpha)
    least, most = tuned, tuned
    if any(undecided):  # the true label lies between: each bound takes the end that widens it
        least = follow(_draws(sample, 0.0), alpha)
        most = follow(_draws(sample, 1.0), alpha)
    plain = [follow(_draws(sample, end), alpha, power=0.0) for end in (0.5, 0.0, 1.0)]
    rate = estimate(tuned)
    error = standard_error(tuned)
    drawn = sum(chance < 1 for _, _, chance in sample.draws())
    effective = _effective(tuned, rate, error)
    return LabelledRate(
        trials=len(sample.trials),
        drawn=drawn,
        known=len(undecided) - drawn,
        skipped=sum(undecided),
        judged=_judged(sample, alpha_low, alpha_high),
        labels_only=Interval(
            estimate(plain[0]),
            bounds(plain[1], alpha_low, alpha_high)[0],
            bounds(plain[2], alpha_low, alpha_high)[1],
        ),
        here=Interval(
            rate,
            bounds(least, alpha_low, alpha_high)[0],
            bounds(most, alpha_low, alpha_high)[1],
        ),
        system=Interval(
            rate,
            system_bounds(least, alpha_low, alpha_high)[0],
            system_bounds(most, alpha_low, alpha_high)[1],
        ),
        fixed=_fixed(tuned, rate, error, alpha_low, alpha_high),
        power=tuned.power,
        effective=effective,
        independent=_independent(tuned, effective or float(len(undecided))),
    )


def _draws(sample: Sample, undecided: float) -> Draws:
    rows = sample.draws()
    return Draws(
        scores=sample.scores,
        drawn=np.array([place for place, _, _ in rows], dtype=np.int64),
        labels=np.array(
            [undecided if skipped(label) else label.outcome for _, label, _ in rows], dtype=float
        ),
        chances=np.array([chance for _, _, chance in rows], dtype=float),
        prompts=sample.prompts,
    )


def _judged(sample: Sample, alpha_low: float, alpha_high: float) -> Interval:
    sequence = ConfidenceSequence(alpha_low, alpha_high)
    sequence.update([trial.outcome for trial in sample.trials])
    return Interval(sequence.estimate, *sequence.bounds())


def _fixed(path: Path, rate: float, error: float, alpha_low: float, alpha_high: float) -> Interval:
    """By the normal law, and where few labels differ from the rest by the binomial law, too.

    Labels that are all alike have no spread, and a normal law without spread knows everything. So
    below ``_FEW`` failures, or others, the interval holds that of Clopper & Pearson (1934) as well.
    For it a draw counts ``FLOOR``, what the least likely one is worth against a uniform one.
    """
    if not path.total or not np.isfinite(error):
        return Interval(rate, 0.0, 1.0)
    shared = path.prompts.concentration
    spread = float(np.sqrt(error**2 + rate * (1 - rate) * shared))
    low = rate + float(ndtri(alpha_low)) * spread
    high = rate - float(ndtri(alpha_high)) * spread
    if labels := path.total - path.left:
        drawn = 1 / (FLOOR * labels) - 1 / path.total if path.left else 0.0
        worth = 1 / (drawn + shared)
        failures = worth * path.known / labels
        if min(failures, worth - failures) < _FEW:
            low = min(low, _quantile(failures, worth - failures + 1, alpha_low))
            high = max(high, _quantile(failures + 1, worth - failures, 1 - alpha_high))
    return Interval(rate, max(0.0, low), min(1.0, high))


def _quantile(a: float, b: float, share: float) -> float:
    """Of the beta law, whose ends are those of [0, 1]."""
    if a <= 0 or b <= 0:
        return 0.0 if a <= 0 else 1.0
    return float(betaincinv(a, b, share))


def _effective(path: Path, rate: float, error: float) -> float | None:
    """From the variance rate (1 - rate) (1/n - 1/N) of n uniform draws out of N."""
    if path.total and not path.left:
        return float(path.total)
    if not np.isfinite(error) or error <= 0 or not 0 < rate < 1:
        return None
    return 1 / (error**2 / (rate * (1 - rate)) + 1 / path.total)


def _independent(path: Path, labels: float) -> float:
    """Prompts with one trial each that tell as much as ``labels`` drawn uniformly out of N trials.

    ``labels`` itself where each prompt has one trial; the number of prompts where all trials have a
    label and prompts equally many trials.
    """
    if not labels:
        return 0.0
    return 1 / (1 / labels - 1 / path.total + path.prompts.concentration)
