"""Writes protocol buffers, MessagePack and flatbuffers, as much as inert samples need."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, payload: bytes | str) -> bytes:
    raw = payload.encode() if isinstance(payload, str) else payload
    return varint(field << 3 | 2) + varint(len(raw)) + raw


# ONNX


def onnx_node(kind: str, domain: str = "", attributes: bytes = b"") -> bytes:
    return part(1, "x") + part(2, "y") + part(4, kind) + part(7, domain) + attributes


def onnx_tensor(
    name: str, dims: list[int], raw: bytes | None = None, external: dict[str, str] | None = None
) -> bytes:
    body = b"".join(number(1, one) for one in dims) + number(2, 1) + part(8, name)
    if raw is not None:
        body += part(9, raw)
    for key, value in (external or {}).items():
        body += part(13, part(1, key) + part(2, value))
    return body + (number(14, 1) if external else b"")


def onnx(*nodes: bytes, tensors: tuple[bytes, ...] = (), extra: bytes = b"") -> bytes:
    graph = b"".join(part(1, one) for one in nodes) + part(2, "g")
    graph += b"".join(part(5, one) for one in tensors)
    return number(1, 8) + part(2, "tests") + part(7, graph) + part(8, number(2, 17)) + extra


# TensorFlow


def tf_node(name: str, operator: str, *inputs: str, text: str | None = None) -> bytes:
    body = part(1, name) + part(2, operator) + b"".join(part(3, one) for one in inputs)
    if text is not None:
        tensor = number(1, 7) + part(2, b"") + part(8, text)
        body += part(5, part(1, "dtype") + part(2, number(6, 7)))
        body += part(5, part(1, "value") + part(2, part(8, tensor)))
    return body


def graph_def(*nodes: bytes, functions: tuple[tuple[bytes, ...], ...] = ()) -> bytes:
    body = b"".join(part(1, one) for one in nodes)
    library = b"".join(
        part(1, part(1, part(1, "f")) + b"".join(part(3, one) for one in function))
        for function in functions
    )
    return body + (part(2, library) if functions else b"") + part(4, number(1, 1087))


def saved_model(graph: bytes) -> bytes:
    meta = part(1, part(4, "serve") + part(5, "2.15")) + part(2, graph)
    return number(1, 1) + part(2, meta)


# Core ML and PaddlePaddle


def core_ml(kind: int, body: bytes) -> bytes:
    return number(1, 4) + part(2, part(1, part(1, "x"))) + part(kind, body)


def paddle(*operators: str) -> bytes:
    block = number(1, 0) + number(2, (1 << 64) - 1) + part(3, part(1, "x"))
    block += b"".join(part(4, part(1, part(1, "X")) + part(3, one)) for one in operators)
    return part(1, block) + part(4, number(1, 0))


# MessagePack


def packed(value: object) -> bytes:
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"\xda" + struct.pack(">H", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, Extension):
        return b"\xc9" + struct.pack(">Ib", len(value.data), value.kind) + value.data
    if isinstance(value, list | tuple):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(packed, value))
    assert isinstance(value, dict)
    head = (
        bytes([0x80 | len(value)]) if len(value) < 16 else b"\xde" + struct.pack(">H", len(value))
    )
    return head + b"".join(packed(k) + packed(v) for k, v in value.items())


class Extension:
    def __init__(self, kind: int, data: bytes) -> None:
        self.kind, self.data = kind, data


def array(shape: list[int], dtype: str, data: bytes) -> Extension:
    """As flax.serialization writes an array."""
    return Extension(1, packed([shape, dtype, data]))


# FlatBuffers: a part is written before what it points to, as offsets go forward.


class Table:
    """Fields: place -> a number with its ``struct`` form, or another part."""

    def __init__(self, **fields: object) -> None:
        self.fields = {int(name.removeprefix("f")): value for name, value in fields.items()}


def flatbuffer(root: Table) -> bytes:
    data = bytearray(b"\0\0\0\0TFL3")
    struct.pack_into("<I", data, 0, _write(data, root))
    return bytes(data)


def _write(data: bytearray, one: object) -> int:
    data += bytes(-len(data) % 8)
    if isinstance(one, Table):
        return _write_table(data, one)
    at = len(data)
    if isinstance(one, str):
        data += struct.pack("<I", len(one)) + one.encode() + b"\0"
    elif isinstance(one, bytes):
        data += struct.pack("<I", len(one)) + one
    else:
        assert isinstance(one, list)
        data += struct.pack("<I", len(one))
        if one and isinstance(one[0], int):
            data += struct.pack(f"<{len(one)}i", *one)
            return at
        places = len(data)
        data += bytes(4 * len(one))
        for i, inner in enumerate(one):
            where = places + 4 * i
            struct.pack_into("<I", data, where, _write(data, inner) - where)
    return at


def _write_table(data: bytearray, one: Table) -> int:
    count = max(one.fields, default=-1) + 1
    body, offsets = b"", [0] * count
    for place, value in sorted(one.fields.items()):
        width = struct.calcsize("<" + value[0]) if isinstance(value, tuple) else 4
        body += bytes(-(4 + len(body)) % width)
        offsets[place] = 4 + len(body)
        body += bytes(width)
    layout = len(data)
    data += struct.pack(f"<HH{count}H", 4 + 2 * count, 4 + len(body), *offsets)
    data += bytes(-len(data) % 8)
    at = len(data)
    data += struct.pack("<i", at - layout) + body
    for place, value in one.fields.items():
        where = at + offsets[place]
        if isinstance(value, tuple):
            struct.pack_into("<" + value[0], data, where, value[1])
        else:
            struct.pack_into("<I", data, where, _write(data, value) - where)
    return at


def tflite(codes: list[Table], operators: list[Table]) -> bytes:
    tensors = [Table(f0=[1, 2], f1=("b", 0), f2=("I", 1), f3="t")]
    graph = Table(f0=tensors, f1=[0], f2=[0], f3=operators, f4="main")
    buffers = [Table(), Table(f0=bytes(8))]
    return flatbuffer(Table(f0=("I", 3), f1=codes, f2=[graph], f3="made by a test", f4=buffers))
