"""Frames and words of the genetic search."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.attacks.search.frames import crossed, is_frame, prototypes
from buttress.attacks.search.synonyms import SYNONYMS, Momentum, grouped, mutated, replaced
from buttress.attacks.template import SLOT

WORDS = st.sampled_from([*"ab .!?。！\n", "expert", "Begin", "专家"])
TEXTS = st.lists(WORDS, max_size=30).map("".join)
FRAMES = st.builds(lambda before, after: before + SLOT + after, TEXTS, TEXTS)
SEEDS = st.integers(0, 2**32).map(random.Random)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prototypes_are_frames_of_all_families(language: str) -> None:
    frames = prototypes(language, random.Random(0))
    assert len(set(frames)) == len(frames) > 50
    assert all(map(is_frame, frames))
    assert frames != prototypes(language, random.Random(1))
    assert sorted(frames) == sorted(prototypes(language, random.Random(1)))
    assert sum(bool(grouped(frame)) for frame in frames) > len(frames) * 0.7


@given(one=FRAMES, other=FRAMES, rng=SEEDS)
def test_children_are_frames(one: str, other: str, rng: random.Random) -> None:
    child = crossed(one, other, rng)
    assert is_frame(child)
    letters = set(one + other + " ")
    assert set(child) <= letters


def test_children_take_sentences_from_both() -> None:
    one, other = f"A. B. {SLOT}", f"C. {SLOT}. D. E."
    children = {crossed(one, other, random.Random(seed)) for seed in range(200)}
    assert f"A. B. {SLOT} D. E." in children
    assert f"C. {SLOT}" in children
    assert f"A. {SLOT}" in children
    assert all(child.count(SLOT) == 1 for child in children)


def test_a_frame_crossed_with_itself_stays() -> None:
    for language in ("en", "zh"):
        for frame in prototypes(language, random.Random(0)):
            assert crossed(frame, frame, random.Random(0)) == frame.strip()


@given(frame=FRAMES, rng=SEEDS)
def test_mutations_are_frames_and_change_words_of_the_table_only(
    frame: str, rng: random.Random
) -> None:
    assert mutated(frame, 0.0, rng) == frame
    changed = mutated(frame, 1.0, rng)
    assert is_frame(changed)
    assert (changed != frame) == bool(grouped(frame))


def test_words_keep_their_capitals_and_leave_the_request_alone() -> None:
    text = f"Begin, expert! Beginner. {SLOT} 请专家回答"
    assert replaced(text, lambda word: SYNONYMS[word][1]) == (
        f"Start, specialist! Beginner. {SLOT} 请行家答复"
    )
    assert grouped(SLOT) == set()


def test_every_word_is_in_one_group() -> None:
    for word, group in SYNONYMS.items():
        assert word in group
        assert grouped(word) == {word}, "found whole"
        assert len(set(group)) == len(group) > 1


def test_momentum_is_the_mean_of_old_and_new() -> None:
    momentum = Momentum()
    momentum.learn({"the expert": 1.0, "an expert": 0.5, "a specialist": 0.0})
    assert momentum.worth == {"expert": 0.75, "specialist": 0.0}
    momentum.learn({"expert": 0.25})
    assert momentum.worth == {"expert": 0.5, "specialist": 0.0}
    improved = {momentum.improved("Specialist insider", random.Random(i)) for i in range(20)}
    assert improved == {"Expert expert"}, "by worth, and only to words that are known"
    assert Momentum().improved("expert", random.Random(0)) == "expert"
