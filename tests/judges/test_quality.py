from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.judges.quality import (
    BOUND,
    Group,
    auc,
    calibration_error,
    confusion,
    f1,
    intraclass_correlation,
    shrunk,
    shrunk_counts,
)
from buttress.statistics.correction import clopper_pearson

pairs = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40)


@given(pairs)
def test_auc_is_the_share_of_pairs_in_order(data: list[tuple[bool, float]]) -> None:
    positives = [score for label, score in data if label]
    negatives = [score for label, score in data if not label]
    found = auc([label for label, _ in data], [score for _, score in data])
    if not positives or not negatives:
        assert math.isnan(found)
        return
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    assert found == pytest.approx(wins / (len(positives) * len(negatives)))


@given(pairs)
def test_calibration_error_is_bounded(data: list[tuple[bool, float]]) -> None:
    assert 0 <= calibration_error([y for y, _ in data], [s for _, s in data]) <= 1


def test_calibration_error_of_honest_scores_is_small_and_of_wrong_ones_large() -> None:
    chance = np.random.default_rng(0)
    scores = chance.random(20_000)
    labels = chance.random(20_000) < scores
    assert calibration_error(labels, scores) < 0.02
    assert calibration_error(~labels, scores) > 0.4


def test_confusion_and_f1() -> None:
    counts = confusion([1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    assert (counts.tp, counts.fn, counts.tn, counts.fp) == (2, 1, 1, 1)
    assert f1(counts) == pytest.approx(2 / 3)


@pytest.mark.parametrize("rho", [0.0, 0.1, 0.3])
def test_intraclass_correlation_finds_the_overdispersion(rho: float) -> None:
    chance = np.random.default_rng(1)
    rate, found = 0.8, []
    for _ in range(60):
        weight = 1 / rho - 1 if rho else 0.0
        rates = chance.beta(rate * weight, (1 - rate) * weight, 30) if rho else np.full(30, rate)
        sizes = chance.integers(10, 60, 30)
        found.append(
            intraclass_correlation(
                [
                    Group(int(chance.binomial(n, p)), int(n))
                    for n, p in zip(sizes, rates, strict=True)
                ]
            )
        )
    assert np.mean(found) == pytest.approx(rho, abs=0.025)


groups = st.lists(
    st.integers(1, 80).flatmap(lambda n: st.builds(Group, st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=9,
)


@given(groups)
def test_shrinking_never_adds_labels(data: list[Group]) -> None:
    total = sum(group.total for group in data)
    kept = shrunk(data)
    assert 0 <= kept.correct <= kept.total <= max(1, total)


def test_alike_groups_keep_nearly_all_labels_and_unlike_ones_few() -> None:
    alike = [Group(45, 50)] * 6
    unlike = [Group(50, 50)] * 3 + [Group(30, 50)] * 3
    assert shrunk(alike).total >= 250
    assert shrunk(unlike).total < 30
    assert shrunk([]) == Group(0, 0)
    assert shrunk([Group(90, 100)]).total == 100


def test_bounds_from_shrunk_counts_hold_for_new_models() -> None:
    """Without shrinking they would not: the same labels taken as independent are shown beside."""
    chance = np.random.default_rng(2)
    weight, rate, misses, naive = 1 / 0.1 - 1, 0.9, 0, 0
    runs = 400
    for _ in range(runs):
        rates = chance.beta(rate * weight, (1 - rate) * weight, 13)
        seen = [Group(int(chance.binomial(60, p)), 60) for p in rates[:12]]
        kept = shrunk(seen)
        low, high = clopper_pearson(kept.correct, kept.total, BOUND)
        misses += not low <= rates[12] <= high
        low, high = clopper_pearson(sum(g.correct for g in seen), 720, BOUND)
        naive += not low <= rates[12] <= high
    assert misses / runs < 0.25, "a tenth on either side is what the shrinking aims at"
    assert naive / runs > 0.6


def test_precision_comes_from_judged_failures() -> None:
    flagged = [Group(88, 100), Group(91, 100), Group(93, 100)]
    made = shrunk_counts([Group(99, 100)], [Group(97, 100)], flagged)
    assert made.right / made.flagged == pytest.approx(272 / 300, abs=0.02)
    assert 0 < made.flagged <= 300
    assert shrunk_counts([Group(99, 100)], [Group(97, 100)]).flagged == 0
