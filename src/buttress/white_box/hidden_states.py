"""Hidden states of many conversations at all layers, from one pass each.

Probes, gates, steering and explanations read the residual stream through this module. Layer *k*
means what enters layer *k*, counted from 0, as ``refusal_direction.Direction`` and ``residual.added``
count; the number of layers itself stands for what leaves the last one, before the final norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.batch_inputs import batch_inputs
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.loading import evaluating
from buttress.white_box.residual import decoder_layers, recorded

BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """States of some conversations, in their order, in float32 on the CPU.

    ``layers`` are the layers read. ``last`` is the state at the last token before the answer,
    ``mean`` the mean over all tokens of the conversation, the template's included; both have shape
    (conversations, layers, size).
    """

    layers: tuple[int, ...]
    last: Tensor
    mean: Tensor

    def at(self, layer: int) -> Tensor:
        """States of the last token at ``layer``, shape (conversations, size)."""
        return self.last[:, self.layers.index(layer)]


def hidden_states(
    model: Any,
    tokenizer: Any,
    conversations: Sequence[Sequence[Message]],
    *,
    layers: Sequence[int] | None = None,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> HiddenStates:
    """Hidden states of conversations that each end with a question, after the chat template.

    Args:
        model: decoder of transformers.
        tokenizer: its tokenizer.
        conversations: at least one.
        layers: 0 to the number of layers; all of them if None.
        batch: conversations in a pass; those of like length share one.
        progress: called with the number of conversations read so far.

    Raises:
        InputError: no conversation, or one without a last question, or no such layer.
    """
    texts = [question_text(tokenizer, messages) for messages in conversations]
    return hidden_states_of_rows(
        model, tokenizer, encode(tokenizer, texts), layers=layers, batch=batch, progress=progress
    )


@torch.no_grad()
def hidden_states_of_rows(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Sequence[int]],
    *,
    layers: Sequence[int] | None = None,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> HiddenStates:
    """As ``hidden_states``, of rows of token ids."""
    if not rows or not all(rows):
        raise InputError("no conversation with tokens", field="conversations", expected="some")
    wanted = tuple(range(len(decoder_layers(model)) + 1) if layers is None else layers)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    size = int(model.get_input_embeddings().weight.shape[1])
    last = torch.empty(len(rows), len(wanted), size)
    mean = torch.empty_like(last)
    done = 0
    with evaluating(model), recorded(model, wanted) as streams:
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            inputs = batch_inputs(model, tokenizer, [rows[index] for index in chosen])
            model(**inputs, use_cache=False)
            share = inputs["attention_mask"].float()
            share = (share / share.sum(1, keepdim=True))[..., None]
            for at, layer in enumerate(wanted):
                stream = streams[layer].float()
                last[chosen, at] = stream[:, -1].cpu()
                mean[chosen, at] = (stream * share.to(stream.device)).sum(1).cpu()
            done += len(chosen)
            if progress is not None:
                progress(done)
    return HiddenStates(wanted, last, mean)
