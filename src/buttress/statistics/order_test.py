"""Whether an order of parts says more than random orders: deletion and insertion.

Parts are removed in the order of their values, highest first, and put back in the same order
(Petsiuk, Das & Saenko 2018). The mean score on the way is compared with that of random orders of
the same parts: values that do not beat them say nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ORDERS: Final = 39  # random ones, so that the least chance is 1/40
STEPS: Final = 8  # parts of the way at whose ends a curve is read
LEVEL: Final = 0.05
LEAST_ORDERS: Final = 19  # with fewer no chance is as low as LEVEL


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """``deletion`` and ``insertion`` are mean scores on the way: low and high is good.

    ``random_deletion`` and ``random_insertion`` are the means of random orders;
    ``chance_deletion`` and ``chance_insertion`` how often, the order itself counted, one of them
    does as well. ``faithful`` says that both are at most ``LEVEL``.
    """

    deletion: float
    random_deletion: float
    chance_deletion: float
    insertion: float
    random_insertion: float
    chance_insertion: float

    @property
    def faithful(self) -> bool:
        """Whether the order beats random ones both ways."""
        return max(self.chance_deletion, self.chance_insertion) <= LEVEL


class OrderTest:
    """Says which sets of parts to remove, and reads the scores without them.

    What is kept on the way of one order is what is removed on the way of its reverse, and the
    reverse of a random order is one too. So the same random orders serve both ways.

    Args:
        parts: their number.
        seed: of the random orders.
        orders: their number.
        steps: parts of the way; also read are the first and the last part alone.
    """

    def __init__(self, parts: int, seed: int = 0, orders: int = ORDERS, steps: int = STEPS) -> None:
        sizes = {1, *(round(parts * step / steps) for step in range(1, steps))}
        sizes |= {parts - size for size in sizes}  # so that both ways are alike
        self._sizes = sorted(size for size in sizes if 0 < size < parts)
        rng = random.Random(seed)
        self._orders = [rng.sample(range(parts), parts) for _ in range(orders)]

    @property
    def possible(self) -> bool:
        """Whether there are parts enough."""
        return bool(self._sizes)

    def random_removals(self) -> list[list[int]]:
        """Sets of parts whose removal gives ``random_scores`` of ``result``."""
        return [order[:size] for order in self._orders for size in self._sizes]

    def removals(self, values: Sequence[float]) -> list[list[int]]:
        """Sets of parts whose removal gives ``scores`` of ``result``."""
        order = sorted(range(len(values)), key=lambda at: -values[at])
        return [
            *(order[:size] for size in self._sizes),
            *(order[size:] for size in self._sizes),
        ]

    def result(self, scores: Sequence[float], random_scores: Sequence[float]) -> Faithfulness:
        """The faithfulness of an order from the scores without each set, in their order."""
        size = len(self._sizes)
        deletion, insertion = sum(scores[:size]) / size, sum(scores[size:]) / size
        means = [
            sum(random_scores[start : start + size]) / size
            for start in range(0, len(random_scores), size)
        ]
        total, mean = len(means) + 1, sum(means) / len(means)
        return Faithfulness(
            deletion=deletion,
            random_deletion=mean,
            chance_deletion=(1 + sum(one <= deletion for one in means)) / total,
            insertion=insertion,
            random_insertion=mean,
            chance_insertion=(1 + sum(one >= insertion for one in means)) / total,
        )
