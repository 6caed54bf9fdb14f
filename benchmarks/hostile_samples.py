"""Hostile files, inert and built here: bombs, deep nesting, counts that lie, crafted text."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from typing import Final

MB: Final = 1_000_000
DEEP: Final = 10_000


def nested(open_: bytes, close: bytes, middle: bytes = b"") -> bytes:
    return open_ * DEEP + middle + close * DEEP


def fill(unit: str, size: int = MB) -> bytes:
    return (unit * (size // len(unit) + 1)).encode()[:size]


def zip_bomb() -> bytes:
    """10 GB in a zip of 10 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            with archive.open(f"{number}.pkl", "w", force_zip64=True) as member:
                for _ in range(1000):
                    member.write(bytes(MB))
    return out.getvalue()


def zips_in_zips() -> bytes:
    data = b"\x80\x04N."
    for level in range(200):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(f"{level}.zip", data)
            archive.writestr(f"{level}.copy.zip", data[: 1 << 16])
        data = out.getvalue()
    return data


def overlapping_zip() -> bytes:
    """Ten thousand directory entries for the same member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pkl", bytes(10 * MB))
    data = out.getvalue()
    directory = data.index(b"PK\x01\x02")
    entry = data[directory : data.index(b"PK\x05\x06")]
    count = DEEP
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(entry) * count, directory, 0)
    return data[:directory] + entry * count + end


def tar_of_many() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for number in range(50_000):
            archive.addfile(tarfile.TarInfo(f"{number}"))
    return out.getvalue()


def zstd_bomb() -> bytes:
    import zstandard

    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=3).stream_writer(out, closefd=False) as writer:
        for _ in range(10_000):
            writer.write(bytes(MB))
    return out.getvalue()


def stream_bomb(compressor: Callable[[bytes], bytes], copies: int) -> bytes:
    return compressor(bytes(100 * MB)) * copies


def gguf(entries: int, declared: int) -> bytes:
    one = struct.pack("<Q", 3) + b"a.b" + struct.pack("<IQ", 8, 1) + b"x"
    return b"GGUF" + struct.pack("<IQQ", 3, 2**40, declared) + one * entries


def messagepack() -> bytes:
    return b"\x81\xa1a" * DEEP + b"\xc0"


def protobuf() -> bytes:
    """A graph in a graph in a graph, as ONNX nests them."""
    data = b"\x0a\x01x"
    for _ in range(2_000):
        for tag in (0x32, 0x2A, 0x0A, 0x3A):
            data = bytes([tag]) + varint(len(data)) + data
    return b"\x08\x08" + data


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def yaml_laughs() -> bytes:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    return "\n".join(["apiVersion: v1", "kind: Pod", *lines]).encode()


def xml_laughs() -> bytes:
    entities = "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' if i else '<!ENTITY a0 "ha">' for i in range(12)
    )
    return f"<?xml version='1.0'?><!DOCTYPE net [{entities}]><PMML>&a11;</PMML>".encode()


def inner_pickles(levels: int) -> bytes:
    data = b"\x80\x04N."
    for _ in range(levels):
        data = b"\x80\x04B" + struct.pack("<I", len(data)) + data + b"."
    return data


def tensors(count: int) -> bytes:
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    return with_length(json.dumps({f"t{i}": one for i in range(count)}).encode()) + bytes(4)


def with_length(header: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header


CASES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "zip bomb, 10 GB": ("bomb.zip", zip_bomb),
    "zips in zips": ("nested.zip", zips_in_zips),
    "overlapping zip": ("overlap.zip", overlapping_zip),
    "tar of 50,000": ("many.tar.gz", tar_of_many),
    "gzip bomb, 10 GB": ("bomb.pkl.gz", lambda: stream_bomb(gzip.compress, 100)),
    "bzip2 bomb, 100 GB": ("bomb.bz2", lambda: stream_bomb(bz2.compress, 1_000)),
    "xz bomb, 10 GB": (
        "bomb.xz",
        lambda: stream_bomb(lambda data: lzma.compress(data, preset=0), 100),
    ),
    "zstd bomb, 10 GB": ("bomb.zst", zstd_bomb),
    "pickle: nested lists": (
        "deep.pkl",
        lambda: b"\x80\x04" + b"](" * 500_000 + b"e" * 500_000 + b".",
    ),
    "pickle: nested tuples": ("tuples.pkl", lambda: b"\x80\x04)" + b"\x85" * MB + b"."),
    "pickle: copies": ("dup.pkl", lambda: b"\x80\x04(]" + b"2" * MB + b"t."),
    "pickle: memo": (
        "memo.pkl",
        lambda: (
            b"\x80\x04"
            + b"".join(b"Nr%b0" % struct.pack("<I", i * 7) for i in range(150_000))
            + b"."
        ),
    ),
    "pickle: imports": (
        "imports.pkl",
        lambda: b"\x80\x02" + b"".join(b"cmodule%d\nname\n0" % i for i in range(50_000)) + b"N.",
    ),
    "pickle: numbers": ("long.pkl", lambda: b"I" + b"9" * MB + b"\n."),
    "pickles in pickles": ("inner.pkl", lambda: inner_pickles(3_000)),
    "pickles in a row": ("row.pkl", lambda: b"\x80\x04N." * 250_000),
    "NumPy header": ("h.npy", lambda: b"\x93NUMPY\x02\0" + struct.pack("<I", MB) + fill("(")),
    "safetensors: header": ("h.safetensors", lambda: tensors(100_000)),
    "safetensors: nesting": ("n.safetensors", lambda: with_length(nested(b'{"a":', b"}", b"1"))),
    "GGUF: counts": ("c.gguf", lambda: gguf(40_000, 2**40)),
    "GGUF: nested arrays": (
        "n.gguf",
        lambda: (
            b"GGUF"
            + struct.pack("<IQQ", 3, 0, 1)
            + struct.pack("<Q", 1)
            + b"a"
            + struct.pack("<I", 9)
            + struct.pack("<IQ", 9, 1) * DEEP
        ),
    ),
    "HDF5: links": (
        "l.h5",
        lambda: b"\x89HDF\r\n\x1a\n" + b"\x01\x08\x40\0\1\0\0\0ab\0cd\0" * 60_000,
    ),
    "MessagePack: nesting": ("d.msgpack", messagepack),
    "ONNX: graphs in graphs": ("d.onnx", protobuf),
    "protobuf: tiny fields": ("t.pb", lambda: b"\x0a\x00" * (MB // 2)),
    "Keras: layers": (
        "k.json",
        lambda: json.dumps(
            {
                "class_name": "Sequential",
                "config": {"layers": [{"class_name": "Dense", "config": {}}] * 20_000},
            }
        ).encode(),
    ),
    "XML: entities": ("e.pmml", xml_laughs),
    "XML: nesting": ("n.xml", lambda: b"<net>" + nested(b"<a>", b"</a>")),
    "XML: attributes": (
        "a.pmml",
        lambda: b"<PMML " + b"".join(b'a%d="x" ' % i for i in range(80_000)) + b"/>",
    ),
    "JSON: nesting": ("config.json", lambda: b'{"auto_map":' + nested(b"[", b"]") + b"}"),
    "JSON: numbers": ("n.json", lambda: b'{"auto_map":' + b"9" * MB + b"}"),
    "JSON: strings": ("s.json", lambda: b'{"auto_map":"' + b"\\" * (MB // 2 * 2) + b'"}'),
    "YAML: aliases": ("pod.yaml", yaml_laughs),
    "YAML: nesting": ("n.yaml", lambda: b"kind: Pod\napiVersion: v1\nspec: " + nested(b"[", b"]")),
    "YAML: dashes": ("compose.yaml", lambda: b"services: \n " + fill("- ")),
    "YAML: questions": (".github/workflows/q.yml", lambda: b"on: push\njobs:\n " + fill("? ")),
    "Jinja": ("chat_template.jinja", lambda: fill("{{ x") + b"}}"),
    "Jinja: filters": ("chat_template.jinja", lambda: b"{{ x" + fill("|a") + b"}}"),
    "Python: brackets": ("b.py", lambda: b"x = " + nested(b"(", b")", b"1")),
    "Python: signs": ("s.py", lambda: b"x = " + b"-" * MB + b"1\n"),
    "Python: sum": ("sum.py", lambda: b"x = 1" + b"+1" * (MB // 2) + b"\n"),
    "Python: attributes": ("attributes.py", lambda: b"x = a" + b".b" * (MB // 2) + b"\n"),
    "Python: calls": ("calls.py", lambda: b"import os\nx = a" + b".b()" * (MB // 4) + b"\n"),
    "Python: assignments": (
        "assign.py",
        lambda: (
            b"import sys\nv0 = sys.argv\n"
            + b"".join(b"v%d = v%d\n" % (i + 1, i) for i in range(60_000))
            + b"eval(v60000)\n"
        ),
    ),
    "Python: functions": (
        "functions.py",
        lambda: b"".join(b"def f%d(x):\n    return f%d(x)\n" % (i, i + 1) for i in range(30_000)),
    ),
    "Python: one function": (
        "flows.py",
        lambda: b"def f(a):\n" + b"".join(b"    if a: a = g(a, a)\n" for _ in range(40_000)),
    ),
    "Python: f-strings": ("f.py", lambda: b"".join(b"x = f'{y}{z}' % w\n" for _ in range(50_000))),
    "notebook: cells": (
        "n.ipynb",
        lambda: json.dumps(
            {
                "nbformat": 4,
                "metadata": {},
                "cells": [{"cell_type": "code", "source": "x"}] * 20_000,
            }
        ).encode(),
    ),
    "notebook: nesting": (
        "d.ipynb",
        lambda: b'{"nbformat": 4, "cells": ' + nested(b"[", b"]") + b"}",
    ),
    "secrets: one line": ("one.txt", lambda: fill("a")),
    "secrets: keys": ("keys.txt", lambda: fill("AKIAABCDEFGHIJKLMNOP ")),
    "secrets: assignments": ("assign.env", lambda: fill("password=\"x\" token='y' ")),
    "secrets: private keys": ("pem.txt", lambda: fill("-----BEGIN PRIVATE KEY-----\n")),
    "secrets: URLs": ("urls.txt", lambda: fill("https://a:b@c/ ")),
    "requirements": (
        "requirements.txt",
        lambda: b"".join(b"package%d==1.%d\n" % (i, i) for i in range(40_000)),
    ),
    "requirements: operators": ("requirements.txt", lambda: b"a" + fill(">=1,")),
    "requirements: markers": ("requirements.txt", lambda: b"a; " + fill("(") + b"\n"),
    "TOML: nesting": (
        "pyproject.toml",
        lambda: b"[project]\nname = 'x'\ndependencies = " + nested(b"[", b"]") + b"\n",
    ),
    "TOML: tables": (
        "poetry.lock",
        lambda: b"".join(b'[[package]]\nname = "a%d"\nversion = "1"\n' % i for i in range(20_000)),
    ),
    "TOML: dots": ("uv.lock", lambda: b"a" + b".a" * (MB // 2) + b" = 1\n"),
    "package-lock": (
        "package-lock.json",
        lambda: (
            b'{"lockfileVersion": 2, "packages": {}, "dependencies": '
            + nested(b'{"a":{"version":"1","dependencies":', b"}}", b"{}")
            + b"}"
        ),
    ),
    "Dockerfile": ("Dockerfile", lambda: b"FROM a\nRUN " + fill("x \\\n")),
    "Dockerfile: quotes": ("Dockerfile", lambda: b"FROM a\nRUN " + fill("'\"$(")),
    "MCP servers": (
        "mcp.json",
        lambda: json.dumps(
            {
                "mcpServers": {
                    f"s{i}": {"command": "npx", "args": ["-y", f"p{i}"]} for i in range(8_000)
                }
            }
        ).encode(),
    ),
    "skill: invisible": ("SKILL.md", lambda: "\u200b\u200c".join("x" * 150_000).encode()[:MB]),
    "skill: comments": ("AGENTS.md", lambda: fill("<!-- ")),
    "ignore file": (".env", lambda: fill("A=\n")),
}
