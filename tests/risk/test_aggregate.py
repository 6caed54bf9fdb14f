"""A year's loss by Fourier transform: against closed forms and against drawing every incident."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, poisson

from buttress.risk.aggregate import Severity, exceedance, limited_means

Z95 = norm.ppf(0.95)


def drawn(rates: list[float], severities: list[Severity], common: float, years: int) -> np.ndarray:
    """Losses of so many years, incident by incident."""
    rng = np.random.default_rng(11)
    factor = rng.gamma(1 / common, common, years) if common else np.ones(years)
    total = np.zeros(years)
    for rate, severity in zip(rates, severities, strict=True):
        counts = rng.poisson(rate * factor)
        sigma = np.log(severity.p95 / severity.median) / Z95
        single = severity.median * np.exp(sigma * rng.standard_normal(counts.sum()))
        sums = np.concatenate([[0.0], np.cumsum(np.minimum(single, severity.cap))])
        ends = np.cumsum(counts)
        total += sums[ends] - sums[ends - counts]
    return total


@pytest.mark.parametrize("common", [0.0, 0.25])
@pytest.mark.parametrize(
    ("rates", "severities"),
    [
        ([0.2], [Severity(1e3, 2e4, 1e6)]),
        ([300.0], [Severity(3.0, 60.0, 1e6)]),
        (
            [0.05, 40.0, 1.5],
            [Severity(3e4, 1.5e6, 1e7), Severity(3, 60, 1e7), Severity(500, 5e4, 1e7)],
        ),
    ],
)
def test_the_tail_is_that_of_drawing_every_incident(
    rates: list[float], severities: list[Severity], common: float
) -> None:
    years = 200_000
    losses = drawn(rates, severities, common, years)
    amounts = np.unique(np.quantile(losses[losses > 0], [0.05, 0.3, 0.6, 0.9, 0.99]))
    top = max(severity.cap for severity in severities)
    found = exceedance(np.array([rates]), severities, amounts, top, common)[0]
    for amount, chance in zip(amounts, found, strict=True):
        share = (losses > amount).mean()
        error = np.sqrt(share * (1 - share) / years)
        assert chance == pytest.approx(share, abs=5 * error + 0.002 * share)


def test_losses_of_one_size_are_a_poisson_count() -> None:
    found = exceedance(
        np.array([[2.0]]),
        [Severity(1000.0, 1000.0, 1e9)],
        np.array([500.0, 1500.0, 4500.0]),
        1e6,
        0.0,
    )[0]
    assert found == pytest.approx([poisson.sf(k, 2.0) for k in (0, 1, 4)], abs=1e-3)


def test_limited_means_are_exact() -> None:
    """Against the integral of the tail, and at its ends."""
    severity = Severity(1000.0, 20_000.0, 50_000.0)
    sigma = np.log(20) / Z95
    for limit in (10.0, 1000.0, 30_000.0):
        x = np.linspace(0, limit, 200_001)[1:]
        tail = norm.sf((np.log(x) - np.log(1000)) / sigma)
        assert float(severity.limited_mean(limit)) == pytest.approx(tail.mean() * limit, rel=1e-3)
    assert float(severity.limited_mean(1e12)) == severity.mean
    endless = Severity(1000.0, 20_000.0, 1e15)
    assert endless.mean == pytest.approx(1000 * np.exp(sigma**2 / 2))
    assert severity.mean < endless.mean


@pytest.mark.parametrize("step", [1.0, 300.0, 50_000.0])
def test_a_grid_keeps_the_mean(step: float) -> None:
    """Also where it is far coarser than the losses."""
    severity = Severity(100.0, 2000.0, 20_000.0)
    mass = severity.on_grid(step, 40_000)
    assert mass.sum() == pytest.approx(1.0)
    assert (mass * np.arange(40_000)).sum() * step == pytest.approx(severity.mean, rel=1e-6)


@pytest.mark.parametrize("common", [0.0, 0.25])
@pytest.mark.parametrize("top", [3e3, 3e4, 3e5, 1e7])
def test_the_mean_of_a_year_that_costs_at_most_so_much(top: float, common: float) -> None:
    """Against drawing every incident; from where nearly every year reaches the top to none."""
    rates = [0.4, 15.0]
    severities = [Severity(2e4, 9e4, top), Severity(500, 5e3, top)]
    years = 100_000
    losses = np.minimum(drawn(rates, severities, common, years), top)
    found = limited_means(np.array([rates]), severities, top, common)[0]
    assert found == pytest.approx(losses.mean(), abs=5 * losses.std() / years**0.5)


def test_rare_losses_lose_nothing_to_the_top() -> None:
    severity = Severity(1000.0, 20_000.0, 1e6)
    rates = np.array([[1e-12], [1e-6], [1e-3], [1.0]])
    found = limited_means(rates, [severity], 1e6, 0.1)
    assert found == pytest.approx(rates[:, 0] * severity.mean, rel=1e-4)
