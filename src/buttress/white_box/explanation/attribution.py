"""Attribution of an answer to the tokens of its prompt, by four methods.

Gradient times input (Shrikumar et al. 2016), integrated gradients (Sundararajan, Taly & Yan 2017),
occlusion (Zeiler & Fergus 2014), attention rollout (Abnar & Zuidema 2020). Values are in nats of
log P(answer), but for rollout, whose shares of attention sum to at most 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.white_box.explanation.scored_answer import ScoredAnswer

MOST_STEPS: Final = 1024
TOLERANCE: Final = 0.05  # of the change from the baseline, within which completeness holds
_GOAL: Final = 1e-3  # of the change, up to which the way is cut while there are steps
_LEAST_GOAL: Final = 1e-4  # nats
LEAST_NATS: Final = 0.05
_POINTS: Final = 8  # of a piece of the way


@dataclass(frozen=True, slots=True)
class Attribution:
    """Values of the prompt's tokens, in the order of ``ScoredAnswer.places``.

    ``completeness_error`` is the sum of values less the change from the baseline, in nats, for
    methods that promise completeness, after ``steps`` gradients; None for others. ``complete``
    says that it is within the tolerance and that finer steps would not change the values by more.
    """

    method: str
    values: tuple[float, ...]
    completeness_error: float | None = None
    complete: bool | None = None
    steps: int | None = None


def gradient_x_input(scored: ScoredAnswer) -> Attribution:
    """Gradient of the score by each embedded token, times the token less the baseline."""
    gradient = _gradient(scored, scored.embedded[None])[0]
    values = (gradient * (scored.embedded - scored.baseline)).sum(1)
    return Attribution("gradient-x-input", _picked(scored, values))


def integrated_gradients(scored: ScoredAnswer, most_steps: int = MOST_STEPS) -> Attribution:
    """Gradients averaged on the straight way from the baseline; only the prompt's tokens move.

    The way is cut where the integrand is roughest (adaptive Gauss-Legendre quadrature): norms make
    it steep near the baseline, where equal steps miss most of it. That the values sum to the change
    of the score is not enough, since errors of single tokens may cancel; so both that and the
    estimated error of each token must be within ``TOLERANCE`` of the change, or ``LEAST_NATS``.
    The way is cut further, to a thousandth of the change, while steps are left.
    """
    whole, empty = scored.scores_without([[], scored.places])
    change = whole - empty
    allowed = max(LEAST_NATS, TOLERANCE * abs(change))
    goal = max(_LEAST_GOAL, _GOAL * abs(change))
    start = scored.without([scored.places])[0]
    way = scored.embedded - start

    def integral(low: float, high: float) -> Tensor:
        points, weights = np.polynomial.legendre.leggauss(_POINTS)
        share = torch.tensor(low + (points + 1) / 2 * (high - low)).to(way)
        weight = torch.tensor(weights / 2 * (high - low)).to(way)
        gradients = _gradient(scored, start + share[:, None, None] * way)
        return ((gradients * weight[:, None, None]).sum(0) * way).sum(1)

    # Pieces with what they add, and how much that changed when they were cut off a larger one.
    pieces = [_Piece(0.0, 1.0, integral(0.0, 1.0), float("inf"))]
    steps = _POINTS
    while True:
        values = torch.stack([one.values for one in pieces]).sum(0)
        error = float(values.sum()) - change
        worst = max(abs(error), sum(one.error for one in pieces))
        if worst <= goal or steps + 2 * _POINTS > most_steps:
            picked, complete = _picked(scored, values), worst <= allowed
            return Attribution("integrated-gradients", picked, error, complete, steps)
        rough = max(pieces, key=lambda one: one.error)
        middle = (rough.low + rough.high) / 2
        halves = [integral(rough.low, middle), integral(middle, rough.high)]
        off = float((halves[0] + halves[1] - rough.values).abs().max()) / 2
        pieces.remove(rough)
        pieces += [
            _Piece(rough.low, middle, halves[0], off), _Piece(middle, rough.high, halves[1], off),
        ]  # fmt: skip
        steps += 2 * _POINTS


@dataclass(eq=False, slots=True)
class _Piece:
    low: float
    high: float
    values: Tensor
    error: float


def occlusion(scored: ScoredAnswer) -> Attribution:
    """How much the score falls when a token is replaced by the baseline."""
    whole, *without = scored.scores_without([[], *([place] for place in scored.places)])
    return Attribution("occlusion", tuple(whole - one for one in without))


def rollout(scored: ScoredAnswer) -> Attribution:
    """Attention multiplied through the layers, half of each step staying where it is.

    Raises:
        InputError: the model gives no attention.
    """
    model, length = scored.model, len(scored.question)
    before = getattr(model.config, "_attn_implementation", None)
    ids = torch.tensor([[*scored.question, *scored.answer[:-1]]], device=scored.embedded.device)
    try:
        if hasattr(model, "set_attn_implementation"):
            model.set_attn_implementation("eager")  # others keep no weights
        with torch.no_grad():
            attentions: Any = model(ids, output_attentions=True, use_cache=False).attentions
    except (ValueError, TypeError, AttributeError, NotImplementedError):
        attentions = None
    finally:
        if before and hasattr(model, "set_attn_implementation"):
            model.set_attn_implementation(before)
    if not attentions or any(one is None for one in attentions):
        raise InputError("the model gives no attention", expected="another method than rollout")
    flow = torch.eye(ids.shape[1], device=ids.device)
    for layer in attentions:
        step = layer[0].float().mean(0)  # over heads
        step = (step + torch.eye(len(step), device=step.device)) / 2
        flow = step @ flow
    values = flow[length - 1 :].mean(0)[:length]  # from the places that predict the answer
    return Attribution("rollout", _picked(scored, values))


def _gradient(scored: ScoredAnswer, questions: Tensor) -> Tensor:
    inputs = questions.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(scored.score(inputs).sum(), inputs)
    return gradient


def _picked(scored: ScoredAnswer, values: Tensor) -> tuple[float, ...]:
    return tuple(float(value) for value in values[scored.places])


METHODS: Final[dict[str, Callable[[ScoredAnswer], Attribution]]] = {
    "gradient-x-input": gradient_x_input,
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "rollout": rollout,
}
