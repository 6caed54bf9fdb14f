"""Models and adapters in folders: which files are theirs, and what they say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from buttress.files.bounded_json import JsonError, parse
from buttress.provenance.inventory.card import (
    card,
    declared,
    licence_files,
    read,
    sections,
    text,
    texts,
)
from buttress.provenance.inventory.component import Component
from buttress.provenance.inventory.metadata import gguf, safetensors
from buttress.provenance.licences.expression import Declared

WEIGHTS: Final = {
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".tflite", ".msgpack",
    ".pdparams", ".mlmodel", ".nemo", ".pkl", ".pickle", ".joblib",
}  # fmt: skip
_STATE: Final = {"training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth"}
_CONFIG: Final = 4 << 20
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}$")
_FACTS: Final = (
    "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
    "max_position_embeddings", "torch_dtype", "dtype", "transformers_version",
)  # fmt: skip
_ADAPTER_FACTS: Final = ("peft_type", "r", "lora_alpha", "lora_dropout", "task_type")
_QUANTIZATION_FACTS: Final = (
    "quant_method", "bits", "group_size", "load_in_4bit", "load_in_8bit", "bnb_4bit_quant_type",
)  # fmt: skip
_GGUF_FACTS: Final = ("general.size_label", "general.file_type", "general.quantization_version")


def models(folder: Path, files: Sequence[Path], where: str) -> Iterator[Component]:
    """The models of one folder: one for its weights, one for each GGUF file.

    Args:
        folder: the folder itself.
        files: all files that lie directly in it.
        where: its path relative to what is looked at, empty for the top.
    """
    quantized = [one for one in files if one.suffix.lower() == ".gguf"]
    first = [one for one in quantized if not _is_later_shard(one)]
    for path in first:
        yield _gguf(path, quantized, where)
    names = {one.name for one in files}
    weights = [one for one in files if one.suffix.lower() in WEIGHTS]
    if not _loadable(weights):
        return
    rest = tuple(one for one in files if one not in quantized and one.suffix != ".sig")
    if "adapter_config.json" in names:
        yield _adapter(folder, rest, where)
    elif "config.json" in names or "README.md" in names:
        yield _folder(folder, rest, weights, where)
    else:
        for path in weights:
            yield _single(path, where)


def _loadable(weights: Sequence[Path]) -> bool:
    """Whether there is anything but a file of training state."""
    return any(one.name not in _STATE for one in weights)


def _is_later_shard(path: Path) -> bool:
    shard = _SHARD.search(path.stem)
    return shard is not None and not shard[0].startswith("-00001-")


def _folder(
    folder: Path, files: tuple[Path, ...], weights: Sequence[Path], where: str
) -> Component:
    config, front = json_file(folder / "config.json"), card(folder)
    architectures = texts(config.get("architectures"))
    bases = texts(front.get("base_model"))
    return Component(
        role="model",
        name=_name(folder, front, config),
        location=where or ".",
        licences=_licences(folder, front, where, weights),
        files=files,
        bases=bases,
        relation=text(front.get("base_model_relation")) or ("finetune" if bases else ""),
        datasets=texts(front.get("datasets")),
        family=text(config.get("model_type")),
        architecture=architectures[0] if architectures else "",
        facts=_facts(config, _FACTS) | _quantization(config) | _library(front),
        card=front,
        sections=sections(folder),
    )


def _adapter(folder: Path, files: tuple[Path, ...], where: str) -> Component:
    config, front = json_file(folder / "adapter_config.json"), card(folder)
    base = text(config.get("base_model_name_or_path"))
    weights = [one for one in files if one.suffix.lower() in WEIGHTS]
    return Component(
        role="adapter",
        name=_name(folder, front, {}),
        location=where or ".",
        licences=_licences(folder, front, where, weights),
        files=files,
        bases=(base,) if base else texts(front.get("base_model")),
        relation="adapter",
        datasets=texts(front.get("datasets")),
        family=text(config.get("peft_type")).lower(),
        facts=_facts(config, _ADAPTER_FACTS) | _library(front),
        card=front,
        sections=sections(folder),
    )


def _gguf(path: Path, beside: Sequence[Path], where: str) -> Component:
    found, front = gguf(path), card(path.parent)
    stem = _SHARD.sub("", path.stem)
    own = found.get("general.license", "")
    licences = [Declared(own, path.name)] if own else []
    if len([one for one in beside if not _is_later_shard(one)]) == 1 or not own:
        licences += _licences(path.parent, front, where, ())
    bases = [
        found[key] for key in sorted(found) if re.fullmatch(r"general\.base_model\.\d+\.name", key)
    ]
    family = found.get("general.architecture", "")
    context = found.get(f"{family}.context_length", "")
    return Component(
        role="model",
        name=found.get("general.name") or stem,
        location=_at(where, path.name),
        version=found.get("general.version", ""),
        licences=tuple(licences),
        files=tuple(one for one in beside if _SHARD.sub("", one.stem) == stem),
        bases=tuple(bases) or texts(front.get("base_model")),
        relation="quantized",
        datasets=texts(front.get("datasets")),
        family=family,
        architecture=family,
        facts={key: found[key] for key in _GGUF_FACTS if key in found}
        | ({"context_length": context} if context else {}),
        card=front,
    )


def _single(path: Path, where: str) -> Component:
    licences = [*_of_weights([path]), *(one for one, _ in licence_files(path.parent))]
    return Component(
        "model", path.name, _at(where, path.name), licences=tuple(licences), files=(path,)
    )


def _licences(
    folder: Path, front: Mapping[str, Any], where: str, weights: Sequence[Path]
) -> tuple[Declared, ...]:
    return (
        *declared(front, _at(where, "README.md")),
        *(Declared(one.text, _at(where, one.source)) for one, _ in licence_files(folder)),
        *_of_weights(weights),
    )


def _of_weights(weights: Sequence[Path]) -> Iterator[Declared]:
    for path in weights[:4]:
        if path.suffix.lower() == ".safetensors" and (own := safetensors(path).get("license")):
            yield Declared(own, path.name)


def _name(folder: Path, front: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    for value in (front.get("model_name"), config.get("_name_or_path")):
        name = text(value)
        if name and not name.startswith((".", "/")):
            return name
    return folder.resolve().name


def json_file(path: Path) -> Mapping[str, Any]:
    """A JSON object in a file, empty where there is none that can be read."""
    try:
        value, _ = parse(read(path, _CONFIG))
    except JsonError:
        return {}
    return value if isinstance(value, dict) else {}


def _facts(config: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {
        name: str(config[name])[:100]
        for name in names
        if isinstance(config.get(name), str | int | float)
    }


def _quantization(config: Mapping[str, Any]) -> dict[str, str]:
    given = config.get("quantization_config")
    found = _facts(given if isinstance(given, dict) else {}, _QUANTIZATION_FACTS)
    return {f"quantization.{name}": value for name, value in found.items()}


def _library(front: Mapping[str, Any]) -> dict[str, str]:
    """What it was made with, or is loaded with, as its card says."""
    name = text(front.get("library_name"))
    return {"library_name": name} if name else {}


def _at(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name
