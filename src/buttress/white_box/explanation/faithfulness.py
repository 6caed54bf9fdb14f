"""Whether an attribution is true to the model: deletion and insertion against random orders.

Tokens are removed from the prompt in the order of their values, highest first, and put back in the
same order (Petsiuk, Das & Saenko 2018). The mean score on the way is compared with that of random
orders of the same tokens: an attribution that does not beat them says nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from buttress.white_box.explanation.scored_answer import ScoredAnswer

ORDERS: Final = 39  # random ones, so that the least chance is 1/40
STEPS: Final = 8  # sizes at which a curve is read
LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """``deletion`` and ``insertion`` are mean scores on the way, in nats: low and high is good.

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


class FaithfulnessTest:
    """Tests attributions of one answer; the random orders are drawn once and serve for all."""

    def __init__(self, scored: ScoredAnswer, seed: int = 0, orders: int = ORDERS) -> None:
        self._scored = scored
        rng = random.Random(seed)
        count = len(scored.places)
        self._sizes = sorted({round(count * step / STEPS) for step in range(1, STEPS)} - {0, count})
        shuffled = [rng.sample(range(count), count) for _ in range(orders)]
        self._random = [self._means(order) for order in shuffled]

    def test(self, values: Sequence[float]) -> Faithfulness | None:
        """Faithfulness of the order by ``values``; None where the prompt has too few tokens."""
        if not self._sizes:
            return None
        order = sorted(range(len(values)), key=lambda at: -values[at])
        deletion, insertion = self._means(order)
        deletions, insertions = ([one[way] for one in self._random] for way in (0, 1))
        total = len(self._random) + 1
        return Faithfulness(
            deletion=deletion,
            random_deletion=sum(deletions) / len(deletions),
            chance_deletion=(1 + sum(one <= deletion for one in deletions)) / total,
            insertion=insertion,
            random_insertion=sum(insertions) / len(insertions),
            chance_insertion=(1 + sum(one >= insertion for one in insertions)) / total,
        )

    def _means(self, order: Sequence[int]) -> tuple[float, float]:
        """Mean score while the first of an order are removed, and while only they are there."""
        if not self._sizes:
            return 0.0, 0.0
        places = [self._scored.places[at] for at in order]
        removed = [places[:size] for size in self._sizes]
        kept = [places[size:] for size in self._sizes]
        scores = self._scored.scores_without([*removed, *kept])
        half = len(self._sizes)
        return sum(scores[:half]) / half, sum(scores[half:]) / half
