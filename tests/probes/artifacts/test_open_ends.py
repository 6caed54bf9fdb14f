"""What earlier rounds left open: failures of the inspector itself, names, archives, notes."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import pytest

from buttress.probes.artifacts.formats import numpy_array, zip_archive
from buttress.probes.artifacts.jinja_template import reaching
from buttress.probes.artifacts.one_file import examine_file
from buttress.probes.artifacts.pickles.judge import OWN_LISTS
from tests.probes.artifacts.assemble import (
    EVIL,
    by_global,
    by_stack_global,
    call,
    proto,
    rules,
    scan,
    scan_bytes,
    zipped,
)
from tests.probes.artifacts.test_keras import layer, model


def test_a_failing_parser_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise TypeError("no such\x1b thing")

    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    monkeypatch.setattr(numpy_array, "inspect", fail)
    path = tmp_path / "both.bin"
    path.write_bytes(b"\x93NUMPY\x01\0v\0{'descr'" + zipped({"a.pkl": EVIL}))
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    findings, inspection = scan(tmp_path)
    told = {(one.rule, one.location.partition("@")[0]) for one in findings}
    assert ("inspector-failed", "both.bin") in told
    assert ("pickle-dangerous-import", "both.bin!a.pkl") in told  # by the other format
    assert ("pickle-dangerous-import", "evil.pkl") in told
    assert inspection.files == 2
    (failed,) = [one for one in findings if one.rule == "inspector-failed"]
    assert failed.severity == "medium"
    assert "TypeError in formats.numpy_array" in failed.message
    assert failed.proof.isprintable()


def test_a_failing_test_for_a_format_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise IndexError

    monkeypatch.setenv("BUTTRESS_DEBUG", "0")
    monkeypatch.setattr(zip_archive, "matches", fail)
    assert rules(scan_bytes(tmp_path, zipped({"a": EVIL}))) >= {"inspector-failed"}


def test_a_disk_that_fails_keeps_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise OSError(5, "input/output error")

    path = tmp_path / "both.bin"
    path.write_bytes(EVIL + zipped({"a": b"b"}))
    monkeypatch.setattr(zip_archive, "inspect", fail)
    report = examine_file(path)
    assert report.error == "input/output error"
    assert "pickle-dangerous-import" in {one.rule for one in report.issues}


def test_zeros_between_streams_of_gzip(tmp_path: Path) -> None:
    """Found by fuzzing: Python's reader passes over them and goes on."""
    first, second = gzip.compress(EVIL[:5]), gzip.compress(EVIL[5:])
    for zeros in (1, 9, 200_000):
        found = scan_bytes(tmp_path, first + bytes(zeros) + second)
        assert rules(found) == {"pickle-dangerous-import"}, zeros
    assert scan_bytes(tmp_path, gzip.compress(b"a text") + bytes(200_000)) == []


def test_names_that_are_not_ascii(tmp_path: Path) -> None:
    for module, name in (("módulo", "ejecutar"), ("模型", "加载"), ("ﬁle", "run")):
        plain = by_global(module, name) + b"(S'id'\ntR."
        found = scan_bytes(tmp_path, plain)
        assert "pickle-unknown-import" in rules(found), module
        found = scan_bytes(tmp_path, proto(4) + call(by_stack_global(module, name)) + b".")
        assert "pickle-unknown-import" in rules(found), module


def test_what_gensim_statsmodels_and_dill_write() -> None:
    for module, name in (
        ("gensim.models.word2vec", "Word2Vec"), ("gensim.corpora.dictionary", "Dictionary"),
        ("gensim.utils", "call_on_class_only"), ("builtins", "hash"),
        ("statsmodels.genmod.families.links", "Log"),
        ("statsmodels.regression.linear_model", "OLSResults"),
    ):  # fmt: skip
        assert OWN_LISTS.judge(module, name).kind == "allowed", name
    # It evaluates a formula that stands in its state.
    assert OWN_LISTS.judge("statsmodels.base.data", "ModelData").kind == "unknown"
    assert OWN_LISTS.judge("gensim.utils", "unpickle").kind != "allowed"


def _dill(function: bytes) -> bytes:
    create = by_stack_global("dill._dill", "_create_array")
    array = by_stack_global("numpy", "ndarray") + b"K\0\x85C\x01b\x87"
    return proto(4) + create + b"(" + function + array + b"NNtR."


def test_arrays_by_dill(tmp_path: Path) -> None:
    made = by_stack_global("numpy.core.multiarray", "_reconstruct")
    assert scan_bytes(tmp_path, _dill(made)) == []
    for function in (by_stack_global("os", "system"), by_stack_global("x", "_reconstruct"), b"N"):
        assert "pickle-dangerous-import" in rules(scan_bytes(tmp_path, _dill(function)))


def test_operations_and_optimisers_of_keras(tmp_path: Path) -> None:
    for name in ("NotEqual", "__keras_tensor__", "Logaddexp2", "Custom>SGD", "Custom>Adam"):
        assert scan_bytes(tmp_path, model({"class_name": name, "config": {}})) == [], name
    for name in ("Custom>Evil", "Evil>SGD", "Custom>SGD>Evil", "Custom>Dense"):
        found = scan_bytes(tmp_path, model({"class_name": name, "config": {}}))
        assert "keras-foreign-module" in rules(found), name
    cloned = layer("Lambda", {"name": "l", "function": "clone_model", "module": "keras.models"})
    assert ("keras-lambda", "high") in {
        (one.rule, one.severity) for one in scan_bytes(tmp_path, model(cloned))
    }


def test_long_numbers_of_tokenizers(tmp_path: Path) -> None:
    config = {"tokenizer_class": "X", "model_max_length": int(1e30), "auto_map": {"a": "b.C"}}
    assert rules(scan_bytes(tmp_path, json.dumps(config).encode())) == {"hf-remote-code"}
    path = tmp_path / "long.json"
    path.write_text('{"auto_map": {}, "n": ' + "9" * 401 + "}")
    assert any("digits" in one for one in scan(path)[1].skipped)


GRAVE, HARMLESS = (
    b"import subprocess\nsubprocess.run(['id'])\n",
    b"import torch\nx = torch.ones(2)\n",
)


@pytest.mark.parametrize(
    ("beside", "severity"),
    [
        ("MAR-INF/MANIFEST.json", "medium"), ("model.weights.h5", "medium"),
        ("m/data.pkl", "medium"), ("x-1.dist-info/WHEEL", "low"),
    ],
)  # fmt: skip
def test_python_in_archives(tmp_path: Path, beside: str, severity: str) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = scan_bytes(tmp_path, zipped({beside: b"{}", "handler.py": GRAVE}, method))
        told = [one for one in found if one.rule == "archive-python-code"]
        assert [one.severity for one in told] == [severity]
        assert "subprocess.run" in told[0].message
        assert told[0].location.endswith("!handler.py@0")
        found = scan_bytes(tmp_path, zipped({beside: b"{}", "handler.py": HARMLESS}, method))
        assert "archive-python-code" not in rules(found)


def test_files_that_python_runs_by_their_names(tmp_path: Path) -> None:
    for name in ("sitecustomize.py", "usercustomize.py"):
        assert rules(scan_bytes(tmp_path, GRAVE, name)) == {"python-path-code"}
        assert scan_bytes(tmp_path, HARMLESS, name) == []
        assert scan_bytes(tmp_path, b"no python (", name) == []
    assert scan_bytes(tmp_path, GRAVE, "train.py") == []


def test_endless_loops_in_any_template(tmp_path: Path) -> None:
    for number in ("10**9", "999999999", "1000 * 1000 * 1000", "2 ** 40", "0, 10 ** 10 ** 10"):
        template = "{% for i in range(" + number + ") %}x{% endfor %}"
        found = scan_bytes(tmp_path, template.encode(), "page.jinja")
        assert rules(found) == {"template-code"}, number
    for number in ("10", "n", "100000", "1000 * 100", "0, n ** 2"):
        assert reaching("{% for i in range(" + number + ") %}x{% endfor %}") is None, number
    go = "{{- range (index .Values 1000000) }}{{ import }}{{- end }}"  # another language's
    assert reaching(go) is None


def test_what_is_encrypted_is_noted(tmp_path: Path) -> None:
    buffer = io.BytesIO(zipped({"a.pkl": EVIL}))
    data = bytearray(buffer.getvalue())
    central = data.find(b"PK\x01\x02")
    for at in (8, central + 10):
        data[at : at + 2] = struct.pack("<H", 99)  # WinZip's AES
    for at in (6, central + 8):
        data[at] |= 1
    path = tmp_path / "aes.zip"
    path.write_bytes(bytes(data))
    assert any("a.pkl: compression method 99" in one for one in scan(path)[1].skipped)
