"""A hint may be wrong in one direction only: it must never rule out what a format takes."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.recognise import FORMATS, _format, candidates
from buttress.probes.artifacts.sniffers import HEAD
from tests.probes.artifacts.assemble import EVIL, zipped
from tests.probes.artifacts.test_archives import torch_zip
from tests.probes.artifacts.test_graph_files import GOOD_ONNX
from tests.probes.artifacts.test_keras import DENSE, HDF5, model
from tests.probes.artifacts.test_more_archives import seven
from tests.probes.artifacts.test_tensor_files import GOOD, TENSORS, gguf, safetensors
from tests.probes.artifacts.wire import packed
from tests.probes.client.build import asar, wxapkg


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"), io.BytesIO())
    return buffer.getvalue()


SAMPLES = [
    EVIL, torch_zip(EVIL), b"#!" + zipped({"a": b"b"}), safetensors(GOOD),
    gguf([], TENSORS), _tar(), b"\x93NUMPY\x01\0v\0{'descr': '<f8'}\n", HDF5 + bytes(600),
    bytes(512) + HDF5 + bytes(9),
    model(DENSE), seven({"a": b"b"}), b"\x1f\x8b\x08" + bytes(20), b"x\x9c" + bytes(20),
    b'\xef\xbb\xbf {"auto_map": {"a": "b.c"}}', b"_target_: a.b\n", b"<PMML version='4'></PMML>",
    b"\xff\xfe" + "<PMML/>".encode("utf-16-le"), b"\x1c\0\0\0TFL3" + bytes(40), GOOD_ONNX,
    packed({"a": b"x", "b": 1}), b"{% for m in messages %}{{ bos_token }}{% endfor %}", b"(lp0\n.",
    b'node { name: "x" op: "Placeholder" }', b'{"base_code": {"magic": "pir"}}',
    bytes(16) + b"\4\0\0\0\x08\x05\x10\1" + bytes(4), b"\x18\0\0\0ORTM" + bytes(20),
    b"\1\0\0\0\2\0\0\0" + bytes(56) + b"\xef\xbe\xad\xde" + bytes(60),
    asar({"a.js": b"1"}), wxapkg({"a.js": b"1"}),
]  # fmt: skip


def _check(data: bytes) -> list[str]:
    taken = []
    source, head = BytesSource(data), data[:HEAD]
    for name, possible in FORMATS:
        if _format(name).matches(source, head):
            taken.append(name)
            assert possible(source, head), name
        if possible(source, head):
            assert (name, possible) in candidates(head[0]), name
    return taken


def test_every_format_has_a_sample() -> None:
    taken = {name for data in SAMPLES for name in _check(data)}
    assert taken == {name for name, _ in FORMATS}


@pytest.mark.parametrize("mark", [b"0o17777 ", b"+1_7_7\0 ", b"\x80\0\0\0\0\0\x10\0", b"  12345\0"])
def test_odd_checksums_of_tar(mark: bytes) -> None:
    _check(_tar()[:148] + mark + _tar()[156:])


@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255))))
def test_changed_samples(data: bytes, changes: list[tuple[int, int]]) -> None:
    out = bytearray(data)
    for at, value in changes:
        out[at % len(out)] = value
    _check(bytes(out))


@given(st.binary(min_size=1, max_size=600))
def test_any_bytes(data: bytes) -> None:
    _check(data)


@pytest.mark.parametrize("first", range(256))
def test_first_bytes_that_rule_a_format_out(first: int) -> None:
    for data in SAMPLES:
        _check(bytes([first]) + data)
        _check(bytes([first]) + data[1:])
