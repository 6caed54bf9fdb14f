"""Pairs of outcomes: the closed form, error under peeking, coverage, and what pairing is worth."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from buttress.statistics.cells import evidence_above, evidence_below
from buttress.statistics.confidence import log_wealth
from buttress.statistics.difference import FailureCount, log_evidence_of_rise
from buttress.statistics.graded import GRADES
from buttress.statistics.paired import compare_pairs

BINARY = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)
GRADED = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20)


@settings(deadline=None)
@given(BINARY)
def test_binary_pairs_are_a_bet_on_the_discordant_ones(pairs: list[tuple[bool, bool]]) -> None:
    found = compare_pairs([old for old, _ in pairs], [new for _, new in pairs])
    worse = sum(new > old for old, new in pairs)
    better = sum(new < old for old, new in pairs)
    assert (found.pairs, found.worse, found.better) == (len(pairs), worse, better)
    assert found.log_rise == pytest.approx(float(log_wealth(better, worse + better, 0.5)))
    assert found.log_fall == pytest.approx(float(log_wealth(worse, worse + better, 0.5)))


@settings(max_examples=60, deadline=None)
@given(GRADED)
def test_the_other_way_round_is_the_mirror_image(pairs: list[tuple[float, float]]) -> None:
    there = compare_pairs([old for old, _ in pairs], [new for _, new in pairs])
    back = compare_pairs([new for _, new in pairs], [old for old, _ in pairs])
    assert there.log_rise == pytest.approx(back.log_fall, abs=1e-6)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-3)
    assert there.low <= there.difference + 1e-9
    assert there.difference <= there.high + 1e-9


@given(st.integers(0, 50), st.booleans())
def test_equal_pairs_show_neither_rise_nor_fall(count: int, failed: bool) -> None:
    found = compare_pairs([failed] * count, [failed] * count)
    assert (found.log_rise, found.log_fall, found.difference) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "alpha"), [([0.5], [], 0.05), ([2.0], [0.0], 0.05), ([0.0], [1.0], 1.0)]
)
def test_what_cannot_be_compared(before: list[float], after: list[float], alpha: float) -> None:
    with pytest.raises(ValueError, match=r"pair|outcomes|alpha"):
        compare_pairs(before, after, alpha)


def hard_and_easy(
    chance: np.random.Generator, runs: int, pairs: int, rise: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Prompts fail at 5 or 85 %, whichever side is asked; ``rise`` more of the second's pass over
    into failures."""
    rates = np.where(chance.random((runs, pairs)) < 0.7, 0.05, 0.85)
    before = (chance.random((runs, pairs)) < rates).astype(int)
    after = (chance.random((runs, pairs)) < rates + rise * (1 - rates)).astype(int)
    return before, after


def test_an_unchanged_rate_seldom_raises_an_alarm_even_to_one_who_peeks() -> None:
    chance, runs, alpha = np.random.default_rng(2), 2000, 0.1
    before, after = hard_and_easy(chance, runs, 400, 0.0)
    worse, better = (np.cumsum(side, axis=1) for side in (after > before, after < before))
    ever = (log_wealth(better, worse + better, 0.5) >= -math.log(alpha)).any(axis=1)
    assert ever.mean() > 0.02  # sharp enough to notice a wrong wealth
    assert binomtest(int(ever.sum()), runs, alpha, alternative="greater").pvalue > 1e-4


def test_the_interval_of_the_difference_covers_at_all_looks() -> None:
    """It excludes the truth exactly where the wealth against it reaches the threshold."""
    chance, runs, alpha = np.random.default_rng(4), 2000, 0.1
    rise = 0.3
    before, after = hard_and_easy(chance, runs, 200, rise)
    truth = rise * (1 - (0.7 * 0.05 + 0.3 * 0.85))
    missed = np.zeros(runs, dtype=bool)
    for n in (5, 8, 12, 18, 27, 40, 60, 90, 130, 200):
        weights = np.zeros((runs, GRADES + 1))
        for change in (-1, 0, 1):
            counts = (after[:, :n] - before[:, :n] == change).sum(axis=1)
            weights[:, GRADES // 2 * (change + 1)] = counts
        high = evidence_below(weights, (truth + 1) / 2) >= -math.log(alpha / 2)
        low = evidence_above(weights, (truth + 1) / 2) >= -math.log(alpha / 2)
        missed |= high | low
        for run in range(3):
            found = compare_pairs(before[run, :n], after[run, :n], alpha)
            assert (found.low <= truth <= found.high) != (high[run] or low[run])
    assert missed.mean() > 0.005
    assert binomtest(int(missed.sum()), runs, alpha, alternative="greater").pvalue > 1e-4


def test_pairs_show_what_separate_samples_of_the_same_trials_do_not() -> None:
    chance, alpha = np.random.default_rng(5), 0.05
    before, after = hard_and_easy(chance, 100, 120, 0.2)
    paired = alone = 0
    for old, new in zip(before, after, strict=True):
        paired += compare_pairs(old, new).log_rise >= -math.log(alpha)
        samples = FailureCount(len(old), float(old.sum())), FailureCount(len(new), float(new.sum()))
        alone += log_evidence_of_rise(*samples) >= -math.log(alpha)
    assert paired > 2 * alone
    assert paired > 40


def test_pairs_of_one_prompt_count_once_by_hand() -> None:
    """Three prompts with two, one and one pairs: mean changes 1, 0 and -1/2."""
    before, after = [0.0, 0.0, 0.5, 1.0], [1.0, 1.0, 0.5, 0.5]
    found = compare_pairs(before, after, 0.1, ["a", "a", "b", "c"])
    assert (found.pairs, found.prompts, found.worse, found.better) == (4, 3, 2, 1)
    assert found.difference == pytest.approx(1 / 6)
    alone = compare_pairs([0.0, 0.5, 1.0], [1.0, 0.5, 0.5], 0.1)
    assert (found.low, found.high) == (alone.low, alone.high)
    assert (found.log_rise, found.log_fall) == (alone.log_rise, alone.log_fall)
    with pytest.raises(ValueError, match="both sides"):
        compare_pairs(before, after, 0.1, ["a"])


def test_prompts_that_change_together_are_no_evidence_by_their_number() -> None:
    """Ten variants of each of eight prompts; in half of the runs four prompts change wholly.

    Nothing changes on average: by pairs the error would be manifold, by prompts it is kept.
    """
    rng = np.random.default_rng(8)
    alpha, runs, wrong, by_pairs = 0.05, 120, 0, 0
    for _ in range(runs):
        shift = rng.choice([-1.0, 1.0], 8)
        before = np.repeat(0.5 - shift / 2, 10)
        after = np.repeat(0.5 + shift / 2, 10)
        prompts = [str(place) for place in np.repeat(np.arange(8), 10)]
        wrong += compare_pairs(before, after, alpha, prompts).log_rise >= -math.log(alpha)
        by_pairs += compare_pairs(before, after, alpha).log_rise >= -math.log(alpha)
    assert wrong / runs <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)
    assert by_pairs / runs > 2 * alpha
