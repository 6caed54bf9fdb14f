"""The logit lens: what each layer would answer if it were the last (nostalgebraist 2020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from buttress.white_box.residual import decoder_layers, recorded

TOP: Final = 3
_NORMS: Final = ("norm", "ln_f", "final_layer_norm", "final_layernorm", "norm_f")
_TOLERANCE: Final = 0.05  # of the last layer's logits, which must be the model's own


@dataclass(frozen=True, slots=True)
class LayerGuess:
    """What stands after a layer, from 0, at the place that predicts the answer's first token.

    ``probability`` and ``rank`` (from 1) are those of the answer's first token.
    """

    layer: int
    probability: float
    rank: int
    top: tuple[tuple[str, float], ...]


def logit_lens(scored: ScoredAnswer) -> list[LayerGuess]:
    """A guess for each layer, in order.

    Raises:
        InputError: the last layer's guess is not what the model says: another architecture.
    """
    model = scored.model
    depth = len(decoder_layers(model))
    ids = torch.tensor([scored.question], device=scored.embedded.device)
    with recorded(model, range(1, depth + 1)) as streams, torch.no_grad():
        own = model(ids, use_cache=False).logits[0, -1].float()
    states = [streams[at][0, -1] for at in range(1, depth + 1)]
    read = layer_reader(model)
    last = read(states[-1])
    if float((last - own).abs().max()) > _TOLERANCE * float(own.abs().max()) + 1e-3:
        raise InputError(
            "the last layer read by itself is not what the model says",
            expected="an architecture with one norm before the output",
        )
    return [_guess(scored, at, read(state)) for at, state in enumerate(states)]


def layer_reader(model: Any) -> Callable[[Tensor], Tensor]:
    """Reads states, shape (…, size), as if they left the last layer: logits in float32.

    Raises:
        InputError: no final norm or output is found.
    """
    base = getattr(model, "base_model", model)
    norm = next((getattr(base, name) for name in _NORMS if hasattr(base, name)), None)
    head = model.get_output_embeddings()
    if norm is None or head is None:
        raise InputError("no final norm or output is found", expected="a decoder of transformers")
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)

    def read(stream: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = head(norm(stream)).float()
        return torch.tanh(logits / cap) * cap if cap else logits

    return read


def _guess(scored: ScoredAnswer, layer: int, logits: Tensor) -> LayerGuess:
    probabilities = logits.softmax(0)
    first = scored.answer[0]
    values, ids = probabilities.topk(TOP)
    words = [scored.tokenizer.decode([one]) for one in ids.tolist()]
    return LayerGuess(
        layer,
        float(probabilities[first]),
        int((probabilities > probabilities[first]).sum()) + 1,
        tuple(zip(words, values.tolist(), strict=True)),
    )
