"""7z, zstd, lz4, what zip methods hide, and files that are two things at once."""

from __future__ import annotations

import importlib.util
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.probes.artifacts.assemble import EVIL, rules, scan, scan_bytes, zipped
from tests.probes.artifacts.test_archives import CENTRAL, CLEAN, LOCAL, found_evil, patched
from tests.probes.artifacts.test_tensor_files import GOOD, NAME, TENSORS, gguf, safetensors

ELF = b"\x7fELF\x02\x01\x01" + bytes(200)
LZMA2 = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]


def seven(files: dict[str, bytes], *, coder: bytes = b"\x21\x21\x01\x08", pack=None) -> bytes:
    """One folder; ``coder`` as the header spells it, by default LZMA2 with 64 KB."""
    plain = b"".join(files.values())
    packer = pack or (lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=LZMA2))
    packed = packer(plain)
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name in files)
    sizes = list(map(len, files.values()))
    header = b"\x01\x04\x06\x00\x01\x09" + _number(len(packed)) + b"\x00"
    header += b"\x07\x0b\x01\x00\x01" + coder + b"\x0c" + _number(len(plain)) + b"\x00"
    header += b"\x08\x0d" + _number(len(files)) + b"\x09" + b"".join(map(_number, sizes[:-1]))
    header += b"\x00\x00\x05" + _number(len(files)) + b"\x11" + _number(len(names) + 1) + b"\x00"
    header += names + b"\x00\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    fixed = b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start
    return fixed + packed + header


def _number(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    return bytes([0xC0 | value >> 16]) + struct.pack("<H", value & 0xFFFF)


def test_seven_zip(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, seven({"readme": b"hello" * 50, "a/data.pkl": EVIL}), "x.7z")
    assert [one.rule for one in found] == ["pickle-dangerous-import"]
    assert found[0].location.startswith("x.7z!a/data.pkl@")
    stored = seven({"x": EVIL}, coder=b"\x01\x00", pack=lambda data: data)
    assert found_evil(scan_bytes(tmp_path, stored))
    deflated = seven({"x": EVIL}, coder=b"\x03\x04\x01\x08", pack=lambda d: zlib.compress(d)[2:-4])
    assert found_evil(scan_bytes(tmp_path, deflated))
    assert rules(scan_bytes(tmp_path, seven({"../../x": b"hello"}))) == {"archive-path-traversal"}
    assert rules(scan_bytes(tmp_path, seven({"x": ELF}))) == {"archive-native-code"}
    findings, seen = scan(_file(tmp_path, seven({"a": b"plain text"})))
    assert (findings, seen.skipped) == ([], ())
    # AES can't be read, and that is said.
    findings, seen = scan(_file(tmp_path, seven({"x": EVIL}, coder=b"\x04\x06\xf1\x07\x01")))
    assert findings == []
    assert any("encrypted" in one for one in seen.skipped)


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "sample.bin"
    path.write_bytes(data)
    return path


def test_seven_zip_that_lies(tmp_path: Path) -> None:
    good = seven({"a": EVIL})
    for data in (
        good[:20], good[:-9], good[:12] + b"\xff" * 8 + good[20:],
        good[:20] + struct.pack("<Q", 1 << 40) + good[28:], good[:-20] + b"\xff" * 20,
    ):  # fmt: skip
        found = rules(scan_bytes(tmp_path, data))
        assert found & {"archive-inconsistent", "pickle-dangerous-import"}, data[:40]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6))
def test_damaged_seven_zip(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    data = bytearray(seven({"a": EVIL, "b": b"x" * 300}))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    scan_bytes(tmp_path, bytes(data))


def test_zstd(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    pack = zstandard.ZstdCompressor().compress
    assert found_evil(scan_bytes(tmp_path, pack(EVIL)))
    assert found_evil(scan_bytes(tmp_path, pack(CLEAN[:-1]) + pack(b"N0" * 9 + EVIL[2:])))
    assert scan_bytes(tmp_path, pack(CLEAN)) == []
    assert found_evil(scan_bytes(tmp_path, zipped({"a": pack(EVIL)})))
    bomb = pack(CLEAN[:-1] + b"C\x00" + b"B" + struct.pack("<I", 1 << 30) + bytes(1 << 28))
    path = _file(tmp_path, bomb)
    assert path.stat().st_size < 100_000
    assert "archive-bomb" in rules(scan(path)[0])


def test_lz4(tmp_path: Path) -> None:
    frame = pytest.importorskip("lz4.frame")
    assert found_evil(scan_bytes(tmp_path, frame.compress(EVIL)))
    assert scan_bytes(tmp_path, frame.compress(CLEAN)) == []


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstandard"), (b"Rar!\x1a\7\1\0", "rar")],
)
def test_what_is_not_read_is_said(tmp_path: Path, start: bytes, name: str) -> None:
    if importlib.util.find_spec(name):
        pytest.skip(f"{name} is installed")
    findings, seen = scan(_file(tmp_path, start + bytes(50)))
    assert findings == []
    assert any("not read" in one for one in seen.skipped)


def test_zip_methods(tmp_path: Path) -> None:
    assert found_evil(scan_bytes(tmp_path, zipped({"a": EVIL, "b": CLEAN}, zipfile.ZIP_LZMA)))
    assert scan_bytes(tmp_path, zipped({"a": CLEAN}, zipfile.ZIP_LZMA)) == []
    for method in (93, 95, 20):
        body = zipped({"a": b"x" * 40})
        body = patched(patched(body, LOCAL, 8, bytes([method, 0])), CENTRAL, 10, bytes([method, 0]))
        scan_bytes(tmp_path, body)


@pytest.mark.parametrize("flags", [0x1, 0x20, 0x40, 0x41, 0x2000, 0xFFFF])
def test_flags_that_stop_readers(tmp_path: Path, flags: int) -> None:
    evil = zipped({"archive/data.pkl": EVIL}, zipfile.ZIP_DEFLATED)
    value = struct.pack("<H", flags)
    for data in (
        patched(evil, CENTRAL, 8, value),
        patched(patched(evil, CENTRAL, 8, value), LOCAL, 6, value),
    ):
        assert found_evil(scan_bytes(tmp_path, data)), flags


def test_encrypted_members_are_said(tmp_path: Path) -> None:
    data = zipped({"a/data.pkl": bytes(range(7, 200))})
    data = patched(patched(data, CENTRAL, 8, b"\x01\x00"), LOCAL, 6, b"\x01\x00")
    findings, seen = scan(_file(tmp_path, data))
    assert findings == []
    assert any("encrypted" in one for one in seen.skipped)


@pytest.mark.parametrize(
    "prefix", [b"", ELF, b"GIF89a" + bytes(30), b"%PDF-1.7\n", b"#!/bin/sh\nexit\n"]
)
def test_archives_behind_other_files(tmp_path: Path, prefix: bytes) -> None:
    found = scan_bytes(tmp_path, prefix + zipped({"a/data.pkl": EVIL}))
    assert found_evil(found)
    assert ("archive-native-code" in rules(found)) == (prefix == ELF)


@pytest.mark.parametrize("whole", [safetensors(GOOD), gguf([NAME], TENSORS, 208)])
def test_what_follows_the_tensors(tmp_path: Path, whole: bytes) -> None:
    assert scan_bytes(tmp_path, whole) == []
    for gap in (0, 7, 3_000_000):
        direct = scan_bytes(tmp_path, whole + bytes(gap) + ELF)
        assert ("appended-data", "high") in {(one.rule, one.severity) for one in direct}, gap
    assert found_evil(scan_bytes(tmp_path, whole + bytes(-len(whole) % 32) + EVIL * 3))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", EVIL)
    assert found_evil(scan_bytes(tmp_path, whole + archive.getvalue()))
