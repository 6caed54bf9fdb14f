"""Which cells are asked next: laws of the choice, and that it finds the worst cell sooner."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.risk.bandit import Bandit

Array = npt.NDArray[np.float64]
ATTACKS, CATEGORIES = 6, 8
ROWS, COLUMNS = np.divmod(np.arange(ATTACKS * CATEGORIES), CATEGORIES)
CELLS = ATTACKS * CATEGORIES
NONE, PLENTY = np.zeros(CELLS), np.full(CELLS, np.inf)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**70), st.integers(0, 100), st.data())
def test_it_hands_out_as_many_as_there_are_and_none_that_are_not(
    seed: int, count: int, data: st.DataObject
) -> None:
    left = np.array(data.draw(st.lists(st.integers(0, 3), min_size=CELLS, max_size=CELLS)), float)
    trials = np.array(data.draw(st.lists(st.integers(0, 9), min_size=CELLS, max_size=CELLS)), float)
    bandit = Bandit(ROWS, COLUMNS, seed)
    chosen = bandit.choose(trials, trials / 2, NONE, left, count)
    assert len(chosen) == min(count, left.sum())
    assert (np.bincount(chosen, minlength=CELLS) <= left).all()
    assert chosen == bandit.choose(trials, trials / 2, NONE, left, count)


def test_the_seed_decides() -> None:
    some, others = (
        Bandit(ROWS, COLUMNS, seed).choose(NONE, NONE, NONE, PLENTY, 40) for seed in (1, 2)
    )
    assert some != others


def test_what_is_under_way_counts() -> None:
    """Cells that were just handed out are not the first choice again."""
    bandit, trials = Bandit(ROWS, COLUMNS, 3), np.full(CELLS, 4.0)
    trials[:4] = 0
    first = bandit.choose(trials, trials / 4, NONE, PLENTY, 400)
    pending = np.where(np.arange(CELLS) < 2, 30.0, 0.0)
    later = bandit.choose(trials, trials / 4, pending, PLENTY, 400)
    before, after = (np.isin(chosen, (0, 1)).mean() for chosen in (first, later))
    assert before > 0.08
    assert after < before / 3


def calls_to_find(rates: Array, seed: int, *, adaptive: bool, runs: int = 40) -> float:
    """Median calls after which the worst cell is named and stays named for five more batches."""
    found = []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        bandit = Bandit(ROWS, COLUMNS, run)
        trials, failures = np.zeros(CELLS), np.zeros(CELLS)
        right, spent = 0, 0
        while right < 6 and spent < 6000:
            cells = (
                np.array(bandit.choose(trials, failures, NONE, PLENTY, 16))
                if adaptive
                else np.arange(spent, spent + 16) % CELLS
            )
            np.add.at(trials, cells, 1)
            np.add.at(failures, cells, rng.random(16) < rates[cells])
            spent += 16
            named = bandit.means(trials, failures).argmax() == rates.argmax()
            right = right + 1 if named else 0
        found.append(spent)
    return float(np.median(found))


@pytest.mark.parametrize("shape", ["row", "ties"])
def test_it_finds_the_worst_cell_in_fewer_calls_than_asking_in_turn(shape: str) -> None:
    rates = np.full((ATTACKS, CATEGORIES), 0.05)
    if shape == "row":
        rates[2], rates[2, 3] = 0.4, 0.7
    else:
        rates[0, 1] = rates[3, 3] = rates[5, 0] = 0.4
        rates[4, 6] = 0.6
    flat = rates.ravel()
    assert 1.3 * calls_to_find(flat, 1, adaptive=True) < calls_to_find(flat, 1, adaptive=False)
