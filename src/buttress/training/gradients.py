"""Projected gradients of examples: what a step on each would do to a model, in few numbers.

The gradient of a linear layer's weights is the sum over tokens of an outer product: of what the
gradient of its output is, and what its input was. Both are projected on ``rank`` random directions
first, which is the gradient of a low-rank adapter with fixed factors (Choe et al. 2024, "What is
your data worth to GPT?"). One backward pass gives those of a whole batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from buttress.errors import InputError
from buttress.training.answer_logits import log_probabilities, parts
from buttress.training.examples import TrainingExample

_LINEAR: Final = ("Linear", "Conv1D")  # GPT-2 calls its own so


class GradientProjector:
    """Projects the gradients of a loaded model's linear layers, all but the output head.

    Args:
        model: causal language model of transformers; its weights are frozen.
        rank: directions of inputs and of outputs, so that a layer gives ``rank``² numbers.
        seed: of the directions; the name of a layer decides beside it.

    Raises:
        InputError: the model has no linear layer.
    """

    def __init__(self, model: Any, *, rank: int = 8, seed: int = 0) -> None:
        self._model = model.eval().requires_grad_(False)
        self.rank: Final = rank
        self._seed = seed
        head = model.get_output_embeddings()
        self._layers = {
            name: module
            for name, module in model.named_modules()
            if type(module).__name__ in _LINEAR and module is not head
        }
        if not self._layers:
            raise InputError("has no linear layer", field="WEIGHTS", expected="a transformer")
        self._directions: dict[tuple[str, int], Tensor] = {}
        self._found: dict[str, Tensor] = {}

    @property
    def layers(self) -> int:
        """Number of layers; the gradient has ``layers`` · ``rank``² numbers."""
        return len(self._layers)

    def gradients(self, examples: Sequence[TrainingExample]) -> Tensor:
        """Of the mean negative log-likelihood a token, (examples, layers, rank²), float32, CPU."""
        found = torch.zeros(len(examples), self.layers, self.rank**2)
        hooks = [
            layer.register_forward_hook(self._watch(name)) for name, layer in self._layers.items()
        ]
        hooks.append(self._model.get_input_embeddings().register_forward_hook(_differentiable))
        try:
            for part in parts(self._model, examples, range(len(examples))):
                picked = [examples[index] for index in part]
                self._found.clear()
                learned = torch.tensor([float(one.learned) for one in picked])
                sums = log_probabilities(self._model, picked)
                torch.autograd.backward([(-sums / learned.to(sums)).sum()])
                for place, name in enumerate(self._layers):
                    if name in self._found:  # a layer that no token reached has none
                        found[part, place] = self._found[name].float().cpu()
        finally:
            for hook in hooks:
                hook.remove()
            self._found.clear()
        return found

    def _watch(self, name: str) -> Any:
        def hook(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            del module
            if not output.requires_grad or output.dim() != 3:
                return
            given = inputs[0].detach() @ self._direction(name, inputs[0]).T

            def backward(gradient: Tensor) -> None:
                wanted = gradient @ self._direction(name, gradient, 1).T
                outer = torch.einsum("bto,bti->boi", wanted, given).flatten(1)
                before = self._found.get(name)
                self._found[name] = outer if before is None else before + outer

            watched: Any = output  # its method has no types
            watched.register_hook(backward)

        return hook

    def _direction(self, name: str, like: Tensor, side: int = 0) -> Tensor:
        """Random directions of a layer's input (side 0) or output, (rank, size)."""
        key = (name, side)
        if key not in self._directions:
            text = f"{self._seed} {name} {side}".encode()
            seed = int.from_bytes(hashlib.sha256(text).digest()[:8]) >> 1
            generator = torch.Generator().manual_seed(seed)
            size = like.shape[-1]
            drawn = torch.randn(self.rank, size, generator=generator) / self.rank**0.5
            self._directions[key] = drawn.to(like.device, like.dtype)
        return self._directions[key]


def _differentiable(module: Any, inputs: Any, output: Tensor) -> Tensor:
    """Gradients flow from the embeddings on, although no weight requires one."""
    del module, inputs
    return output.requires_grad_()
