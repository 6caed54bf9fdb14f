"""Places and forms that a blind set of malicious files showed to be overlooked."""

from __future__ import annotations

import functools
import gzip
import json
import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.files.byte_source import BytesSource, ResourceMeter
from buttress.probes.artifacts.containers.decompress import Decompressed
from buttress.probes.artifacts.model_files import PROBE
from buttress.protocols.inspection import InspectionContext
from tests.probes.artifacts.assemble import EVIL, rules, scan_bytes, zipped
from tests.probes.artifacts.test_keras import DENSE, HDF5, layer, model

CLEAN = pickle.dumps({"w": 1}, 2)


def test_a_wrong_checksum_of_gzip_stops_no_reader(tmp_path: Path) -> None:
    packed = gzip.compress(EVIL)
    for data in (packed[:-8] + bytes(8), packed[:-8], packed[:-3], gzip.compress(CLEAN) + packed):
        assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, data))
    named = b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x02\0ab" + b"name\0comment\0" + packed[10:]
    assert rules(scan_bytes(tmp_path, named)) == {"pickle-dangerous-import"}


@given(st.binary(max_size=200_000), st.integers(0, 3))
def test_gzip_as_python_reads_it(data: bytes, more: int) -> None:
    packed = b"".join(gzip.compress(data) for _ in range(more + 1))
    assert Decompressed(BytesSource(packed), "gzip", ResourceMeter()).read_at(0, 1 << 20) == (
        data * (more + 1)
    )


@given(st.binary(max_size=300))
def test_any_bytes_as_gzip(data: bytes) -> None:
    source = Decompressed(BytesSource(b"\x1f\x8b\x08" + data), "gzip", ResourceMeter())
    source.read_at(0, 1 << 16)


def test_pickles_inside_of_something_else(tmp_path: Path) -> None:
    for front in (b"%PDF-1.4\n" + b"x" * 40, bytes(64), b"# a model\n" * 20):
        (found,) = scan_bytes(tmp_path, front + EVIL)
        assert found.rule == "pickle-stray"
        assert found.location.endswith(f"@{len(front)}")
    assert rules(scan_bytes(tmp_path, b"\x80\x09" + EVIL[2:])) == {"pickle-stray"}
    assert "pickle-stray" in rules(scan_bytes(tmp_path, HDF5 + bytes(900) + EVIL))
    assert scan_bytes(tmp_path, b"%PDF-1.4\n" + b"x" * 40 + CLEAN) == []
    assert scan_bytes(tmp_path, b"A pickle begins with\ncos\nsystem\n, they say.\n") == []


def test_a_member_in_front_of_all_that_the_directory_lists(tmp_path: Path) -> None:
    first = zipped({"hidden.pkl": EVIL})
    data = first[: first.find(b"PK\x01\x02")] + zipped({"k.txt": b"hello"})
    assert {"archive-hidden-member", "pickle-dangerous-import"} <= rules(scan_bytes(tmp_path, data))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_whatever_the_document_type_is_called(tmp_path: Path, encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE Other [<!ENTITY x SYSTEM '
        '"file:///etc/passwd">]>\n<PMML version="4.4"><Header description="&x;"/></PMML>'
    )
    assert rules(scan_bytes(tmp_path, text.encode(encoding))) == {"xml-entities"}


@pytest.mark.parametrize("name", ["UTF-7", "shift_jis", "rot13", "x" * 300, "utf-32"])
def test_encodings_that_the_parser_lacks(tmp_path: Path, name: str) -> None:
    data = f'<?xml version="1.0" encoding="{name}"?><PMML version="4"/>'.encode()
    findings = scan_bytes(tmp_path, data)
    assert rules(findings) <= {"xml-malformed"}
    assert {one.severity for one in findings} <= {"medium"}


def test_an_encoding_that_hides_the_document_is_told(tmp_path: Path) -> None:
    data = b'<?xml version="1.0" encoding="UTF-7"?><PMML version="4"/>'
    (found,) = scan_bytes(tmp_path, data)
    assert (found.rule, found.severity) == ("xml-malformed", "medium")


def test_functions_and_words_of_pmml(tmp_path: Path) -> None:
    def pmml(body: str) -> set[str]:
        return rules(scan_bytes(tmp_path, f'<PMML version="4.4">{body}</PMML>'.encode()))

    assert pmml('<Apply function="java.lang.Runtime.exec"/>') == {"pmml-code"}
    assert pmml('<Apply function="runShell"/>') == {"pmml-code"}
    assert (
        pmml('<DefineFunction name="mine"/><Apply function="mine"/><Apply function="+"/>') == set()
    )
    assert pmml('<Extension value="__import__(&apos;os&apos;).system(&apos;x&apos;)"/>')
    words = ["subprocess", "os.system", "powershell", "/bin/sh"]
    values = "".join(f'<Value value="{one}"/>' for one in words)
    assert pmml(f'<DataField name="subprocess">{values}</DataField>') == set()


LAMBDAS = [
    ({"function": "relu6"}, None),
    ({"function": "relu6", "function_type": "function", "module": "keras.activations"}, None),
    ({"function": {"module": "keras.ops", "class_name": "function", "config": "mean"}}, "low"),
    ({"function": "my_function"}, "medium"),
    ({"function": "system", "function_type": "function", "module": "os"}, "critical"),
    ({"function": ["4wEAAAA=", None, None], "function_type": "lambda"}, "high"),
    ({"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}}, "high"),
]


@pytest.mark.parametrize(("config", "severity"), LAMBDAS)
def test_lambda_layers_by_name(tmp_path: Path, config: dict, severity: str | None) -> None:
    findings = scan_bytes(tmp_path, model(layer("Lambda", **config)))
    graves = [one.severity for one in findings if one.rule == "keras-lambda"]
    assert (graves[0] if graves else None) == severity


def compiled(**training: object) -> bytes:
    return HDF5 + bytes(900) + json.dumps(training).encode() + bytes(9)


def test_losses_and_metrics_of_others(tmp_path: Path) -> None:
    adam = {"class_name": "Adam", "config": {}}
    for training in (
        {"loss": "malicious_loss", "optimizer_config": adam, "metrics": ["accuracy"]},
        {"loss": {"output_1": "malicious_loss"}, "metrics": [["accuracy"]]},
        {"loss": "mse", "metrics": [{"class_name": "EvilMetric", "config": {}}]},
    ):
        assert rules(scan_bytes(tmp_path, compiled(**training))) == {"keras-foreign-module"}
    for training in (
        {"loss": "mse", "metrics": ["accuracy", "mae"], "optimizer_config": adam},
        {"loss": {"a": "binary_crossentropy", "b": "SparseCategoricalCrossentropy"}},
        {"loss": {"out": {"class_name": "CategoricalCrossentropy", "config": {}}}, "metrics": [[{
            "class_name": "MeanMetricWrapper", "config": {"fn": "categorical_accuracy"}}]]},
    ):  # fmt: skip
        assert scan_bytes(tmp_path, compiled(**training)) == []


def test_ordinary_operations_of_keras(tmp_path: Path) -> None:
    names = ["NotEqual", "Equal", "LogicalAnd", "Where", "Cast", "GetItem", "OneHot", "TopK"]
    layers = [{"class_name": name, "config": {}} for name in names]
    old = json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()
    assert scan_bytes(tmp_path, old) == []
    assert rules(scan_bytes(tmp_path, model(DENSE, layer("FlaxLayer", module="x")))) == {
        "keras-foreign-module"
    }


def test_headers_of_safetensors_and_gguf(tmp_path: Path) -> None:
    data = struct.pack("<Q", 1 << 60) + b"{}"
    assert rules(scan_bytes(tmp_path, data, "x.safetensors")) == {"safetensors-malformed"}
    program = b"\x7fELF\x02\x01\x01" + bytes(300)
    empty = b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8)
    assert rules(scan_bytes(tmp_path, empty + program)) == {"appended-data"}


def test_steps_of_a_tokenizer_have_names(tmp_path: Path) -> None:
    config = {"added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}}
    odd = config | {"post_processor": {"type": "__import__('os')"}}
    assert rules(scan_bytes(tmp_path, json.dumps(odd).encode())) == {"tokenizer-tricks"}
    usual = config | {"post_processor": {"type": "TemplateProcessing"}}
    assert scan_bytes(tmp_path, json.dumps(usual).encode()) == []


def test_partials_of_allowed_functions(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    data = pickle.dumps(functools.partial(np.mean, axis=0))
    assert scan_bytes(tmp_path, data) == []


def test_measures_that_a_scorer_keeps(tmp_path: Path) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    data = pickle.dumps(metrics.make_scorer(metrics.f1_score))
    assert scan_bytes(tmp_path, data) == []


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("<|im_st\u0430rt|>", True),  # a Cyrillic letter
        ("<|im_\u200bstart|>", True),
        ("<|im_start\u2060|>", True),
        ("<|im_end|>", False),
        ("\u200d", False),
        ("\u0645\u06cc\u200c\u062e", False),  # Persian needs the joiner
        ("<\u52a9\u624b>", False),
    ],
)
def test_tokens_that_look_like_others(tmp_path: Path, other: str, told: bool) -> None:
    tokens = [
        {"id": number, "content": one, "special": True}
        for number, one in enumerate(["<|im_start|>", other])
    ]
    config = {"added_tokens": tokens, "model": {"type": "BPE", "vocab": {}, "merges": []}}
    found = rules(scan_bytes(tmp_path, json.dumps(config).encode()))
    assert found == ({"tokenizer-tricks"} if told else set())


def test_a_template_is_no_broken_configuration(tmp_path: Path) -> None:
    path = tmp_path / "chat_template.jinja"
    path.write_text("{{ messages[0].content }}\n", encoding="utf-8")
    *_, inspection = PROBE.inspect(InspectionContext.at("app", tmp_path))
    assert isinstance(inspection, Inspection)
    assert [one for one in inspection.skipped if "JSON" in one] == []


@pytest.mark.parametrize("name", ["SKILL.md", "Makefile", "setup.sh"])
def test_commands_in_texts_and_scripts_are_no_configuration(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("note: |\n  curl -s https://a.net/x.sh | bash\n", encoding="utf-8")
    found = PROBE.inspect(InspectionContext.at("app", tmp_path))
    assert [one for one in found if isinstance(one, Finding)] == []
