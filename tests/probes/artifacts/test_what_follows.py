"""Bytes behind the end of a format: programs are told, padding is not."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.formats.hdf5.superblock import end_of_file
from tests.probes.artifacts.assemble import EVIL, rules, scan_bytes, zipped
from tests.probes.artifacts.test_configurations import PMML
from tests.probes.artifacts.test_more_archives import seven
from tests.probes.artifacts.test_tensor_files import TENSORS, gguf
from tests.probes.artifacts.wire import onnx, onnx_node, part

ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(40)
PROGRAMS = {
    "elf": ELF, "pe": PE, "mach-o": b"\xcf\xfa\xed\xfe" + bytes(60),
    "fat": b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(60), "dex": b"dex\n035\0" + bytes(60),
    "wasm": b"\0asm\1\0\0\0" + bytes(60), "script": b"#!/bin/sh\nid\n",
}  # fmt: skip


def superblock(version: int, end: int) -> bytes:
    """The beginning of an HDF5 file of ``end`` bytes, as h5py writes it."""
    if version >= 2:
        head = b"\x89HDF\r\n\x1a\n" + bytes([version, 8, 8, 0])
        block = head + struct.pack("<QqQQ", 0, -1, end, 48)
    else:
        head = b"\x89HDF\r\n\x1a\n" + bytes([version, 0, 0, 0, 0, 8, 8, 0])
        more = struct.pack("<HHI", 4, 16, 0) + (bytes(4) if version else b"")
        block = head + more + struct.pack("<QqQq", 0, -1, end, -1)
    return block + bytes(max(end - len(block), 0))


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    return buffer.getvalue()


TEXT = b"a plain text, " * 20
FILES = {
    "zip": zipped({"a.txt": TEXT}), "empty zip": zipped({}), "npy": _npy(), "npz": _npz(),
    "gzip": gzip.compress(TEXT), "bz2": bz2.compress(TEXT), "xz": lzma.compress(TEXT),
    "pmml": PMML.replace("MORE", "").encode(), "pickle": pickle.dumps({"w": 1}),
    "tar": _tar(), "7z": seven({"a": TEXT}), "gguf": gguf([], TENSORS),
    **{f"hdf5 {one}": superblock(one, 400) for one in range(4)},
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_programs_behind(tmp_path: Path, kind: str) -> None:
    clean = FILES[kind]
    alone = rules(scan_bytes(tmp_path, clean))
    assert not alone & {"appended-data", "pickle-trailing-data"}
    for padding in (b"", bytes(700)):
        assert rules(scan_bytes(tmp_path, clean + padding)) == alone, padding
        for name, program in PROGRAMS.items():
            found = scan_bytes(tmp_path, clean + padding + program)
            grave = [one for one in found if one.rule in ("appended-data", "pickle-trailing-data")]
            assert [one.severity for one in grave] == ["high"], (name, padding)


@pytest.mark.parametrize("kind", FILES)
def test_other_bytes_and_files_behind(tmp_path: Path, kind: str) -> None:
    clean = FILES[kind]
    for tail, least in ((b"\xfe\xfdhidden" * 9, "low"), (gzip.compress(EVIL), "medium")):
        found = scan_bytes(tmp_path, clean + tail)
        told = [one for one in found if one.rule in ("appended-data", "pickle-trailing-data")]
        if kind == "gzip" and least == "medium":  # such streams may follow each other
            assert told == []
            continue
        assert [one.severity for one in told] in ([least], ["medium"]), tail
        assert ("pickle-dangerous-import" in rules(found)) == (least == "medium")


def test_what_others_write_behind_is_nothing(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, _npy() * 3) == []  # numpy.save, called again
    assert scan_bytes(tmp_path, zipped({"a": b"b"}) + b"\r\n") == []
    assert scan_bytes(tmp_path, gzip.compress(TEXT) * 2) == []
    assert scan_bytes(tmp_path, FILES["pmml"] + b"\n<!-- made by hand -->\n") == []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"b")
        archive.comment = b"made by hand"
    assert scan_bytes(tmp_path, buffer.getvalue()) == []


def test_a_comment_that_is_a_program(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"b")
        archive.comment = ELF
    (found,) = scan_bytes(tmp_path, buffer.getvalue())
    assert (found.rule, found.severity) == ("appended-data", "high")


def test_a_java_class_is_no_program_of_macos(tmp_path: Path) -> None:
    java = b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(60)
    (found,) = scan_bytes(tmp_path, _npy() + java)
    assert found.severity == "low"


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(list(FILES)), st.binary(max_size=200))
def test_any_bytes_behind(tmp_path: Path, kind: str, tail: bytes) -> None:
    assert "inspector-failed" not in rules(scan_bytes(tmp_path, FILES[kind] + tail))


@given(st.binary(max_size=200))
def test_any_superblock(data: bytes) -> None:
    end = end_of_file(BytesSource(b"\x89HDF\r\n\x1a\n" + data))
    assert end is None or end >= 0


@pytest.mark.parametrize("version", range(4))
def test_the_end_by_the_superblock(version: int) -> None:
    assert end_of_file(BytesSource(superblock(version, 400))) == 400
    assert end_of_file(BytesSource(bytes(512) + superblock(version, 912))) == 912
    assert end_of_file(BytesSource(superblock(version, 400)[:30])) is None


@pytest.mark.parametrize("number", [30, 900, 5000])
def test_a_field_of_another_format_is_a_stray(tmp_path: Path, number: int) -> None:
    """900 is a field of Core ML: an ONNX file that has it is still none of Core ML."""
    model = onnx(onnx_node("Add"), extra=part(number, ELF * 40))
    assert rules(scan_bytes(tmp_path, model)) == {"appended-data"}
    assert scan_bytes(tmp_path, onnx(onnx_node("Add"), extra=part(6, "a note"))) == []
