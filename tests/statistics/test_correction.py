"""Correction for judge errors: bounds hold with the calibration's own chance carried through."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from buttress.statistics.confidence import log_wealth
from buttress.statistics.correction import (
    UNMEASURED,
    CalibrationCounts,
    CorrectedSequence,
    clopper_pearson,
    corrected_rate,
    point_for_lower,
    point_for_upper,
)

COUNTS = st.builds(CalibrationCounts, *(st.integers(0, 300) for _ in range(4)))


@pytest.mark.parametrize(("n", "alpha"), [(1, 0.05), (7, 0.2), (40, 0.05), (300, 0.01)])
def test_clopper_pearson_covers_exactly(n: int, alpha: float) -> None:
    """Summed over all outcomes, no simulation; and the bounds invert the binomial tails."""
    bounds = np.array([clopper_pearson(k, n, alpha) for k in range(n + 1)])
    for rate in (0.001, 0.01, 0.1, 0.3, 0.5, 0.77, 0.999):
        chance = binom.pmf(np.arange(n + 1), n, rate)
        assert chance[bounds[:, 0] > rate].sum() <= alpha + 1e-12
        assert chance[bounds[:, 1] < rate].sum() <= alpha + 1e-12
    for k in range(1, n, max(1, n // 5)):
        assert binom.sf(k - 1, n, bounds[k, 0]) == pytest.approx(alpha)
        assert binom.cdf(k, n, bounds[k, 1]) == pytest.approx(alpha)
    assert bounds[0, 0] == 0
    assert bounds[n, 1] == 1
    assert clopper_pearson(0, 0, alpha) == (0.0, 1.0)


def test_the_estimate_inverts_the_judge() -> None:
    counts = CalibrationCounts(tp=80, fn=20, tn=90, fp=10)
    for true in (0.0, 0.1, 0.5, 1.0):
        assert corrected_rate(0.1 + 0.7 * true, counts) == pytest.approx(true)
    assert corrected_rate(0.05, counts) == 0.0
    assert corrected_rate(0.95, counts) == 1.0
    for useless in (CalibrationCounts(1, 9, 1, 9), CalibrationCounts(0, 0, 9, 1),
                    CalibrationCounts(9, 1, 0, 0)):  # fmt: skip
        assert corrected_rate(0.3, useless) == 0.3


@settings(max_examples=40, deadline=None)
@given(COUNTS, st.integers(0, 200), st.integers(0, 200))
def test_bounds_are_in_order_and_wider_than_without_judge_errors(
    counts: CalibrationCounts, failures: int, successes: int
) -> None:
    sequence = CorrectedSequence(0.05, 0.05, counts)
    sequence.update([1.0] * failures + [0.0] * successes)
    assert 0 <= sequence.low <= sequence.estimate <= sequence.high <= 1
    assert sequence.trials == failures + successes
    exact = CorrectedSequence(0.05, 0.05)
    exact.update([1.0] * failures + [0.0] * successes)
    assert (exact.low, exact.high) == exact.judged.bounds()
    assert sequence.judged.low <= exact.low
    assert sequence.judged.high >= exact.high


def test_a_perfect_judge_with_many_labels_costs_little() -> None:
    sequence = CorrectedSequence(0.05, 0.05, CalibrationCounts(5000, 0, 5000, 0))
    exact = CorrectedSequence(0.05, 0.05)
    for one in (sequence, exact):
        one.update([1.0] * 10 + [0.0] * 190)
    assert sequence.high == pytest.approx(exact.high, abs=0.006)
    assert sequence.low == pytest.approx(exact.low, abs=0.006)


def test_a_judge_that_may_be_useless_decides_nothing() -> None:
    for counts in (CalibrationCounts(3, 3, 3, 3), CalibrationCounts(2, 90, 90, 5),
                   CalibrationCounts(0, 9, 0, 0)):  # fmt: skip
        sequence = CorrectedSequence(0.05, 0.05, counts)
        sequence.update([0.0] * 5000)
        assert (sequence.low, sequence.high) == (0.0, 1.0)


@pytest.mark.parametrize("counts", [UNMEASURED, CalibrationCounts(0, 0, 9, 1)])
def test_without_labelled_failures_the_upper_bound_is_as_judged(counts: CalibrationCounts) -> None:
    """That of exact outcomes, at the whole error; no outcomes raise the lower bound."""
    for failures in (0, 7, 400):
        sequence, exact = CorrectedSequence(0.01, 0.05, counts), CorrectedSequence(0.01, 0.05)
        for one in (sequence, exact):
            one.update([1.0] * failures + [0.0] * (400 - failures))
        assert sequence.high == exact.high
        assert sequence.low == 0


def test_labelled_failures_alone_bound_the_misses_and_not_the_false_alarms() -> None:
    """Sensitivity is at least its Clopper-Pearson bound at the whole share of the error."""
    sequence = CorrectedSequence(0.01, 0.05, CalibrationCounts(45, 5, 0, 0))
    sequence.update([1.0] * 10 + [0.0] * 190)
    sensitivity = clopper_pearson(45, 50, 0.05 * sequence.share)[0]
    assert sequence.high == pytest.approx(sequence.judged.high / sensitivity)
    sequence.update([1.0] * 5000)
    assert sequence.low == 0


@given(COUNTS, COUNTS, st.sampled_from([0.01, 0.05]))
def test_how_the_error_is_split_does_not_depend_on_what_the_labels_showed(
    first: CalibrationCounts, second: CalibrationCounts, delta: float
) -> None:
    """With the same numbers of labels, a judge that did better on both counts has no worse bounds.

    Were the best of several intervals picked after the labels were seen, it would cover less.
    """
    positives, negatives = first.tp + first.fn, first.tn + first.fp
    tp, fp = min(second.tp, positives), min(second.fp, negatives)
    moved = CalibrationCounts(tp, positives - tp, negatives - fp, fp)
    for point in (point_for_upper, point_for_lower):
        one, two = point(first, delta), point(moved, delta)
        if not (one.informative and two.informative):
            continue
        if first.tp == moved.tp:
            assert one.sensitivity == two.sensitivity
        if first.fp == moved.fp:
            assert one.false_positive == two.false_positive
        assert (one.sensitivity <= two.sensitivity) >= (first.tp <= moved.tp)
        assert (one.false_positive <= two.false_positive) >= (first.fp <= moved.fp)


@pytest.mark.parametrize(
    ("sensitivity", "false", "positives", "negatives"),
    [(0.9, 0.02, 60, 60), (0.85, 0.05, 300, 300), (0.6, 0.3, 1000, 1000), (1.0, 0.0, 100, 40)],
)
def test_the_two_bounds_on_the_judge_hold_jointly(
    sensitivity: float, false: float, positives: int, negatives: int
) -> None:
    """Exact: summed over all confusion tables."""
    delta = 0.1
    tp, fp = np.arange(positives + 1), np.arange(negatives + 1)
    chance_tp, chance_fp = binom.pmf(tp, positives, sensitivity), binom.pmf(fp, negatives, false)
    for upper, point in ((True, point_for_upper), (False, point_for_lower)):
        e = np.array([
            point(CalibrationCounts(int(k), positives - int(k), negatives, 0), delta).sensitivity
            for k in tp
        ])  # fmt: skip
        f = np.array([
            point(CalibrationCounts(positives, 0, negatives - int(k), int(k)), delta).false_positive
            for k in fp
        ])  # fmt: skip
        wrong_e = e > sensitivity if upper else e < sensitivity
        wrong_f = f > false if upper else f < false
        holds = chance_tp[~wrong_e].sum() * chance_fp[~wrong_f].sum()
        assert 1 - holds <= delta + 1e-12


@cache
def points(counts: CalibrationCounts, alpha: float) -> tuple[float, float, float, float]:
    sequence = CorrectedSequence(alpha, alpha, counts)
    return (
        sequence.upper_point.sensitivity, sequence.upper_point.false_positive,
        sequence.lower_point.sensitivity, sequence.lower_point.false_positive,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "judge"),
    list(
        product(
            (0.005, 0.05, 0.3), ((0.9, 0.03, 120, 150), (0.75, 0.1, 400, 400), (0.97, 0.2, 50, 80))
        )
    ),
)
def test_coverage_with_a_new_calibration_set_each_time(
    rate: float, judge: tuple[float, float, int, int]
) -> None:
    """Labels and trials are both drawn anew; the stop is at the first exclusion of the truth."""
    sensitivity, false, positives, negatives = judge
    alpha, runs, horizon = 0.1, 1500, 400
    chance = np.random.default_rng(11)
    tp, fp = chance.binomial(positives, sensitivity, runs), chance.binomial(negatives, false, runs)
    table = np.array(
        [
            points(CalibrationCounts(int(t), positives - int(t), negatives - int(f), int(f)), alpha)
            for t, f in zip(tp, fp, strict=True)
        ]
    )
    judged_rate = false + rate * (sensitivity - false)
    totals = (chance.random((runs, horizon)) < judged_rate).cumsum(axis=1)
    n = np.arange(1, horizon + 1)
    part = CorrectedSequence(alpha, alpha, CalibrationCounts(1, 1, 1, 1)).judged.alpha_high
    # The true rate is excluded when its judged rate, as the bounds on the judge have it, is.
    ceiling = table[:, 1] + rate * (table[:, 0] - table[:, 1])
    floor = table[:, 3] + rate * (table[:, 2] - table[:, 3])
    need = -np.log(part)
    with np.errstate(divide="ignore", invalid="ignore"):
        too_low = (log_wealth(totals, n, ceiling[:, None]) >= need).any(axis=1)
        too_high = (log_wealth(n - totals, n, 1 - floor[:, None]) >= need).any(axis=1)
    too_low &= table[:, 0] > table[:, 1]
    too_high &= table[:, 2] > table[:, 3]
    limit = alpha + 3 * np.sqrt(alpha * (1 - alpha) / runs)
    assert too_low.mean() <= limit
    assert too_high.mean() <= limit


def test_uncorrected_bounds_would_not_hold() -> None:
    """The test above can fail: without the correction the truth is excluded nearly always."""
    chance = np.random.default_rng(1)
    sequence = CorrectedSequence(0.05, 0.05)
    sequence.update((chance.random(2000) < 0.1 + 0.02 * 0.8).astype(float))
    assert sequence.low > 0.02


def test_a_share_of_both_errors_belongs_to_the_calibration_exactly() -> None:
    """alpha_low 0.03, alpha_high 0.05, a fifth for the judge: 0.024 and 0.04 are left."""
    counts = CalibrationCounts(tp=90, fn=10, tn=180, fp=20)
    sequence = CorrectedSequence(0.03, 0.05, counts, share=0.2)
    assert sequence.judged.alpha_low == pytest.approx(0.024)
    assert sequence.judged.alpha_high == pytest.approx(0.04)
    assert sequence.upper_point == point_for_upper(counts, 0.05 * 0.2)
    assert sequence.lower_point == point_for_lower(counts, 0.03 * 0.2)
    plain = CorrectedSequence(0.03, 0.05)
    assert (plain.judged.alpha_low, plain.judged.alpha_high) == (0.03, 0.05)


def test_the_estimate_takes_both_errors_into_account() -> None:
    """By hand, sensitivity 80 %, false positives 5 %: (0.3 - 0.05) / (0.8 - 0.05)."""
    counts = CalibrationCounts(tp=80, fn=20, tn=95, fp=5)
    assert corrected_rate(0.3, counts) == pytest.approx(1 / 3)
