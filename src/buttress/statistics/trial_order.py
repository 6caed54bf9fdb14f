"""The order in which trials are asked: a seeded random sample of the operational profile.

Two orders, for the two things that a rate can be about. *This set of prompts:* trials are drawn one
by one from all that there are, each once, and each draw says how it was drawn, so that
``statistics.finite`` can reckon with what is left. *Prompts like these:* a prompt is drawn with all
its trials (variants, translations), which follow each other in random order; how many of them are
asked may be decided when the prompt is begun.

With weights, each draw first picks a harm category in proportion to its weight, then a trial (or a
prompt) of that category in a random permutation. One by one, the categories that are left share the
weight of one that is at its end, and the draws say so. Prompt by prompt the sample ends there,
because going on would change the rate that is estimated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from buttress.statistics.finite import Draw


def prompt_of(item: str, language: str) -> str:
    """The prompt that an item of a pack is a translation of: ids end with their language."""
    return item.removesuffix(f"/{language}")


def order(
    categories: Sequence[str],
    seed: int,
    weights: Mapping[str, float] | None = None,
    prompts: Sequence[str] | None = None,
) -> Iterator[tuple[int, Draw | None]]:
    """Numbers of trials, each at most once, with how each was drawn.

    Args:
        categories: category of each trial.
        seed: same seed, same order.
        weights: category -> weight; None where all trials weigh alike. Trials of categories
            without weight are left out.
        prompts: the prompt of each trial, to draw prompt by prompt; then there is no ``Draw``.
    """
    rng = np.random.default_rng(seed)
    if prompts is not None:
        return _by_prompt(categories, prompts, weights, rng)
    return _one_by_one(categories, weights, rng)


def _one_by_one(
    categories: Sequence[str], weights: Mapping[str, float] | None, rng: np.random.Generator
) -> Iterator[tuple[int, Draw | None]]:
    size = len(categories)
    if not weights:
        for drawn, trial in enumerate(rng.permutation(size)):
            left = (size - drawn) / size
            yield int(trial), Draw(1 / size, left, left)
        return
    strata: dict[str, list[int]] = defaultdict(list)
    for trial, category in enumerate(categories):
        if weights.get(category, 0.0) > 0:
            strata[category].append(trial)
    names = sorted(strata)
    share = np.array([weights[name] for name in names], dtype=float)
    share /= max(share.sum(), 1e-300)
    sizes = np.array([len(strata[name]) for name in names])
    remaining = sizes.copy()
    queues = {name: iter(rng.permutation(strata[name])) for name in names}
    while remaining.any():
        open_share = np.where(remaining > 0, share, 0.0)
        whole = open_share.sum()
        place = int(rng.choice(len(names), p=open_share / whole))
        ratios = whole * remaining / sizes
        yield (
            int(next(queues[names[place]])),
            Draw(float(share[place] / sizes[place]), float(ratios[place]), float(ratios.max())),
        )
        remaining[place] -= 1


def _by_prompt(
    categories: Sequence[str],
    prompts: Sequence[str],
    weights: Mapping[str, float] | None,
    rng: np.random.Generator,
) -> Iterator[tuple[int, Draw | None]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for trial, (category, prompt) in enumerate(zip(categories, prompts, strict=True)):
        if not weights or weights.get(category, 0.0) > 0:
            groups[prompt].append(trial)
    strata: dict[str, list[str]] = defaultdict(list)
    for prompt, trials in groups.items():
        strata[categories[trials[0]] if weights else ""].append(prompt)
    names = sorted(strata)
    queues = {
        name: [strata[name][at] for at in rng.permutation(len(strata[name]))] for name in names
    }
    share = np.array([weights[name] if weights else 1.0 for name in names], dtype=float)
    while names:
        place = int(rng.choice(len(names), p=share / share.sum())) if len(names) > 1 else 0
        if not queues[names[place]]:
            return
        prompt = queues[names[place]].pop(0)
        for at in rng.permutation(len(groups[prompt])):
            yield groups[prompt][int(at)], None
