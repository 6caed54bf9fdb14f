"""JSON Schemas of the YAML files that a user may edit: risks and policies."""

from __future__ import annotations

from typing import Any, Final

from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located

_MOST: Final = 1e15
_PROBABILITY: Final = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_RANGE: Final = {
    "type": "array",
    "items": {"type": "number", "exclusiveMinimum": 0},
    "minItems": 2,
    "maxItems": 2,
    "description": "a 90 % range, [low, high], both above 0",
}
_SHARES: Final = _RANGE | {
    "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "description": "a 90 % range of the share of requests, within (0, 1]",
}
_TEXT: Final = {"type": "string", "minLength": 1, "description": "a text"}
_ID: Final = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9-]*$",
    "description": "lower-case letters, digits and '-'",
}

_BARRIER: Final = {
    "type": "object",
    "required": ["id", "title", "failure"],
    "additionalProperties": False,
    "properties": {
        "id": _ID,
        "title": _TEXT,
        "failure": _RANGE | {"items": _PROBABILITY, "description": "a 90 % range within (0, 1)"},
        "evidence": {
            "type": "object",
            "required": ["probe"],
            "additionalProperties": False,
            "properties": {"probe": _TEXT},
        },
    },
}
_RISK: Final = {
    "type": "object",
    "required": ["id", "title", "scenario", "harm", "severity", "frequency", "barriers"],
    "additionalProperties": False,
    "properties": {
        "id": _ID,
        "title": _TEXT,
        "scenario": _TEXT,
        "actor": _TEXT,
        "harm": _TEXT,
        "severity": {
            "type": "object",
            "required": ["level", "loss"],
            "additionalProperties": False,
            "properties": {
                "level": {"enum": [1, 2, 3, 4, 5]},
                "why": {"type": "string"},
                "loss": {
                    "type": "object",
                    "required": ["median", "p95"],
                    "additionalProperties": False,
                    "properties": {
                        "median": {"type": "number", "exclusiveMinimum": 0},
                        "p95": {"type": "number", "exclusiveMinimum": 0},
                        "max": {"type": "number", "exclusiveMinimum": 0},
                    },
                },
            },
        },
        "frequency": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "description": "one of per_request and per_year",
            "properties": {"per_request": _SHARES, "per_year": _RANGE},
        },
        "barriers": {"type": "array", "minItems": 1, "items": _BARRIER},
        "standards": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "remedies": {"type": "array", "items": {"type": "string"}},
        "overlaps": _ID,
        "basis": _TEXT,
    },
}
_COUNT: Final = {"type": "number", "minimum": 0, "description": "a number of samples"}
_SCANNER: Final = {
    "type": "object",
    "required": ["found", "planted", "false_alarms", "clean"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(["found", "planted", "false_alarms", "clean"], _COUNT),
        "source": _TEXT,
    },
}
_SEVERITIES: Final = ["clean", "info", "low", "medium", "high", "critical"]
RISKS: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "risks": {"type": "array", "items": _RISK, "description": "a list of risks"},
        "currency": _TEXT,
        "basis": _TEXT,
        "cap": {"type": "number", "exclusiveMinimum": 0, "description": "an amount above 0"},
        "shared_cause": {"type": "number", "minimum": 0, "maximum": 1},
        "common_years": {"type": "number", "minimum": 0, "maximum": 100},
        "scanners": {"type": "object", "additionalProperties": _SCANNER},
        "inspection": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(_SEVERITIES, _BARRIER["properties"]["failure"]),  # type: ignore[index]
        },
    },
}
POLICY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "risks"],
    "additionalProperties": False,
    "properties": {
        "id": _ID,
        "title": _TEXT,
        "source": _TEXT,
        "extends": _TEXT,
        "decide_by": {"enum": ["bound", "estimate"]},
        "estimand": {"enum": ["this-set", "prompts-like-these"]},
        "family_wise": {"type": "boolean", "description": "true or false"},
        "risks": {
            "type": "object",
            "description": "risk ids, each with its limit",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "limit": _PROBABILITY | {"description": "a rate within (0, 1)"},
                    "alpha": _PROBABILITY,
                    "beta": _PROBABILITY,
                    "minimum_trials": {"type": "integer", "minimum": 0, "maximum": 10000000},
                    "severity": {"enum": ["info", "low", "medium", "high", "critical"]},
                },
            },
        },
    },
}


def check(source: Located, schema: dict[str, Any]) -> None:
    """Check a file against its schema, and that its numbers are such as can be reckoned with.

    Raises:
        InputError: naming file, line and field.
    """
    located_yaml.check(source, schema)
    _check_numbers(source, source.data, ())


def _check_numbers(source: Located, value: Any, path: FieldPath) -> None:
    # JSON Schema has no word for what YAML can write: .nan passes every minimum and maximum.
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_numbers(source, inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_numbers(source, inner, (*path, index))
    elif isinstance(value, int | float) and not -_MOST <= value <= _MOST:
        raise source.error(path, "not a number to reckon with", f"a number up to {_MOST:g}")
