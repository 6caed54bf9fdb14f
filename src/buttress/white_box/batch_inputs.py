"""What a pass over several rows of tokens is called with."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from buttress.white_box.answers import padded


def batch_inputs(
    model: Any, tokenizer: Any, rows: Sequence[Sequence[int]], *, logits: int = 1
) -> dict[str, Any]:
    """A batch padded on the left, with positions that start at each row's first token.

    Of the logits only the last ``logits`` places are asked for, where a model can be told.
    """
    ids, mask = padded(rows, tokenizer.pad_token_id or 0)
    made = {"input_ids": ids, "attention_mask": mask}
    parameters = inspect.signature(model.forward).parameters
    if "position_ids" in parameters:
        made["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    options: dict[str, Any] = {name: tensor.to(model.device) for name, tensor in made.items()}
    if "logits_to_keep" in parameters:
        options["logits_to_keep"] = logits
    return options
