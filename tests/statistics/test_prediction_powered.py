"""Prediction-powered rates: laws by exact enumeration, coverage by simulation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.prediction_powered import (
    FLOOR,
    Draws,
    Path,
    bounds,
    chances,
    estimate,
    follow,
    log_wealth,
    standard_error,
)
from buttress.statistics.two_stage import system_bounds

Array = npt.NDArray[np.float64]
unit = st.floats(0, 1).map(lambda x: round(x, 3))
populations = st.integers(3, 5).flatmap(
    lambda n: st.tuples(
        st.lists(unit, min_size=n, max_size=n),
        st.lists(st.sampled_from([0.0, 1.0, 0.5]), min_size=n, max_size=n),
    )
)


def drawn(scores: Array, truth: Array, order: list[int], floor: float = FLOOR) -> Draws:
    """What is known after these trials were drawn in this order."""
    left = list(range(len(scores)))
    law = []
    for place in order:
        law.append(chances(scores[left], floor)[left.index(place)])
        left.remove(place)
    places = np.array(order, dtype=np.int64)
    return Draws(scores, places, truth[places], np.array(law, dtype=float))


def orders(scores: Array, length: int) -> Iterator[tuple[list[int], float]]:
    """All orders of draws with their probability."""
    if not length:
        yield [], 1.0
        return
    for order, probability in orders(scores, length - 1):
        left = [place for place in range(len(scores)) if place not in order]
        for place, chance in zip(left, chances(scores[left]), strict=True):
            yield [*order, place], probability * chance


def sample(scores: Array, truth: Array, count: int, chance: np.random.Generator) -> Draws:
    left = np.arange(len(scores))
    order, law = [], []
    for _ in range(count):
        q = chances(scores[left])
        k = int(chance.choice(len(left), p=q))
        order.append(left[k])
        law.append(q[k])
        left = np.delete(left, k)
    places = np.array(order, dtype=np.int64)
    return Draws(scores, places, truth[places], np.array(law))


@settings(max_examples=40, deadline=None)
@given(populations, st.sampled_from([None, 0.0, 1.0]))
def test_the_estimate_has_no_bias_and_the_bets_are_fair(
    population: tuple[list[float], list[float]], power: float | None
) -> None:
    """Over all orders in which labels may be drawn, tuned power or not."""
    scores, truth = map(np.array, population)
    theta = truth.mean()
    mean, wealth = 0.0, np.zeros(2)
    for order, probability in orders(scores, len(scores) - 1):
        path = follow(drawn(scores, truth, order), 0.05, power=power)
        mean += probability * np.average(path.values, weights=path.weights)
        for side, above in enumerate((True, False)):
            wealth[side] += probability * np.exp(log_wealth(path, [theta], above=above)[0])
    assert mean == pytest.approx(theta, abs=1e-9)
    assert wealth == pytest.approx([1, 1], abs=1e-6)


@given(populations, st.randoms())
def test_nothing_depends_on_the_order_in_which_trials_lie(
    population: tuple[list[float], list[float]], chance: np.random.Generator
) -> None:
    scores, truth = map(np.array, population)
    order = [0, 2]
    moved = list(range(len(scores)))
    chance.shuffle(moved)
    back = np.argsort(moved)
    one = follow(drawn(scores, truth, order), 0.05)
    other = follow(drawn(scores[moved], truth[moved], [int(back[i]) for i in order]), 0.05)
    assert other.values == pytest.approx(one.values)
    assert bounds(other, 0.05, 0.05) == pytest.approx(bounds(one, 0.05, 0.05), abs=1e-6)


@settings(deadline=None)
@given(populations, st.integers(1, 3))
def test_what_was_possible_holds_what_came_and_bounds_are_ordered(
    population: tuple[list[float], list[float]], count: int
) -> None:
    scores, truth = map(np.array, population)
    path = follow(drawn(scores, truth, list(range(min(count, len(scores) - 1)))), 0.05)
    assert (path.least <= path.values + 1e-9).all()
    assert (path.values <= path.most + 1e-9).all()
    grid = np.linspace(*path.range, 21)
    rising = np.diff(log_wealth(path, grid, above=False))
    falling = np.diff(log_wealth(path, grid, above=True))
    assert (rising >= -1e-9).all()
    assert (falling <= 1e-9).all()
    low, high = bounds(path, 0.1, 0.1)
    first, last = path.range
    assert first <= low <= high <= last


@settings(deadline=None)
@given(populations)
def test_all_labels_leave_no_doubt(population: tuple[list[float], list[float]]) -> None:
    scores, truth = map(np.array, population)
    path = follow(drawn(scores, truth, list(range(len(scores)))), 0.05)
    assert estimate(path) == pytest.approx(truth.mean())
    assert standard_error(path) == 0
    assert bounds(path, 0.05, 0.05) == pytest.approx([truth.mean()] * 2, abs=1e-6)


def test_a_judge_who_is_always_right_leaves_no_variance() -> None:
    chance = np.random.default_rng(0)
    truth = (chance.random(400) < 0.3).astype(float)
    judged = follow(sample(truth, truth, 60, chance), 0.025)
    assert estimate(judged) == pytest.approx(truth.mean())
    assert standard_error(judged) == pytest.approx(0, abs=1e-9)
    useless = follow(sample(np.full(400, 0.5), truth, 60, chance), 0.025)
    assert standard_error(useless) > 0.04
    width = [np.subtract(*bounds(path, 0.025, 0.025)[::-1]) for path in (judged, useless)]
    assert width[0] < 0.6 * width[1]


def test_a_judge_who_knows_nothing_is_left_out() -> None:
    chance = np.random.default_rng(1)
    truth = (chance.random(500) < 0.4).astype(float)
    path = follow(sample(chance.random(500), truth, 200, chance), 0.025)
    assert path.power < 0.3
    plain = follow(sample(truth * 0.8 + 0.1, truth, 200, chance), 0.025)
    assert plain.power > 0.9


def test_labels_given_on_request_count_as_known() -> None:
    """All failures handed over at once don't drive the estimate for the rest."""
    truth = np.array([1.0] * 20 + [0.0] * 180)
    scores = np.full(200, 0.5)
    places = np.arange(20)
    path = follow(Draws(scores, places, truth[places], np.ones(20)), 0.05)
    assert path.values.size == 0
    assert path.range == pytest.approx((0.1, 1.0))
    assert bounds(path, 0.05, 0.05) == pytest.approx((0.1, 1.0), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"drawn": np.array([0, 0])}, "twice"),
        ({"labels": np.array([0.0])}, "length"),
        ({"labels": np.array([0.0, 2.0])}, "labels"),
        ({"chances": np.array([0.01, 0.5])}, "chance"),
    ],
)
def test_impossible_draws_are_refused(change: dict[str, Array], match: str) -> None:
    fine = Draws(np.full(4, 0.5), np.array([0, 1]), np.zeros(2), np.array([0.25, 1 / 3]))
    with pytest.raises(ValueError, match=match):
        replace(fine, **change)


def prefix(path: Path, count: int) -> Path:
    """As it was after ``count`` draws."""
    names = ("values", "least", "most", "bets", "weights")
    return replace(path, **{name: getattr(path, name)[:count] for name in names})


def judges(truth: Array, chance: np.random.Generator) -> dict[str, Array]:
    noise = chance.random(len(truth))
    return {
        "good": np.clip(truth * 0.8 + 0.2 * noise, 0, 1),
        "sure and sometimes wrong": np.where(noise < 0.1, 1 - truth, truth) * 0.98 + 0.01,
        "lenient": truth * noise**2,
        "useless": noise,
        "inverted": 1 - truth,
    }


@pytest.mark.slow
def test_the_interval_holds_whenever_one_stops() -> None:
    """1,500 stores: the share in which the bound is wrong after any label is at most alpha."""
    alpha, stores = 0.1, 300
    chance = np.random.default_rng(7)
    wrong: dict[str, int] = {}
    for _ in range(stores):
        truth = (chance.random(120) < chance.choice([0.03, 0.15, 0.5])).astype(float)
        theta = truth.mean()
        for name, scores in judges(truth, chance).items():
            path = follow(sample(scores, truth, 60, chance), alpha / 2)
            need = -np.log(alpha / 2)
            missed = any(
                log_wealth(prefix(path, count), [theta], above=above)[0] >= need
                for count in range(1, 61, 2)
                for above in (True, False)
            )
            wrong[name] = wrong.get(name, 0) + missed
    margin = 3 * np.sqrt(alpha * (1 - alpha) / stores)
    assert set(wrong) == set(judges(np.zeros(1), chance))
    assert max(wrong.values()) / stores <= alpha + margin, wrong
    assert sum(wrong.values()) / (5 * stores) <= alpha + margin / np.sqrt(5), wrong


@pytest.mark.slow
def test_the_interval_for_the_system_holds_too() -> None:
    """Trials and labels both drawn anew; a wide alpha, so that errors would show."""
    alpha, stores, rate = 0.3, 150, 0.2
    chance = np.random.default_rng(8)
    wrong = 0
    for _ in range(stores):
        truth = (chance.random(60) < rate).astype(float)
        noise = chance.random(60)
        scores = np.where(noise < 0.15, 1 - truth, truth) * 0.9 + 0.05
        path = follow(sample(scores, truth, 40, chance), alpha / 2)
        low, high = system_bounds(path, alpha / 2, alpha / 2)
        wrong += not low <= rate <= high
    assert wrong / stores <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / stores)


def test_with_all_labels_the_system_is_known_as_well_as_trials_tell() -> None:
    """Within what the share of cash costs."""
    truth = np.array([1.0] * 30 + [0.0] * 170)
    path = follow(Draws(truth, np.arange(200), truth, np.ones(200)), 0.025)
    exact = ConfidenceSequence(0.025, 0.025)
    exact.update(truth)
    low, high = system_bounds(path, 0.025, 0.025)
    assert low <= exact.low + 1e-3
    assert high >= exact.high - 1e-3
    assert high - low <= 1.15 * (exact.high - exact.low)


def test_before_the_first_label_nothing_is_known() -> None:
    none = np.zeros(0)
    path = follow(Draws(np.full(9, 0.2), none.astype(np.int64), none, none), 0.05)
    assert estimate(path) == pytest.approx(0.2)
    assert bounds(path, 0.05, 0.05) == pytest.approx((0, 1), abs=1e-9)
    assert system_bounds(path, 0.05, 0.05) == pytest.approx((0, 1), abs=1e-9)
    assert standard_error(path) == float("inf")
    empty = follow(Draws(none, none.astype(np.int64), none, none), 0.05)
    assert system_bounds(empty, 0.05, 0.05) == (0, 1)
    assert empty.range == (0, 1)
