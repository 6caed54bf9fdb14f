"""The order in which prompts are asked: a seeded random sample of the operational profile.

The confidence sequences rest on every prefix being such a sample. Without weights, the order is a
random permutation of all (prompt, variant) pairs. With weights, each draw first picks a harm
category in proportion to its weight, then the next pair of that category in a random permutation;
the sample ends when a category that is drawn has no pair left, because going on without it would
change the rate that is estimated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np


def order(
    categories: Sequence[str], variants: int, seed: int, weights: Mapping[str, float] | None
) -> Iterator[tuple[int, int]]:
    """Pairs (index of prompt, index of variant), each at most once.

    Args:
        categories: category of each prompt.
        variants: number of variants, ≥ 1.
        seed: same seed, same order.
        weights: category -> weight; None for a plain permutation. Categories without prompts are
            left out and the rest is renormalised.
    """
    chance = np.random.default_rng(seed)
    if not weights:
        for pair in chance.permutation(len(categories) * variants):
            yield int(pair) // variants, int(pair) % variants
        return
    pairs: dict[str, list[int]] = defaultdict(list)
    for index, category in enumerate(categories):
        if weights.get(category, 0.0) > 0:
            pairs[category].extend(range(index * variants, (index + 1) * variants))
    names = sorted(pairs)
    if not names:
        return
    queues = {name: iter(chance.permutation(pairs[name])) for name in names}
    share = np.array([weights[name] for name in names], dtype=float)
    share /= share.sum()
    while True:
        pair = next(queues[names[int(chance.choice(len(names), p=share))]], None)
        if pair is None:
            return
        yield int(pair) // variants, int(pair) % variants
