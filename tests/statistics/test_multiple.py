"""Many hypotheses at once: the procedures against their definitions, their errors by simulation."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from buttress.statistics.multiple import (
    benjamini_yekutieli,
    e_bh,
    holm,
    mean_evidence,
    p_value,
)

LOGS = st.lists(st.floats(-20, 20), min_size=1, max_size=7)


def test_holm() -> None:
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.9]) == [1.0, 1.0]


@given(st.floats(-50, 50))
def test_a_p_value_is_the_inverse_of_an_e_value_and_at_most_1(log_e: float) -> None:
    assert p_value(log_e) == pytest.approx(min(1.0, math.exp(-log_e)))


@given(LOGS)
def test_the_mean_of_e_values(logs: list[float]) -> None:
    assert math.exp(mean_evidence(logs)) == pytest.approx(np.mean(np.exp(logs)))


@given(LOGS, st.sampled_from([0.01, 0.05, 0.3]))
def test_e_bh_takes_the_most_that_its_rule_allows(logs: list[float], delta: float) -> None:
    values = np.exp(logs)
    falling = np.sort(values)[::-1]
    most = max(
        (k for k in range(1, len(logs) + 1) if falling[k - 1] * k * delta >= len(logs)), default=0
    )
    rejected = e_bh(logs, delta)
    assert rejected.sum() == most
    assert not most or values[rejected].min() >= falling[most - 1]


def test_nothing_to_test() -> None:
    assert holm([]) == []
    assert e_bh([], 0.05).shape == (0,)


def _dependent(chance: np.random.Generator, nulls: int, others: int) -> npt.NDArray[np.float64]:
    """Log e-values; those of true hypotheses are as dependent as can be and have the mean 1."""
    common = chance.random()
    each = np.where(common < 0.02, 50.0, 0.0)  # all large at once, in 2 % of cases
    return np.log(np.concatenate([np.full(nulls, each), np.full(others, 300.0)]) + 1e-12)


def test_false_discoveries_stay_below_delta_under_dependence() -> None:
    chance, delta = np.random.default_rng(3), 0.1
    shares = []
    for _ in range(4000):
        rejected = e_bh(_dependent(chance, 6, 4), delta)
        shares.append(rejected[:6].sum() / max(1, rejected.sum()))
    mean, error = np.mean(shares), np.std(shares) / math.sqrt(len(shares))
    assert 0.002 < mean <= delta + 3.3 * error


def test_benjamini_yekutieli_by_hand() -> None:
    """Of m = 4 the harmonic sum is 25/12: the k smallest may reach k * delta / (4 * 25/12)."""
    allowed = [place * 0.1 / (4 * 25 / 12) for place in (1, 2, 3, 4)]
    values = [allowed[1], 0.9, allowed[1] * 0.99, allowed[2] * 1.01]
    assert benjamini_yekutieli(values, 0.1).tolist() == [True, False, True, False]
    assert benjamini_yekutieli(values[:1], 0.1, tests=4).tolist() == [False]
    assert benjamini_yekutieli([allowed[0]], 0.1, tests=4).tolist() == [True]
    assert benjamini_yekutieli([], 0.1).tolist() == []


def test_benjamini_yekutieli_holds_its_rate_under_dependence() -> None:
    """20 of 40 hypotheses are true, all p-values share a normal variable; delta is 0.2."""
    generator = np.random.default_rng(7)
    shares, power = [], []
    for _ in range(400):
        common = generator.normal()
        noise = 0.8 * common + 0.6 * generator.normal(size=40)
        means = np.r_[np.zeros(20), np.full(20, 4.0)]
        rejected = benjamini_yekutieli(norm.sf(means + noise), 0.2)
        shares.append(rejected[:20].sum() / max(1, rejected.sum()))
        power.append(rejected[20:].mean())
    assert np.mean(shares) <= 0.2
    assert np.mean(power) > 0.5
