"""Each command's document is what its class says: no field more, none less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from buttress.documents.schemas import DOCUMENTS, as_object, schema_of
from buttress.errors import InputError
from tests.cli.command import buttress
from tests.report.sample import sample


def check_typed(name: str, document: Mapping[str, Any]) -> None:
    """The class has all fields of the document, and the document fits the schema."""
    said = json.loads(msgspec.json.encode(as_object(name, document)))
    assert said == json.loads(json.dumps(document))
    Draft202012Validator(schema_of(name)).validate(document)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_has_a_schema_whose_fields_are_described(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"]

    def walk(part: Any, where: str) -> None:
        if isinstance(part, dict):
            for field, inner in part.get("properties", {}).items():
                assert inner.get("description"), f"{where}.{field} has no description"
                walk(inner, f"{where}.{field}")
            walk(part.get("items"), f"{where}[]")

    walk(schema, name)
    assert json.loads(buttress("report", "--schema", name).stdout) == json.loads(json.dumps(schema))


def test_an_assessment_is_typed() -> None:
    check_typed("assessment", sample())


def test_a_scan_is_typed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\ntorch.load(x, weights_only=False)\n" * 2)
    (tmp_path / "b.env").write_text("K='sk_live_" + "4eC39HqLyjWD" + "arjtT1zdp7dc'\n")
    (tmp_path / "ignore.yaml").write_text(
        "version: 1\nsuppressions:\n"
        "  - {rule: stripe-key, path: b.env, status: accepted, reason: a test key,\n"
        "     expires: 2999-01-01}\n"
    )
    done = buttress(
        "scan", str(tmp_path), "--json", "--ignore-file", str(tmp_path / "ignore.yaml"),
        "--fail-on", "never",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["findings"]
    assert document["suppressed"]
    check_typed("scan", document)


def test_a_measurement_and_a_comparison_are_typed(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text("default: Sure. Confidence 90%\n")
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\nassets: [{kind: model, script: script.yaml}]\n"
    )
    done = buttress(
        "measure", "overconfidence", str(tmp_path), "--trials", "80", "--conditions", "typos",
        "--json", "--out", str(tmp_path / "measured"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["conditions"]
    assert set(document["by_language"]) == {"en", "zh"}
    check_typed("measure", document)

    for out in ("before", "after"):
        arguments = ("--only", "harmful-compliance", "--budget", "40", "--out", str(tmp_path / out))
        done = buttress("assess", str(tmp_path), *arguments)
        assert done.returncode in (0, 1, 3), done.stderr
        check_typed("assessment", json.loads((tmp_path / out / "assessment.json").read_bytes()))
    sides = (str(tmp_path / "before"), str(tmp_path / "after"))
    done = buttress("diff", *sides, "--paired", "--json")
    document = json.loads(done.stdout)
    assert document["risks"][0]["paired"]
    check_typed("diff", document)


def test_a_wrong_document_is_told_in_one_line() -> None:
    with pytest.raises(InputError, match=r"no assessment document: .*\$\.risks"):
        as_object("assessment", sample() | {"risks": 1})
    with pytest.raises(InputError, match="unknown document 'poem'; expected one of assessment, "):
        schema_of("poem")
