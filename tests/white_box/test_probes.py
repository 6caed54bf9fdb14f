"""Linear probes where what the layers know is planted, and where there is nothing to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from buttress.errors import InputError
from buttress.prompts.personal_data import EACH, personal_data_texts
from buttress.white_box.explanation.probes import LabelledTexts, probe_concept

COUNT, GROUPS, SIZE, LAYERS = 96, 6, 20, 3


def texts(words: bool = False) -> LabelledTexts:
    """Half with the concept; with ``words`` one word alone tells it."""
    labels = tuple(at % 2 == 0 for at in range(COUNT))
    return LabelledTexts(
        concept="planted",
        texts=tuple(
            f"{'yes' if words and label else 'no'} w{at}" for at, label in enumerate(labels)
        ),
        labels=labels,
        groups=tuple(f"g{at * GROUPS // COUNT}" for at in range(COUNT)),
        clusters=tuple(f"c{at // 2}" for at in range(COUNT)),
    )  # fmt: skip


def states(known: LabelledTexts, strength: float, seed: int) -> np.ndarray:
    """Noise, of which layer 1 holds the label along one direction."""
    made = np.random.default_rng(seed).normal(size=(COUNT, LAYERS, SIZE))
    made[:, 1, 0] += strength * np.where(known.labels, 1.0, -1.0)
    return made


def test_a_planted_concept_is_found_in_its_layer_and_the_prompt_is_placed() -> None:
    known = texts()
    prompt = np.zeros((LAYERS, SIZE))
    prompt[1, 0] = 3.0
    found = probe_concept(known, states(known, 2.0, 1), prompt, 0)
    assert found.best == 1
    assert found.layers[1].area > 0.9
    assert found.layers[1].prompt > 1
    assert found.shows
    assert abs(found.words - 0.5) < 0.2
    assert (found.texts, found.groups) == (COUNT, GROUPS)
    assert all(abs(one.control - 0.5) < 0.25 for one in found.layers)


def test_what_single_words_tell_as_well_shows_nothing() -> None:
    known = texts(words=True)
    found = probe_concept(known, states(known, 2.0, 1), np.zeros((LAYERS, SIZE)), 0)
    assert found.words > 0.95
    assert found.layers[1].area > 0.9
    assert not found.shows


def misleading() -> LabelledTexts:
    """In each group another word goes with the concept: words of other groups mislead."""
    known = texts()
    said = tuple(
        f"{'odd' if (label + at * GROUPS // COUNT) % 2 else 'even'} w{at}"
        for at, label in enumerate(known.labels)
    )
    return replace(known, texts=said)


def test_words_that_do_worse_than_chance_are_no_lower_bar() -> None:
    known, shown = misleading(), 0
    for seed in range(10):
        found = probe_concept(known, states(known, 0.0, seed), np.zeros((LAYERS, SIZE)), seed)
        assert found.words < 0.4
        assert found.gain == found.layers[found.best].area - 0.5
        shown += found.shows
    assert shown <= 3  # at 0.05; measured against the words all ten would show something
    assert probe_concept(known, states(known, 2.0, 0), np.zeros((LAYERS, SIZE)), 0).shows


def test_noise_beats_the_words_as_seldom_as_stated() -> None:
    known, shown = texts(), 0
    for seed in range(40):
        found = probe_concept(known, states(known, 0.0, seed), np.zeros((LAYERS, SIZE)), seed)
        shown += found.shows
    assert shown <= 6  # at 0.05 two are expected; the chance of more than six is 0.004


def test_too_few_texts_or_groups_are_told() -> None:
    known = texts()
    one = LabelledTexts("planted", known.texts, known.labels, ("g",) * COUNT, known.clusters)
    with pytest.raises(InputError, match=r"planted: 48 texts with it and 48 without, in 1 groups"):
        probe_concept(one, states(known, 1.0, 0), np.zeros((LAYERS, SIZE)), 0)


def test_messages_with_personal_data_have_look_alikes_of_each_kind() -> None:
    made = personal_data_texts()
    kinds = {one.kind for one in made}
    assert len(made) == 2 * EACH * len(kinds)
    for kind in kinds:
        assert sum(one.personal for one in made if one.kind == kind) == EACH
    assert made == personal_data_texts()
    assert made != personal_data_texts(1)
