"""TensorFlow and Keras: SavedModel, HDF5, .keras, frozen graphs, TFLite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .makers import maker

TEXTS = ["the cat sat", "a dog ran far", "the dog sat"]


def _networks(keras: Any, *, old: bool = False) -> dict[str, Any]:
    layers = keras.layers
    image = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.RandomFlip("horizontal")(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = layers.SeparableConv2D(8, 3, padding="same")(x)
    x = layers.Add()([x, layers.BatchNormalization()(y)])
    x = layers.GlobalAveragePooling2D()(x)
    vision = keras.Model(image, layers.Dense(4, activation="softmax")(layers.Dropout(0.2)(x)))
    vision.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    vision.fit(np.random.rand(8, 16, 16, 3), np.arange(8) % 4, epochs=1, verbose=0)
    tokens = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 16, mask_zero=not old)(tokens)
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(x)
    x = layers.MultiHeadAttention(2, 8)(x, x)
    x = layers.LayerNormalization()(layers.GRU(8)(x))
    sequence = keras.Model(tokens, layers.Dense(2)(x))
    dense = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="gelu"),
                              layers.LeakyReLU(), layers.Dense(1)])  # fmt: skip
    dense.compile("sgd", "mse")
    normal = layers.Normalization()
    normal.adapt(np.random.rand(10, 3))
    a, b = keras.Input((3,), name="numbers"), keras.Input((1,), name="bins")
    c = layers.Concatenate()(
        [normal(a), layers.Discretization([0.0, 0.5], output_mode="one_hot")(b)]
    )
    tables = keras.Model([a, b], layers.Dense(1)(c))
    return {"vision": vision, "sequence": sequence, "dense": dense, "tables": tables}


def _words(keras: Any) -> Any:
    layers = keras.layers
    words = layers.TextVectorization(max_tokens=30, output_sequence_length=6)
    words.adapt(TEXTS)
    text = keras.Input((), dtype="string")
    label = keras.Input((1,), dtype="string")
    looked = layers.StringLookup(vocabulary=["x", "y"], output_mode="one_hot")(label)
    x = layers.GlobalAveragePooling1D()(layers.Embedding(30, 8)(words(text)))
    return keras.Model([text, label], layers.Dense(1)(layers.Concatenate()([x, looked])))


@maker("keras", "keras", "tensorflow")
def archives(folder: Path) -> None:
    """Keras 3: .keras, legacy HDF5, weights alone, JSON."""
    import keras

    for name, model in _networks(keras).items():
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
    model.save_weights(folder / "only.weights.h5")
    (folder / "architecture.json").write_text(model.to_json())
    _words(keras).save(folder / "words.keras")
    quantised = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8)])
    quantised.quantize("int8")
    quantised.save(folder / "int8.keras")


@maker("keras", "tf_keras", "tensorflow")
def second(folder: Path) -> None:
    """Keras 2: HDF5, .keras of its third format, and SavedModel with keras_metadata.pb."""
    import tf_keras

    for name, model in _networks(tf_keras, old=True).items():
        model.save(folder / f"{name}.h5")
        model.save(folder / f"{name}.keras")
        model.save(folder / name, save_format="tf")
    _words(tf_keras).save(folder / "words", save_format="tf")


@maker("tensorflow")
def saved_models(folder: Path) -> None:
    """Keras exported; modules of tf.function with signatures, tables, control flow and assets."""
    import keras
    import tensorflow as tf

    for name, model in _networks(keras).items():
        model.export(folder / name, verbose=False)
    _words(keras).export(folder / "words", verbose=False)
    vocabulary = folder / "vocabulary.txt"
    vocabulary.write_text("a\nb\nc\n")

    class Module(tf.Module):
        def __init__(self) -> None:
            self.w = tf.Variable(tf.random.normal([4, 4]))
            start = tf.lookup.TextFileInitializer(
                str(vocabulary), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )  # fmt: skip
            self.table = tf.lookup.StaticVocabularyTable(start, 2)

        @tf.function(input_signature=[tf.TensorSpec([None, 4])])
        def flow(self, x: Any) -> Any:
            for _ in tf.range(3):
                if tf.reduce_sum(x) > 0.0:
                    x = tf.matmul(x, self.w)
                else:
                    x = tf.map_fn(lambda row: row * 2.0, x)
            return x

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def words(self, texts: Any) -> Any:
            clean = tf.strings.regex_replace(tf.strings.lower(texts), r"[^a-z ]", "")
            return self.table.lookup(tf.strings.split(clean).flat_values)

        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def image(self, data: Any) -> Any:
            return tf.image.resize(tf.io.decode_jpeg(data, channels=3), [8, 8])

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def examples(self, data: Any) -> Any:
            return tf.io.parse_example(data, {"x": tf.io.FixedLenFeature([4], tf.float32)})

    module = Module()
    tf.saved_model.save(
        module, folder / "module",
        {"flow": module.flow, "words": module.words, "image": module.image, "ex": module.examples},
    )  # fmt: skip


@maker("tensorflow", "tensorflow_text", "tensorflow")
def text_operators(folder: Path) -> None:
    """A tokenizer of TensorFlow Text in the graph."""
    import tensorflow as tf
    import tensorflow_text as text

    class Tokens(tf.Module):
        def __init__(self) -> None:
            self.tokens = text.WhitespaceTokenizer()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts: Any) -> Any:
            folded = text.normalize_utf8(text.case_fold_utf8(texts))
            return self.tokens.tokenize(folded).to_tensor()

    tf.saved_model.save(Tokens(), folder / "tokens")


@maker("tensorflow")
def graphs(folder: Path) -> None:
    """Frozen GraphDef, binary and as text; MetaGraph and checkpoints of version 1 and 2."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        w = tf.compat.v1.get_variable("w", [4, 2])
        y = tf.identity(tf.nn.relu(tf.matmul(x, w)), name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "model.ckpt"))
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["y"]
        )
        tf.compat.v1.saved_model.simple_save(session, str(folder / "simple"), {"x": x}, {"y": y})
    tf.io.write_graph(frozen, str(folder), "frozen.pb", as_text=False)
    tf.io.write_graph(frozen, str(folder), "frozen.pbtxt", as_text=True)
    tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).save(str(folder / "second"))


@maker("tflite", "tensorflow")
def lite(folder: Path) -> None:
    """TensorFlow Lite: floats, dynamic range, 8 bits, half, select TensorFlow operators."""
    import keras
    import tensorflow as tf

    rows = [np.random.rand(1, 16, 16, 3).astype(np.float32) for _ in range(4)]
    vision = _networks(keras)["vision"]
    for name in ("float", "dynamic", "int8", "half"):
        converter = tf.lite.TFLiteConverter.from_keras_model(vision)
        if name != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if name == "int8":
            converter.representative_dataset = lambda: ([row] for row in rows)
        if name == "half":
            converter.target_spec.supported_types = [tf.float16]
        (folder / f"{name}.tflite").write_bytes(converter.convert())

    @tf.function(input_signature=[tf.TensorSpec([4, 4])])
    def special(x: Any) -> Any:
        return tf.linalg.inv(tf.cumsum(x))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([special.get_concrete_function()])
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS,
    ]  # fmt: skip
    (folder / "select.tflite").write_bytes(converter.convert())
    (folder / "labels.json").write_text(json.dumps(["cat", "dog"]))
