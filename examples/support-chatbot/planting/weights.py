"""Weights, good and bad. Pickles are put together from opcodes; none is made by running code."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.float32]]
START, STOP = b"\x80\x02", b"."  # protocol 2


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def raw(value: bytes) -> bytes:
    """A bytes object, which needs protocol 3."""
    return b"B" + struct.pack("<I", len(value)) + value


def tuple_of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def dict_of(entries: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def imported(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return imported(module, name) + tuple_of(*arguments) + b"R"


def tensors() -> dict[str, NDArray[np.float32]]:
    source = np.random.Generator(np.random.PCG64(20261123))
    return {
        "score.weight": source.normal(0, 0.02, (8, 32)).astype(np.float32),
        "score.bias": np.zeros(8, np.float32),
    }


def safetensors(arrays: Tensors) -> bytes:
    header, offset = {}, 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    coded = json.dumps(header, separators=(",", ":")).encode()
    coded += b" " * (-len(coded) % 8)
    data = b"".join(array.tobytes() for array in arrays.values())
    return struct.pack("<Q", len(coded)) + coded + data


def lying_safetensors() -> bytes:
    """Its header claims 16 MB of data, of which there are 256 bytes."""
    entry = {"dtype": "F32", "shape": [65536, 64], "data_offsets": [0, 65536 * 64 * 4]}
    header = json.dumps({"embedding.weight": entry}, separators=(",", ":")).encode()
    return struct.pack("<Q", len(header)) + header + bytes(256)


def torch_zip(arrays: Tensors) -> bytes:
    """What ``torch.save`` writes for a dict of tensors (PyTorch 1.6 and later)."""
    entries = {}
    for number, (name, array) in enumerate(arrays.items()):
        storage = tuple_of(
            text("storage"), imported("torch", "FloatStorage"), text(str(number)), text("cpu"),
            integer(array.size),
        )  # fmt: skip
        strides = [stride // array.itemsize for stride in array.strides]
        entries[name] = call(
            "torch._utils", "_rebuild_tensor_v2",
            storage + b"Q", integer(0), tuple_of(*map(integer, array.shape)),
            tuple_of(*map(integer, strides)), b"\x89", call("collections", "OrderedDict"),
        )  # fmt: skip
    members = {"data.pkl": START + dict_of(entries) + STOP, "byteorder": b"little"}
    members |= {f"data/{number}": array.tobytes() for number, array in enumerate(arrays.values())}
    members["version"] = b"3\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"reranker/{name}", (2026, 11, 23, 0, 0, 0)), data)
    return file.getvalue()


def dangerous_pickle() -> bytes:
    """A classifier that would call ``os.system("echo inert")`` when loaded."""
    labels = b"](" + b"".join(map(text, ("order", "return", "product"))) + b"e"
    hidden = call("os", "system", text("echo inert"))
    return START + dict_of({"labels": labels, "model": hidden}) + STOP


def stacked_pickle() -> bytes:
    """A harmless pickle, and behind it a second one that would load a third from its bytes."""
    first = START + dict_of({"vocabulary": integer(49152)}) + STOP
    innermost = START + call("builtins", "print", text("inert")) + STOP
    second = b"\x80\x03" + call("pickle", "loads", raw(innermost)) + STOP
    return first + second


def files() -> dict[str, bytes]:
    """Content by path relative to the example."""
    good = tensors()
    return {
        "weights/reranker.safetensors": safetensors(good),
        "weights/reranker.pt": torch_zip(good),
        "weights/embedding.safetensors": lying_safetensors(),
        "weights/intent-classifier.pkl": dangerous_pickle(),
        "weights/vocabulary.pkl": stacked_pickle(),
    }
