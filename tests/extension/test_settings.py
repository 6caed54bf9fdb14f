"""The schema of a factory's settings, stated or read from its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

from buttress.extension.settings import settings_schema, takes_settings, with_paths


@takes_settings(
    {"word": {"type": "string", "minLength": 1}, "list": {"type": "string", "format": "path"}},
    required=("word",),
)
def stated(word: str, list: Path | None = None) -> tuple[str, Path | None]:
    return word, list


def derived(
    *,
    word: str,
    weight: float = 0.5,
    count: int = 1,
    exact: bool = False,
    file: Path | None = None,
    place: str | Path = "",
    rule: Literal["any", "all"] = "any",
    names: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
    other: Any = None,
) -> None:
    del word, weight, count, exact, file, place, rule, names, extra, other


def open_ended(word: str, **others: Any) -> None:
    del word, others


class Factory:
    def __init__(self, size: int) -> None:
        self.size = size


def test_the_stated_schema_is_a_schema_and_stays_with_the_factory() -> None:
    schema = settings_schema(stated)
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["word"]
    assert schema["additionalProperties"] is False
    assert stated("a") == ("a", None)


def test_a_signature_is_a_schema() -> None:
    schema = settings_schema(derived)
    Draft202012Validator.check_schema(schema)
    assert schema == {
        "type": "object",
        "required": ["word"],
        "additionalProperties": False,
        "properties": {
            "word": {"type": "string"},
            "weight": {"type": "number"},
            "count": {"type": "integer"},
            "exact": {"type": "boolean"},
            "file": {"type": ["string", "null"], "format": "path"},
            "place": {"type": "string", "format": "path"},
            "rule": {"enum": ["any", "all"]},
            "names": {"type": "array", "items": {"type": "string"}},
            "extra": {"type": ["object", "null"]},
            "other": {},
        },
    }


def test_further_arguments_allow_further_settings() -> None:
    assert settings_schema(open_ended)["additionalProperties"] is True


def test_a_class_takes_what_its_constructor_takes() -> None:
    schema = settings_schema(Factory)
    assert schema["properties"] == {"size": {"type": "integer"}}
    assert schema["required"] == ["size"]


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    schema = settings_schema(stated)
    settings = {"word": "a", "list": "words.txt"}
    assert with_paths(schema, settings, tmp_path) == {"word": "a", "list": tmp_path / "words.txt"}
