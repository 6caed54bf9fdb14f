from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.judges.quality import (
    auc,
    calibration_error,
    confusion,
    f1,
)

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
