"""Verdicts on a change: error rates by simulation with a judge that errs, and what labels do."""

from __future__ import annotations

import numpy as np
import pytest

from buttress.statistics import graded
from buttress.statistics.confidence import bounds
from buttress.statistics.correction import CalibrationCounts
from buttress.statistics.paired import compare_pairs
from buttress.statistics.paired_verdict import (
    RateChange,
    bounded_by_score,
    change_of_rates,
    corrected_change,
    judged_share,
    paired_verdict,
    separates_scores,
)

ALPHA = 0.1
GOOD = CalibrationCounts(450, 50, 475, 25)  # sensitivity 0.9, false positives 0.05


@pytest.mark.parametrize(
    ("low", "high", "margin", "verdict"),
    [
        (-0.5, -0.1, 0.08, "better"),
        (-0.02, 0.07, 0.08, "no-worse"),
        (0.01, 0.07, 0.08, "no-worse"),  # risen, and shown to be within the margin
        (0.01, 0.09, 0.08, "worse"),
        (-0.01, 0.09, 0.08, "undecided"),
        (-0.01, 0.0, 0.0, "undecided"),
    ],
)
def test_what_an_interval_shows(low: float, high: float, margin: float, verdict: str) -> None:
    assert paired_verdict(RateChange((low + high) / 2, low, high), margin) == verdict


def test_a_margin_is_a_share() -> None:
    with pytest.raises(ValueError, match="margin"):
        paired_verdict(RateChange(0, -0.1, 0.1), 8)


def test_a_judge_that_errs_widens_what_it_shows_and_keeps_the_sign() -> None:
    judged = RateChange(0.04, -0.01, 0.06)
    change = corrected_change(judged, GOOD)
    assert change.low < judged.low
    assert change.high > judged.high / 0.85
    assert change.estimate == pytest.approx(0.04 / 0.85)
    down = corrected_change(RateChange(-0.4, -0.5, -0.3), GOOD)
    assert down.high == -0.3
    assert down.low < -0.5 / 0.85
    blind = corrected_change(RateChange(-0.4, -0.5, -0.3), CalibrationCounts(50, 50, 50, 50))
    assert (blind.low, blind.high) == (-1.0, 1.0)
    assert corrected_change(judged, CalibrationCounts(0, 0, 90, 10)) == judged
    assert judged_share(GOOD) == 0.8


def intervals(first: np.ndarray, second: np.ndarray, alpha: float) -> list[RateChange]:
    """As ``compare_pairs``, of many simulations in one computation; shape (simulations, pairs)."""
    change = second - first
    low, high = bounds(
        np.stack([graded.spread((one + 1) / 2) for one in change]), alpha / 2, alpha / 2
    )
    return [RateChange(*row) for row in zip(change.mean(1), 2 * low - 1, 2 * high - 1, strict=True)]


def test_many_intervals_at_once_are_those_of_each() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.integers(0, 3, (2, 3, 50)) / 2
    for many, before, after in zip(intervals(first, second, 0.08), first, second, strict=True):
        alone = compare_pairs(before, after, 0.08)
        assert (many.estimate, many.low, many.high) == pytest.approx(
            (alone.difference, alone.low, alone.high)
        )


def simulate(
    rise: float, times: int, pairs: int = 300, sensitivity: float = 0.9
) -> list[tuple[RateChange, RateChange]]:
    """The interval as judged and the corrected one, where a rate of 0.1 truly rises by ``rise``.

    The labels that the judge's errors are known from are drawn anew as well.
    """
    rng = np.random.default_rng(int(1000 * rise) + pairs)
    before = rng.random((times, pairs)) < 0.1
    after = before | (rng.random((times, pairs)) < rise / 0.9)

    def judge(truth: np.ndarray) -> np.ndarray:
        draw = rng.random((times, pairs))
        return np.where(truth, draw < sensitivity, draw < 0.05).astype(float)

    hits = rng.binomial(500, sensitivity, times)
    alarms = rng.binomial(500, 0.05, times)
    judged = intervals(judge(before), judge(after), ALPHA * judged_share(GOOD))
    return [
        (one, corrected_change(one, CalibrationCounts(tp, 500 - tp, 500 - fp, fp), ALPHA))
        for one, tp, fp in zip(judged, hits.tolist(), alarms.tolist(), strict=True)
    ]


def test_no_worse_is_wrong_as_rarely_as_it_says() -> None:
    """A rise of just the margin: "no worse" is then an error, and rests on the upper end alone."""
    verdicts = [paired_verdict(change, 0.15) for _, change in simulate(0.15, 200)]
    assert verdicts.count("no-worse") + verdicts.count("better") <= ALPHA / 2 * 200 + 5
    # A judge that sees six failures of ten makes the uncorrected interval wrong far more often.
    low = simulate(0.25, 60, 600, 0.6)
    naive = sum(paired_verdict(judged, 0.25) == "no-worse" for judged, _ in low)
    assert naive > 30
    assert sum(paired_verdict(change, 0.25) == "no-worse" for _, change in low) <= 4


def test_no_change_is_rarely_called_better_or_worse() -> None:
    verdicts = [paired_verdict(change, 0.15) for _, change in simulate(0.0, 100)]
    assert verdicts.count("better") + verdicts.count("worse") <= ALPHA * 100
    assert verdicts.count("no-worse") > 50
    risen = [paired_verdict(change, 0.08) for _, change in simulate(0.5, 20)]
    assert risen == ["worse"] * 20


def test_two_labelled_rates_add_their_widths() -> None:
    change = change_of_rates(RateChange(0.6, 0.5, 0.7), RateChange(0.2, 0.1, 0.3))
    assert change.estimate == pytest.approx(-0.4)
    assert (change.low, change.high) == pytest.approx((-0.6, -0.2))


def scored(rise: float, times: int, after_sees: float = 0.9, pairs: int = 200) -> list[RateChange]:
    """The change of the mean score where a rate of 0.3 rises; of failures 40 % are left open.

    Of other answers 15 % are. ``after_sees`` is the judge's sensitivity on the second side; on the
    first it is 0.9.
    """
    rng = np.random.default_rng(int(100 * rise + 10 * after_sees))
    before = rng.random((times, pairs)) < 0.3
    after = before | (rng.random((times, pairs)) < rise / 0.7)

    def judge(truth: np.ndarray, sees: float) -> np.ndarray:
        draw, blind = rng.random((2, times, pairs))
        decided = np.where(truth, draw < sees, draw < 0.05)
        return np.where(blind < np.where(truth, 0.4, 0.15), 0.5, decided)

    return intervals(judge(before, 0.9), judge(after, after_sees), ALPHA)


def test_a_judge_that_leaves_much_open_keeps_the_sign_if_it_scores_alike() -> None:
    wide = RateChange(0.0, -0.9, 0.9)  # what counting open answers as either leaves
    unchanged = [bounded_by_score(wide, score) for score in scored(0.0, 200)]
    assert sum(change.low > 0 for change in unchanged) <= ALPHA / 2 * 200
    assert sum(change.high < 0 for change in unchanged) <= ALPHA / 2 * 200
    risen = [bounded_by_score(wide, score) for score in scored(0.3, 50)]
    assert sum(0 < change.low <= 0.3 for change in risen) >= 48
    assert all(change.high == 0.9 for change in risen)  # how far, it does not bound
    # One that misses more failures after the change shows a fall that is none.
    blinded = [bounded_by_score(wide, score) for score in scored(0.0, 20, after_sees=0.1)]
    assert sum(change.high < 0 for change in blinded) >= 10


def test_a_fall_of_the_score_bounds_from_above_and_a_rise_from_below() -> None:
    wide = RateChange(0.0, -0.9, 0.9)
    assert bounded_by_score(wide, RateChange(-0.2, -0.3, -0.1)) == RateChange(-0.1, -0.9, -0.1)
    assert bounded_by_score(wide, RateChange(0.2, 0.1, 0.3)) == RateChange(0.1, 0.1, 0.9)
    assert bounded_by_score(wide, RateChange(0.0, -0.1, 0.1)) == wide
    assert bounded_by_score(wide, RateChange(0.1, 0.0, 0.2)) == wide


def test_scores_keep_the_sign_only_of_a_judge_that_is_measured_and_better_than_a_coin() -> None:
    assert separates_scores(GOOD)
    assert not separates_scores(None)
    assert not separates_scores(CalibrationCounts(0, 0, 90, 10))
    assert not separates_scores(CalibrationCounts(240, 260, 475, 25))  # sees fewer than half
    assert not separates_scores(CalibrationCounts(450, 50, 240, 260))
