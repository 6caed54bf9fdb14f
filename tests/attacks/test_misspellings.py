"""Best-of-N draws: distinct, readable, as strong as asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.attacks.best_of_n import BestOfNAttack, augmented
from tests.attacks.families import ENGLISH, TEXTS

WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12),
    min_size=1,
    max_size=8,
).map(" ".join)


@given(text=WORDS, strength=st.floats(0, 1), seed=st.integers(0, 10_000))
def test_words_keep_their_place_length_and_nearly_their_letters(
    text: str, strength: float, seed: int
) -> None:
    found = augmented(text, strength, random.Random(seed)).split(" ")
    assert len(found) == len(text.split(" "))
    for new, old in zip(found, text.split(" "), strict=True):
        assert len(new) == len(old)


@given(text=WORDS, seed=st.integers(0, 10_000))
def test_no_strength_changes_nothing(text: str, seed: int) -> None:
    assert augmented(text, 0.0, random.Random(seed)) == text


@given(text=WORDS, seed=st.integers(0, 10_000))
def test_without_noise_letters_are_only_shuffled_within(text: str, seed: int) -> None:
    # At this strength the noise (σ³) is out of reach while shuffles and capitals (√σ) still occur.
    found = augmented(text, 1e-4, random.Random(seed)).split(" ")
    for new, old in zip(found, text.split(" "), strict=True):
        assert sorted(new.lower()) == sorted(old.lower())
        assert (new[0].lower(), new[-1].lower()) == (old[0].lower(), old[-1].lower())


def test_shares_are_those_of_the_paper() -> None:
    rng = random.Random(1)
    capitals = sum(augmented("k", 0.4, rng).isupper() for _ in range(20_000))
    assert abs(capitals / 20_000 - 0.4**0.5) < 0.02
    moved = sum(augmented("7", 0.4, rng) != "7" for _ in range(20_000))
    assert abs(moved / 20_000 - 0.4**3) < 0.006


@given(text=TEXTS, seed=st.integers(0, 100))
def test_draws_differ_from_each_other_and_from_the_request(text: str, seed: int) -> None:
    attack = BestOfNAttack(draws=12)
    said = [attack.apply(text, v, language="en", seed=seed)[0].content for v in attack.variants]
    assert len({*said, text}) == 13


def test_more_draws_begin_with_the_same_ones() -> None:
    few, many = BestOfNAttack(draws=4), BestOfNAttack(draws=40)
    for variant in few.variants:
        assert few.apply(ENGLISH[0], variant, language="en", seed=9) == many.apply(
            ENGLISH[0], variant, language="en", seed=9
        )
    with pytest.raises(KeyError):
        few.apply(ENGLISH[0], "draw-5", language="en", seed=9)
