"""A split of requests by harm category, so that improvement is measured on harms not trained on.

Whole categories are held out, a harmful request stays with its look-alike and its translations, and
what is nearly the same as a held-out request is taken out of the part that training may see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from buttress.answers.reading import words_in
from buttress.answers.words import content_words
from buttress.errors import InputError
from buttress.prompts.base import Prompt

NEAR: Final = 0.6  # Jaccard similarity of content words from which two requests are near-duplicates


@dataclass(frozen=True, slots=True)
class CategorySplit:
    """``seen`` may be trained on, ``held_out`` may not; ``dropped`` are near-duplicates left out.

    ``public`` are other authors' requests, without those that are nearly the same as a seen one.
    """

    held_out_categories: tuple[str, ...]
    seen: tuple[Prompt, ...]
    held_out: tuple[Prompt, ...]
    public: tuple[Prompt, ...]
    dropped: tuple[Prompt, ...]


def split_by_category(
    prompts: Sequence[Prompt],
    public: Sequence[Prompt] = (),
    *,
    held_out: Collection[str] | int | None = None,
    seed: int = 0,
) -> CategorySplit:
    """Split ``prompts``, each of a category, and clear both sides of each other.

    Args:
        prompts: pairs of a harmful request and its look-alike.
        public: other authors' requests, which are measured and never trained on.
        held_out: the categories to hold out, or how many, drawn by ``seed``; half of them if None.
        seed: of the draw.

    Raises:
        InputError: an unknown category, or nothing left on a side.
    """
    categories = sorted({prompt.category for prompt in prompts})
    chosen = _chosen(categories, held_out, seed)
    kept_out = [prompt for prompt in prompts if prompt.category in chosen]
    rest = [prompt for prompt in prompts if prompt.category not in chosen]
    near = _pairs_near(rest, kept_out)
    seen = [prompt for prompt in rest if _pair(prompt) not in near]
    dropped = [prompt for prompt in rest if _pair(prompt) in near]
    copies = _near(public, seen)
    for name, part in (("seen", seen), ("held-out", kept_out)):
        for expect in ("refuse", "answer"):
            if not any(prompt.expect == expect for prompt in part):
                raise InputError(
                    f"the {name} part has no request to {expect}",
                    field="--hold-out",
                    expected="categories on both sides, with requests of both kinds",
                )
    return CategorySplit(
        held_out_categories=chosen,
        seen=tuple(seen),
        held_out=tuple(kept_out),
        public=tuple(one for at, one in enumerate(public) if at not in copies),
        dropped=(*dropped, *(one for at, one in enumerate(public) if at in copies)),
    )


def _chosen(
    categories: Sequence[str], held_out: Collection[str] | int | None, seed: int
) -> tuple[str, ...]:
    if held_out is None or isinstance(held_out, int):
        count = len(categories) // 2 if held_out is None else held_out
        if not 0 < count < len(categories):
            raise InputError(
                f"{count} of {len(categories)} categories can't be held out",
                field="--hold-out",
                expected=f"1 to {len(categories) - 1}",
            )
        drawn = np.random.default_rng((seed, len(categories))).permutation(len(categories))
        return tuple(sorted(categories[place] for place in drawn[:count]))
    for name in held_out:
        if name not in categories:
            raise InputError(
                f"unknown category '{name}'",
                field="--hold-out",
                expected="of " + ", ".join(categories),
            )
    return tuple(sorted(set(held_out)))


def _pair(prompt: Prompt) -> str:
    """What a request shares with its look-alike and with both in another language."""
    return (prompt.pair or prompt.id).split("/", 1)[0]


def _pairs_near(prompts: Sequence[Prompt], others: Sequence[Prompt]) -> set[str]:
    return {_pair(prompts[place]) for place in _near(prompts, others)}


def _near(prompts: Sequence[Prompt], others: Sequence[Prompt]) -> set[int]:
    """Places of prompts that are nearly the same as one of ``others``."""
    known = [_words(other) for other in others]
    return {
        place
        for place, prompt in enumerate(prompts)
        if any(_similar(words, other) for words in [_words(prompt)] for other in known)
    }


def _words(prompt: Prompt) -> frozenset[str]:
    return content_words(words_in(prompt.text.lower()))


def _similar(first: frozenset[str], second: frozenset[str]) -> bool:
    shared = len(first & second)
    return bool(shared) and shared >= NEAR * (len(first) + len(second) - shared)
