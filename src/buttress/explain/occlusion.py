"""Occlusion of a model that can only be asked: spans are removed, one after the other.

The score of a prompt is the judge's probability that the decision stays as it was, or the log
probability of the answer's first token where the server gives it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.explain.decisions import AskedPrompt, PromptDecision
from buttress.statistics.order_test import LEAST_ORDERS, ORDERS, Faithfulness, OrderTest

STEPS: Final = 4  # of the way on which a curve is read: fewer than where passes cost little
Scores = Callable[[Sequence[Collection[int]]], Awaitable[list[float]]]


@dataclass(frozen=True, slots=True)
class OccludedSpans:
    """``values`` are what each span adds to the score, in the order of the spans.

    ``orders`` is the number of random orders that ``faithfulness`` rests on; None where spans are
    too few or the budget was spent. ``whole`` is the score of the whole prompt. ``censored`` counts
    scores that are only known to be lower than what is used, because the server gave too few
    tokens: then values are at least what is told.
    """

    values: tuple[float, ...]
    whole: float
    faithfulness: Faithfulness | None
    orders: int
    censored: int = 0


async def decision_occlusion(
    asked: AskedPrompt, base: PromptDecision, seed: int, keep: int
) -> tuple[OccludedSpans, list[PromptDecision]]:
    """Values of spans by the judge's score, and the decision without each span.

    ``keep`` questions of the budget are left for others.
    """
    singles = await asked.decide_all([[at] for at in range(len(asked.spans))])

    async def scores(removals: Sequence[Collection[int]]) -> list[float]:
        return [one.agreement(base) for one in await asked.decide_all(removals)]

    whole = base.agreement(base)
    values = tuple(whole - one.agreement(base) for one in singles)
    tested, orders = await _tested(asked, values, scores, seed, asked.left - keep)
    return OccludedSpans(values, whole, tested, orders), singles


async def log_probability_occlusion(
    asked: AskedPrompt, first: Mapping[str, float], seed: int
) -> OccludedSpans:
    """Values of spans by the log probability of the answer's likeliest first token, in nats.

    ``first`` are the log probabilities of the whole prompt.
    """
    token = max(first, key=lambda one: first[one])
    censored = 0

    async def scores(removals: Sequence[Collection[int]]) -> list[float]:
        nonlocal censored
        found = []
        for given in await asked.first_tokens(removals):
            censored += token not in given
            found.append(given.get(token, min(given.values(), default=first[token])))
        return found

    singles = await scores([[at] for at in range(len(asked.spans))])
    values = tuple(first[token] - one for one in singles)
    tested, orders = await _tested(asked, values, scores, seed, asked.left)
    return OccludedSpans(values, first[token], tested, orders, censored)


async def _tested(
    asked: AskedPrompt, values: Sequence[float], scores: Scores, seed: int, calls: int
) -> tuple[Faithfulness | None, int]:
    """Faithfulness against as many random orders as ``calls`` allow, and their number."""
    sizes = len(OrderTest(len(asked.spans), seed, 0, STEPS).removals(values)) // 2
    orders = min(ORDERS, (calls - 2 * sizes) // sizes) if sizes else 0
    if orders < LEAST_ORDERS:
        return None, 0
    test = OrderTest(len(asked.spans), seed, orders, STEPS)
    own = await scores(test.removals(values))
    return test.result(own, await scores(test.random_removals())), orders
