"""Keras: Lambda layers and modules from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import rules, scan_bytes, zipped

HDF5 = b"\x89HDF\r\n\x1a\n"


def layer(name: str, module: str = "keras.layers", **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": {"name": "x", **config}}


def model(*layers: dict[str, object]) -> bytes:
    whole = {"module": "keras", "class_name": "Functional", "config": {"layers": list(layers)}}
    return json.dumps(whole).encode()


LAMBDA = layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAA=="}})
DENSE = layer(
    "Dense", units=3, kernel_initializer={"module": "keras.initializers", "class_name": "Zeros"}
)
FUNCTION = {
    "module": "subprocess",
    "class_name": "function",
    "config": "run",
    "registered_name": "function",
}
FOREIGN = layer("Special", "somebody.layers")


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([DENSE], set()),
        ([DENSE, LAMBDA], {("keras-lambda", "high")}),
        ([layer("Dense", activation=FUNCTION)], {("keras-foreign-module", "critical")}),
        ([FOREIGN], {("keras-foreign-module", "medium")}),
    ],
)
@pytest.mark.parametrize("container", ["keras", "json", "hdf5", "hdf5-user-block"])
def test_configurations(tmp_path: Path, layers: list, expected: set, container: str) -> None:
    config = model(*layers)
    data = {
        "keras": zipped({"metadata.json": b"{}", "config.json": config, "model.weights.h5": HDF5}),
        "json": config,
        "hdf5": HDF5 + bytes(5000) + config + bytes(3000),
        "hdf5-user-block": bytes(512) + HDF5 + bytes(90) + config + bytes(9),
    }[container]
    findings = scan_bytes(tmp_path, data)
    assert {(one.rule, one.severity) for one in findings} == expected


def test_a_lambda_is_found_where_the_configuration_is_cut_or_huge(tmp_path: Path) -> None:
    config = model(LAMBDA)
    assert rules(scan_bytes(tmp_path, HDF5 + bytes(99) + config[:-30])) == {"keras-lambda"}
    deep = b'{"class_name": "Lambda", "config": ' + b"[" * 100_000
    assert rules(scan_bytes(tmp_path, deep)) == {"keras-lambda"}
    far = HDF5 + bytes((4 << 20) - 8 - 50) + config
    assert rules(scan_bytes(tmp_path, far)) == {"keras-lambda"}


def test_what_only_begins_like_a_configuration_hides_none(tmp_path: Path) -> None:
    bait = b'{"a": b}' * 5_000 + b'{"a": "b' * 50 + bytes(1)
    found = scan_bytes(tmp_path, HDF5 + bait + model(FOREIGN))
    assert rules(found) == {"keras-foreign-module"}


def test_too_much_of_it_is_told(tmp_path: Path) -> None:
    endless = b'{"a": ' * 20 + b'"' + bytes([120]) * (9 << 20)
    found = scan_bytes(tmp_path, HDF5 + endless + bytes(1) + model(FOREIGN))
    assert {(one.rule, one.severity) for one in found} == {("content-not-searched", "medium")}
    assert "keras-lambda" in rules(scan_bytes(tmp_path, HDF5 + endless + bytes(1) + model(LAMBDA)))


def test_many_objects_of_json_are_no_bomb(tmp_path: Path) -> None:
    row = b'{"text": "' + bytes([120]) * 6_000 + b'"}' + bytes(2)
    assert scan_bytes(tmp_path, HDF5 + row * 200) == []
