"""What is wrong with data, by a schema: the place, the problem in plain words, what is expected."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.json_schema import SchemaViolation, violations

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "a short name", "minLength": 1},
        "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        "kind": {"enum": ["red", "blue"]},
        "both": {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/pair"}]},
        "limit": {"description": "a number or none", "anyOf": [{"type": "number"}, {"const": ""}]},
    },
    "$defs": {
        "pair": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
    },
}


@pytest.mark.parametrize(
    ("data", "path", "problem", "expected"),
    [
        ({}, (), "'name' is missing", "a short name"),
        ({"name": "a", "nmae": 1}, ("nmae",), "unknown field 'nmae'; did you mean 'name'?",
         "one of both, kind, limit, name, share"),
        ({"name": 3}, ("name",), "3 is not valid", "text"),
        ({"share": "htp://u:secret@h/v1?api_key=secret", "name": "a"}, ("share",),
         "'htp://h/v1?api_key=[key]' is not valid", "a number"),
        ({"name": ""}, ("name",), "'' is not valid", "a short name"),
        ({"name": None}, ("name",), "an empty value is not valid", "text"),
        ({"name": "a", "share": -0.5}, ("share",), "-0.5 is out of range", "≥ 0"),
        ({"name": "a", "share": 1}, ("share",), "1 is out of range", "< 1"),
        ({"name": "a", "share": float("nan")}, ("share",), "nan is not valid", "a number"),
        ({"name": "a", "kind": "green"}, ("kind",), "'green' is not valid", "one of red, blue"),
        ({"name": "a", "both": [1, "x"]}, ("both", 1), "'x' is not valid", "a whole number"),
        ({"name": "a", "both": "x"}, ("both",), "'x' is not valid", None),
        ({"name": "a", "limit": [1]}, ("limit",), "[1] is not valid", "a number or none"),
    ],
)  # fmt: skip
def test_place_problem_and_expectation(
    data: object, path: tuple[str | int, ...], problem: str, expected: str | None
) -> None:
    unknown = "unknown field" in problem
    assert list(violations(SCHEMA, data)) == [SchemaViolation(path, problem, expected, unknown)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("rbx", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "x"]), inner)
    ),
)
DATA = st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), VALUES)
BY_NAME: dict[str, Any] = {
    "properties": {"0": {"type": "integer"}},
    "additionalProperties": {"type": "array", "items": {"anyOf": [{"type": "integer"}]}},
}


@pytest.mark.parametrize(
    ("data", "path"),
    [({"0": "x"}, ("0",)), ({"7": "x"}, ("7",)), ({"7": [1, "x"]}, ("7", 1)), ({"7": 1}, ("7",))],
)
def test_a_field_whose_name_is_a_number_is_a_field(
    data: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    assert [violation.path for violation in violations(BY_NAME, data)] == [path]


@given(DATA)
def test_agrees_with_another_validator(data: dict[str, Any]) -> None:
    other = {tuple(one.absolute_path) for one in Draft202012Validator(SCHEMA).iter_errors(data)}
    assert bool(list(violations(SCHEMA, data))) == bool(other)


def test_dates_of_yaml_are_text_and_binary_data_is_refused() -> None:
    located = located_yaml.parse("until: 2026-12-31\nat: 2026-12-31T10:00:00Z", "a.yaml")
    assert located.data == {"until": "2026-12-31", "at": "2026-12-31T10:00:00Z"}
    with pytest.raises(InputError, match=r"a\.yaml:2: binary data"):
        located_yaml.parse("a: 1\nb: !!binary aGk=", "a.yaml")
