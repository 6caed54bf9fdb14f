"""Adaptive quadrature: exact where the rules are, honest about its error where they are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from buttress.statistics.quadrature import GAUSS, KRONROD, NODES, POINTS, integral

Array = npt.NDArray[np.float64]


def test_the_rules_are_exact_for_polynomials_of_their_degree() -> None:
    for degree in range(23):
        exact = 0.0 if degree % 2 else 2 / (degree + 1)
        assert KRONROD @ NODES**degree == pytest.approx(exact, abs=1e-14)
        if degree <= 13:
            assert GAUSS @ NODES**degree == pytest.approx(exact, abs=1e-14)
    assert abs(GAUSS @ NODES**14 - 2 / 15) > 1e-6


@pytest.mark.parametrize("width", [1.0, 0.1, 0.01, 1e-3, 1e-4])
def test_steep_places_are_found_and_the_error_is_no_less_than_it_is(width: float) -> None:
    """As near a baseline of zeros, where a norm turns at once; two values, one of them smooth."""

    def slopes(at: Array) -> Array:
        return np.stack([width / (at + width) ** 2, np.cos(at)], axis=1)

    exact = np.array([1 / (1 + width), np.sin(1)])
    for goal in (1e-2, 1e-4, 1e-6):
        found = integral(slopes, most_points=4000, goal=goal)
        assert found.error <= goal
        assert np.abs(found.values - exact).max() <= goal
        assert found.points % POINTS == 0


def test_few_points_are_told_by_the_error_and_a_known_sum_is_used() -> None:
    def slope(at: Array) -> Array:
        return (1e-4 / (at + 1e-4) ** 2)[:, None]

    found = integral(slope, most_points=50, goal=1e-4)
    assert found.points == 45
    assert found.error > 1e-4

    def spike(at: Array) -> Array:  # between the points of the first rule, which see nothing
        return np.exp(-(((at - 0.305) / 0.002) ** 2))[:, None]

    total = 0.002 * np.sqrt(np.pi)
    assert integral(spike, most_points=2000, goal=1e-5).values.sum() < total / 2
    known = integral(spike, most_points=2000, goal=1e-5, total=total)
    assert known.values.sum() == pytest.approx(total, abs=2e-5)


def test_several_values_are_integrated_at_the_same_points() -> None:
    asked = []

    def powers(at: Array) -> Array:
        asked.append(len(at))
        return np.stack([at**power for power in range(5)], axis=1)

    found = integral(powers, most_points=1000, goal=1e-12)
    assert found.values == pytest.approx([1 / (power + 1) for power in range(5)], abs=1e-13)
    assert sum(asked) == found.points == POINTS
