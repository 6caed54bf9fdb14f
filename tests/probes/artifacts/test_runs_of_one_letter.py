"""Text that is all alike passes for messages or pickles for long. Work is counted, not timed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.files.protobuf_wire import Wire
from buttress.probes.artifacts.formats.protobuf_model import Shape
from buttress.probes.artifacts.one_file import examine_file
from buttress.probes.artifacts.pickles.values import ValueSequence
from tests.probes.artifacts.assemble import rules, scan, scan_bytes
from tests.probes.artifacts.wire import number, onnx, onnx_node, part

SIZE = 4 << 20
SHELL = onnx(onnx_node("PyOp", "com.microsoft"))


def steps(path: Path) -> int:
    """How many functions are called, in Python and in C, while the file is examined."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        examine_file(path)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("letter", list(b"x\n{()N"))
def test_runs_of_one_letter_cost_no_step_a_letter(tmp_path: Path, letter: int) -> None:
    (tmp_path / "x.json").write_bytes(bytes([letter]) * SIZE)
    assert steps(tmp_path / "x.json") < SIZE / 4


def test_numbers_of_fields_are_kept_up_to_some_thousand() -> None:
    data = b"".join(number(one * 77_777, 1) for one in range(1, 6_000))
    assert len(Shape(Wire(BytesSource(data)), len(data)).fields) == 4096


def test_a_model_behind_fields_that_no_format_has(tmp_path: Path) -> None:
    assert "onnx-python-operator" in rules(scan_bytes(tmp_path, SHELL, "plain.onnx"))
    few = number(99, 1) * 12_000 + part(98, b"\xff" * 9) * 8_000
    assert "onnx-python-operator" in rules(scan_bytes(tmp_path, few + SHELL, "few.onnx"))
    many = number(99, 1) * 20_002
    assert rules(scan_bytes(tmp_path, many + SHELL, "many.onnx")) == {"content-not-searched"}
    # What could be text is no finding, and yet it is told that nobody here knows it.
    letters = b"xx" * 20_002
    (tmp_path / "text.onnx").write_bytes(letters + SHELL)
    findings, inspection = scan(tmp_path / "text.onnx")
    assert findings == []
    assert any("of no format that is known" in one for one in inspection.skipped)


OPCODES = st.one_of(
    st.sampled_from([b"N", b"\x88", b"\x89", b")", b"]", b"}", b"\x8f"]),
    st.binary(min_size=1, max_size=1).map(b"K".__add__),
    st.binary(min_size=1, max_size=1).map(b"h".__add__),
    st.binary(min_size=2, max_size=2).map(b"M".__add__),
    st.binary(min_size=4, max_size=4).map(b"J".__add__),
    st.binary(min_size=8, max_size=8).map(b"G".__add__),
)


@given(st.lists(OPCODES, max_size=40))
def test_values_are_counted_as_they_are_read(opcodes: list[bytes]) -> None:
    raw = b"".join(opcodes)
    assert len(ValueSequence(raw, memo={}).values()) == len(opcodes)
    assert ValueSequence(raw, memo={}).count == len(opcodes)
