"""Whether attributions are true to the model: tokens removed in their order and in random ones."""

from __future__ import annotations

from collections.abc import Sequence

from buttress.statistics.order_test import ORDERS, Faithfulness, OrderTest
from buttress.white_box.explanation.scored_answer import ScoredAnswer


class FaithfulnessTest:
    """Tests attributions of one answer; the random orders are drawn once and serve for all."""

    def __init__(self, scored: ScoredAnswer, seed: int = 0, orders: int = ORDERS) -> None:
        self._scored = scored
        self._orders = OrderTest(len(scored.places), seed, orders)
        self._random = self._scores(self._orders.random_removals())

    def test(self, values: Sequence[float]) -> Faithfulness | None:
        """Faithfulness of the order by ``values``; None where the prompt has too few tokens."""
        if not self._orders.possible:
            return None
        return self._orders.result(self._scores(self._orders.removals(values)), self._random)

    def _scores(self, removals: Sequence[Sequence[int]]) -> list[float]:
        places = self._scored.places
        return self._scored.scores_without([[places[at] for at in one] for one in removals])
