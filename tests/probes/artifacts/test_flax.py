"""Flax checkpoints in MessagePack."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.probes.artifacts.assemble import EVIL, rules, scan, scan_bytes
from tests.probes.artifacts.wire import Extension, array, packed

WEIGHTS = np.arange(6, dtype=np.float32)
CHECKPOINT: dict[str, Any] = {
    "params": {"Dense_0": {"kernel": array([2, 3], "float32", WEIGHTS.tobytes())}},
    "step": 3,
    "rate": 0.1,
    "note": None,
    "blocks": [1, "two"],
}


def with_value(**more: object) -> bytes:
    return packed(CHECKPOINT | more)


def test_a_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "flax_model.msgpack"
    wide = {f"layer_{i}": array([4], "bfloat16", bytes(8)) for i in range(100)}
    for value in (CHECKPOINT, wide, {"params": {}, "ints": [1, 2]}):
        path.write_bytes(packed(value))
        findings, seen = scan(path)
        assert (findings, seen.skipped) == ([], ())


def test_only_the_structure_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.msgpack"
    path.write_bytes(packed({"w": array([20_000_000], "uint8", bytes(20_000_000))}))
    findings, seen = scan(path)
    assert findings == []
    assert seen.bytes < 500_000


@pytest.mark.parametrize(
    "data",
    [
        with_value(w=array([2, 3], "float32", bytes(20))),
        with_value(w=array([1 << 40, 1 << 40], "float32", b"")),
        with_value(w=array([-1, 3], "float32", bytes(12))),
        with_value(w=array([2], "object", EVIL)),
        with_value(w=array([2], "V8", bytes(16))),
        with_value(w=Extension(42, b"xx")),
        packed(CHECKPOINT)[:-3],
        packed(CHECKPOINT) + b"hidden",
        packed({"w": array([1], "int8", b"1")})[:-1] + b"\xc1" + b"\xdf\xff\xff\xff\xff",
    ],
)
def test_checkpoints_that_lie(tmp_path: Path, data: bytes) -> None:
    assert rules(scan_bytes(tmp_path, data)) == {"msgpack-malformed"}


def test_lengths_beyond_the_end(tmp_path: Path) -> None:
    good = packed({"w": array([1], "int8", b"1")})
    for tail in (
        b"\xc6" + struct.pack(">I", 1 << 31), b"\xdd" + struct.pack(">I", 1 << 31),
        b"\xdf\xff\xff\xff\xff", b"\x91" * 5_000, b"\xc1",
    ):  # fmt: skip
        data = b"\x82" + good[1:] + packed("k") + tail
        assert rules(scan_bytes(tmp_path, data)) == {"msgpack-malformed"}, tail[:6]


def test_what_is_hidden_in_it(tmp_path: Path) -> None:
    assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, with_value(extra=EVIL)))
    appended = scan_bytes(tmp_path, packed(CHECKPOINT) + EVIL)
    assert rules(appended) == {"msgpack-malformed", "pickle-dangerous-import"}
    for value in ({"__reduce__": 1}, {"run": "import os; os.system('id')"}, {"a": "../../etc/x"}):
        assert rules(scan_bytes(tmp_path, with_value(x=value))) == {"msgpack-code"}
