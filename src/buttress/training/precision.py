"""Products of a frozen model's layers in bfloat16, for processors and GPUs that are faster at it.

What is trained, normalisation, attention, and loss stay in float32, as do the sums inside a product
where the processor has them so; its result is rounded to eight bits of mantissa. The base model's
weights are only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D  # GPT-2's linear layer, its weight transposed


class FrozenProducts:
    """The frozen linear layers of a model, with their weights in bfloat16 beside those in float32.

    ``layers`` counts them; it is 0 where ``precision`` is "float32" or the weights aren't.
    """

    def __init__(self, model: Any, precision: str) -> None:
        self._made: list[tuple[torch.nn.Module, Callable[[Tensor], Tensor]]] = []
        if precision != "bfloat16":
            return
        weights: dict[int, Tensor] = {}  # one copy of weights that layers share
        for module in model.modules():
            if not isinstance(module, (torch.nn.Linear, Conv1D)):
                continue
            weight: Tensor = module.weight
            bias: Tensor | None = module.bias
            if weight.dtype != torch.float32 or any(
                one is not None and one.requires_grad for one in (weight, bias)
            ):
                continue
            short = weights.setdefault(id(weight), weight.detach().bfloat16())
            across = short.t() if isinstance(module, Conv1D) else short
            self._made.append((module, _forward(across, bias)))

    @property
    def layers(self) -> int:
        """Layers whose products are in bfloat16."""
        return len(self._made)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Inside, the layers compute by them; afterwards as before."""
        for module, forward in self._made:
            module.forward = forward
        try:
            yield
        finally:
            for module, _ in self._made:
                del module.forward


def _forward(weight: Tensor, bias: Tensor | None) -> Callable[[Tensor], Tensor]:
    def forward(given: Tensor) -> Tensor:
        found: Tensor = _Product.apply(given, weight)  # type: ignore[no-untyped-call]
        return found if bias is None else found + bias

    return forward


class _Product(torch.autograd.Function):
    """``given @ weight.T``; only ``given`` has a gradient."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return linear(given.bfloat16(), weight).to(given.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None]:
        (weight,) = ctx.saved_tensors
        (gradient,) = gradients
        if not ctx.needs_input_grad[0]:
            return None, None
        return (gradient.bfloat16() @ weight).to(gradient.dtype), None
