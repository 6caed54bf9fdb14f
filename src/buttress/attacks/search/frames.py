"""Frames: texts around a ``{request}``, the individuals of the genetic search."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from buttress.attacks import (
    hypothetical,
    persuasion,
    prefix_injection,
    refusal_suppression,
    role_play,
)
from buttress.attacks.template import SLOT
from buttress.protocols.attack import Attack

FAMILIES: Final[tuple[Attack, ...]] = (
    role_play.ATTACK,
    hypothetical.ATTACK,
    prefix_injection.ATTACK,
    refusal_suppression.ATTACK,
    persuasion.ATTACK,
)
# A sentence with the white space behind it; what remains at the end is one as well.
_SENTENCE: Final = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]+[\"'”’」)）]*\s*|[^.!?。！？\n]+\Z")


def is_frame(text: str) -> bool:
    """Whether the request has exactly one place in it."""
    return text.count(SLOT) == 1


def prototypes(language: str, rng: random.Random) -> list[str]:
    """All frames of the single-turn families in a random order, from each family in turn."""
    drawn = []
    for family in FAMILIES:
        variants = list(family.variants)
        rng.shuffle(variants)
        applied = (family.apply(SLOT, one, language=language, seed=0) for one in variants)
        drawn.append([one[0].content for one in applied if is_frame(one[0].content)])
    return [frame for turn in zip_longest(*drawn) for frame in turn if frame is not None]


def crossed(one: str, other: str, rng: random.Random) -> str:
    """A child of two frames: at each place the sentence of one parent or the other.

    Places are counted from the start up to the sentence with the request, and from there to the
    end, so that the child asks once. Where only one parent has a sentence, it comes along half of
    the time.
    """
    first, second = _sentences(one), _sentences(other)
    a, b = _place(first), _place(second)
    before = _mixed(first[:a], second[:b], rng)
    after = _mixed(first[a + 1 :], second[b + 1 :], rng)
    return "".join([*before, rng.choice((first[a], second[b])), *after]).strip()


def _sentences(text: str) -> list[str]:
    """Sentences; also the last one has a space behind it where the script sets one."""
    return _SENTENCE.findall(f"{text} " if text[-1:].isascii() else text)


def _place(sentences: Sequence[str]) -> int:
    return next(i for i, sentence in enumerate(sentences) if SLOT in sentence)


def _mixed(one: Sequence[str], other: Sequence[str], rng: random.Random) -> list[str]:
    return [rng.choice(pair) for pair in zip_longest(one, other, fillvalue="")]
