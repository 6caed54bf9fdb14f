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
import numpy.typing as npt
import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.statistics.quadrature import integral
from buttress.white_box.explanation.scored_answer import ScoredAnswer

Array = npt.NDArray[np.float64]
MOST_STEPS: Final = 1024
TOLERANCE: Final = 0.05  # of the change from the baseline, within which completeness holds
_GOAL: Final = 1e-3  # of the change, up to which the way is cut while there are steps
_LEAST_GOAL: Final = 1e-4  # nats
LEAST_NATS: Final = 0.05


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
    prompt = scored.embedded[scored.first :]
    values = (_gradients(scored, prompt[None])[0] * (prompt - scored.baseline)).sum(1)
    return Attribution("gradient-x-input", _picked(scored, values))


def integrated_gradients(scored: ScoredAnswer, most_steps: int = MOST_STEPS) -> Attribution:
    """Gradients averaged on the straight way from the baseline; only the prompt's tokens move.

    The way is cut where the integrand is roughest (adaptive Gauss-Kronrod quadrature, Piessens et
    al. 1983): norms make it steep near the baseline, where equal steps miss most of it. That the
    values sum to the change of the score is not enough, since errors of single tokens may cancel;
    so both that and the estimated error of each token must be within ``TOLERANCE`` of the change,
    or ``LEAST_NATS``. The way is cut further, to a thousandth of the change, while steps are left.
    """
    whole, empty = scored.scores_without([[], scored.places])
    change = whole - empty
    allowed = max(LEAST_NATS, TOLERANCE * abs(change))
    goal = max(_LEAST_GOAL, _GOAL * abs(change))
    start = scored.without([scored.places])[0, scored.first :]
    way = scored.embedded[scored.first :] - start

    def slopes(shares: Array) -> Array:
        """What each token adds at these shares of the way, shape (shares, tokens)."""
        found = []
        rows = scored.rows_at_once()
        for at in range(0, len(shares), rows):
            share = torch.tensor(shares[at : at + rows]).to(way)[:, None, None]
            found.append((_gradients(scored, start + share * way) * way).sum(2).double().cpu())
        values: Array = torch.cat(found).numpy()
        return values

    found = integral(slopes, most_points=most_steps, goal=goal, total=change)
    error = float(found.values.sum()) - change
    complete = max(abs(error), found.error) <= allowed
    picked = _picked(scored, found.values)
    return Attribution("integrated-gradients", picked, error, complete, found.points)


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
    return Attribution("rollout", _picked(scored, values[scored.first :]))


def _gradients(scored: ScoredAnswer, prompts: Tensor) -> Tensor:
    """Gradients by the tokens from ``scored.first`` on, one for each row."""
    inputs = prompts.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradients,) = torch.autograd.grad(scored.score_of_prompt(inputs).sum(), inputs)
    return gradients


def _picked(scored: ScoredAnswer, values: Tensor | Array) -> tuple[float, ...]:
    """Of values from ``scored.first`` on, those of the places."""
    return tuple(float(values[place - scored.first]) for place in scored.places)


METHODS: Final[dict[str, Callable[[ScoredAnswer], Attribution]]] = {
    "gradient-x-input": gradient_x_input,
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "rollout": rollout,
}
