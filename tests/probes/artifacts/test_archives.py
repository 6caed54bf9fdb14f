"""Zip, tar and compressed files: evasions, traversal, bombs, nesting, code."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.probes.artifacts.assemble import (
    EVIL,
    by_global,
    call,
    proto,
    rules,
    scan,
    scan_bytes,
    zipped,
)

CLEAN = b"\x80\x04]\x94."


def found_evil(findings: list) -> bool:
    return any(one.rule == "pickle-dangerous-import" for one in findings)


def torch_zip(pickle: bytes) -> bytes:
    return zipped(
        {"archive/data.pkl": pickle, "archive/version": b"3\n", "archive/data/0": bytes(64)}
    )


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Change a field in every header of one kind."""
    out, at = bytearray(data), -1
    while (at := data.find(signature, at + 1)) >= 0:
        out[at + offset : at + offset + len(value)] = value
    return bytes(out)


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_member_is_examined_whatever_its_name(tmp_path: Path, method: int) -> None:
    for name in ("archive/data.pkl", "weights.txt", "x/0", "ü/§"):
        (found,) = scan_bytes(tmp_path, zipped({"a": b"hello", name: EVIL}, method))
        assert found.rule == "pickle-dangerous-import"
        assert found.location.startswith(f"sample.bin!{name}@")


@pytest.mark.parametrize(
    ("signature", "offset", "value"),
    [
        (CENTRAL, 16, b"\xde\xad\xbe\xef"),  # checksum
        (CENTRAL, 8, b"\x01\x00"),  # encrypted
        (LOCAL, 6, b"\x01\x00"),
        (LOCAL, 8, b"\x63\x00"),  # method
        (LOCAL, 30, b"X"),  # name
        (END, 10, b"\x63\x00"),  # number of members
    ],
)
def test_tricks_that_stop_zipfile_do_not_stop_us(
    tmp_path: Path, signature: bytes, offset: int, value: bytes
) -> None:
    findings = scan_bytes(tmp_path, patched(torch_zip(EVIL), signature, offset, value))
    assert found_evil(findings)
    assert "archive-inconsistent" in rules(findings)


def test_missing_directories_prefixes_and_comments(tmp_path: Path) -> None:
    whole = torch_zip(EVIL)
    cut = whole[: whole.index(CENTRAL)]
    assert found_evil(scan_bytes(tmp_path, cut))
    assert found_evil(scan_bytes(tmp_path, b"#!prefix\n" * 50 + whole))
    commented = whole[:-2] + struct.pack("<H", 5000) + bytes(5000)
    assert found_evil(scan_bytes(tmp_path, commented))
    decoy = whole[:-2] + struct.pack("<H", 22) + zipped({})
    assert found_evil(scan_bytes(tmp_path, decoy))
    assert found_evil(scan_bytes(tmp_path, CLEAN + torch_zip(EVIL)))  # a pickle in front
    assert found_evil(scan_bytes(tmp_path, EVIL + torch_zip(CLEAN)))


def test_hidden_and_doubled_members(tmp_path: Path) -> None:
    second = zipped({"hidden.pkl": EVIL})
    body = second[: second.index(CENTRAL)]
    # The hidden member lies between two that the directory lists.
    both = zipped({"a/data.pkl": CLEAN, "z": b"last"})
    split = both.index(LOCAL, 4)
    moved = bytearray(both[:split] + body + both[split:])
    at = moved.index(CENTRAL, moved.index(CENTRAL) + 4)
    moved[at + 42 : at + 46] = struct.pack("<I", split + len(body))
    end = moved.index(END)
    moved[end + 16 : end + 20] = struct.pack("<I", both.index(CENTRAL) + len(body))
    findings = scan_bytes(tmp_path, bytes(moved))
    assert {"archive-hidden-member", "pickle-dangerous-import"} <= rules(findings)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", EVIL)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", CLEAN)
    findings = scan_bytes(tmp_path, buffer.getvalue())
    assert {"archive-duplicate-member", "pickle-dangerous-import"} <= rules(findings)


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "C:\\x", "..\\x", "a/b/../../../x"]
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert rules(scan_bytes(tmp_path, zipped({name: b"x"}))) == {"archive-path-traversal"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert rules(scan_bytes(tmp_path, buffer.getvalue())) == {"archive-path-traversal"}


def test_names_that_stay_inside(tmp_path: Path) -> None:
    names = ["a/b", "a/../b", "a..b/c", "./x", "a/./b", "..."]
    assert scan_bytes(tmp_path, zipped(dict.fromkeys(names, b"x"))) == []


def test_links(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert rules(scan_bytes(tmp_path, buffer.getvalue())) == {"archive-link"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(link)
    assert rules(scan_bytes(tmp_path, buffer.getvalue())) == {"archive-link"}


@pytest.mark.parametrize(
    "pack",
    [zlib.compress, gzip.compress, bz2.compress, lzma.compress,
     lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
     lambda data: b"ZF" + hex(len(data)).ljust(19).encode() + zlib.compress(data)],
)  # fmt: skip
def test_compressed_pickles(tmp_path: Path, pack) -> None:
    assert found_evil(scan_bytes(tmp_path, pack(EVIL)))
    assert scan_bytes(tmp_path, pack(CLEAN)) == []
    # What comes out before the stream breaks would be loaded too.
    long = EVIL[:-1] + b"N0" * 200_000
    if pack is not bz2.compress:  # its blocks come out whole or not at all
        assert found_evil(scan_bytes(tmp_path, pack(long)[:-30]))


def test_nesting(tmp_path: Path) -> None:
    data = EVIL
    for _ in range(4):
        data = gzip.compress(zipped({"inner": data}, zipfile.ZIP_DEFLATED))[:None]
    findings = scan_bytes(tmp_path, data)
    assert rules(findings) <= {"archive-nesting", "pickle-dangerous-import"}
    assert findings
    shallow = zipped({"a": gzip.compress(zipped({"b": EVIL}))})
    assert found_evil(scan_bytes(tmp_path, shallow))
    deep = EVIL
    for _ in range(500):
        deep = zipped({"x": deep})
    assert "archive-nesting" in rules(scan_bytes(tmp_path, deep))


def test_bombs(tmp_path: Path) -> None:
    start = proto(4) + b"\x8e" + (1 << 30).to_bytes(8, "little")
    packer, zeros = zlib.compressobj(1), bytes(1 << 24)
    stream = packer.compress(start) + b"".join(packer.compress(zeros) for _ in range(20))
    stream += packer.flush()
    findings = scan_bytes(tmp_path, stream)
    assert rules(findings) == {"archive-bomb"}
    greedy = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "preset": 0}]
    assert rules(scan_bytes(tmp_path, lzma.compress(EVIL, filters=greedy))) == {"archive-bomb"}
    declared = patched(zipped({"a": bytes(100)}), CENTRAL, 24, struct.pack("<I", 0xFFFF0000))
    assert "archive-bomb" in rules(scan_bytes(tmp_path, declared))


def test_programs_and_torchscript(tmp_path: Path) -> None:
    library = b"\x7fELF\x02\x01\x01" + bytes(100)
    assert rules(scan_bytes(tmp_path, zipped({"m/data.pkl": CLEAN, "m/x": library}))) == {
        "archive-native-code"
    }
    windows = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    assert rules(scan_bytes(tmp_path, zipped({"x": windows}))) == {"archive-native-code"}
    assert scan_bytes(tmp_path, zipped({"x": b"MZ" + bytes(100)})) == []
    torch = pytest.importorskip("torch")
    module = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()))
    module.save(str(tmp_path / "script.pt"))
    findings, _ = scan(tmp_path / "script.pt")
    assert {(one.rule, one.severity) for one in findings} == {("torchscript-code", "low")}
    code = {"m/data.pkl": CLEAN, "m/constants.pkl": CLEAN}
    evil = {"m/code/__torch__.py": b"def forward(self):\n  torch.save(self.x, 'out.bin')\n"}
    assert "torchscript-file-access" in rules(scan_bytes(tmp_path, zipped(code | evil)))


def test_pytorch_tar(tmp_path: Path) -> None:
    """The format before 0.1.10: pickles and raw numbers alternate in two of its members."""

    def storage(kind: str, count: int, width: int) -> bytes:
        pickled = proto(2) + b"X\x01\0\0\0aX\x03\0\0\0cpu" + by_global("torch", kind) + b"\x87."
        return pickled + struct.pack("<q", count) + b"\x80\x02" + bytes(count * width - 2)

    def tar(last: bytes) -> bytes:
        members = {
            "sys_info": CLEAN,
            "pickle": CLEAN,
            "storages": b"\x80\x02K\x02." + storage("FloatStorage", 9, 4)
            + storage("LongStorage", 3, 8) + last,
            "tensors": b"\x80\x02K\x01.\x80\x02N."
            + struct.pack("<ii2q2qq", 2, 0, 3, 3, 3, 1, 0) + last,
        }  # fmt: skip
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return buffer.getvalue()

    assert scan_bytes(tmp_path, tar(b"")) == []
    findings = scan_bytes(tmp_path, tar(proto(2) + call(by_global("os", "system")) + b"."))
    places = {one.location.rpartition("@")[0] for one in findings}
    assert places == {"sample.bin!storages", "sample.bin!tensors"}


@pytest.mark.parametrize("flavour", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_with_long_names(tmp_path: Path, flavour: int) -> None:
    buffer = io.BytesIO()
    name = "/".join(["folder" * 5] * 4) + "/weights"
    with tarfile.open(fileobj=buffer, mode="w", format=flavour) as archive:
        for one in ("a", name):
            info = tarfile.TarInfo(one)
            info.size = len(EVIL)
            archive.addfile(info, io.BytesIO(EVIL))
    findings = scan_bytes(tmp_path, gzip.compress(buffer.getvalue()))
    assert len(findings) == 2
    assert all("!gzip!" in one.location for one in findings)
    assert findings[1].location.rpartition("@")[0].endswith("…") or name in findings[1].location


def test_numpy_objects(tmp_path: Path) -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header = header.ljust(117) + b"\n"
    objects = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + EVIL
    (found,) = scan_bytes(tmp_path, objects)
    assert found.rule == "pickle-dangerous-import"
    assert found.location.startswith("sample.bin!objects@")
    assert found_evil(scan_bytes(tmp_path, zipped({"a.npy": objects}, zipfile.ZIP_DEFLATED)))
    buffer = io.BytesIO()
    np.save(buffer, np.ones(10))
    whole = buffer.getvalue()
    for damaged in (
        whole[:-8],
        whole.replace(b"'<f8'", b"'<q9'"),
        whole.replace(b"(10,)", b"(1e)"),
    ):
        assert rules(scan_bytes(tmp_path, damaged)) == {"numpy-malformed"}
    (found,) = scan_bytes(tmp_path, whole + b"more")
    assert found.severity == "low"


def test_joblib_arrays_are_read_as_joblib_and_as_pickle_would(tmp_path: Path) -> None:
    import joblib

    path = tmp_path / "x.joblib"
    joblib.dump([np.zeros(100), 1], path)
    data = path.read_bytes()
    assert scan(path)[0] == []
    # joblib jumps over the array; pickle.load would run what stands in it.
    at = data.index(bytes(300)) + 8
    evil = call(by_global("os", "system")) + b"."
    start = next(i for i in range(at, at - 40, -1) if data[i - 1 : i] == b"b")
    hidden = data[:start] + b"c" + evil[1:] + data[start + len(evil) :]
    findings = scan_bytes(tmp_path, hidden)
    assert found_evil(findings)
    # And an array of objects holds a pickle of its own.
    joblib.dump([np.array([None], dtype=object), 1], path)
    data = path.read_bytes()
    inner = data.index(b"\x80", data.index(b"allow_mmap"))
    assert found_evil(scan_bytes(tmp_path, data[:inner] + EVIL))
