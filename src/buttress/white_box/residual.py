"""Reading and changing a decoder's residual stream while a block of code runs, and no longer.

Directional ablation and activation addition as in Arditi et al. 2024, arXiv:2406.11717,
section 2.4. Nothing is written to the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from buttress.errors import InputError

# What writes to the residual stream inside a layer, as transformers' architectures call it.
_WRITERS: Final = (
    *("self_attn", "attn", "attention", "self_attention", "linear_attn"),
    *("mlp", "feed_forward", "block_sparse_moe", "ffn"),
)
# Norms between such a part and the stream (Gemma 2, OLMo 2, GLM 4): then they write last.
_NORMS_AFTER: Final = (
    "post_feedforward_layernorm",
    "post_mlp_layernorm",
    "post_self_attn_layernorm",
)


def decoder_layers(model: Any) -> nn.ModuleList:
    """The model's layers, in order.

    Raises:
        InputError: not a decoder whose layers stand in one list.
    """
    depth = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth > 0:
            return module
    raise InputError("the model's layers are not found", expected="a decoder of transformers")


@contextmanager
def recorded(model: Any, layers: Sequence[int] | None = None) -> Iterator[dict[int, Tensor]]:
    """Inside, each pass leaves the residual stream here, by layer, shape (rows, tokens, size).

    Layer *k* is what enters layer *k*; the number of layers stands for what leaves the last one,
    before the final norm. All of them if ``layers`` is None. A later pass replaces what is there.

    Raises:
        InputError: no such layer.
    """
    stack = decoder_layers(model)
    streams: dict[int, Tensor] = {}

    def keep(layer: int) -> Callable[[Tensor], Tensor]:
        def kept(stream: Tensor) -> Tensor:
            streams[layer] = stream.detach()
            return stream

        return kept

    with ExitStack() as hooks:
        for layer in range(len(stack) + 1) if layers is None else layers:
            if not 0 <= layer <= len(stack):
                raise InputError(f"{layer}", field="layer", expected=f"0 to {len(stack)}")
            hooked = (
                _before(stack[layer], keep(layer))
                if layer < len(stack)
                else _after(stack[-1], keep(layer))
            )
            hooks.callback(hooked.remove)
        yield streams


@contextmanager
def ablated(model: Any, direction: Tensor) -> Iterator[None]:
    """Inside, the residual stream has no component along ``direction``, anywhere.

    It is projected out of what enters and leaves each layer and of what attention and
    feed-forward part write in between, which equals orthogonalising all matrices that write.

    Args:
        model: decoder of transformers.
        direction: shape (size,), of any length but zero.

    Raises:
        InputError: no direction, or not of the model's size.
    """
    unit = _unit(model, direction)

    def without(stream: Tensor) -> Tensor:
        along = unit.to(stream.device, stream.dtype)
        return stream - (stream @ along)[..., None] * along

    with ExitStack() as hooks:
        for layer in decoder_layers(model):
            hooks.callback(_before(layer, without).remove)
            hooks.callback(_after(layer, without).remove)
            for part in _writers(layer):
                hooks.callback(_after(part, without).remove)
        yield


@contextmanager
def added(model: Any, vector: Tensor, layer: int) -> Iterator[None]:
    """Inside, ``vector``, shape (size,), is added to what enters ``layer``, at all positions.

    Raises:
        InputError: not a vector of the model's size, or no such layer.
    """
    _unit(model, vector)
    with changed_before(
        model, layer, lambda stream: stream + vector.to(stream.device, stream.dtype)
    ):
        yield


@contextmanager
def changed_before(model: Any, layer: int, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside, ``change`` of what enters ``layer``, shape (rows, tokens, size), takes its place.

    Raises:
        InputError: no such layer.
    """
    layers = decoder_layers(model)
    if not 0 <= layer < len(layers):
        raise InputError(f"{layer}", field="layer", expected=f"0 to {len(layers) - 1}")
    handle = _before(layers[layer], change)
    try:
        yield
    finally:
        handle.remove()


def _unit(model: Any, direction: Tensor) -> Tensor:
    size = int(model.get_input_embeddings().weight.shape[1])
    length = float(direction.norm()) if direction.shape == (size,) else 0.0
    if not 0.0 < length < float("inf"):
        raise InputError(
            f"shape {tuple(direction.shape)}, length {length}",
            field="direction",
            expected=f"a vector of {size} numbers that is not zero",
        )
    return direction.detach() / length


def _writers(layer: nn.Module) -> list[nn.Module]:
    parts = dict(layer.named_children())
    names = [*_WRITERS, *_NORMS_AFTER]
    if "post_feedforward_layernorm" in parts:
        names.append("post_attention_layernorm")  # elsewhere the norm before the feed-forward part
    return [parts[name] for name in names if name in parts]


def _before(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Any:
    def hook(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if given:
            return (change(given[0]), *given[1:]), named
        return given, named | {"hidden_states": change(named["hidden_states"])}

    return module.register_forward_pre_hook(hook, with_kwargs=True)


def _after(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Any:
    def hook(_: nn.Module, __: Any, made: Any) -> Any:
        if isinstance(made, torch.Tensor):
            return change(made)
        return (change(made[0]), *made[1:])

    return module.register_forward_hook(hook)
