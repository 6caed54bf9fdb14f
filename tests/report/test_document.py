"""The document's schema, reading it back, and its description in docs/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from buttress.documents import reading as document
from buttress.documents import schema_doc
from buttress.errors import InputError
from buttress.report import json
from tests.report.sample import build, sample

ROOT = Path(__file__).resolve().parents[2]


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    schema = document.schema()
    Draft202012Validator.check_schema(schema)

    def walk(part: Any, where: str) -> None:
        if not isinstance(part, dict):
            return
        for name, field in part.get("properties", {}).items():
            assert field.get("description"), f"{where}.{name} has no description"
            walk(field, f"{where}.{name}")
        for key in ("items", "additionalProperties"):
            walk(part.get(key), where)

    walk(schema, "document")
    for name, part in schema["$defs"].items():
        walk(part, name)


@pytest.mark.parametrize("policy", ["default", "strict", "gbt45654"])
def test_a_written_document_reads_back_as_it_was(tmp_path: Path, policy: str) -> None:
    told = build(policy=policy)
    json.write(told, tmp_path / "assessment.json")
    assert document.load(tmp_path) == told
    assert document.load(tmp_path / "assessment.json") == told
    first = (tmp_path / "assessment.json").read_bytes()
    json.write(document.load(tmp_path), tmp_path / "assessment.json")
    assert (tmp_path / "assessment.json").read_bytes() == first
    assert first.startswith(b'{\n  "schema"')


def test_the_page_in_docs_is_up_to_date() -> None:
    """If this fails: python -m buttress.documents.schema_doc > docs/assessment-json.md."""
    page = (ROOT / "docs/assessment-json.md").read_text(encoding="utf-8")
    assert page == schema_doc.markdown()


def _spoil(told: dict[str, Any], path: list[Any], value: Any) -> None:
    place = told
    for part in path[:-1]:
        place = place[part]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["schema"], "buttress-assessment/2", "schema"),
        (["risks", 0, "verdict"], "fine", "risks[0].verdict"),
        (["risks", 2, "rate", "high"], 1.5, "risks[2].rate.high"),
        (["risks", 2, "path", 0], [1, 0.0, 1.0], "risks[2].path[0]"),
        (["findings", 1, "severity"], "terrible", "findings[1].severity"),
        (["totals", "calls"], -1, "totals.calls"),
        (["judge", "calibration", "refuse", "tp"], "many", "judge.calibration.refuse.tp"),
        (["run", "started"], "yesterday", "run.started"),
        (["loss"], ..., "loss"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, path: list[Any], value: Any, field: str) -> None:
    told = sample()
    _spoil(told, path, value)
    (tmp_path / "assessment.json").write_bytes(orjson.dumps(told))
    with pytest.raises(InputError) as caught:
        document.load(tmp_path)
    assert "assessment.json" in str(caught.value)
    assert field in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 5000])
def test_what_is_no_document_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "assessment.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"assessment\.json"):
        document.load(file)


def test_a_reader_ignores_fields_that_it_does_not_know(tmp_path: Path) -> None:
    told = sample() | {"new": 1}
    json.write(told, tmp_path / "assessment.json")
    assert document.load(tmp_path)["new"] == 1
