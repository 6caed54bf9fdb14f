"""Coverage of the confidence sequence, exactly for 0/1 outcomes, by simulation for others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from buttress.statistics.confidence import (
    ConfidenceSequence,
    log_wealth,
    lower_bound,
    upper_bound,
)
from tests.statistics.exact import Array, boundary, crossing

RATES = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)
Law = Callable[[np.random.Generator, tuple[int, ...]], Array]


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("rate", RATES)
def test_the_true_rate_is_ever_excluded_with_probability_at_most_alpha(
    rate: float, alpha: float
) -> None:
    """Exact, and under the worst stopping rule: stop at the first look that excludes the truth."""
    horizon = int(np.clip(20 / rate, 2000, 8000))
    too_low = crossing(rate, rate, alpha, horizon)  # an upper bound below the true rate
    too_high = crossing(1 - rate, 1 - rate, alpha, horizon)  # a lower bound above it
    assert too_low <= alpha
    assert too_high <= alpha
    # Not by being useless: a good part of alpha is spent.
    assert max(too_low, too_high) >= 0.3 * alpha


@pytest.mark.parametrize("pool", [40, 400, 1500])
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_a_pool_of_prompts_drawn_in_random_order_is_covered(rate: float, pool: int) -> None:
    """Prompts are not asked twice: the last ones are no longer independent of the first."""
    failing, alpha = round(rate * pool), 0.05
    too_low = crossing((failing, pool), failing / pool, alpha, pool)
    too_high = crossing((pool - failing, pool), 1 - failing / pool, alpha, pool)
    assert too_low <= alpha
    assert too_high <= alpha


def test_the_exact_calculation_agrees_with_simulation() -> None:
    rate, alpha, horizon, runs = 0.1, 0.2, 400, 20_000
    chance = np.random.default_rng(1)
    totals = (chance.random((runs, horizon)) < rate).cumsum(axis=1)
    ever = (totals <= boundary(rate, alpha, horizon)).any(axis=1).mean()
    exact = crossing(rate, rate, alpha, horizon)
    assert abs(ever - exact) < 4 * np.sqrt(exact * (1 - exact) / runs)


def test_a_look_at_a_fixed_sample_size_would_not_hold_under_stopping() -> None:
    """The test above can fail: with 95 % intervals for a fixed size it does, badly."""
    from scipy.stats import binom

    rate, horizon = 0.1, 1000
    chance = np.random.default_rng(1)
    totals = (chance.random((2000, horizon)) < rate).cumsum(axis=1)
    fixed = binom.ppf(0.05, np.arange(1, horizon + 1), rate) - 1
    assert (totals <= fixed).any(axis=1).mean() > 0.25


def three_valued(chance: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return chance.choice([0.0, 0.5, 1.0], p=[0.85, 0.1, 0.05], size=shape)  # mean 0.1


def near(chance: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return chance.choice([0.05, 0.15], size=shape)


LAWS: dict[str, tuple[float, Law]] = {
    "uniform": (0.5, lambda chance, shape: chance.random(shape)),
    "skew": (0.1, lambda chance, shape: chance.beta(0.1, 0.9, shape)),
    "three values": (0.1, three_valued),
    "near the mean": (0.1, near),
}


@pytest.mark.parametrize("name", LAWS)
def test_bounded_outcomes_are_covered_by_the_closed_form(name: str) -> None:
    mean, law = LAWS[name]
    alpha, runs, horizon = 0.05, 2000, 400
    outcomes = law(np.random.default_rng(2), (runs, horizon))
    totals, n = outcomes.cumsum(axis=1), np.arange(1, horizon + 1)
    for s, m in ((totals, mean), (n - totals, 1 - mean)):
        ever = (log_wealth(s, n, m) >= -np.log(alpha)).any(axis=1).mean()
        assert ever <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / runs)


@pytest.mark.parametrize("m", [0.05, 0.3])
def test_an_adversary_that_sees_the_wealth_gains_nothing(m: float) -> None:
    """The next outcome's law depends on the wealth so far; only its mean is fixed."""
    alpha, runs, horizon = 0.05, 8000, 200
    chance = np.random.default_rng(3)
    total, crossed = np.zeros(runs), np.zeros(runs, dtype=bool)
    for n in range(1, horizon + 1):
        rich = log_wealth(total, n - 1, m) > 0.5 if n > 1 else np.zeros(runs, dtype=bool)
        coin = (chance.random(runs) < m).astype(float)
        # A sure outcome keeps the wealth high; a coin flip gambles for more.
        total += np.where(rich & (n % 3 > 0), m, coin)
        crossed |= log_wealth(total, n, m) >= -np.log(alpha)
    assert crossed.mean() <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / runs)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.99), st.sampled_from([0.0, 0.25]))
def test_the_closed_form_is_the_mixture(
    failures: int, successes: int, m: float, part: float
) -> None:
    s, n = failures + part, failures + successes + 1.0
    angle = np.arcsin(np.sqrt(m))

    def factor(u: float) -> float:
        t = np.sin(u * angle) ** 2
        return float((t / m) ** s * ((1 - t) / (1 - m)) ** (n - s))

    mixed = quad(factor, 0, 1, limit=200, points=[min(1.0, np.arcsin(np.sqrt(s / n)) / angle)])[0]
    assert np.exp(log_wealth(s, n, m)) == pytest.approx(mixed, rel=1e-5, abs=1e-12)
    # The prior is a law: it has mass 1 and the wealth starts there.
    assert log_wealth(0, 0, m) == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 5000), st.floats(0, 1), st.floats(1e-6, 1 - 1e-6), st.floats(0, 1))
def test_the_wealth_rises_with_the_candidate(n: int, share: float, m: float, step: float) -> None:
    """On this rests that one bound excludes all means beyond it."""
    higher = m + step * (1 - 1e-6 - m)
    first, second = log_wealth(share * n, n, m), log_wealth(share * n, n, higher)
    assert first == -np.inf or first <= second + 1e-7 * (1 + abs(float(second)))


@given(st.lists(st.booleans(), max_size=300), st.sampled_from([0.2, 0.05, 0.001]))
def test_bounds_are_where_the_wealth_reaches_one_over_alpha(
    outcomes: list[bool], alpha: float
) -> None:
    sequence = ConfidenceSequence(alpha, alpha)
    sequence.update(outcomes)
    low, high = sequence.bounds()
    s, n = sum(outcomes), len(outcomes)
    assert 0 <= low <= sequence.estimate <= high <= 1
    if high < 1:
        assert log_wealth(s, n, high) == pytest.approx(-np.log(alpha), abs=1e-4)
    else:
        assert log_wealth(s, n, 1 - 1e-9) < -np.log(alpha)
    if low > 0:
        assert log_wealth(n - s, n, 1 - low) == pytest.approx(-np.log(alpha), abs=1e-4)
    # The mirror image has the mirrored bounds.
    mirrored = ConfidenceSequence(alpha, alpha)
    mirrored.update([not one for one in outcomes])
    assert mirrored.bounds() == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_neither_order_nor_batches_matter(
    outcomes: list[float], random: np.random.Generator
) -> None:
    at_once, one_by_one = ConfidenceSequence(0.05, 0.05), ConfidenceSequence(0.05, 0.05)
    at_once.update(outcomes)
    shuffled = list(outcomes)
    random.shuffle(shuffled)  # type: ignore[arg-type]
    for outcome in shuffled:
        one_by_one.update([outcome])
    assert one_by_one.trials == at_once.trials == len(outcomes)
    assert one_by_one.bounds() == pytest.approx(at_once.bounds(), abs=1e-7)


def test_limits_and_large_samples() -> None:
    assert ConfidenceSequence(0.05, 0.05).bounds() == (0.0, 1.0)
    assert ConfidenceSequence(0.05, 0.05).estimate == 0.5
    # Zero failures: near the rule of three, a bit wider because it holds at all times.
    n = np.array([30, 300, 3000, 3_000_000])
    high = upper_bound(np.zeros(4), n, 0.05)
    assert (high > 3 / n * 0.95).all()
    assert (high < 9 / n).all()
    assert upper_bound(np.array([2e6]), np.array([2e6]), 0.05)[0] == 1.0
    assert lower_bound(np.array([2e6]), np.array([2e6]), 0.05)[0] > 1 - 1e-5
    low, high = lower_bound([5e6], [1e8], 0.05), upper_bound([5e6], [1e8], 0.05)
    assert 0.0498 < low[0] < 0.05 < high[0] < 0.0502


@pytest.mark.parametrize("bad", [[1.1], [-0.01], [0.5, float("nan")], [float("inf")]])
def test_outcomes_outside_the_range_are_refused(bad: list[float]) -> None:
    sequence = ConfidenceSequence(0.05, 0.05)
    with pytest.raises(ValueError, match="must lie in"):
        sequence.update(bad)
    assert sequence.trials == 0


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, float("nan")])
def test_alpha_must_be_a_probability(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        ConfidenceSequence(alpha, 0.05)
    with pytest.raises(ValueError, match="alpha"):
        ConfidenceSequence(0.05, alpha)
