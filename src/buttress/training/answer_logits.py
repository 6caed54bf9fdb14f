"""What a model predicts at the learned tokens of examples, in batches bounded by memory."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from buttress.training.examples import TrainingExample
from buttress.white_box.answers import padded
from buttress.white_box.batching import by_length, pass_overhead

_LOGITS: Final = 2**26  # of a part of a batch: 256 MB in float32, some copies of them besides
_TOKENS: Final = 8192  # of a part of a batch, padding included


def parts(
    model: Any, examples: Sequence[TrainingExample], indices: Sequence[int]
) -> Iterator[list[int]]:
    """The indices in parts of like length that fit into memory."""
    vocabulary = plain(model).config.get_text_config().vocab_size
    lengths = [len(examples[index].ids) for index in indices]
    device = plain(model).get_input_embeddings().weight.device
    for batch in by_length(lengths, most=_TOKENS, overhead=pass_overhead(device)):
        part: list[int] = []
        longest = 0  # tokens that are learned of one
        for index in (indices[place] for place in batch):
            longest = max(longest, examples[index].learned)
            if part and (len(part) + 1) * longest * vocabulary > _LOGITS:
                yield part
                part, longest = [], examples[index].learned
            part.append(index)
        yield part


def answer_logits(model: Any, examples: Sequence[TrainingExample]) -> list[Tensor]:
    """Logits before each learned token, (learned tokens, vocabulary) for each example, float32.

    Examples are padded on the left, so that the head is computed at the learned tokens only, where
    the architecture can.
    """
    ids, mask = padded([one.ids[:-1] for one in examples], 0)
    options: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    accepted = inspect.signature(plain(model).forward).parameters
    if "position_ids" in accepted:
        options["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    if "use_cache" in accepted:
        options["use_cache"] = False
    device = plain(model).get_input_embeddings().weight.device
    options = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in options.items()
    }
    longest = max(one.learned for one in examples)
    if "logits_to_keep" in accepted:
        options["logits_to_keep"] = longest
    logits = model(**options).logits[:, -longest:]
    return [row[longest - one.learned :].float() for row, one in zip(logits, examples, strict=True)]


def log_probabilities(model: Any, examples: Sequence[TrainingExample]) -> Tensor:
    """Sum of the log-probabilities of each example's learned tokens, in nats, shape (examples,)."""
    sums = [
        -cross_entropy(logits, learned_ids(one, logits), reduction="sum")
        for logits, one in zip(answer_logits(model, examples), examples, strict=True)
    ]
    return torch.stack(sums)


def learned_ids(example: TrainingExample, like: Tensor) -> Tensor:
    """Ids of the learned tokens, on the device of ``like``."""
    return torch.tensor(example.ids[example.start :], device=like.device)


@torch.no_grad()
def all_log_probabilities(model: Any, examples: Sequence[TrainingExample]) -> Tensor:
    """``log_probabilities`` of any number of examples, in their order, on the CPU in float64."""
    found = torch.zeros(len(examples), dtype=torch.float64)
    for part in parts(model, examples, range(len(examples))):
        sums = log_probabilities(model, [examples[index] for index in part])
        found[part] = sums.double().cpu()
    return found


def plain(model: Any) -> Any:
    """The model of transformers inside its wrappers (PEFT's, Opacus')."""
    inner = getattr(model, "_module", model)
    get = getattr(inner, "get_base_model", None)
    return get() if get is not None else inner
