"""Functions that Keras finds by a bare name: activations, losses and metrics.

A configuration may also name a function that the program must provide, or that an attacker's
program registers: then loading runs code that Keras does not have.
"""

from __future__ import annotations

from typing import Any, Final

from buttress.probes.artifacts.formats.keras_classes import is_class

_ACTIVATION_NAMES: Final = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
    leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink
    softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh
    tanh_shrink threshold
"""
_ACTIVATIONS: Final = frozenset(_ACTIVATION_NAMES.split())
# Short names, and losses and metrics whose name is not their class in snake case.
_SHORT_NAMES: Final = """
    mse mae mape msle bce acc crossentropy ce accuracy binary_accuracy categorical_accuracy
    sparse_categorical_accuracy top_k_categorical_accuracy sparse_top_k_categorical_accuracy
    cosine_proximity cosine cosine_similarity kld kl_divergence kullback_leibler_divergence
    logcosh log_cosh huber huber_loss loss tversky dice ctc circle auc iou mean_io_u
    true_positives false_positives true_negatives false_negatives weighted_acc
"""
# Functions of keras.random, keras.ops, keras.utils and the applications that no class is named for.
_FUNCTION_NAMES: Final = """
    normal uniform categorical randint shuffle gamma binomial beta eye empty bartlett blackman
    hamming hanning kaiser rearrange preprocess_input to_categorical
"""
_ALIASES: Final = frozenset((*_SHORT_NAMES.split(), *_FUNCTION_NAMES.split()))
_COMPILED: Final = frozenset(("loss", "metrics", "optimizer_config"))


def is_activation(name: str) -> bool:
    """Whether ``keras.activations`` has it."""
    return name in _ACTIVATIONS


def custom_functions(config: dict[str, Any]) -> list[str]:
    """Losses and metrics of a compiled model, by bare names that Keras does not have."""
    found: dict[str, None] = {}
    for where in ("training_config", "compile_config", "config"):
        inner = config.get(where)
        if isinstance(inner, dict) and ("loss" in inner or "metrics" in inner):
            found |= dict.fromkeys(_bare(inner))
    if "class_name" not in config and _COMPILED & config.keys():
        found |= dict.fromkeys(_bare(config))
    return list(found)


def _bare(compiled: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for key in ("loss", "metrics", "weighted_metrics"):
        todo, seen = [compiled.get(key)], 0
        while todo and seen < 2_000:
            one, seen = todo.pop(), seen + 1
            if isinstance(one, str):
                names.append(one)
            elif isinstance(one, list):
                todo += one
            elif isinstance(one, dict):
                if "class_name" not in one:  # of an output each
                    todo += one.values()
                elif isinstance(one["class_name"], str) and "module" not in one:
                    names.append(one["class_name"])
                if "class_name" in one and isinstance(one.get("config"), dict):
                    todo.append(one["config"].get("fn"))
    return [name for name in names if name and not is_known(name)]


def is_known(name: str) -> bool:
    """Whether Keras has a class, loss, metric or activation of that name."""
    plain = name.rpartition(".")[2].rpartition("/")[2]
    return plain.lower() in _ALIASES or plain in _ACTIVATIONS or is_class(plain)
