"""Code and references in places that loaders do not show: spelled pickles, metadata, HDF5 links."""

from __future__ import annotations

import base64
import json
import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.formats.hdf5.links import references
from tests.probes.artifacts.assemble import (
    EVIL,
    constant,
    proto,
    rules,
    scan,
    scan_bytes,
    text,
    wide_text,
)
from tests.probes.artifacts.test_keras import HDF5
from tests.probes.artifacts.test_tensor_files import GOOD, safetensors

B64 = base64.b64encode(EVIL)
URL = base64.urlsafe_b64encode(EVIL).rstrip(b"=")


@pytest.mark.parametrize(
    "spelled",
    [
        text(B64.decode()), wide_text(B64.decode()), text(URL.decode()), text(EVIL.hex()),
        text(EVIL.hex().upper()), constant(B64), constant(EVIL.hex().encode()),
        b"V" + B64 + b"\n", b"V" + EVIL.hex().encode() + b"\n", text(B64.decode() + "  trailing"),
        b"C" + bytes([len(B64)]) + B64,
    ],
)  # fmt: skip
def test_pickles_spelled_as_text(tmp_path: Path, spelled: bytes) -> None:
    found = scan_bytes(tmp_path, proto(4) + spelled + b".")
    assert rules(found) == {"pickle-dangerous-import"}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("inner", [b"cos\nsystem\n(tR.", b"(cos\nsystem\no."])
def test_short_pickles_in_a_constant(tmp_path: Path, inner: bytes, protocol: int) -> None:
    found = scan_bytes(tmp_path, pickle.dumps({"a": inner}, protocol))
    assert rules(found) == {"pickle-dangerous-import"}


@pytest.mark.parametrize(
    "word", ["gAZAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "gated", "8004", "800 metres"]
)
def test_words_that_begin_so(tmp_path: Path, word: str) -> None:
    assert scan_bytes(tmp_path, proto(4) + text(word) + b".") == []


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("import os; os.system('id')", {"metadata-code"}),
        ("__import__('subprocess')", {"metadata-code"}),
        ("eval (x)", {"metadata-code"}),
        ("<script>", {"metadata-code"}),
        ("important operating system notes; evaluation (5 shots)", set()),
        ("bitsandbytes.optim.adamw.AdamW8bit", set()),
    ],
)
def test_code_in_metadata(tmp_path: Path, note: str, expected: set[str]) -> None:
    header = {"__metadata__": {"format": "pt", "note": note}, **GOOD}
    assert rules(scan_bytes(tmp_path, safetensors(header))) == expected


def _link(name: bytes) -> bytes:
    value = b"\0" + name + b"\0/data\0"
    return b"\x01\x08\x40\x01x" + struct.pack("<H", len(value)) + value


def _storage(name: bytes) -> bytes:
    """Behind the signature and 8 bytes: the message, then the heap with its data."""
    heap = len(HDF5) + 8 + 8 + 8 + 24
    message = b"\x01\0\0\0" + struct.pack("<HHQ", 1, 1, heap) + struct.pack("<QQQ", 8, 0, 10)
    return (
        bytes(8)
        + message
        + b"HEAP\0\0\0\0"
        + struct.pack("<QQQ", 40, 1, heap + 32)
        + bytes(8)
        + (name + b"\0")
    )


def _virtual(*names: bytes) -> bytes:
    block = b"\0" + struct.pack("<Q", len(names))
    block += b"".join(name + b"\0d\0" + b"\3\0\0\0" for name in names)
    body = struct.pack("<HHIQ", 1, 0, 0, len(block)) + block + bytes(-len(block) % 8) + bytes(16)
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", 16 + len(body)) + body


@pytest.mark.parametrize("make", [_link, _storage, _virtual])
@pytest.mark.parametrize(("name", "severity"), [(b"/etc/passwd", "high"), (b"part2.h5", "medium")])
def test_hdf5_that_reads_other_files(tmp_path: Path, make, name: bytes, severity: str) -> None:
    (found,) = scan_bytes(tmp_path, HDF5 + make(name) + bytes(64))
    assert (found.rule, found.severity) == ("hdf5-external", severity)
    assert name.decode() in found.message


def test_virtual_datasets_of_the_file_itself(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, HDF5 + _virtual(b".", b".")) == []
    decoy = scan_bytes(tmp_path, HDF5 + _virtual(b".", b"/etc/passwd"))
    assert rules(decoy) == {"hdf5-external"}


def test_more_that_looks_like_references_than_is_looked_at(tmp_path: Path) -> None:
    alike = b"\1\0\0\0\1\1\1\1" + b"\xff" * 16
    (tmp_path / "few.h5").write_bytes(HDF5 + alike * 3_900)
    assert scan(tmp_path / "few.h5")[1].skipped == ()
    (tmp_path / "many.h5").write_bytes(HDF5 + alike * 4_100)
    assert "looks like a reference to a file" in scan(tmp_path / "many.h5")[1].skipped[0]


@given(
    st.sampled_from([_link, _storage, _virtual]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=20),
    st.integers(0, 200),
)
def test_damaged_references(make, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(HDF5 + make(b"/etc/passwd"))
    for at, value in changes:
        data[at % len(data)] = value
    piece = bytes(data[: len(data) - cut % len(data)])
    for offset, _, name in references(piece, BytesSource(piece), lambda: None):
        assert 0 <= offset < len(piece)
        assert name.isprintable()


def _sequential(*names: object) -> bytes:
    layers = [{"class_name": name, "config": {"name": "x"}} for name in names]
    return json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()


def test_classes_that_keras_does_not_have(tmp_path: Path) -> None:
    known = _sequential(
        "InputLayer", "Dense", "keras.layers.LSTM", "tensorflow.keras.layers.Conv2D"
    )
    assert scan_bytes(tmp_path, known) == []
    for name in ("MaliciousLayer", "mine>Dense", "evil.keras.layers.Dense"):
        (found,) = scan_bytes(tmp_path, _sequential("Dense", name))
        assert (found.rule, found.severity) == ("keras-foreign-module", "medium")
        assert name in found.message
    trained = {"loss": "mse", "metrics": [{"class_name": "Mine", "config": {}}]}
    data = HDF5 + json.dumps(trained | {"optimizer_config": {}}).encode() + bytes(8)
    assert rules(scan_bytes(tmp_path, data)) == {"keras-foreign-module"}
    assert scan_bytes(tmp_path, json.dumps({"class_name": {"a": 1}, "config": []}).encode()) == []


def test_a_download_by_get_file(tmp_path: Path) -> None:
    config = {"fn": "get_file", "url": "https://models.example/x.tar.gz", "extract": True}
    data = json.dumps({"class_name": "Dense", "config": config}).encode()
    assert {(one.rule, one.severity) for one in scan_bytes(tmp_path, data)} == {
        ("keras-foreign-module", "high")
    }


@pytest.mark.parametrize(
    "template",
    ["{{ __builtins__['eval']('1') }}", "{{ getattr('', 'x') }}", "{{ open('/etc/passwd') }}"],
)
def test_templates_that_call_python(tmp_path: Path, template: str) -> None:
    config = {"tokenizer_class": "X", "chat_template": template}
    assert rules(scan_bytes(tmp_path, json.dumps(config).encode())) == {"template-code"}
