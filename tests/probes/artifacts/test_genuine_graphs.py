"""What genuine graph files taught: structures as frameworks write them, then attacks on these."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import EVIL, rules, scan, scan_bytes, zipped
from tests.probes.artifacts.test_graph_files import BUILTIN, GOOD_ONNX, USE
from tests.probes.artifacts.test_integrity import ELF, MACH, PE
from tests.probes.artifacts.wire import (
    Table,
    core_ml,
    flatbuffer,
    graph_def,
    number,
    onnx,
    onnx_node,
    onnx_tensor,
    paddle,
    part,
    saved_model,
    tf_node,
    tflite,
)

MATMUL = tf_node("a", "MatMul", "x", "y")
LAYER = part(1, part(1, "dense") + part(2, "x") + part(3, "y") + part(140, number(1, 4)))
PIPELINE = core_ml(202, part(1, core_ml(500, LAYER)))
GOOD = {
    "onnx": GOOD_ONNX,
    "saved model": saved_model(graph_def(MATMUL, functions=((MATMUL,), (MATMUL,)))),
    "graph": graph_def(MATMUL, MATMUL),
    "core ml": core_ml(500, LAYER * 3),
    "pipeline": PIPELINE,
    "paddle": paddle("feed", "conv2d", "fetch"),
}
PAYLOADS = {
    "elf": ELF + bytes(64), "pe": PE + bytes(64), "mach-o": MACH + bytes(64),
    "script": b"#!/bin/sh\nid\n", "zip": zipped({"a.py": b"import os"}),
    "pickle": EVIL, "junk": bytes(range(255, 0, -1)) * 12,
}  # fmt: skip


def told(folder: Path, data: bytes) -> bool:
    """Whether somebody who reads findings from medium severity on is told."""
    return any(one.severity in ("medium", "high", "critical") for one in scan_bytes(folder, data))


@pytest.mark.parametrize("name", GOOD)
def test_good_graphs_are_recognised_and_not_accused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(GOOD[name])
    findings, seen = scan(path)
    assert (findings, seen.skipped) == ([], ())


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("name", GOOD)
def test_what_is_appended(tmp_path: Path, name: str, payload: str) -> None:
    """The message then has no end, and a parser that gives up would see nothing at all."""
    found = scan_bytes(tmp_path, GOOD[name] + PAYLOADS[payload])
    assert "appended-data" in rules(found)
    if payload in ("elf", "pe", "mach-o", "script"):
        assert any(one.severity == "high" for one in found)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_fields_that_the_format_does_not_have(tmp_path: Path, payload: str) -> None:
    for data in (
        GOOD_ONNX + part(777, PAYLOADS[payload]),
        part(777, PAYLOADS[payload]) + GOOD_ONNX,
    ):
        assert "appended-data" in rules(scan_bytes(tmp_path, data))
    small = GOOD_ONNX + part(777, "what a later version has")
    assert scan_bytes(tmp_path, small) == []


def test_onnx_without_a_version_is_still_read(tmp_path: Path) -> None:
    tensor = onnx_tensor("w", [2], None, {"location": "../x"})
    graph = part(7, part(1, onnx_node("Add")) + part(2, "g") + part(5, tensor))
    for version in (b"", number(1, 0), number(1, 1 << 40)):
        data = version + graph + part(8, number(2, 17))
        assert rules(scan_bytes(tmp_path, data)) == {"onnx-external-data"}


def test_a_function_defines_no_other_operator_of_its_domain(tmp_path: Path) -> None:
    body = part(25, part(1, "F") + part(10, "own") + part(7, onnx_node("Mul")))
    assert scan_bytes(tmp_path, onnx(onnx_node("F", "own"), extra=body)) == []
    (found,) = scan_bytes(tmp_path, onnx(onnx_node("G", "own"), extra=body))
    assert found.rule == "onnx-custom-operator"


def _external(location: str, **more: str) -> bytes:
    tensor = onnx_tensor("w", [4], None, {"location": location, **more})
    return onnx(onnx_node("Add"), tensors=(tensor,))


def test_onnx_weights_beside_it(tmp_path: Path) -> None:
    model, weights = tmp_path / "model.onnx", tmp_path / "model.onnx_data"
    model.write_bytes(_external(weights.name, offset="16", length="16"))
    weights.write_bytes(bytes(range(1, 33)))
    assert scan(model)[0] == []
    weights.write_bytes(bytes(range(1, 33)) + bytes(4096))  # padding is nothing
    assert scan(model)[0] == []
    weights.write_bytes(bytes(range(1, 33)) + PAYLOADS["junk"])
    assert rules(scan(model)[0]) == {"appended-data"}
    (tmp_path / "other.onnx").write_bytes(_external(weights.name, offset="64"))
    assert scan(model)[0] == []  # it may be the other one's
    weights.write_bytes(bytes(range(1, 33)) + PAYLOADS["elf"])
    (found,) = scan(model)[0]
    assert (found.rule, found.severity) == ("appended-data", "high")


def test_onnx_weights_through_links(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(64))
    folder = tmp_path / "model"
    folder.mkdir()
    model = folder / "model.onnx"
    model.write_bytes(_external("weights"))
    (folder / "weights").symlink_to(tmp_path / "secret")
    assert rules(scan(model)[0]) == {"onnx-external-data"}
    (folder / "weights").unlink()
    (folder / "weights").symlink_to("inside")
    (folder / "inside").write_bytes(bytes(16))
    assert scan(model)[0] == []
    model.write_bytes(_external("sub/secret"))
    (folder / "sub").symlink_to(tmp_path)
    assert rules(scan(model)[0]) == {"onnx-external-data"}


def test_the_cache_of_a_hub_holds_links(tmp_path: Path) -> None:
    """snapshots/REVISION has links into blobs, for weights beside a model too."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123abcd"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    (blobs / "aa").write_bytes(bytes(16))
    (snapshot / "model.onnx").write_bytes(_external("weights"))
    (snapshot / "weights").symlink_to("../../blobs/aa")
    assert scan(snapshot / "model.onnx")[0] == []


def test_a_location_that_is_given_twice(tmp_path: Path) -> None:
    twice = part(13, part(1, "location") + part(2, "../x"))
    tensor = twice + onnx_tensor("w", [2], None, {"location": "weights"})
    data = onnx(onnx_node("Add"), tensors=(tensor,))
    assert rules(scan_bytes(tmp_path, data)) == {"onnx-external-data"}


SECRET = tf_node("c", "Const", text="/home/user/.ssh/authorized_keys")


@pytest.mark.parametrize(
    "nodes",
    [
        (SECRET, tf_node("i", "Identity", "c:output:0"), tf_node("s", "SaveV2", "i")),
        (SECRET, tf_node("j", "StringJoin", "c", "d"), tf_node("s", "SaveV2", "j", "n")),
        (tf_node("t", "InitializeTableFromTextFileV2", "table", "c"), SECRET),
    ],
)
def test_file_names_are_followed(tmp_path: Path, nodes: tuple[bytes, ...]) -> None:
    for graph in (graph_def(*nodes), graph_def(functions=(nodes,))):
        (found,) = scan_bytes(tmp_path, saved_model(graph))
        assert "authorized_keys" in found.message


def test_assets(tmp_path: Path) -> None:
    """The loader replaces the constant of an asset by its place in the folder."""
    nodes = (SECRET, tf_node("t", "InitializeTableFromTextFileV2", "table", "c"))

    def model(filename: str) -> bytes:
        asset = part(6, part(1, part(1, "c:0")) + part(2, filename))
        meta = part(1, part(4, "serve")) + part(2, graph_def(*nodes)) + asset
        return number(1, 1) + part(2, meta)

    assert scan_bytes(tmp_path, model("vocabulary.txt")) == []
    (found,) = scan_bytes(tmp_path, model("../../../etc/passwd"))
    assert (found.rule, found.severity) == ("tensorflow-operator", "high")


def test_operators_of_others(tmp_path: Path) -> None:
    text = tf_node("t", "TFText>WhitespaceTokenizeWithOffsetsV2", "x")
    assert scan_bytes(tmp_path, saved_model(graph_def(MATMUL, text))) == []
    for operator, severity in (("NobodyKnowsThis", "medium"), ("IO>FileRead", "high")):
        data = saved_model(graph_def(functions=((MATMUL, tf_node("n", operator)),)))
        (found,) = scan_bytes(tmp_path, data)
        assert (found.rule, found.severity) == ("tensorflow-operator", severity)


def test_graphs_after_many_others(tmp_path: Path) -> None:
    good = part(2, part(1, part(4, "t")) + part(2, graph_def(MATMUL)))
    bad = part(2, part(2, part(1, part(2, "ReadFile"))))  # the node has not even a name
    for data in (number(1, 1) + good * 80 + bad, number(1, 1) + bad, bad + good):
        assert rules(scan_bytes(tmp_path, data)) == {"tensorflow-operator"}


@pytest.mark.parametrize("payload", sorted(set(PAYLOADS) - {"zip"}))
def test_what_is_appended_to_tflite(tmp_path: Path, payload: str) -> None:
    good = tflite([BUILTIN], [USE])
    assert told(tmp_path, good + PAYLOADS[payload]) or payload == "pickle"
    assert scan_bytes(tmp_path, good + bytes(5000)) == []
    labels = good + zipped({"labels.txt": b"cat\ndog\n"})  # how its metadata come with files
    assert scan_bytes(tmp_path, labels) == []


def _with_options(name: str, options: bytes) -> bytes:
    code = Table(f0=("b", 32), f1=name, f3=("i", 32))
    use = Table(f0=("I", 0), f1=[0, -1], f2=[0], f5=options)
    return tflite([code], [use])


def test_tflite_runs_what_the_options_say(tmp_path: Path) -> None:
    """Options of a TensorFlow operator: its name, then the node, which alone decides."""
    node = tf_node("x", "Erf", "a")
    assert scan_bytes(tmp_path, _with_options("FlexErf", b"Erf\0" + node)) == []
    lying = b"Erf\0" + tf_node("x", "ReadFile", "a")
    (found,) = scan_bytes(tmp_path, _with_options("FlexErf", lying))
    assert (found.rule, found.severity) == ("tensorflow-operator", "high")
    (found,) = scan_bytes(tmp_path, _with_options("FlexNobodyKnows", b""))
    assert found.rule == "tflite-custom-operator"


@pytest.mark.parametrize("payload", sorted(set(PAYLOADS) - {"junk"}))
def test_tflite_buffers_that_no_tensor_uses(tmp_path: Path, payload: str) -> None:
    graph = Table(f0=[Table(f2=("I", 1))], f1=[0], f2=[0], f3=[], f4="main")

    def model(data: bytes) -> bytes:
        buffers = [Table(), Table(f0=bytes(8)), Table(f0=data)]
        return flatbuffer(Table(f0=("I", 3), f1=[BUILTIN], f2=[graph], f3="x", f4=buffers))

    assert scan_bytes(tmp_path, model(b"1.14.0\0\0\0\0\0\0\0\0\0\0")) == []
    assert told(tmp_path, model(PAYLOADS[payload]))


def test_core_ml_networks_within_layers(tmp_path: Path) -> None:
    custom = part(1, part(1, "l") + part(500, part(10, "Evil")))
    for outer in (part(605, part(2, custom)), part(615, part(4, custom))):
        data = core_ml(500, LAYER + part(1, part(1, "flow") + outer))
        assert rules(scan_bytes(tmp_path, data)) == {"core-ml-custom-code"}
    for _ in range(30):
        custom = part(1, part(605, part(1, custom)))
    assert "protobuf-malformed" in rules(scan_bytes(tmp_path, core_ml(500, custom)))


def _program(operation: bytes) -> bytes:
    block = part(1, "CoreML7") + part(2, part(3, operation))
    return core_ml(502, number(1, 1) + part(2, part(1, "main") + part(2, part(3, block))))


def test_core_ml_programs(tmp_path: Path) -> None:
    def constant(place: str) -> bytes:
        value = part(2, b"") + part(5, part(1, place) + number(2, 64))
        return part(1, "const") + part(5, part(1, "val") + part(2, value))

    assert scan_bytes(tmp_path, _program(constant("@model_path/weights/weight.bin"))) == []
    (found,) = scan_bytes(tmp_path, _program(constant("@model_path/../../../etc/passwd")))
    assert (found.rule, found.severity) == ("config-path", "high")
    inner = part(1, "cond") + part(4, part(3, part(1, "custom_layer")))
    assert rules(scan_bytes(tmp_path, _program(inner))) == {"core-ml-custom-code"}


NET = """<?xml version="1.0"?><net name="n" version="11"><layers>
<layer id="0" name="w" type="Const" version="opset1"><data offset="0" size="16"/></layer>
</layers></net>"""


def test_openvino_weights_beside_it(tmp_path: Path) -> None:
    graph, weights = tmp_path / "m.xml", tmp_path / "m.bin"
    graph.write_text(NET)
    weights.write_bytes(bytes(range(16)))
    assert scan(graph)[0] == []
    for payload in PAYLOADS.values():
        weights.write_bytes(bytes(range(16)) + payload)
        assert "appended-data" in rules(scan(graph)[0])


def test_random_tails_cost_little(tmp_path: Path) -> None:
    for size in (1, 20, 5000, 200_000):
        for data in GOOD.values():
            findings, _ = scan(_file(tmp_path, data + os.urandom(size)))
            assert len(findings) < 30


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "sample"
    path.write_bytes(data)
    return path


def test_numbers_after_the_message(tmp_path: Path) -> None:
    """Appended bytes can pass for fields of the message and must not undo its recognition."""
    tail = number(1, 0) + struct.pack("<BI", 63 << 3 & 0x7F | 5, 7) + PAYLOADS["junk"]
    assert "appended-data" in rules(scan_bytes(tmp_path, GOOD_ONNX + tail))
