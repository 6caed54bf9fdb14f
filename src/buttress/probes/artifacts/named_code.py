"""Names of classes and functions in configurations: what a loader would import and call."""

from __future__ import annotations

import re
from typing import Final

from buttress.evidence.findings import Severity
from buttress.files.visible import shortened
from buttress.probes.artifacts.pickles.judge import NameLists

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")
_FRAMEWORKS: Final = (
    "nemo", "nemo_text_processing", "torch", "torchvision", "torchaudio", "pytorch_lightning",
    "lightning", "lightning_fabric", "megatron", "apex", "transformers", "diffusers", "tokenizers",
    "sentence_transformers", "peft", "accelerate", "optimum", "timm", "torchmetrics", "omegaconf",
    "speechbrain", "sklearn", "numpy", "scipy", "monai", "ignite", "hydra_plugins", "keras",
    "tensorflow", "flax", "jax", "optax", "onnxruntime", "mlflow", "xgboost", "lightgbm",
    "catboost", "pyannote", "espnet2", "open_clip", "open_clip_torch", "datasets", "evaluate",
    "pandas", "collections", "datetime", "fairseq", "detectron2", "mmcv", "mmdet",
)  # fmt: skip
# Dangerous in a pickle, where nobody expects them; in a configuration they are what it is for.
_EXPECTED: Final = {
    "torch.utils.data.DataLoader", "torch.compile", "datasets.load_dataset",
    "diffusers.DiffusionPipeline.from_pretrained", "transformers.pipeline",
    "transformers.AutoModel.from_pretrained", "onnxruntime.InferenceSession",
    "builtins.staticmethod", "builtins.classmethod", "builtins.property",
}  # fmt: skip
_REACHING: Final = {
    "hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object",
    "hydra.utils.get_static_method", "hydra.utils.instantiate", "hydra.utils.call",
    "hydra._internal.utils._locate", "omegaconf.OmegaConf.register_new_resolver",
}  # fmt: skip


def verdict(dotted: str, names: NameLists) -> tuple[Severity, str] | None:
    """How grave it is that ``dotted`` is imported, and the end of a sentence; None if expected."""
    if "${" in dotted:
        return "medium", f"names {shortened(dotted)!r}, which is known only when it is loaded"
    if not _DOTTED.match(dotted):
        if "." in dotted or not dotted:
            return "medium", f"names {shortened(dotted)!r}, which is no name of Python"
        if names.judge("builtins", dotted).kind in ("dangerous", "code", "conditional"):
            return "critical", f"calls the builtin {dotted}"
        return None
    if dotted in _EXPECTED:
        return None
    module, _, name = dotted.rpartition(".")
    kind = names.judge(module, name).kind
    shown = shortened(dotted)
    if kind in ("dangerous", "code"):
        return "critical", f"makes the loader import {shown}, which runs code"
    if dotted in _REACHING:
        return "high", f"makes the loader call {shown}, which reaches any name"
    package = dotted.partition(".")[0]
    if kind == "allowed" or package in _FRAMEWORKS:
        return None
    if kind == "conditional":
        return "high", f"makes the loader import {shown}, which reaches any attribute"
    return "medium", f"makes the loader import {shown}, which no framework known here provides"
