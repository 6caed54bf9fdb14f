"""ONNX: written by the onnx package itself, and by converters and optimisers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .makers import maker

NUMBERS = np.random.default_rng(0)


def _weights(*shape: int) -> np.ndarray:
    return NUMBERS.normal(0, 0.1, shape).astype(np.float32)


def _dense(domain: str = "") -> Any:
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=0),
        helper.make_node("Gelu" if domain else "Relu", ["h"], ["r"], domain=domain),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    return helper.make_graph(
        nodes, "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(_weights(64, 128), "w"),
         numpy_helper.from_array(_weights(128), "b"),
         numpy_helper.from_array(_weights(128, 8), "v")],
    )  # fmt: skip


def _model(graph: Any, *domains: str, **more: Any) -> Any:
    from onnx import helper

    sets = [helper.make_opsetid("", 17), *(helper.make_opsetid(one, 1) for one in domains)]
    return helper.make_model(graph, opset_imports=sets, ir_version=8, **more)


@maker("onnx")
def dense(folder: Path) -> None:
    """Plain, and with an operator of com.microsoft."""
    import onnx

    onnx.save(_model(_dense()), folder / "dense.onnx")
    onnx.save(_model(_dense("com.microsoft"), "com.microsoft"), folder / "contrib.onnx")
    onnx.save(_model(_dense()), folder / "dense.json", format="json")
    onnx.save(_model(_dense()), folder / "dense.textproto", format="textproto")


@maker("onnx")
def external_data(folder: Path) -> None:
    """Weights in files beside the model: one for all, and one each."""
    import onnx

    for name, together in (("one", True), ("each", False)):
        inside = folder / name
        inside.mkdir()
        onnx.save_model(
            _model(_dense()), inside / "model.onnx", save_as_external_data=True,
            all_tensors_to_one_file=together, size_threshold=64,
            location="model.onnx_data" if together else None,
        )  # fmt: skip


@maker("onnx")
def control_flow(folder: Path) -> None:
    """If and Loop, with graphs in attributes; constants of several types."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def value(name: str, kind: int, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, kind, shape)

    branches = [
        helper.make_graph(
            [helper.make_node("Constant", [], [name],
                              value=numpy_helper.from_array(_weights(4), name))],
            name, [], [value(name, TensorProto.FLOAT, [4])],
        )
        for name in ("yes", "no")
    ]  # fmt: skip
    body = helper.make_graph(
        [helper.make_node("Add", ["state", "one"], ["state_out"]),
         helper.make_node("Identity", ["state_out"], ["scan"]),
         helper.make_node("Identity", ["go"], ["go_out"])],
        "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []),
         value("state", TensorProto.FLOAT, [4])],
        [value("go_out", TensorProto.BOOL, []), value("state_out", TensorProto.FLOAT, [4]),
         value("scan", TensorProto.FLOAT, [4])],
        [numpy_helper.from_array(np.ones(4, np.float32), "one")],
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("If", ["flag"], ["start"],
                          then_branch=branches[0], else_branch=branches[1]),
         helper.make_node("Loop", ["times", "", "start"], ["last", "all"], body=body)],
        "flow",
        [value("flag", TensorProto.BOOL, [])],
        [value("last", TensorProto.FLOAT, [4]), value("all", TensorProto.FLOAT, [None, 4])],
        [numpy_helper.from_array(np.array(3), "times")],
    )  # fmt: skip
    onnx.save(_model(graph), folder / "flow.onnx")


@maker("onnx")
def functions(folder: Path) -> None:
    """Functions of the model, in a domain of their own, one calling the other; metadata."""
    import onnx
    from onnx import TensorProto, helper

    sets = [helper.make_opsetid("", 17), helper.make_opsetid("example.functions", 1)]
    square = helper.make_function(
        "example.functions", "Square", ["a"], ["b"], [helper.make_node("Mul", ["a", "a"], ["b"])],
        sets[:1],
    )  # fmt: skip
    fourth = helper.make_function(
        "example.functions", "Fourth", ["a"], ["c"],
        [helper.make_node("Square", ["a"], ["b"], domain="example.functions"),
         helper.make_node("Square", ["b"], ["c"], domain="example.functions")], sets,
    )  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("Fourth", ["x"], ["y"], domain="example.functions")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])],
    )  # fmt: skip
    model = _model(graph, "example.functions", functions=[square, fourth])
    helper.set_model_props(model, {"author": "a team", "licence": "MIT", "classes": '["a", "b"]'})
    onnx.save(model, folder / "functions.onnx")


@maker("onnx")
def types(folder: Path) -> None:
    """Every element type, raw and in typed fields; texts; sparse; sequences."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tensors = []
    for name, kind in TensorProto.DataType.items():
        if name in ("UNDEFINED", "STRING"):
            continue
        values = np.ones(7).astype(helper.tensor_dtype_to_np_dtype(kind))
        tensors.append(helper.make_tensor(f"typed_{name}", kind, [7], values))
        tensors.append(numpy_helper.from_array(values, f"raw_{name}"))
    tensors.append(helper.make_tensor("text", TensorProto.STRING, [2], [b"a", b"b"]))
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("sv", TensorProto.FLOAT, [2], [1.0, 2.0]),
        helper.make_tensor("si", TensorProto.INT64, [2], [1, 5]), [8],
    )  # fmt: skip
    nodes = [helper.make_node("Constant", [], ["c"], sparse_value=sparse)]
    nodes += [
        helper.make_node("Constant", [], [f"k{i}"], value=one) for i, one in enumerate(tensors)
    ]
    graph = helper.make_graph(
        nodes, "types", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [8])], tensors
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)])
    onnx.save(model, folder / "types.onnx")
    onnx.save_tensor(tensors[0], folder / "tensor.pb")


@maker("onnx", "onnx", "onnxruntime")
def quantised(folder: Path) -> None:
    """Quantised by ONNX Runtime, dynamically, to 8 and to 4 bits; and what it optimised offline."""
    import onnx
    import onnxruntime
    from onnxruntime.quantization import matmul_nbits_quantizer, quantize_dynamic

    plain = folder / "plain.onnx"
    onnx.save(_model(_dense()), plain)
    quantize_dynamic(plain, folder / "int8.onnx")
    few = matmul_nbits_quantizer.MatMulNBitsQuantizer(onnx.load(plain), block_size=32)
    few.process()
    few.model.save_model_to_file(str(folder / "int4.onnx"), use_external_data_format=True)
    for name in ("optimised.onnx", "optimised.ort"):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(folder / name)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])


@maker("onnx", "onnxscript")
def script(folder: Path) -> None:
    """A function written with onnxscript."""
    import onnx
    from onnxscript import opset18 as op
    from onnxscript import script as scripted

    @scripted(default_opset=op)
    def softplus(x):  # type: ignore[no-untyped-def]
        return op.Log(op.Exp(x) + 1.0)

    onnx.save(softplus.to_model_proto(), folder / "script.onnx")


@maker("onnx", "skl2onnx", "sklearn")
def from_sklearn(folder: Path) -> None:
    """Converted from scikit-learn: operators of ai.onnx.ml."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rows, labels = NUMBERS.random((80, 5)).astype(np.float32), np.arange(80) % 3
    for name, one in {
        "forest": RandomForestClassifier(5), "boosting": GradientBoostingRegressor(n_estimators=4),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()), "svc": SVC(),
        "neighbours": KNeighborsClassifier(3),
    }.items():  # fmt: skip
        one.fit(rows, labels)
        (folder / f"{name}.onnx").write_bytes(to_onnx(one, rows[:1]).SerializeToString())
    words = make_pipeline(TfidfVectorizer(), LogisticRegression())
    texts = np.array(["a good file", "a bad file", "good words"])
    words.fit(texts, [1, 0, 1])
    (folder / "text.onnx").write_bytes(to_onnx(words, texts.reshape(-1, 1)).SerializeToString())


@maker("onnx", "torch", "onnxscript", "onnx")
def from_torch(folder: Path) -> None:
    """Exported by PyTorch."""
    import torch

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.LazyLinear(4), torch.nn.LayerNorm(4),
    )  # fmt: skip
    example = (torch.rand(1, 3, 8, 8),)
    network(*example)
    torch.onnx.export(network.eval(), example, folder / "torch.onnx", dynamo=True)
