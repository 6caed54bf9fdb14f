"""This set of prompts: bounds without replacement hold, use what is left, and end at the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.finite import Draw, FiniteSequence, log_wealth
from buttress.statistics.trial_order import order


def ever_excluded(size: int, ones: int, mean: float, alpha: float) -> float:
    """Exact probability that a set with ``ones`` ones is ever shown to lie below ``mean``."""
    alive = np.zeros(ones + 1)
    alive[0] = 1.0
    excluded = 0.0
    for drawn in range(size):
        moved = np.zeros(ones + 1)
        for seen in np.flatnonzero(alive):
            share = (ones - seen) / (size - drawn)
            moved[seen] += alive[seen] * (1 - share)
            if share > 0:
                moved[seen + 1] += alive[seen] * share
        for seen in np.flatnonzero(moved):
            if log_wealth(float(seen), drawn + 1, size, [mean])[0] >= -math.log(alpha):
                excluded += moved[seen]
                moved[seen] = 0.0
        alive = moved
    return excluded


@pytest.mark.parametrize(("size", "ones"), [(40, 3), (60, 6), (100, 15)])
def test_the_error_is_at_most_alpha_exactly(size: int, ones: int) -> None:
    """Under the worst rule, to stop at the first look that errs; and not by being useless."""
    for alpha in (0.2, 0.05):
        error = ever_excluded(size, ones, ones / size, alpha)
        assert 0.3 * alpha <= error <= alpha


def looks(outcomes: np.ndarray, limit: float, alpha: float = 0.05) -> int | None:
    """Trials until the set is shown to be within the limit."""
    failures = outcomes.cumsum()
    for drawn in range(8, outcomes.size + 1, 8):
        wealth = log_wealth(float(failures[drawn - 1]), drawn, outcomes.size, [limit])[0]
        if wealth >= -math.log(alpha):
            return drawn
    return None


def test_429_prompts_at_3_per_cent_are_decided_after_about_250() -> None:
    """Limit 5 %. With bounds for an endless population most runs end undecided."""
    rng = np.random.default_rng(429)
    outcomes = np.zeros(429)
    outcomes[:13] = 1.0
    needed, undecided = [], 0
    for _ in range(120):
        rng.shuffle(outcomes)
        needed.append(looks(outcomes, 0.05))
        endless = ConfidenceSequence(0.05, 0.05)
        for start in range(0, 429, 8):
            endless.update(outcomes[start : start + 8])
            if endless.excludes_from(0.05):
                break
        else:
            undecided += 1
    decided = [count for count in needed if count is not None]
    assert len(decided) == 120
    assert 220 <= np.mean(decided) <= 300
    assert undecided >= 60


def test_once_all_is_asked_the_rate_is_known() -> None:
    rng = np.random.default_rng(0)
    for outcomes in ((rng.random(50) < 0.3).astype(float), rng.random(50)):
        sequence = FiniteSequence(1e-4, 1e-4, 50)
        for outcome in outcomes:
            sequence.update([outcome])
            assert sequence.low - 1e-9 <= outcomes.mean() <= sequence.high + 1e-9
        assert sequence.complete
        assert sequence.low == pytest.approx(outcomes.mean())
        assert sequence.high == pytest.approx(outcomes.mean())
        assert sequence.excludes_from(outcomes.mean() + 1e-6)
        assert sequence.excludes_to(outcomes.mean() - 1e-6)
    with pytest.raises(ValueError, match="more outcomes"):
        sequence.update([0.0])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 30), st.floats(0.05, 0.9))
def test_wealth_by_candidates_is_that_of_the_closed_form(
    outcomes: list[bool], more: int, mean: float
) -> None:
    """Graded outcomes and weights make it keep its wealth by candidates: the same bets."""
    size = len(outcomes) + more + 1
    closed, kept = (
        FiniteSequence(0.05, 0.05, size, (mean,)),
        FiniteSequence(0.05, 0.05, None, (mean,)),
    )
    values = np.array(outcomes, dtype=float)
    left = [(size - drawn) / size for drawn in range(size)]
    closed.update(values)
    kept.update(values, draws=[Draw(1 / size, share, share) for share in left[: values.size]])
    ones, zeros = values.sum(), (1 - values).sum()
    if ones < mean * size - 1e-6 and zeros < (1 - mean) * size - 1e-6:
        assert kept.log_evidence_below(mean) == pytest.approx(
            closed.log_evidence_below(mean), abs=1e-6
        )
    assert kept.high >= closed.high - 1e-6


def test_graded_outcomes_with_equal_shares_err_seldom_and_follow_the_variance() -> None:
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(150):
        outcomes = rng.beta(2, 8, 60)
        mean = float(outcomes.mean())
        sequence = FiniteSequence(0.1, 0.1, 60, (mean,), candidates=30)
        for start in range(0, 56, 8):
            sequence.update(outcomes[start : start + 8])
            if sequence.log_evidence_below(mean) >= -math.log(0.1):
                wrong += 1
                break
    assert wrong <= 150 * 0.1 + 3 * math.sqrt(150 * 0.09)
    flat = FiniteSequence(0.05, 0.05, 2000)
    flat.update(rng.beta(100, 900, 100))
    coarse = FiniteSequence(0.05, 0.05, 2000)
    coarse.update([1.0] * 10 + [0.0] * 90)
    assert flat.high - flat.low < 0.6 * (coarse.high - coarse.low)


@pytest.mark.slow
def test_weighted_draws_err_seldom_and_end_at_the_weighted_mean() -> None:
    """Categories of different sizes, weights and rates, drawn until nothing is left."""
    rng = np.random.default_rng(5)
    categories = ["a"] * 20 + ["b"] * 40 + ["c"] * 10
    weights = {"a": 0.6, "b": 0.2, "c": 0.2}
    rates = {"a": 0.05, "b": 0.5, "c": 0.3}
    too_low = too_high = 0
    for run in range(120):
        outcomes = np.array([float(rng.random() < rates[name]) for name in categories])
        truth = sum(
            weight * np.mean([x for x, c in zip(outcomes, categories, strict=True) if c == name])
            for name, weight in weights.items()
        )
        sequence = FiniteSequence(0.1, 0.1, None, (truth,), candidates=30)
        below = above = False
        placed = list(order(categories, run, weights))
        for index, draw in placed[:-5]:
            assert draw is not None
            sequence.update([outcomes[index]], draws=[draw])
            below |= sequence.log_evidence_below(truth) >= -math.log(0.1)
            above |= sequence.log_evidence_above(truth) >= -math.log(0.1)
        too_low += below
        too_high += above
        for index, draw in placed[-5:]:
            assert draw is not None
            sequence.update([outcomes[index]], draws=[draw])
        assert sequence.mean == pytest.approx(truth, abs=1e-6)
        if not below and not above:
            assert sequence.low == pytest.approx(sequence.high, abs=1e-6)
    most = 120 * 0.1 + 3 * math.sqrt(120 * 0.09)
    assert too_low <= most
    assert too_high <= most


def test_what_is_known_in_part_counts_as_either() -> None:
    """Ten trials of forty whose outcome nobody knows: both ends of the interval leave room."""
    sequence = FiniteSequence(1e-6, 1e-6, 40)
    for _ in range(10):
        sequence.update([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0])
    assert (sequence.low, sequence.high) == pytest.approx((0.0, 0.25))
    assert sequence.estimate == pytest.approx(0.125)


def test_the_least_mean_takes_the_least_of_each_outcome_for_the_rest_too() -> None:
    sequence = FiniteSequence(0.05, 0.05, 4)
    assert sequence.least_mean == 0.0
    sequence.update([0.0, 1.0], [1.0, 1.0])
    assert sequence.least_mean == pytest.approx(1 / 4 + 2 / 4 * 1 / 2)
    assert sequence.mean == pytest.approx(1.5 / 4 + 2 / 4 * 1.5 / 2)
    sequence.update([0.0, 0.0], [0.0, 1.0])
    assert sequence.least_mean == pytest.approx(1 / 4)


def test_the_two_sides_have_their_own_errors() -> None:
    """Exactly, with alpha_low ≠ alpha_high: each side excludes from its own threshold on."""
    sequence = FiniteSequence(0.01, 0.2, 200, (0.1,))
    sequence.update([0.0] * 22)
    wealth = float(log_wealth(0, 22, 200, [0.1])[0])
    assert -math.log(0.2) < wealth < -math.log(0.01)
    assert sequence.excludes_from(0.1)
    mirrored = FiniteSequence(0.01, 0.2, 200, (0.9,))
    mirrored.update([1.0] * 22)
    assert not mirrored.excludes_to(0.9)
    other = FiniteSequence(0.2, 0.01, 200, (0.9,))
    other.update([1.0] * 22)
    assert other.excludes_to(0.9)


def test_what_cannot_be_set_up() -> None:
    for levels in ((0.0, 0.1), (0.1, 1.0)):
        with pytest.raises(ValueError, match="alpha"):
            FiniteSequence(*levels, 10)
    with pytest.raises(ValueError, match="at least one"):
        FiniteSequence(0.1, 0.1, 0)
    with pytest.raises(ValueError, match="described"):
        FiniteSequence(0.1, 0.1, None).update([0.0])
    with pytest.raises(ValueError, match="must lie in"):
        FiniteSequence(0.1, 0.1, 10).update([1.5])
