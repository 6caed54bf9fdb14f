"""Cells that inform each other: what a cell without trials is taken to be like."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.statistics.shrinkage import posterior

ROWS, COLUMNS = np.divmod(np.arange(12), 4)


def means(trials: list[int], failures: list[int]) -> list[float]:
    a, b = posterior(np.array(trials, float), np.array(failures, float), ROWS, COLUMNS)
    return list(a / (a + b))


def test_an_untried_cell_is_like_its_row_and_column() -> None:
    trials = [20, 20, 20, 0] + [20] * 8
    failing_row = means(trials, [12, 12, 12, 0] + [1] * 8)
    failing_column = means(trials, [1, 1, 1, 0, 1, 1, 1, 12, 1, 1, 1, 12])
    quiet = means(trials, [1, 1, 1, 0] + [1] * 8)
    assert min(failing_row[3], failing_column[3]) > 3 * quiet[3]


def test_a_lone_hot_cell_stands_out_after_a_few_trials() -> None:
    found = means([3] * 12, [0] * 5 + [3] + [0] * 6)
    assert found[5] > 0.5
    assert max(found[:5] + found[6:]) < 0.2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**5), st.floats(0, 1)), min_size=12, max_size=12),
)
def test_it_is_a_law_on_rates_whatever_the_counts(cells: list[tuple[int, float]]) -> None:
    trials = np.array([count for count, _ in cells], float)
    failures = np.array([count * share for count, share in cells])
    a, b = posterior(trials, failures, ROWS, COLUMNS)
    assert (np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)).all()
    assert np.allclose(a + b, trials + 3)
