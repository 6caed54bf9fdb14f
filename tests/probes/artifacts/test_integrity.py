"""Weights that were tampered with, in every format whose tensors are read."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.probes.artifacts.integrity.probe import WeightIntegrity
from buttress.probes.artifacts.integrity.tensors import tensors
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from tests.probes.artifacts.assemble import EVIL, rules, zipped
from tests.probes.artifacts.test_tensor_files import gguf, tensor

RANDOM = np.random.default_rng(7)


def weights(*shape: int) -> np.ndarray:
    """As training leaves them: small numbers around zero."""
    return RANDOM.normal(0, 0.02, shape).astype(np.float32)


def safetensors(values: dict[str, np.ndarray]) -> bytes:
    header, data = {}, b""
    for name, value in values.items():
        kind = {"f4": "F32", "f2": "F16", "u2": "BF16", "i8": "I64", "u1": "U8"}[
            value.dtype.str[1:]
        ]
        raw = value.tobytes()
        header[name] = {
            "dtype": kind, "shape": list(value.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }  # fmt: skip
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def in_gguf(values: dict[str, np.ndarray]) -> bytes:
    described, data = [], b""
    for name, value in values.items():
        kind = {"f4": 0, "f2": 1, "u2": 30, "i8": 27, "u1": 24}[value.dtype.str[1:]]
        described.append(tensor(name, value.shape, kind, len(data)))
        data += value.tobytes() + bytes(-value.nbytes % 32)
    return gguf([], described, 0) + data


def in_torch(values: dict[str, np.ndarray]) -> bytes:
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    plain = {
        name: torch.from_numpy(value.copy())
        if value.dtype != np.uint16
        else torch.from_numpy(value.view(np.int16).copy()).view(torch.bfloat16)
        for name, value in values.items()
    }
    torch.save(plain, buffer)
    return buffer.getvalue()


WRITERS = {"safetensors": safetensors, "gguf": in_gguf, "torch": in_torch}


def look(path: Path, reference: Path | None = None) -> list[Finding]:
    *findings, _ = WeightIntegrity(reference).inspect(InspectionContext.at("weights", path))
    return findings  # type: ignore[return-value]


def of(folder: Path, data: bytes) -> list[Finding]:
    path = folder / "model.bin"
    path.write_bytes(data)
    return look(path)


def with_part(values: np.ndarray, part: bytes, offset: int) -> np.ndarray:
    raw = bytearray(values.tobytes())
    raw[offset : offset + len(part)] = part
    return np.frombuffer(bytes(raw), values.dtype).reshape(values.shape)


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(40)
PE = b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0"
MACH = b"\xcf\xfa\xed\xfe" + struct.pack("<IIII", 0x01000007, 3, 2, 16) + bytes(20)
SCRIPT = b"#!/bin/sh\nid\n"


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_good_weights(tmp_path: Path, kind: str) -> None:
    half = weights(300, 40).astype(np.float16)
    brain = (weights(300, 50).view(np.uint32) >> 16).astype(np.uint16)
    good = {
        "a.weight": weights(200, 300), "a.bias": np.zeros(300, np.float32), "half": half,
        "brain": brain, "norm": np.ones(512, np.float32) if kind != "torch" else weights(512),
        "ids": np.arange(600).reshape(2, 300), "lora_B": np.zeros((40, 40), np.float32),
    }  # fmt: skip
    if kind == "torch":  # a storage has no name, so that what is constant is told
        good = {name: good[name] for name in ("a.weight", "half", "brain", "ids")}
    assert of(tmp_path, WRITERS[kind](good)) == []


@pytest.mark.parametrize("kind", sorted(WRITERS))
@pytest.mark.parametrize("payload", [ELF, PE, MACH, SCRIPT, EVIL, zipped({"a.py": b"import os"})])
@pytest.mark.parametrize("offset", [0, 777, (4 << 20) - 20, (8 << 20) + 5])
def test_programs_in_tensors(tmp_path: Path, kind: str, payload: bytes, offset: int) -> None:
    changed = with_part(weights(1500, 1500), payload, offset)
    found = of(tmp_path, WRITERS[kind]({"w": changed}))
    hidden = [one for one in found if one.rule == "weights-payload"]
    assert hidden
    assert hidden[0].severity == "high"
    data = (tmp_path / "model.bin").read_bytes()
    assert hidden[0].location == f"model.bin@{data.index(payload)}"


def test_random_numbers_hold_no_programs(tmp_path: Path) -> None:
    noise = np.frombuffer(RANDOM.bytes(30_000_000), np.uint8)
    assert of(tmp_path, safetensors({"q": noise})) == []


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_values(tmp_path: Path, kind: str) -> None:
    base = weights(400, 400)
    broken = base.copy()
    broken[3, 5], broken[9] = np.inf, np.nan
    packed = np.frombuffer(RANDOM.bytes(base.nbytes), np.float32).reshape(base.shape)
    whole = np.arange(80_000).view(np.float32).reshape(400, 400)
    cases: dict[str, tuple[dict[str, np.ndarray], set[str]]] = {
        "finite": ({"w": broken}, {"weights-not-finite"}),
        "packed": ({"w": packed}, {"weights-random", "weights-not-finite"}),
        "dead": ({"w": np.full((40, 40), 0.5, np.float32), "v": base}, {"weights-dead"}),
        "zero": ({"w": np.zeros((40, 40), np.float32), "v": base}, {"weights-dead"}),
        "doubled": ({"layers.1": base, "layers.2": base.copy()}, {"weights-doubled"}),
        "other type": ({"w": whole}, {"weights-implausible"}),
    }
    for name, (values, expected) in cases.items():
        found = rules(of(tmp_path, WRITERS[kind](values)))
        assert found == expected, name
    if kind != "torch":
        tied = {"lm_head.weight": base, "model.embed_tokens.weight": base}
        assert of(tmp_path, WRITERS[kind](tied)) == []


def test_packed_data_in_a_part_of_a_tensor(tmp_path: Path) -> None:
    for value in (weights(2000, 1000), weights(2000, 1000).astype(np.float16)):
        secret = zlib.compress(RANDOM.bytes(600_000))
        changed = with_part(value, secret, 1_000_000)
        with np.errstate(all="ignore"):
            found = of(tmp_path, safetensors({"w": changed}))
        assert "weights-random" in rules(found)
        place = next(one for one in found if one.rule == "weights-random").location
        at = int(place.partition("@")[2])
        assert 500_000 < at < 1_700_000


def test_numpy_files(tmp_path: Path) -> None:
    path = tmp_path / "w.npy"
    np.save(path, weights(50, 50))
    assert look(path) == []
    np.save(path, with_part(weights(50, 50), ELF, 96))
    assert rules(look(path)) == {"weights-payload"}
    np.save(path, weights(50, 50).astype(">f4"))
    assert look(path) == []


def test_against_a_reference(tmp_path: Path) -> None:
    good, other = tmp_path / "good", tmp_path / "other"
    good.mkdir()
    other.mkdir()
    base = {"a": weights(30, 30), "b": weights(30, 30), "c": weights(30, 30)}
    (good / "m.safetensors").write_bytes(safetensors(base))
    (other / "n.safetensors").write_bytes(safetensors(base))
    assert look(other, good) == []
    changed = base["a"].copy()
    changed[3, 3] += 1e-4
    new = {"a": changed, "b": base["b"].reshape(60, 15), "d": weights(30, 30)}
    (other / "n.safetensors").write_bytes(safetensors(new))
    found = look(other, good)
    assert rules(found) == {"weights-differ"}
    told = " ".join(one.message for one in found)
    for part in ("'a' has other values", "'b' has F32 [60, 15]", "'d' is not in", "missing: c"):
        assert part in told, part
    with pytest.raises(InputError, match="no tensors"):
        look(other, tmp_path / "good/nothing")


def test_it_is_an_inspection_probe_and_says_what_it_read(tmp_path: Path) -> None:
    assert isinstance(WeightIntegrity(), InspectionProbe)
    (tmp_path / "a.safetensors").write_bytes(safetensors({"w": weights(30, 30)}))
    (tmp_path / "README.md").write_text("hello")
    *_, seen = WeightIntegrity().inspect(InspectionContext.at("weights", tmp_path))
    assert (seen.files, seen.bytes) == (1, 3600)  # type: ignore[union-attr]
    assert any("1 files without tensors" in one for one in seen.skipped)


def test_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.safetensors"
    size = 400_000_000
    text = json.dumps(
        {"w": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}
    ).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(file.tell() + size)
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from buttress.probes.artifacts.integrity.probe import WeightIntegrity\n"
        "from buttress.protocols.inspection import InspectionContext\n"
        "list(WeightIntegrity().inspect(InspectionContext.at('a', Path(sys.argv[1]))))\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 200, done.stdout


SMALL: dict[str, Any] = {"a": np.ones((4, 4), np.float32), "b": np.zeros(9, np.float16)}
SAMPLES = [safetensors(SMALL), in_gguf(SMALL), zipped({"a/data.pkl": EVIL, "a/data/0": bytes(64)})]


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    cut=st.floats(0.05, 1),
)
def test_damaged_files(
    tmp_path: Path, data: bytes, changes: list[tuple[float, int]], cut: float
) -> None:
    changed = bytearray(data)
    for place, value in changes:
        changed[int(place * (len(data) - 1))] = value
    path = tmp_path / "x"
    path.write_bytes(changed[: int(cut * len(data))])
    for one in tensors(path) or []:
        assert one.offset + one.length <= path.stat().st_size
    with np.errstate(all="ignore"):
        look(path)
