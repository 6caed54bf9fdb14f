"""The order of trials is a random sample of the profile: the statistics rest on it."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from buttress.statistics.trial_order import order

CATEGORIES = ["a"] * 30 + ["b"] * 30 + ["c"] * 30


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    st.integers(0, 2**32),
)
def test_without_weights_it_is_a_permutation_and_draws_are_even(
    categories: list[str], seed: int
) -> None:
    placed = list(order(categories, seed))
    size = len(categories)
    assert sorted(index for index, _ in placed) == list(range(size))
    assert placed == list(order(categories, seed))
    for drawn, (_, draw) in enumerate(placed):
        assert draw is not None
        assert draw.share == 1 / size
        assert draw.ratio == draw.most == (size - drawn) / size


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 5), min_size=1),
    st.integers(0, 2**32),
)
def test_weighted_draws_say_how_likely_they_were(
    categories: list[str], weights: dict[str, float], seed: int
) -> None:
    """All trials of categories with weight come, once; shares sum to 1; p / q is at most ``most``.

    The probabilities q of the trials left sum to 1, so that p / ratio summed over them is 1.
    """
    placed = list(order(categories, seed, weights))
    wanted = [index for index, name in enumerate(categories) if weights.get(name, 0) > 0]
    assert sorted(index for index, _ in placed) == wanted
    draws = [draw for _, draw in placed if draw is not None]
    assert len(draws) == len(placed)
    if draws:
        assert abs(sum(draw.share for draw in draws) - 1) < 1e-9
        assert all(draw.ratio <= draw.most for draw in draws)
        assert draws[-1].ratio == draws[-1].most
        assert abs(draws[-1].share - draws[-1].ratio) < 1e-9  # the last is drawn for certain


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=40),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_by_prompt_all_trials_of_one_follow_each_other(
    trials: list[tuple[str, int]], weighted: bool, seed: int
) -> None:
    categories = [category for category, _ in trials]
    prompts = [f"{category}{number}" for category, number in trials]
    weights = {"a": 2.0, "b": 1.0, "c": 1.0} if weighted else None
    placed = [index for index, _ in order(categories, seed, weights, prompts)]
    runs = [name for name, _ in groupby(prompts[index] for index in placed)]
    assert len(runs) == len(set(runs))
    counts = Counter(prompts)
    assert all(Counter(prompts[index] for index in placed)[name] == counts[name] for name in runs)
    if not weighted:
        assert sorted(placed) == list(range(len(trials)))


def test_every_place_in_the_order_follows_the_weights() -> None:
    """Over many seeds, the k-th draw hits each category with its weight: first and tenth alike."""
    weights = {"a": 0.6, "b": 0.3, "c": 0.1}
    for place in (0, 9):
        drawn = [
            CATEGORIES[next(islice(order(CATEGORIES, seed, weights), place, None))[0]]
            for seed in range(4000)
        ]
        counts = Counter(drawn)
        for name, weight in weights.items():
            error = 4 * np.sqrt(weight * (1 - weight) / 4000)
            assert abs(counts[name] / 4000 - weight) < error
