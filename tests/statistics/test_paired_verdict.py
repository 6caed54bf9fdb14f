"""Verdicts on a change: error rates by simulation with a judge that errs, and what labels do."""

from __future__ import annotations

import numpy as np
import pytest

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


def simulate(
    rise: float, seed: int, pairs: int = 300, sensitivity: float = 0.9
) -> tuple[RateChange, RateChange]:
    """The interval as judged and the corrected one, where a rate of 0.1 truly rises by ``rise``.

    The labels that the judge's errors are known from are drawn anew as well.
    """
    rng = np.random.default_rng(seed)
    before = rng.random(pairs) < 0.1
    after = before | (rng.random(pairs) < rise / 0.9)

    def judge(truth: np.ndarray) -> np.ndarray:
        return np.where(truth, rng.random(pairs) < sensitivity, rng.random(pairs) < 0.05)

    hits = int(rng.binomial(500, sensitivity))
    alarms = int(rng.binomial(500, 0.05))
    counts = CalibrationCounts(hits, 500 - hits, 500 - alarms, alarms)
    first, second = judge(before), judge(after)

    def found(alpha: float) -> RateChange:
        made = compare_pairs(first, second, alpha)
        return RateChange(made.difference, made.low, made.high)

    judged = found(ALPHA * judged_share(counts))
    return judged, corrected_change(judged, counts, ALPHA)


def test_no_worse_is_wrong_as_rarely_as_it_says() -> None:
    """A rise of just the margin: "no worse" is then an error, and rests on the upper end alone."""
    verdicts = [paired_verdict(simulate(0.15, seed)[1], 0.15) for seed in range(200)]
    assert verdicts.count("no-worse") + verdicts.count("better") <= ALPHA / 2 * 200 + 5
    # A judge that sees six failures of ten makes the uncorrected interval wrong far more often.
    low = [simulate(0.25, seed, 600, 0.6) for seed in range(60)]
    naive = sum(paired_verdict(judged, 0.25) == "no-worse" for judged, _ in low)
    assert naive > 30
    assert sum(paired_verdict(change, 0.25) == "no-worse" for _, change in low) <= 4


def test_no_change_is_rarely_called_better_or_worse() -> None:
    verdicts = [paired_verdict(simulate(0.0, seed)[1], 0.15) for seed in range(100)]
    assert verdicts.count("better") + verdicts.count("worse") <= ALPHA * 100
    assert verdicts.count("no-worse") > 50
    assert [paired_verdict(simulate(0.5, seed)[1], 0.08) for seed in range(20)] == ["worse"] * 20


def test_two_labelled_rates_add_their_widths() -> None:
    change = change_of_rates(RateChange(0.6, 0.5, 0.7), RateChange(0.2, 0.1, 0.3))
    assert change.estimate == pytest.approx(-0.4)
    assert (change.low, change.high) == pytest.approx((-0.6, -0.2))


def scored(rise: float, seed: int, after_sees: float = 0.9, pairs: int = 200) -> RateChange:
    """The change of the mean score where a rate of 0.3 rises; 15 % are left open, of failures 40 %.

    ``after_sees`` is the judge's sensitivity on the second side; on the first it is 0.9.
    """
    rng = np.random.default_rng(seed)
    before = rng.random(pairs) < 0.3
    after = before | (rng.random(pairs) < rise / 0.7)

    def judge(truth: np.ndarray, sees: float) -> np.ndarray:
        decided = np.where(truth, rng.random(pairs) < sees, rng.random(pairs) < 0.05)
        left_open = rng.random(pairs) < np.where(truth, 0.4, 0.15)
        return np.where(left_open, 0.5, decided)

    made = compare_pairs(judge(before, 0.9), judge(after, after_sees), ALPHA)
    return RateChange(made.difference, made.low, made.high)


def test_a_judge_that_leaves_much_open_keeps_the_sign_if_it_scores_alike() -> None:
    wide = RateChange(0.0, -0.9, 0.9)  # what counting open answers as either leaves
    unchanged = [bounded_by_score(wide, scored(0.0, seed)) for seed in range(100)]
    assert sum(change.low > 0 or change.high < 0 for change in unchanged) <= ALPHA * 100
    risen = [bounded_by_score(wide, scored(0.3, seed)) for seed in range(20)]
    assert sum(0 < change.low <= 0.3 for change in risen) >= 19
    assert all(change.high == 0.9 for change in risen)  # how far, it does not bound
    # One that misses more failures after the change shows a fall that is none.
    blinded = [bounded_by_score(wide, scored(0.0, seed, 0.1)) for seed in range(20)]
    assert sum(change.high < 0 for change in blinded) >= 15


def test_scores_keep_the_sign_only_of_a_judge_that_is_measured_and_better_than_a_coin() -> None:
    assert separates_scores(GOOD)
    assert not separates_scores(None)
    assert not separates_scores(CalibrationCounts(0, 0, 90, 10))
    assert not separates_scores(CalibrationCounts(240, 260, 475, 25))  # sees fewer than half
    assert not separates_scores(CalibrationCounts(450, 50, 240, 260))
