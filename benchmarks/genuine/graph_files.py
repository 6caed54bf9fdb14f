"""Core ML, OpenVINO, PaddlePaddle, Flax and Orbax."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .makers import maker


@maker("coreml", "coremltools")
def programs(folder: Path) -> None:
    """An ML program as package, with weights in a blob; quantised too."""
    import coremltools as ct
    import coremltools.optimize.coreml as compress
    from coremltools.converters.mil import Builder

    weights = np.random.rand(64, 64).astype(np.float32)

    @Builder.program(input_specs=[Builder.TensorSpec((1, 64))])
    def dense(x: Any) -> Any:
        return Builder.softmax(x=Builder.relu(x=Builder.matmul(x=x, y=weights)))

    model = ct.convert(dense, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16)
    model.author, model.license = "a team", "MIT"
    model.save(str(folder / "dense.mlpackage"))
    config = compress.OptimizationConfig(compress.OpLinearQuantizerConfig(weight_threshold=64))
    compress.linear_quantize_weights(model, config).save(str(folder / "int8.mlpackage"))


@maker("coreml", "coremltools")
def networks(folder: Path) -> None:
    """Neural networks of the older kind, and a pipeline of them."""
    import coremltools as ct
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder
    from coremltools.models.pipeline import Pipeline

    features = ("x", datatypes.Array(4)), ("y", datatypes.Array(2))
    builder = NeuralNetworkBuilder([features[0]], [features[1]])
    weights = np.random.rand(2, 4).astype(np.float32)
    builder.add_inner_product("dense", weights, np.zeros(2, np.float32), 4, 2, True, "x", "h")
    builder.add_activation("relu", "RELU", "h", "y")
    ct.models.utils.save_spec(builder.spec, str(folder / "network.mlmodel"))
    halved = ct.models.neural_network.quantization_utils.quantize_weights(
        ct.models.MLModel(builder.spec, skip_model_load=True), 16
    )
    spec = halved if not hasattr(halved, "get_spec") else halved.get_spec()
    ct.models.utils.save_spec(spec, str(folder / "half.mlmodel"))
    pipeline = Pipeline([features[0]], [features[1]])
    pipeline.add_model(builder.spec)
    ct.models.utils.save_spec(pipeline.spec, str(folder / "pipeline.mlmodel"))
    trees = ct.models.tree_ensemble.TreeEnsembleRegressor([features[0]], "y")
    trees.add_branch_node(0, 0, 0, 0.5, "BranchOnValueLessThanEqual", 1, 2)
    trees.add_leaf_node(0, 1, 0.1)
    trees.add_leaf_node(0, 2, 0.9)
    ct.models.utils.save_spec(trees.spec, str(folder / "trees.mlmodel"))


@maker("openvino")
def representations(folder: Path) -> None:
    """Graphs built with its operator set: dense, compressed to half, control flow, state."""
    import openvino as ov
    from openvino import opset13 as ops

    x = ops.parameter([1, 16], np.float32, name="x")
    w = ops.constant(np.random.rand(16, 4).astype(np.float32))
    dense = ov.Model([ops.softmax(ops.relu(ops.matmul(x, w, False, False)), 1)], [x], "dense")
    ov.save_model(dense, folder / "half.xml", compress_to_fp16=True)
    ov.save_model(dense, folder / "dense.xml", compress_to_fp16=False)
    flag = ops.parameter([], np.bool_, name="flag")
    y = ops.parameter([4], np.float32, name="y")
    inner = [ops.parameter([4], np.float32) for _ in range(2)]
    bodies = [
        ov.Model([ops.add(inner[0], ops.constant(np.float32(1)))], [inner[0]]),
        ov.Model([ops.negative(inner[1])], [inner[1]]),
    ]
    choice = ops.if_op(flag)
    choice.set_then_body(bodies[0])
    choice.set_else_body(bodies[1])
    choice.set_input(y.output(0), inner[0], inner[1])
    out = choice.set_output(bodies[0].results[0], bodies[1].results[0])
    ov.save_model(ov.Model([out], [flag, y], "flow"), folder / "flow.xml")
    state = ops.read_value(ops.constant(np.zeros((1, 16), np.float32)), "memory")
    total = ops.add(state, x)
    kept = ov.Model([ops.result(total)], [ops.assign(total, "memory")], [x], "state")
    ov.save_model(kept, folder / "state.xml")


@maker("openvino", "openvino", "onnx")
def from_onnx(folder: Path) -> None:
    """Converted from ONNX."""
    import onnx
    import openvino as ov

    from . import onnx_files

    source = folder / "source.onnx"
    onnx.save(onnx_files._model(onnx_files._dense()), source)
    ov.save_model(ov.convert_model(source), folder / "converted.xml")


@maker("paddle")
def paddle_inference(folder: Path) -> None:
    """The program of PIR in JSON, parameters, and state dicts."""
    import paddle

    network = paddle.nn.Sequential(
        paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4), paddle.nn.ReLU(), paddle.nn.Flatten(),
        paddle.nn.Linear(4 * 36, 5),
    )  # fmt: skip
    network.eval()
    static = paddle.jit.to_static(
        network, input_spec=[paddle.static.InputSpec([None, 3, 8, 8], "float32")]
    )
    paddle.jit.save(static, str(folder / "inference"))
    paddle.save(network.state_dict(), str(folder / "network.pdparams"))
    optimiser = paddle.optimizer.Adam(parameters=network.parameters())
    network(paddle.rand([1, 3, 8, 8])).sum().backward()
    optimiser.step()
    paddle.save(optimiser.state_dict(), str(folder / "network.pdopt"))


@maker("paddle")
def paddle_program(folder: Path) -> None:
    """The older program, as protocol buffer."""
    import paddle

    with paddle.pir_utils.OldIrGuard():
        paddle.enable_static()
        main, start = paddle.static.Program(), paddle.static.Program()
        with paddle.static.program_guard(main, start):
            x = paddle.static.data("x", [None, 4], "float32")
            y = paddle.static.nn.fc(x, 3, activation="relu")
            runner = paddle.static.Executor(paddle.CPUPlace())
            runner.run(start)
            paddle.static.save_inference_model(
                str(folder / "model"), [x], [y], runner, program=main
            )
            paddle.static.save(main, str(folder / "static"))
        paddle.disable_static()


@maker("flax", "flax", "jax")
def flax_messages(folder: Path) -> None:
    """Parameters and a training state in MessagePack, in several types."""
    import flax.linen as nn
    import flax.serialization as to
    import jax
    import jax.numpy as jnp
    import optax
    from flax.training.train_state import TrainState

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            x = nn.relu(nn.Dense(32)(x))
            return nn.Dense(4)(nn.LayerNorm()(x))

    network = Network()
    values = network.init(jax.random.key(0), jnp.ones((1, 8)))
    (folder / "flax_model.msgpack").write_bytes(to.to_bytes(values))
    state = TrainState.create(apply_fn=network.apply, params=values["params"], tx=optax.adam(1e-3))
    (folder / "state.msgpack").write_bytes(to.to_bytes(state))
    kinds = {
        "bf16": jnp.ones((2, 3), jnp.bfloat16), "f8": jnp.ones(4, jnp.float8_e4m3fn),
        "i4": jnp.ones(4, jnp.int4), "scalar": np.float32(3), "complex": 1 + 2j, "none": None,
        "bool": np.array([True]), "int": 3, "big": 1 << 40, "empty": np.zeros((0, 3), np.float32),
        "complex64": np.ones(3, np.complex64), "text": "a name", "bytes": b"\0\1",
        "zero": np.array(1.5), "list": [1, 2.5], "deep": {"a": {"b": {}}},
    }  # fmt: skip
    (folder / "kinds.msgpack").write_bytes(to.msgpack_serialize(kinds))
    chunks = to.MAX_CHUNK_SIZE
    to.MAX_CHUNK_SIZE = 1 << 12
    (folder / "chunks.msgpack").write_bytes(to.msgpack_serialize({"w": np.ones((64, 64))}))
    to.MAX_CHUNK_SIZE = chunks


@maker("flax", "orbax", "jax", "flax")
def orbax_checkpoint(folder: Path) -> None:
    """A checkpoint folder of Orbax."""
    import jax.numpy as jnp
    import orbax.checkpoint as ocp

    tree = {"w": jnp.ones((8, 8)), "b": jnp.zeros(8), "step": 3}
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save((folder / "checkpoint").resolve(), tree)
    with ocp.PyTreeCheckpointer(use_ocdbt=False) as checkpointer:
        checkpointer.save((folder / "plain").resolve(), tree)
