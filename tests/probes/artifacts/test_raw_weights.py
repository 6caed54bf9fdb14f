"""Containers of raw weights: PaddlePaddle, Core ML, ONNX Runtime, TensorFlow's variables."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.evidence.findings import Finding
from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.formats import core_ml_weights, paddle_params
from buttress.probes.artifacts.integrity.probe import PROBE as INTEGRITY
from buttress.probes.artifacts.integrity.tensors import tensors
from buttress.protocols.inspection import InspectionContext
from tests.probes.artifacts.assemble import scan, scan_bytes
from tests.probes.artifacts.test_what_follows import ELF

ONES = np.ones((3, 5), "<f4")
RAMP = np.arange(200, dtype="<f4").reshape(8, 25)


def params(*arrays: np.ndarray, levels: tuple[int, ...] = ()) -> bytes:
    out = b""
    for one in arrays:
        description = b"\x08\x05" + b"".join(b"\x10" + _varint(size) for size in one.shape)
        detail = b"".join(struct.pack("<Q", size) + bytes(size) for size in levels)
        out += struct.pack("<IQ", 0, len(levels)) + detail + struct.pack("<II", 0, len(description))
        out += description + one.tobytes()
    return out


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def blobs(*arrays: np.ndarray) -> bytes:
    out = struct.pack("<II", len(arrays), 2) + bytes(56)
    for one in arrays:
        out += bytes(-len(out) % 64)
        head = struct.pack("<IIQQ", 0xDEADBEEF, 2, one.nbytes, len(out) + 64)
        out += head + bytes(64 - len(head)) + one.tobytes()
    return out


ORT = b"\x18\0\0\0ORTM" + bytes(100)
INDEX = bytes(60) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("w.pdiparams", params(ONES, RAMP)), ("w.pdiparams", params(ONES, levels=(16,))),
        ("weight.bin", blobs(ONES, RAMP)), ("m.ort", ORT), ("variables.index", INDEX),
        ("variables.data-00000-of-00001", RAMP.tobytes()),
    ],
)  # fmt: skip
def test_they_are_recognised(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    findings, inspection = scan(tmp_path / name)
    assert findings == []
    assert not any("no format" in one for one in inspection.skipped)


def test_where_the_tensors_lie(tmp_path: Path) -> None:
    for name, data in (("p", params(ONES, RAMP)), ("b", blobs(ONES, RAMP))):
        path = tmp_path / name
        path.write_bytes(data)
        found = tensors(path)
        assert found is not None
        read = [np.frombuffer(data, "<f4", one.length // 4, one.offset) for one in found]
        assert [one.dtype for one in found] == ["F32", "F32"]
        assert np.array_equal(read[0], ONES.ravel())
        assert np.array_equal(read[1], RAMP.ravel())


def test_what_lies_behind(tmp_path: Path) -> None:
    for data in (params(ONES, RAMP), blobs(ONES, RAMP)):
        (found,) = scan_bytes(tmp_path, data + ELF)
        assert (found.rule, found.severity) == ("appended-data", "high")
        (found,) = scan_bytes(tmp_path, data + b"hidden, hidden")
        assert (found.rule, found.severity) == ("appended-data", "medium")
        assert scan_bytes(tmp_path, data + bytes(64)) == []


def test_a_program_in_place_of_the_variables(tmp_path: Path) -> None:
    (found,) = scan_bytes(tmp_path, ELF, "variables.data-00000-of-00001")
    assert (found.rule, found.severity) == ("appended-data", "high")


def test_programs_within_by_the_probe_of_weights(tmp_path: Path) -> None:
    real = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(40)
    inside = np.frombuffer(ONES.tobytes() + real + ONES.tobytes(), "<f4")
    samples = {
        "w.pdiparams": params(inside), "weight.bin": blobs(inside), "m.ort": ORT + real,
        "variables.data-00000-of-00001": inside.tobytes(),
    }  # fmt: skip
    for name, data in samples.items():
        path = tmp_path / name
        path.write_bytes(data)
        found = [
            one
            for one in INTEGRITY.inspect(InspectionContext.at("w", path))
            if isinstance(one, Finding)
        ]
        assert "weights-payload" in {one.rule for one in found}, name


@given(st.binary(max_size=300), st.sampled_from([params(ONES)[:24], blobs(ONES)[:88]]))
def test_any_bytes(data: bytes, head: bytes) -> None:
    source = BytesSource(head + data)
    for form in (paddle_params, core_ml_weights):
        form.matches(source, (head + data)[:512])
    assert all(one.offset + one.length <= source.size for one in paddle_params.described(source))
    assert all(one.offset + one.length <= source.size for one in core_ml_weights.described(source))
