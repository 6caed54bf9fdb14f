"""Where the tensors of a file lie: safetensors, GGUF, NumPy, ONNX, PyTorch's zip and others."""

from __future__ import annotations

import math
import pickletools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.files import zip_reader
from buttress.files.bounded_json import MAX_BYTES, JsonError, parse
from buttress.files.byte_source import ByteSource, FileSource, ResourceMeter
from buttress.probes.artifacts.formats import (
    core_ml_weights,
    gguf,
    numpy_array,
    opaque_weights,
    paddle_params,
    safetensors,
)
from buttress.probes.artifacts.integrity import onnx_tensors

_MAX_PICKLE: Final = 16 << 20
_MAX_OPCODES: Final = 4_000_000
_STORAGE: Final = re.compile(r"torch(?:\.storage)? (\w+)Storage")
_TORCH: Final = {
    "Float": "F32", "Double": "F64", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32",
    "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL",
}  # fmt: skip
_GGUF: Final = {
    0: "F32", 1: "F16", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 30: "BF16",
}  # fmt: skip
_NUMPY: Final = {
    "f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8",
    "u1": "U8", "b1": "BOOL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """``offset`` and ``length`` in bytes of the file; ``shape`` () where only the bytes are known.

    ``dtype`` as safetensors names it, "" where values can't be read as numbers (quantised, other
    byte order).
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def tensors(path: Path) -> list[Tensor] | None:
    """The tensors whose bytes lie within the file, None where the format is not one of these.

    Headers that lie are the business of the probe of model files; here they give no tensors.

    Raises:
        OSError: the file can't be read.
    """
    with FileSource(path, ResourceMeter()) as source:
        head = source.read_at(0, 512)
        if not head:
            return None
        size = source.size
        found: Iterator[Tensor]
        if gguf.matches(source, head):
            found = _of_gguf(source)
        elif numpy_array.matches(source, head):
            found = _of_numpy(source, path.stem)
        elif safetensors.matches(source, head):
            found = _of_safetensors(source)
        elif onnx_tensors.matches(source, head):
            found = (Tensor(*one) for one in onnx_tensors.described(source))
        elif core_ml_weights.matches(source, head):
            blobs = enumerate(core_ml_weights.described(source))
            found = (Tensor(f"#{n}", kind, (), at, size) for n, (kind, at, size) in blobs)
        elif paddle_params.matches(source, head):
            params = enumerate(paddle_params.described(source))
            found = (Tensor(f"#{number}", *one) for number, one in params)
        elif opaque_weights.matches(source, head):
            found = iter([Tensor("(the whole file)", "", (), 0, size)])
        elif zip_reader.directories(source):  # last: a zip archive can follow any of the others
            found = _of_torch(source)
        else:
            return None
        return [one for one in found if 0 <= one.offset <= one.offset + one.length <= size]


def _of_safetensors(source: ByteSource) -> Iterator[Tensor]:
    length = int.from_bytes(source.read_at(0, 8), "little")
    if length > MAX_BYTES:
        return
    try:
        header, _ = parse(source.read_at(8, length))
    except JsonError:
        return
    for name, one in header.items() if isinstance(header, dict) else ():
        if name == "__metadata__" or safetensors.problem(one, source.size - 8 - length):
            continue
        begin, end = one["data_offsets"]
        yield Tensor(name, one["dtype"], tuple(one["shape"]), 8 + length + begin, end - begin)


def _of_gguf(source: ByteSource) -> Iterator[Tensor]:
    for one in gguf.described(source):
        if one.length is not None:
            yield Tensor(one.name, _GGUF.get(one.kind, ""), one.shape, one.offset, one.length)


def _of_numpy(source: ByteSource, name: str) -> Iterator[Tensor]:
    found = numpy_array.described(source)
    if found is None or found[0].hasobject:
        return
    dtype, shape, offset = found
    kind = _NUMPY.get(dtype.str[1:], "") if dtype.str[0] in "<|=" else ""
    yield Tensor(name, kind, shape, offset, math.prod(shape) * dtype.itemsize)


def _of_torch(source: ByteSource) -> Iterator[Tensor]:
    """Storages that are stored, not packed; their types are named in the pickle beside them."""
    members = {
        one.name: one
        for directory in zip_reader.directories(source)
        for one in zip_reader.members(source, directory)
    }
    pickled = next((name for name in members if name.endswith("data.pkl")), None)
    if pickled is None:
        return
    types = _storage_types(_stored(source, members[pickled]) or b"")
    folder = pickled.removesuffix("data.pkl") + "data/"
    for name, member in members.items():
        key = name.removeprefix(folder)
        local = zip_reader.read_local(source, member.header)
        if key == name or "/" in key or local is None or member.method != zip_reader.STORED:
            continue
        yield Tensor(key, types.get(key, ""), (), local.data, member.packed)


def _stored(source: ByteSource, member: zip_reader.Member) -> bytes | None:
    local = zip_reader.read_local(source, member.header)
    if local is None or member.method != zip_reader.STORED or member.packed > _MAX_PICKLE:
        return None
    pieces, at = [], 0
    while at < member.packed and (piece := source.read_at(local.data + at, member.packed - at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _storage_types(pickle: bytes) -> dict[str, str]:
    """Types by key: each storage is told as ("storage", class, key, place, count), by opcodes."""
    types: dict[str, str] = {}
    memo: dict[int, Any] = {}
    recent: list[Any] = []
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(pickle)):
            if count > _MAX_OPCODES:
                break
            name = opcode.name
            if name == "MARK":
                recent.clear()
            elif name in ("GLOBAL", "BINUNICODE", "SHORT_BINUNICODE", "UNICODE"):
                recent.append(argument)
            elif name in ("BINPUT", "LONG_BINPUT") and recent and isinstance(argument, int):
                memo[argument] = recent[-1]
            elif name in ("BINGET", "LONG_BINGET") and isinstance(argument, int):
                recent.append(memo.get(argument))
            elif name == "BINPERSID":
                _note(recent, types)
            del recent[:-16]
    except ValueError:
        pass  # broken: what was learned so far counts
    return types


def _note(recent: list[Any], types: dict[str, str]) -> None:
    texts = [one for one in recent if isinstance(one, str)]
    for place, one in enumerate(texts[:-1]):
        if (found := _STORAGE.fullmatch(one)) and found[1] in _TORCH:
            types[texts[place + 1]] = _TORCH[found[1]]
