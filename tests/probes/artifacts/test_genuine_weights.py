"""Weights in files that the frameworks themselves wrote, then tampered with; ONNX by structure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.probes.artifacts.assemble import rules, zipped
from tests.probes.artifacts.test_integrity import ELF, MACH, PE, SCRIPT, look, weights
from tests.probes.artifacts.wire import number, onnx, onnx_node, part


def _tensor(name: str, value: np.ndarray) -> bytes:
    kind = {"f4": 1, "u1": 2, "f2": 10, "f8": 11}[value.dtype.str[1:]]
    dims = b"".join(number(1, one) for one in value.shape)
    return dims + number(2, kind) + part(8, name) + part(9, value.tobytes())


def in_onnx(values: dict[str, np.ndarray]) -> bytes:
    """Half of the tensors as initialisers, half as constants in the graph of an operator."""
    names = sorted(values)
    tensors = tuple(_tensor(name, values[name]) for name in names[::2])
    values_of = (part(5, _tensor(name, values[name])) for name in names[1::2])
    attributes = [part(5, part(1, "value") + one) for one in values_of]
    nodes = [onnx_node("Constant", attributes=one) for one in attributes]
    inner = b"".join(part(1, one) for one in nodes) + part(2, "then")
    flow = onnx_node("If", attributes=part(5, part(1, "then_branch") + part(6, inner)))
    return onnx(flow, tensors=tensors)


def by_torch(values: dict[str, np.ndarray]) -> bytes:
    import io

    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(value.copy()) for name, value in values.items()}, buffer)
    return buffer.getvalue()


def by_safetensors(values: dict[str, np.ndarray]) -> bytes:
    library = pytest.importorskip("safetensors.numpy")
    data: bytes = library.save(values)
    return data


WRITERS: dict[str, Callable[[dict[str, np.ndarray]], bytes]] = {
    "onnx": in_onnx, "torch": by_torch, "safetensors": by_safetensors,
}  # fmt: skip


def of(folder: Path, data: bytes) -> set[str]:
    path = folder / "model"
    path.write_bytes(data)
    return rules(look(path))


@pytest.mark.parametrize("kind", WRITERS)
def test_tampered_values(tmp_path: Path, kind: str) -> None:
    base = {f"layer.{i}.weight": weights(64, 64) for i in range(4)}
    write, name = WRITERS[kind], "layer.1.weight"
    assert of(tmp_path, write(base)) == set()
    broken = base[name].copy()
    broken[0, 0] = np.nan
    for value, rule in (
        (broken, "weights-not-finite"),
        (np.full((64, 64), 0.5, np.float32), "weights-dead"),
        (base["layer.2.weight"].copy(), "weights-doubled"),
    ):
        assert of(tmp_path, write(base | {name: value})) == {rule}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("payload", [ELF, PE, MACH, SCRIPT, zipped({"a.py": b"import os"})])
def test_programs_over_the_bytes_of_a_genuine_file(
    tmp_path: Path, kind: str, payload: bytes
) -> None:
    value = weights(200, 200)
    data = bytearray(WRITERS[kind]({"a": weights(9, 9), "w": value}))
    at = bytes(data).index(value.tobytes()) + 4321
    data[at : at + len(payload)] = payload
    path = tmp_path / "model"
    path.write_bytes(data)
    found = [one for one in look(path) if one.rule == "weights-payload"]
    assert [one.location for one in found] == [f"model@{at}"]


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_an_archive_behind_does_not_hide_the_tensors(tmp_path: Path, kind: str) -> None:
    broken = np.full((40, 40), np.nan, np.float32)
    data = WRITERS[kind]({"w": broken}) + zipped({"labels.txt": b"cat"})
    assert of(tmp_path, data) == {"weights-not-finite"}


def test_damaged_onnx(tmp_path: Path) -> None:
    good = in_onnx({"a": weights(20, 20), "b": weights(20, 20)})
    for cut in range(0, len(good), 37):
        path = tmp_path / "model"
        path.write_bytes(good[:cut])
        look(path)
