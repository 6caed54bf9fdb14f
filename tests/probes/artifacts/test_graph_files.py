"""ONNX, TensorFlow, Core ML, PaddlePaddle and TensorFlow Lite: graphs that reach out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import rules, scan, scan_bytes, zipped
from tests.probes.artifacts.test_keras import DENSE, LAMBDA, model
from tests.probes.artifacts.wire import (
    Table,
    core_ml,
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
    varint,
)

GOOD_ONNX = onnx(
    onnx_node("MatMul"), onnx_node("Gelu", "com.microsoft"),
    tensors=(onnx_tensor("w", [2, 3], bytes(24)),),
)  # fmt: skip


def test_good_onnx(tmp_path: Path) -> None:
    findings, seen = scan(_file(tmp_path, GOOD_ONNX))
    assert findings == []
    assert seen.skipped == ()  # it was recognised
    tensor = onnx_tensor("w", [2], None, {"location": "weights.bin", "offset": "0", "length": "8"})
    (tmp_path / "weights.bin").write_bytes(bytes(8))
    assert scan(_file(tmp_path, onnx(onnx_node("Add"), tensors=(tensor,))))[0] == []


def _file(folder: Path, data: bytes, name: str = "model.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../x",
        "C:\\x",
        "file:///etc/passwd",
        "..\\..\\x",
        "",
    ],
)
@pytest.mark.parametrize("where", ["initializer", "attribute", "sparse", "subgraph", "function"])
def test_weights_from_outside(tmp_path: Path, location: str, where: str) -> None:
    tensor = onnx_tensor("w", [2], None, {"offset": "0", "location": location})
    constant = onnx_node("Constant", attributes=part(5, part(1, "value") + part(5, tensor)))
    inner = part(1, constant) + part(2, "then")
    data = {
        "initializer": onnx(onnx_node("Add"), tensors=(tensor,)),
        "attribute": onnx(constant),
        "sparse": onnx(onnx_node("Add"), extra=part(7, part(2, "g") + part(15, part(1, tensor)))),
        "subgraph": onnx(onnx_node("If", attributes=part(5, part(1, "then") + part(6, inner)))),
        "function": onnx(
            onnx_node("F", "own"),
            extra=part(25, part(1, "F") + part(10, "own") + part(7, constant)),
        ),
    }[where]
    found = scan_bytes(tmp_path, data)
    assert rules(found) == {"onnx-external-data"}
    assert found[0].severity == "high"


def test_onnx_tensors_that_lie(tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(bytes(4))
    for tensor in (
        onnx_tensor("w", [2, 3], bytes(20)),
        onnx_tensor("w", [-1, 3], b""),
        onnx_tensor("w", [1 << 40, 1 << 40], b""),
        onnx_tensor("w", [1], None, {"location": "short.bin", "offset": "-8"}),
        onnx_tensor("w", [1], None, {"location": "short.bin", "offset": "1e3"}),
        onnx_tensor("w", [1], None, {"location": "short.bin", "offset": "0", "length": "400"}),
    ):
        found = scan_bytes(tmp_path, onnx(onnx_node("Add"), tensors=(tensor,)))
        assert rules(found) == {"protobuf-malformed"}, tensor


def test_onnx_operators(tmp_path: Path) -> None:
    assert rules(scan_bytes(tmp_path, onnx(onnx_node("Run", "evil.ops")))) == {
        "onnx-custom-operator"
    }
    assert rules(scan_bytes(tmp_path, onnx(onnx_node("PyOp", "pyopmulti")))) == {
        "onnx-python-operator"
    }
    deep = part(1, onnx_node("Run", "evil.ops")) + part(2, "g")
    for _ in range(10):
        inner = part(5, part(1, "body") + part(6, deep))
        deep = part(1, onnx_node("Loop", attributes=inner)) + part(2, "g")
    assert "onnx-custom-operator" in rules(scan_bytes(tmp_path, onnx(extra=part(7, deep))))
    for _ in range(60):
        inner = part(5, part(1, "body") + part(6, deep))
        deep = part(1, onnx_node("Loop", attributes=inner)) + part(2, "g")
    assert "protobuf-malformed" in rules(scan_bytes(tmp_path, onnx(extra=part(7, deep))))
    library = part(14, part(1, "custom_ops") + part(2, "libevil.so"))
    assert rules(scan_bytes(tmp_path, GOOD_ONNX + library)) == {"onnx-custom-operator"}


def test_onnx_behind_unknown_fields_and_in_archives(tmp_path: Path) -> None:
    evil = onnx(onnx_node("Run", "evil.ops"))
    padded = part(999, bytes(3000)) + evil + part(12345, b"x" * 700)
    assert rules(scan_bytes(tmp_path, padded)) == {"onnx-custom-operator"}
    assert rules(scan_bytes(tmp_path, zipped({"m/model.onnx": evil}))) == {"onnx-custom-operator"}


READ = tf_node("r", "ReadFile", "name")


@pytest.mark.parametrize(
    ("operator", "severity"),
    [("ReadFile", "high"), ("WriteFile", "high"), ("MatchingFiles", "high"), ("PyFunc", "high"),
     ("EagerPyFunc", "high"), ("PrintV2", "high"), ("TFRecordDataset", "medium"),
     ("RpcCall", "high"), ("XlaCustomCallV2", "high")],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["saved_model", "graph_def", "function", "meta_graph"])
def test_tensorflow_operators(tmp_path: Path, operator: str, severity: str, shape: str) -> None:
    node = tf_node("n", operator)
    good = tf_node("a", "MatMul", "x", "y")
    graph = graph_def(good, node)
    data = {
        "saved_model": saved_model(graph),
        "graph_def": graph,
        "function": saved_model(graph_def(good, functions=((good,), (good, node)))),
        "meta_graph": part(1, part(4, "serve")) + part(2, graph),
    }[shape]
    (found,) = scan_bytes(tmp_path, data)
    assert (found.rule, found.severity) == ("tensorflow-operator", severity)
    assert operator in found.message


def test_a_good_saved_model(tmp_path: Path) -> None:
    """Every SavedModel saves and restores: what counts is where to."""
    saver = (
        tf_node("prefix", "Placeholder"),
        tf_node("name", "Const", text="part-0"),
        tf_node("save", "SaveV2", "prefix", "name"),
        tf_node("load", "RestoreV2", "prefix", "name"),
    )
    data = saved_model(graph_def(tf_node("a", "MatMul"), functions=(saver,)))
    findings, seen = scan(_file(tmp_path, data, "saved_model.pb"))
    assert (findings, seen.skipped) == ([], ())


@pytest.mark.parametrize("operator", ["SaveV2", "RestoreV2", "MergeV2Checkpoints"])
def test_file_names_that_are_built_in(tmp_path: Path, operator: str) -> None:
    constant = tf_node("where", "Const", text="/home/user/.ssh/authorized_keys")
    for nodes in (
        (constant, tf_node("s", operator, "where")),
        (tf_node("s", operator, "where:0"), constant),
    ):
        for graph in (graph_def(*nodes), graph_def(functions=(nodes,))):
            (found,) = scan_bytes(tmp_path, saved_model(graph))
            assert "authorized_keys" in found.message


def test_keras_metadata(tmp_path: Path) -> None:
    def metadata(config: bytes) -> bytes:
        root = number(2, 0) + part(3, "root") + part(4, "_tf_keras_network") + part(5, config)
        return part(1, root) + part(1, root)

    assert rules(scan_bytes(tmp_path, metadata(model(LAMBDA)))) == {"keras-lambda"}
    findings, seen = scan(_file(tmp_path, metadata(model(DENSE))))
    assert (findings, seen.skipped) == ([], ())


def test_core_ml(tmp_path: Path) -> None:
    layer = part(1, part(1, "l") + part(500, part(10, "EvilLayer")))
    for kind in (500, 403, 303):
        assert rules(scan_bytes(tmp_path, core_ml(kind, layer))) == {"core-ml-custom-code"}
    inner = part(1, core_ml(500, layer))
    assert rules(scan_bytes(tmp_path, core_ml(202, inner))) == {"core-ml-custom-code"}
    assert rules(scan_bytes(tmp_path, core_ml(200, part(1, inner)))) == {"core-ml-custom-code"}
    custom = scan_bytes(tmp_path, core_ml(555, part(10, "EvilModel")))
    assert rules(custom) == {"core-ml-custom-code"}
    linked = part(1, part(1, part(1, "../../x.mlmodelc")) + part(2, part(1, "$BUNDLE")))
    (found,) = scan_bytes(tmp_path, core_ml(556, linked))
    assert (found.rule, found.severity) == ("config-path", "high")
    plain = part(1, part(1, "l") + part(140, number(1, 4)))
    findings, seen = scan(_file(tmp_path, core_ml(500, plain)))
    assert (findings, seen.skipped) == ([], ())


def test_core_ml_packages(tmp_path: Path) -> None:
    for path, expected in (("com.apple/model.mlmodel", set()), ("../../x", {"config-path"})):
        entries = {"A": {"path": path, "name": "model", "author": "x"}}
        manifest = {"fileFormatVersion": "1.0.0", "itemInfoEntries": entries}
        assert rules(scan_bytes(tmp_path, json.dumps(manifest).encode())) == expected


def test_paddle(tmp_path: Path) -> None:
    findings, seen = scan(_file(tmp_path, paddle("feed", "matmul_v2", "fetch")))
    assert (findings, seen.skipped) == ([], ())
    for operator in ("py_func", "load", "save_combine"):
        (found,) = scan_bytes(tmp_path, paddle("feed", operator))
        assert (found.rule, found.severity) == ("paddle-operator", "high")


BUILTIN = Table(f0=("b", 9), f3=("i", 9))


def _custom(name: str) -> Table:
    return Table(f0=("b", 32), f1=name, f3=("i", 32))


USE = Table(f0=("I", 0), f1=[0, -1], f2=[0])


@pytest.mark.parametrize(
    ("codes", "operators", "expected"),
    [
        ([BUILTIN], [USE], set()),
        ([_custom("TFLite_Detection_PostProcess")], [USE], set()),
        ([_custom("Evil")], [USE], {"tflite-custom-operator"}),
        ([_custom("FlexReadFile")], [USE], {"tensorflow-operator"}),
        ([_custom("FlexErf")], [USE], set()),
        ([BUILTIN], [Table(f0=("I", 7), f1=[0], f2=[0])], {"tflite-malformed"}),
        ([BUILTIN], [Table(f0=("I", 0), f1=[99], f2=[0])], {"tflite-malformed"}),
    ],
)
def test_tflite(tmp_path: Path, codes: list, operators: list, expected: set) -> None:
    findings, seen = scan(_file(tmp_path, tflite(codes, operators)))
    assert rules(findings) == expected
    assert seen.skipped == ()


def test_tflite_offsets(tmp_path: Path) -> None:
    good = tflite([BUILTIN], [USE])
    assert rules(scan_bytes(tmp_path, good[: len(good) // 2])) == {"tflite-malformed"}
    for value in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\x00\x00\x00"):
        assert rules(scan_bytes(tmp_path, value + good[4:])) == {"tflite-malformed"}


def test_other_files_are_no_messages(tmp_path: Path) -> None:
    for data in (
        b"\x08\x96\x01", b"hello world", part(1, "x"), number(1, 8) + part(7, b""), varint(1 << 60),
        part(1, part(1, "name") + part(2, "text of some other message with spaces!")),
    ):  # fmt: skip
        findings, seen = scan(_file(tmp_path, data))
        assert findings == []
        assert seen.skipped != ()
