"""The order of trials is a random sample of the profile: the statistics rest on it."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from buttress.probes.behaviour.sampling import order

CATEGORIES = ["a"] * 30 + ["b"] * 30 + ["c"] * 30


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.integers(1, 5),
    st.integers(0, 2**32),
)
def test_without_weights_it_is_a_permutation_of_all_pairs(
    categories: list[str], variants: int, seed: int
) -> None:
    pairs = list(order(categories, variants, seed, None))
    assert sorted(pairs) == [(i, v) for i in range(len(categories)) for v in range(variants)]
    assert pairs == list(order(categories, variants, seed, None))


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0, 5), min_size=1),
    st.integers(0, 2**32),
)
def test_with_weights_no_pair_comes_twice_and_weightless_never(
    categories: list[str], weights: dict[str, float], seed: int
) -> None:
    pairs = list(order(categories, 2, seed, weights))
    assert len(pairs) == len(set(pairs))
    assert all(weights.get(categories[index], 0) > 0 for index, _ in pairs)


def test_every_place_in_the_order_follows_the_weights() -> None:
    """Over many seeds, the k-th draw hits each category with its weight: first and tenth alike."""
    weights = {"a": 0.6, "b": 0.3, "c": 0.1}
    for place in (0, 9):
        drawn = [
            CATEGORIES[next(islice(order(CATEGORIES, 1, seed, weights), place, None))[0]]
            for seed in range(4000)
        ]
        counts = Counter(drawn)
        for name, weight in weights.items():
            error = 4 * np.sqrt(weight * (1 - weight) / 4000)
            assert abs(counts[name] / 4000 - weight) < error
