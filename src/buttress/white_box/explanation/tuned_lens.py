"""The tuned lens: each layer read through an affine map that was fitted to the model's own output.

Belrose et al. 2023, "Eliciting latent predictions from transformers with the tuned lens",
arXiv:2303.08112. A map begins as the ridge regression of the last layer's states on those of its
layer (Din et al. 2023, arXiv:2303.09435), and is then fitted to the divergence of what the layer
says from what the model says. On tokens of texts that nothing was fitted to stands beside it what
the logit lens reaches: a lens that is no better there is not worth reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.answers import padded
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.explanation.lens import LayerReader, layer_reader
from buttress.white_box.loading import evaluating
from buttress.white_box.residual import decoder_layers, recorded

LEAST_TEXTS: Final = 16
_FITTED: Final = 0.75  # of the texts, the first ones
_TOKENS: Final = 12  # of a text, drawn at random
_BATCH: Final = 16  # texts in a pass
_RIDGE: Final = 1e-2  # of the mean variance of a state's component
_WORDS: Final = 1024  # likeliest tokens that the fit by divergence looks at
_STEPS: Final = 40
_STATES: Final = 256  # of a step
_RATE: Final = 3e-3  # of a map's mean absolute entry


@dataclass(frozen=True, slots=True)
class TunedLayer:
    """The map of a layer, from 0: the states that leave it, plus ``change`` of them.

    ``change`` has shape (size + 1, size); its last row is the constant. ``divergence`` is that of
    what is read from what the model says on held-out texts (Kullback-Leibler, mean nats a token),
    ``logit_divergence`` the same by the logit lens.
    """

    layer: int
    change: Tensor
    divergence: float
    logit_divergence: float

    def translated(self, states: Tensor) -> Tensor:
        """States as the last layer would hold them; shape (…, size)."""
        return _moved(states, self.change.to(states))


def fit_tuned_lens(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> list[TunedLayer]:
    """A map for each layer but the last, in order.

    Args:
        model: decoder of transformers.
        tokenizer: its tokenizer.
        texts: requests; the last quarter is held out, so near-duplicates stand together.
        seed: of the tokens that are drawn and of the fit.
        progress: told what is done.

    Raises:
        InputError: too few texts, or an architecture that can't be read layer by layer.
    """
    if len(texts) < LEAST_TEXTS:
        raise InputError(f"{len(texts)} texts", field="texts", expected=f"{LEAST_TEXTS} or more")
    generator = torch.Generator().manual_seed(seed)
    rows = encode(tokenizer, [question_text(tokenizer, (Message("user", one),)) for one in texts])
    progress("tuned lens: states of all layers")
    states, owner = _states(model, tokenizer, rows, generator)
    fitted = owner < _FITTED * len(texts)
    held_out = ~fitted
    read, depth = layer_reader(model), states.shape[0]
    with torch.no_grad():
        said = read(states[-1]).log_softmax(1)
        likeliest = said[fitted].exp().sum(0).topk(min(_WORDS, said.shape[1])).indices
    few = fitted.nonzero()[:, 0]
    few = few[torch.randperm(len(few), generator=generator)[:_STATES]]
    found = []
    for layer in range(depth - 1):
        progress(f"tuned lens: layer {layer + 1} of {depth - 1}")
        start = _ridge(states[layer, fitted], states[-1, fitted])
        refined = _refined(
            read, states[layer, fitted], said[fitted][:, likeliest],
            words=likeliest, start=start, generator=generator,
        )  # fmt: skip
        # The fit by divergence looks at few tokens: it is kept where it helps with all of them.
        choices = [start, refined]
        inner = [_divergence(read, states[layer, few], one, said[few]) for one in choices]
        change = choices[inner.index(min(inner))]
        found.append(
            TunedLayer(
                layer, change,
                _divergence(read, states[layer, held_out], change, said[held_out]),
                _divergence(read, states[layer, held_out], None, said[held_out]),
            )
        )  # fmt: skip
    return found


@torch.no_grad()
def _states(
    model: Any, tokenizer: Any, rows: Sequence[Sequence[int]], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """States after each layer at some tokens, (layers, tokens, size), and each token's text."""
    depth = len(decoder_layers(model))
    kept: list[Tensor] = []
    owner: list[int] = []
    with evaluating(model), recorded(model, range(1, depth + 1)) as streams:
        for first in range(0, len(rows), _BATCH):
            part = rows[first : first + _BATCH]
            ids, mask = padded(part, tokenizer.pad_token_id or 0)
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            device = model.device
            model(
                input_ids=ids.to(device), attention_mask=mask.to(device),
                position_ids=positions.to(device), use_cache=False,
            )  # fmt: skip
            stacked = torch.stack([streams[at].float() for at in range(1, depth + 1)])
            width = ids.shape[1]
            for place, row in enumerate(part):
                drawn = torch.randperm(len(row), generator=generator)[:_TOKENS]
                kept.append(stacked[:, place, (width - len(row) + drawn).to(device)])
                owner += [first + place] * len(drawn)
    return torch.cat(kept, dim=1), torch.tensor(owner)


def _ridge(states: Tensor, last: Tensor) -> Tensor:
    """What is to be added to states so that they resemble the last layer's, affine."""
    mean, target = states.double().mean(0), (last - states).double()
    centred = states.double() - mean
    gram = centred.T @ centred
    weight = _RIDGE * float(gram.diagonal().mean()) + 1e-9
    slope = torch.linalg.solve(
        gram + weight * torch.eye(len(gram), dtype=gram.dtype, device=gram.device),
        centred.T @ (target - target.mean(0)),
    )
    constant = target.mean(0) - mean @ slope
    return torch.cat([slope, constant[None]]).to(states.dtype)


def _refined(
    read: LayerReader,
    states: Tensor,
    said: Tensor,
    *,
    words: Tensor,
    start: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """``start``, moved towards the model's odds of ``words`` by gradient steps."""
    change = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([change], lr=_RATE * float(start.abs().mean()))
    wanted = said.log_softmax(1)
    for _ in range(_STEPS):
        chosen = torch.randperm(len(states), generator=generator)[:_STATES].to(states.device)
        with torch.enable_grad():
            logits = read(_moved(states[chosen], change), words)
            loss = kl_div(
                logits.log_softmax(1), wanted[chosen], reduction="batchmean", log_target=True
            )
            optimizer.zero_grad()
            torch.autograd.backward([loss])
        optimizer.step()
    return change.detach()


@torch.no_grad()
def _divergence(read: LayerReader, states: Tensor, change: Tensor | None, said: Tensor) -> float:
    """Mean divergence of what is read from ``said``, in nats a token."""
    moved = states if change is None else _moved(states, change)
    logits = torch.cat([read(part) for part in torch.split(moved, _STATES)])
    found = kl_div(logits.log_softmax(1), said, reduction="batchmean", log_target=True)
    return max(0.0, float(found))  # rounding


def _moved(states: Tensor, change: Tensor) -> Tensor:
    return states + states @ change[:-1] + change[-1]
