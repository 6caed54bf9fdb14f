"""Where rising functions reach 0: beside halving, and for functions that never get there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.statistics.root_finding import first_at_least_zero

Array = npt.NDArray[np.float64]
WIDTH = 1e-12


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.sampled_from(
        [np.asarray, np.expm1, np.sinh, np.cbrt, np.sign, lambda x: x**9, lambda x: np.exp(40 * x)]
    ),
)
def test_the_place_lies_within_the_width_and_the_function_is_not_below_zero_there(
    places: list[float], shape: Callable[[Array], Array]
) -> None:
    roots = np.array(places)

    def function(x: Array) -> Array:
        return np.asarray(shape(x - roots) - shape(np.zeros(1)), dtype=float)

    found, reached = first_at_least_zero(
        function, np.full(roots.shape, -0.5), np.ones(roots.shape), WIDTH
    )
    assert reached.all()
    assert (function(found) >= 0).all()
    assert (function(found - 2 * WIDTH) <= 0).all()
    if shape in (np.asarray, np.sinh, np.sign):  # others are flat about 0, or round there
        assert found == pytest.approx(roots, abs=2 * WIDTH)


def test_a_step_and_a_function_that_stays_below() -> None:
    calls = 0

    def function(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return np.array([1.0 if x[0] >= 0.3 else -1e9, -1.0])

    found, reached = first_at_least_zero(function, np.zeros(2), np.ones(2), WIDTH)
    assert found[0] == pytest.approx(0.3, abs=WIDTH)
    assert list(reached) == [True, False]
    assert calls < 100


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: np.tan(x) - 0.7, 0.0, 1.5),
        (lambda x: x**3 - 2 * x - 5, 2.0, 3.0),
        (lambda x: x**9 - 1e-3, 0.0, 1.0),
        (lambda x: np.exp(x) - np.cos(x) - 0.5, 0.0, 4.0),
        (lambda x: np.log(x) + 0.3, 1e-3, 4.0),
        (lambda x: 1 - 0.3 / x**2, 0.1, 4.0),
    ],
)
def test_it_takes_the_steps_of_the_published_method(
    function: Callable[[Array], Array], low: float, high: float
) -> None:
    """SciPy follows the same paper: same root, same number of values asked for."""
    elementwise = pytest.importorskip("scipy.optimize.elementwise")
    exact = {"xatol": WIDTH, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0}
    theirs = elementwise.find_root(function, (low, high), tolerances=exact)
    calls = 0

    def counted(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return function(x)

    found, _ = first_at_least_zero(counted, np.array([low]), np.array([high]), WIDTH)
    assert found[0] == pytest.approx(theirs.x, abs=WIDTH)
    assert calls == theirs.nfev
