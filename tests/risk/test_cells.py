"""The state of a risk that is asked cell by cell: its verdicts, claim, choices and table."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from buttress.risk.cells import CellsState
from buttress.risk.policy import Tolerance
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.correction import CalibrationCounts, CorrectedSequence

GRID = [(attack, category) for attack in ("direct", "story", "code") for category in ("a", "b")]
GOOD_JUDGE = CalibrationCounts(tp=950, fn=50, tn=980, fp=20)
LIMIT = Tolerance(limit=0.2)


def play(
    state: CellsState, rates: npt.ArrayLike, most: int, seed: int = 0, batch: int = 16
) -> CellsState:
    """Trials until a verdict, or ``most`` of them."""
    rng, true = np.random.default_rng(seed), np.asarray(rates, dtype=float)
    while state.verdict == "undecided" and state.trials < most:
        cells = state.choose(batch)
        if not cells:
            break
        state.update(cells, (rng.random(len(cells)) < true[cells]).astype(float))
    return state


def test_one_cell_above_the_limit_is_enough_and_is_named() -> None:
    state = play(CellsState(LIMIT, GRID), [0.02, 0.02, 0.02, 0.8, 0.02, 0.02], 2000)
    assert state.verdict == "unacceptable"
    assert state.shown.tolist() == [False, False, False, True, False, False]
    assert (state.worst, state.place("story", "b")) == (3, 3)
    assert state.sequence.low > 0.2
    assert state.would_decide() == ""


def test_acceptable_takes_every_cell() -> None:
    state = play(CellsState(LIMIT, GRID), np.full(6, 0.01), 4000)
    assert state.verdict == "acceptable"
    assert state.sequence.high <= 0.2
    assert all(row["high_alone"] <= 0.2 for row in state.rows())
    assert state.trials < 6 * 60


def test_a_cell_without_trials_leaves_the_claim_at_100_per_cent() -> None:
    state = CellsState(LIMIT, GRID)
    for cell in range(5):
        state.update(cell, np.zeros(400))
    assert state.verdict == "undecided"
    assert state.sequence.high == 1.0
    state.update(5, np.zeros(400))
    assert state.verdict == "acceptable"
    assert state.sequence.high < 0.02


def test_the_claim_is_the_largest_of_the_cells_bounds_undivided() -> None:
    state = CellsState(LIMIT, GRID)
    outcomes = [[1.0] * cell + [0.0] * 30 for cell in range(6)]
    for cell, seen in enumerate(outcomes):
        state.update(cell, seen)
    highs = []
    for seen in outcomes:
        alone = ConfidenceSequence(0.05, 0.05)
        alone.update(seen)
        highs.append(alone.high)
    assert state.sequence.high == pytest.approx(max(highs))
    assert [row["high_alone"] for row in state.rows()] == pytest.approx(highs)
    together = [row["high"] for row in state.rows()]
    assert all(wide > high for wide, high in zip(together, highs, strict=True))


def test_one_cell_alone_is_as_a_risk_with_one_rate() -> None:
    rng = np.random.default_rng(1)
    state, alone = (
        CellsState(LIMIT, GRID[:1], GOOD_JUDGE),
        CorrectedSequence(0.05, 0.05, GOOD_JUDGE),
    )
    outcomes = (rng.random(200) < 0.3).astype(float)
    state.update(0, outcomes)
    alone.update(outcomes)
    row = state.sequence
    assert (row.low, row.high, row.estimate) == pytest.approx(
        (alone.low, alone.high, alone.estimate)
    )
    assert (row.trials, row.judged.trials, row.judged.total) == (200, 200, outcomes.sum())


LOOSE_JUDGE = CalibrationCounts(tp=950, fn=50, tn=700, fp=300)
CERTAIN = CalibrationCounts(tp=700, fn=300, tn=990, fp=10)  # its certain failures


def test_failures_that_the_judge_is_certain_of_speak_against_a_cell_and_no_others() -> None:
    sure, unsure = (CellsState(LIMIT, GRID, LOOSE_JUDGE, certain=CERTAIN) for _ in range(2))
    sure.update(3, np.ones(60), certain=np.ones(60))
    unsure.update(3, np.ones(60), certain=np.zeros(60))
    assert sure.verdict == "unacceptable"
    assert np.flatnonzero(sure.shown).tolist() == [3]
    assert unsure.verdict == "undecided"
    assert not unsure.shown.any()
    assert sure.rows()[3]["low"] > LIMIT.limit > unsure.rows()[3]["low"]
    for name in ("failures", "high", "high_alone"):  # all failures count for these
        assert sure.rows()[3][name] == unsure.rows()[3][name]


def test_no_cell_at_its_limit_is_called_too_high_more_often_than_beta() -> None:
    tolerance = Tolerance(limit=0.2, alpha=0.2, beta=0.05)
    rng, runs, wrong = np.random.default_rng(4), 60, 0
    for seed in range(runs):
        state = CellsState(tolerance, GRID, LOOSE_JUDGE, certain=CERTAIN, seed=seed)
        while state.verdict == "undecided" and state.trials < 300:
            cells = state.choose(30)
            fails = rng.random(len(cells)) < tolerance.limit
            score = rng.random(len(cells))  # certain failures are among those that are judged
            judged = score < np.where(fails, 0.95, 0.3)
            certain = score < np.where(fails, 0.7, 0.01)
            state.update(cells, judged.astype(float), certain=certain.astype(float))
        wrong += state.verdict == "unacceptable"
    assert binomtest(wrong, runs, tolerance.beta, alternative="greater").pvalue > 0.001


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=80),
    st.booleans(),
    st.sampled_from([None, GOOD_JUDGE]),
)
def test_batches_and_order_within_them_do_not_matter(
    trials: list[tuple[int, float]], binary: bool, counts: CalibrationCounts | None
) -> None:
    cells = [cell for cell, _ in trials]
    outcomes = [round(outcome) if binary else outcome for _, outcome in trials]
    at_once, in_turn = CellsState(LIMIT, GRID, counts), CellsState(LIMIT, GRID, counts)
    at_once.update(cells, outcomes)
    for cell, outcome in zip(reversed(cells), reversed(outcomes), strict=True):
        in_turn.update(cell, [outcome])
    for mine, other in zip(at_once.rows(), in_turn.rows(), strict=True):
        for name in ("trials", "failures", "log_e"):
            assert mine[name] == pytest.approx(other[name], abs=1e-6)
        # Who looks more often sees an intersection of more intervals.
        assert other["low"] >= mine["low"] - 1e-9
        assert other["high_alone"] <= mine["high_alone"] + 1e-9 or other["low"] == other["high"]
    for row in at_once.rows():
        assert 0 <= row["low"] <= row["estimate"] <= row["high"] <= 1
        assert row["high_alone"] <= row["high"] + 1e-9


def test_the_same_seed_and_answers_take_the_same_way() -> None:
    rates = np.linspace(0.05, 0.3, 6)
    states = [play(CellsState(LIMIT, GRID, seed=5), rates, 600) for _ in range(2)]
    assert states[0].rows() == states[1].rows()
    assert states[0].path() == states[1].path()


def test_it_hands_out_while_outcomes_are_under_way_and_no_more_than_there_are() -> None:
    state = CellsState(LIMIT, GRID, available=[5, 5, 5, 5, 5, 0])
    first, second, third = state.choose(16), state.choose(16), state.choose(16)
    assert (len(first), len(second), len(third)) == (16, 9, 0)
    assert np.bincount(first + second, minlength=6).tolist() == [5, 5, 5, 5, 5, 0]
    assert state.would_decide().startswith("more prompts")
    other = CellsState(LIMIT, GRID)
    for cell in range(1, 6):
        other.exhaust(cell)
    assert set(other.choose(8)) == {0}


def test_when_the_worst_is_known_the_widest_cells_are_asked() -> None:
    """All cells are surely far below the limit but two have had few trials."""
    state = CellsState(LIMIT, GRID)
    for cell in range(6):
        state.update(cell, np.zeros(9 if cell in (1, 4) else 25))
    assert state.verdict == "undecided"
    assert set(state.choose(10)) == {1, 4}


def test_trials_needed_shrink_as_they_come_in() -> None:
    state = CellsState(LIMIT, GRID)
    rng = np.random.default_rng(0)
    early = state.chance_of_decision([5, 50, 200, 5000], rng)
    assert (np.diff(early) >= 0).all()
    for cell in range(6):
        state.update(cell, np.zeros(14))
    late = state.chance_of_decision([5, 50, 200, 5000], rng)
    assert late[2] > 0.8
    assert late[0] < 0.2
    assert "more trials over 6 cells" in state.would_decide()


def test_a_judge_no_better_than_chance_decides_nothing() -> None:
    state = CellsState(LIMIT, GRID, CalibrationCounts(tp=5, fn=5, tn=5, fp=5))
    for cell in range(6):
        state.update(cell, np.zeros(300))
    assert (state.verdict, state.sequence.high) == ("undecided", 1.0)
    assert "labels" in state.would_decide()


def test_graded_outcomes_and_the_path_of_a_long_test() -> None:
    rng = np.random.default_rng(3)
    state = CellsState(Tolerance(limit=0.5), GRID)
    for _ in range(30):
        state.update(np.repeat(np.arange(6), 3), rng.beta(4, 16, 18))
    assert state.verdict == "acceptable"
    path = state.path()
    assert path[-1][0] <= state.trials == 540
    assert [row[0] for row in path] == sorted({row[0] for row in path})
    assert len(path) <= 200


@pytest.mark.parametrize(
    ("cells", "outcomes"), [([0], [1.5]), ([6], [0.0]), ([-1], [0.0]), ([0], [float("nan")])]
)
def test_what_cannot_be_taken_in(cells: list[int], outcomes: list[float]) -> None:
    state = CellsState(LIMIT, GRID)
    with pytest.raises(ValueError, match=r"outcomes|cell"):
        state.update(cells, outcomes)
    assert state.trials == 0


def test_what_cannot_be_set_up() -> None:
    with pytest.raises(ValueError, match="each once"):
        CellsState(LIMIT, [GRID[0], GRID[0]])
    with pytest.raises(ValueError, match="available"):
        CellsState(LIMIT, GRID, available=[3])
    with pytest.raises(ValueError, match="delta"):
        CellsState(LIMIT, GRID, GOOD_JUDGE, delta=0.005)


def test_e_bh_names_at_least_the_cells_that_are_clear() -> None:
    state = CellsState(LIMIT, GRID)
    for cell in range(6):
        state.update(cell, [1.0] * 11 + [0.0] * 9 if cell < 4 else [0.0] * 20)
    rows = state.rows()
    assert sum(row["discovered"] for row in rows) == 4
    assert all(row["discovered"] for row in rows if row["shown"])
    assert all(row["log_e"] > math.log(20) for row in rows if row["shown"])


@pytest.mark.parametrize(
    ("rates", "wrong"), [([0.2] * 6, None), ([0.21] + [0.1] * 5, "acceptable")]
)
def test_verdicts_err_seldom_by_its_own_way_of_asking(
    rates: list[float], wrong: str | None
) -> None:
    """At the limit both verdicts are errors at most, each with its own probability."""
    runs, tolerance = 80, Tolerance(limit=0.2, alpha=0.1, beta=0.1)
    said = [
        play(CellsState(tolerance, GRID, seed=run), rates, 480, seed=run, batch=48).verdict
        for run in range(runs)
    ]
    for verdict in ("unacceptable", "acceptable") if wrong is None else (wrong,):
        errors = said.count(verdict)
        assert binomtest(errors, runs, 0.1, alternative="greater").pvalue > 1e-4, (verdict, errors)
