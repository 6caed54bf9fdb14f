"""Keras: what is named as its own and is not, what it has and no model needs, where it is hidden.

The forms follow CVE-2024-3660, CVE-2025-1550, CVE-2025-8747, CVE-2025-9905, CVE-2025-9906,
CVE-2025-12058 and CVE-2025-12060, each in a ``.keras`` archive, as JSON and in HDF5.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import rules, scan_bytes, zipped
from tests.probes.artifacts.test_keras import DENSE, HDF5, LAMBDA, layer, model

CODE = ["4wEAAA==", None, None]
CONTAINERS = ("keras", "json", "hdf5")


def within(container: str, config: bytes) -> bytes:
    if container == "keras":
        return zipped({"metadata.json": b"{}", "config.json": config, "model.weights.h5": HDF5})
    return config if container == "json" else HDF5 + bytes(900) + config + bytes(90)


def function(module: str, name: str, registered: str = "function") -> dict[str, object]:
    return {
        "module": module, "class_name": "function", "config": name, "registered_name": registered,
    }  # fmt: skip


def registered(name: str, module: str | None = "keras.layers") -> dict[str, object]:
    return layer("Dense") | {"module": module, "registered_name": name}


def grave(folder: Path, data: bytes) -> dict[str, str]:
    """The gravest severity of each rule."""
    order = ("info", "low", "medium", "high", "critical")
    found: dict[str, str] = {}
    for one in scan_bytes(folder, data):
        found[one.rule] = max(found.get(one.rule, "info"), one.severity, key=order.index)
    return found


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "spoofed",
    [
        registered("Evil"), registered("Custom>Dense"), registered("evil>Dense"),
        registered("keras>Evil"), registered("keras_hub>Evil"), registered("Custom>Dense", None),
        layer("Dense", activation=function("keras.activations", "relu", "evil>relu")),
        layer("Dense", "keras_evil.layers"), layer("Evil"),
    ],
)  # fmt: skip
def test_a_class_from_elsewhere_under_the_name_of_keras(
    tmp_path: Path, container: str, spoofed: dict[str, object]
) -> None:
    assert grave(tmp_path, within(container, model(spoofed))) == {"keras-foreign-module": "medium"}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("module", "name", "severity"),
    [
        ("keras.src.utils.python_utils", "func_load", "critical"),
        ("keras.src.backend.common.global_state", "set_global_attribute", "critical"),
        ("keras.src.utils.file_utils", "extract_archive", "high"),
        ("keras.src.utils.file_utils", "remove", "high"),
        ("tf_keras.utils", "save_img", "high"), ("keras.saving", "load_weights", "high"),
        ("keras.config", "set_backend", "high"), ("keras_hub.models", "from_preset", "high"),
        ("keras_nlp.src.utils.preset_utils", "load_json", "high"),
    ],
)  # fmt: skip
def test_what_keras_has_and_no_model_needs(
    tmp_path: Path, container: str, module: str, name: str, severity: str
) -> None:
    for one in (function(module, name), layer("Lambda", function=function(module, name))):
        told = grave(tmp_path, within(container, model(layer("Dense", activation=one))))
        assert told["keras-foreign-module"] == severity
    old = layer("Lambda", function=name, function_type="function") | {"module": None}
    old["config"] |= {"module": module}  # type: ignore[operator]
    assert grave(tmp_path, within(container, model(old)))["keras-lambda"] == severity


@pytest.mark.parametrize("container", CONTAINERS)
def test_code_that_is_kept_beside_the_function(tmp_path: Path, container: str) -> None:
    relu = {"function": "relu", "function_type": "function", "module": "keras.activations"}
    for kept in ({"output_shape": CODE, "output_shape_type": "lambda"},
                 {"mask": CODE, "mask_type": "lambda"}):  # fmt: skip
        told = grave(tmp_path, within(container, model(layer("Lambda", **relu, **kept))))
        assert told == {"keras-lambda": "high"}
    shape = {"output_shape": "system", "output_shape_type": "function", "output_shape_module": "os"}
    told = grave(tmp_path, within(container, model(layer("Lambda", **relu, **shape))))
    assert told == {"keras-lambda": "critical"}
    named = layer("keras.layers.Lambda", function=CODE, function_type="lambda") | {"module": None}
    assert grave(tmp_path, within(container, model(named)))["keras-lambda"] == "high"


@pytest.mark.parametrize(
    ("name", "module", "config"),
    [
        ("StringLookup", "keras.layers", {"vocabulary": "~/.ssh/id_rsa"}),
        ("WordPieceTokenizer", "keras_hub.tokenizers", {"vocabulary": "/etc/passwd"}),
        ("SentencePieceTokenizer", "keras_hub.tokenizers", {"proto": "https://a.example/p"}),
        ("BytePairTokenizer", "keras_nlp.tokenizers", {"merges": "../../merges.txt"}),
    ],
)
def test_vocabularies_of_tokenizers(
    tmp_path: Path, name: str, module: str, config: dict[str, str]
) -> None:
    assert grave(tmp_path, model(layer(name, module, **config))) == {"config-path": "high"}


def test_names_that_keras_itself_writes(tmp_path: Path) -> None:
    seed = {"module": "keras.random", "class_name": "SeedGenerator", "config": {"seed": 1}}
    layers = (
        layer("Dropout", seed=seed), registered("Dense"),
        layer("LayerScale", "keras.src.applications.convnext") | {"registered_name": "LayerScale"},
        layer("ResNetV2Backbone", "keras_cv.models")
        | {"registered_name": "keras_cv.models>ResNetV2Backbone"},
        layer("BertTokenizer", "keras_hub.src.models.bert", vocabulary=None)
        | {"registered_name": "keras_hub>BertTokenizer"},
        layer("SentencePieceTokenizer", "keras_hub.tokenizers", proto="/Cg" * 1000),
        layer("Dense", activation=function("keras.activations", "relu", "relu")),
        layer("Lambda", function=function("keras.random", "uniform")),
        layer("Dense", dtype=layer("Int4DTypePolicy", "keras.dtype_policies")),
    )  # fmt: skip
    for container in CONTAINERS:
        told = grave(tmp_path, within(container, model(*layers)))
        assert told in ({}, {"keras-lambda": "low"})
    adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}
    compiled = json.loads(model(DENSE)) | {
        "compile_config": {"optimizer": adam | {"registered_name": "Custom>Adam"}, "loss": "mse"}
    }
    assert scan_bytes(tmp_path, json.dumps(compiled).encode()) == []


ESCAPED = model(LAMBDA).replace(b"class_name", b"cl\\u0061ss_n\\u0061me")
HIDDEN = {
    "far": json.dumps({"name": "a" * 900, **json.loads(model(LAMBDA))}).encode(),
    "blanks": b" " * 900 + model(LAMBDA),
    "many blank lines": b"\n" * 70_000 + model(LAMBDA),
    "blanks inside": model(LAMBDA).replace(b"{", b"{" + b"\n" * 900, 1),
    "escaped": ESCAPED.replace(b'"Lambda"', b'"L\\u0061mbda"').replace(b"__la", b"__l\\u0061"),
    "mark": b"\xef\xbb\xbf" + model(LAMBDA),
    "mark and blanks": b"\xef\xbb\xbf" + b"\n" * 900 + model(LAMBDA),
    "utf-16": model(LAMBDA).decode().encode("utf-16"),
    "utf-16-be": model(LAMBDA).decode().encode("utf-16-be"),
    "utf-32": model(LAMBDA).decode().encode("utf-32"),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_configurations_that_begin_later_or_in_another_encoding(tmp_path: Path, how: str) -> None:
    """``json.loads`` of bytes, which Keras calls, takes each of these."""
    assert json.loads(HIDDEN[how])
    for container in ("keras", "json"):
        assert "keras-lambda" in rules(scan_bytes(tmp_path, within(container, HIDDEN[how])))


def test_rows_that_have_classes_are_no_configuration(tmp_path: Path) -> None:
    rows = [{"class_name": "dog", "module": "camera", "config": {"x": 1}}]
    data = json.dumps({"name": "a" * 900, "rows": rows}).encode()
    assert "keras-foreign-module" not in rules(scan_bytes(tmp_path, data, "rows.json"))


def test_a_configuration_in_the_middle_of_a_large_file(tmp_path: Path) -> None:
    data = HDF5 + bytes(33 << 20) + model(LAMBDA) + bytes(33 << 20)
    assert rules(scan_bytes(tmp_path, data, "model.h5")) == {"keras-lambda"}


def test_what_is_too_large_to_be_read_is_told(tmp_path: Path) -> None:
    large = json.dumps({"pad": "~" * (9 << 20), **json.loads(model(DENSE))}).encode()
    told = grave(tmp_path, within("keras", large))
    assert told == {"content-not-searched": "medium"}
    behind = json.dumps({**json.loads(model(DENSE)), "pad": "~" * (9 << 20)}).encode()
    assert grave(tmp_path, within("hdf5", behind)) == {"content-not-searched": "medium"}
