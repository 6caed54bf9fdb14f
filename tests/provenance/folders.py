"""Model folders, data and projects written for one test."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def model(folder: Path, front: str = "license: apache-2.0", **config: Any) -> Path:
    """A Hugging Face folder with one small safetensors file."""
    settings = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **config}
    write(folder / "config.json", json.dumps(settings))
    write(folder / "README.md", f"---\n{front}\n---\n# Card\n")
    write(folder / "model.safetensors", safetensors())
    return folder


def adapter(folder: Path, base: str, front: str = "license: apache-2.0") -> Path:
    write(
        folder / "adapter_config.json",
        json.dumps({"base_model_name_or_path": base, "peft_type": "LORA", "r": 8}),
    )
    write(folder / "README.md", f"---\n{front}\n---\n")
    write(folder / "adapter_model.safetensors", safetensors())
    return folder


def data(
    folder: Path, front: str = "license: cc-by-4.0\ntask_categories: [text-generation]"
) -> Path:
    write(folder / "README.md", f"---\n{front}\n---\n")
    write(folder / "train.jsonl", '{"text": "a"}\n')
    return folder


def safetensors(**metadata: str) -> bytes:
    header: dict[str, Any] = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"\0\0\0\0"


def gguf(**texts: str) -> bytes:
    """A header with these texts (``__`` for a dot), a number and an array before them."""
    pairs = [
        (b"general.alignment", 4, struct.pack("<I", 32)),
        (b"tokens", 9, struct.pack("<IQ", 8, 2) + (struct.pack("<Q", 1) + b"a") * 2),
    ]
    for key, value in texts.items():
        raw = value.encode()
        pairs.append((key.replace("__", ".").encode(), 8, struct.pack("<Q", len(raw)) + raw))
    body = b"".join(
        struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + value
        for key, kind, value in pairs
    )
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body
