"""What the pickle machine recognises as a whole must mean what its opcodes mean one by one."""

from __future__ import annotations

import io
import pickle
import re
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.files.byte_source import BytesSource
from buttress.probes.artifacts.pickles import calls, machine
from buttress.probes.artifacts.pickles.state import MachineState, Notes

EVIL = b"cposix\nsystem\n(S'id'\ntR0"  # inert: never unpickled


def outcome(data: bytes) -> tuple[Any, ...]:
    notes = Notes()
    went = machine.follow(BytesSource(data), 0, notes)
    imports = {
        name: (one.judgement.kind, one.pushes, one.harmless) for name, one in notes.imports.items()
    }
    return went.end, imports, notes.remarks, notes.blobs


def one_by_one(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Without the shortcuts for arrays and for runs of BINGETs, and in small pieces."""
    with monkeypatch.context() as patch:
        for name in ("numpy_array", "joblib_array"):
            patch.setattr(calls, name, None)
        patch.setattr(MachineState, "run_of_gets", lambda _state: re.compile(b"").match)
        patch.setattr(machine, "CHUNK", 300)  # more than the longest text that the loop handles
        return outcome(data)


def tree(i: int, numbers: np.random.Generator) -> dict[str, Any]:
    """As a decision tree is pickled: parameters, then arrays of several types and shapes."""
    return {
        "criterion": "gini", "max_depth": None, "splitter": "best", "seed": 1_000_000 + i,
        "leaf": 0.0, "classes": np.array([0, 1]), "counts": np.array([2], dtype=np.int64),
        "nodes": numbers.random(3 + i % 40), "values": numbers.random((1 + i % 5, 1, 2)),
        "left": numbers.integers(0, 9, 400 * (i % 3)).astype("<i4"),
        "big": np.zeros(9_000 * (i % 2)),
    }  # fmt: skip


def model(protocol: int, joblib_format: bool) -> bytes:
    numbers = np.random.default_rng(0)
    made = {f"name {i}": f"text {i}" for i in range(150)}, [tree(i, numbers) for i in range(40)]
    if joblib_format:
        import joblib

        out = io.BytesIO()
        joblib.dump(made, out, protocol=protocol)
        return out.getvalue()
    return pickle.dumps(made, protocol)


@pytest.mark.parametrize("joblib_format", [False, True])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_size_of_pieces_changes_nothing(
    protocol: int, joblib_format: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = model(protocol, joblib_format)
    assert outcome(data)[0] == len(data)
    assert outcome(data) == one_by_one(data, monkeypatch)


@pytest.mark.parametrize("joblib_format", [False, True])
@given(where=st.floats(0, 1), what=st.sampled_from([EVIL, b"0", b"h\x05", b"N", b"(", b"\x94"]))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_put_in_anywhere_is_seen_all_the_same(
    joblib_format: bool, where: float, what: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = model(4, joblib_format)
    at = int(where * len(data))
    changed = data[:at] + what + data[at:]
    assert outcome(changed)[1].keys() == one_by_one(changed, monkeypatch)[1].keys()


@given(draw=st.data())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_byte_hides_nothing(draw: st.DataObject, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(model(4, draw.draw(st.booleans())) + EVIL + b".")
    for at in draw.draw(st.lists(st.integers(0, len(data) - 1), max_size=6)):
        data[at] = draw.draw(st.integers(0, 255))
    changed = bytes(data)
    assert outcome(changed)[1].keys() == one_by_one(changed, monkeypatch)[1].keys()


def memoised(*texts: str) -> bytes:
    return b"".join(b"\x8c" + bytes([len(text)]) + text.encode() + b"\x940" for text in texts)


def test_names_fetched_in_a_run_are_resolved() -> None:
    """A run of BINGETs is kept unread; an import that takes names from its end must see them."""
    texts = ["posix", "system", *(f"text {i}" for i in range(270))]
    fill = b"h\x05" * 20
    data = b"\x80\x04" + memoised(*texts) + b"(" + fill + b"h\x00h\x01\x93" + b"t."
    assert ("posix", "system") in outcome(data)[1]


def test_a_memo_full_of_imports_has_no_run() -> None:
    imports = b"".join(b"cnumpy\nndarray\n\x940" for _ in range(300))
    data = b"\x80\x04" + imports + b"(" + b"h\x00" * 30 + b"tcposix\nsystem\n."
    assert ("posix", "system") in outcome(data)[1]


def test_a_memo_that_changes_later_does_not_change_what_was_fetched() -> None:
    texts = ["posix", "system", *(f"text {i}" for i in range(270))]
    overwritten = b"\x8c\x05posixq\x000\x8c\x04bathq\x010"
    run = b"(" + b"h\x05" * 20 + b"h\x00h\x01"
    data = b"\x80\x04" + memoised(*texts) + run + b"N0" + overwritten + b"\x93t."
    assert ("posix", "system") in outcome(data)[1]


def test_a_negative_size_of_an_array_ends_the_stream_or_moves_on() -> None:
    """joblib's shape is a constant of the file: one below zero must not lead back for ever."""
    wrapper = (
        b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x05shapeJ"
        + struct.pack("<i", -3)
        + b"\x85\x8c\x05dtypecnumpy\ndtype\n\x8c\x02f8\x89\x88\x87R(K\x03\x8c\x01<NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbub"
    )
    _, imports, remarks, _ = outcome(wrapper + EVIL + b".")
    assert ("posix", "system") in imports
    assert any("not constants" in sentence for _, _, sentence in remarks)
