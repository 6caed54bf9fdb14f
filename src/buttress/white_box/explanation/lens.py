"""The logit lens: what each layer would answer if it were the last (nostalgebraist 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

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


class LayerReader(Protocol):
    """Logits of states as the last layer's, of all tokens or of some."""

    def __call__(self, stream: Tensor, words: Tensor | None = None) -> Tensor:
        """Shape (…, tokens) for states of shape (…, size)."""
        ...


def logit_lens(scored: ScoredAnswer) -> list[LayerGuess]:
    """A guess for each layer, in order.

    Raises:
        InputError: the last layer's guess is not what the model says: another architecture.
    """
    model = scored.model
    depth = len(decoder_layers(model))
    ids = torch.tensor([scored.question], device=scored.embedded.device)
    read = layer_reader(model)
    with recorded(model, range(1, depth + 1)) as streams, torch.no_grad():
        own = model(ids, use_cache=False).logits[0, -1].float()
        states = [streams[at][0, -1] for at in range(1, depth + 1)]
        last = read(states[-1])
        if float((last - own).abs().max()) > _TOLERANCE * float(own.abs().max()) + 1e-3:
            raise InputError(
                "the last layer read by itself is not what the model says",
                expected="an architecture with one norm before the output",
            )
        return [_guess(scored, at, read(state)) for at, state in enumerate(states)]


def translated_lens(
    scored: ScoredAnswer, translate: Sequence[Callable[[Tensor], Tensor]]
) -> list[LayerGuess]:
    """A guess for each of the first layers, their states moved by ``translate``, in order."""
    model = scored.model
    ids = torch.tensor([scored.question], device=scored.embedded.device)
    read = layer_reader(model)
    with recorded(model, range(1, len(translate) + 1)) as streams, torch.no_grad():
        model(ids, use_cache=False)
        return [
            _guess(scored, at, read(move(streams[at + 1][0, -1])))
            for at, move in enumerate(translate)
        ]


def layer_reader(model: Any) -> LayerReader:
    """Reads states, shape (…, size), as if they left the last layer: logits in float32.

    With ``words``, only the logits of these tokens, where the output is a plain linear layer.
    Gradients flow where the states ask for them.

    Raises:
        InputError: no final norm or output is found.
    """
    base = getattr(model, "base_model", model)
    norm = next((getattr(base, name) for name in _NORMS if hasattr(base, name)), None)
    head = model.get_output_embeddings()
    if norm is None or head is None:
        raise InputError("no final norm or output is found", expected="a decoder of transformers")
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)

    def read(stream: Tensor, words: Tensor | None = None) -> Tensor:
        states = norm(stream)
        if words is None or type(head) is not nn.Linear:
            logits: Tensor = head(states).float()
            logits = logits if words is None else logits[..., words]
        else:
            constant = None if head.bias is None else head.bias[words]
            logits = linear(states, head.weight[words], constant).float()
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
