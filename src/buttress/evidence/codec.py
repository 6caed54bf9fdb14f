"""Records as bytes and back. The bytes are canonical: they are what the hash chain covers."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import orjson

from buttress.errors import InputError
from buttress.evidence.records import KINDS, Record

_KIND_OF = {record: kind for kind, record in KINDS.items()}


def kind_of(record: Record) -> str:
    """The kind under which a record is stored."""
    return _KIND_OF[type(record)]


def encode(record: Record) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces. Lone surrogates become U+FFFD."""
    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        values = {field.name: _clean(getattr(record, field.name)) for field in fields(record)}
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def decode(kind: str, payload: bytes) -> Record:
    """The record in ``payload``.

    Raises:
        InputError: unknown kind, or not the fields of that kind.
    """
    if kind not in KINDS:
        raise InputError(f"unknown kind '{kind}'", expected="one of " + ", ".join(KINDS))
    try:
        values = orjson.loads(payload)
        if not isinstance(values, dict):
            raise TypeError("not an object")
        for name in _tuples(kind):
            if name in values:
                values[name] = tuple(values[name])
        return KINDS[kind](**values)
    except (ValueError, TypeError) as error:
        raise InputError(f"not a {kind} record ({error})") from None


@cache
def _tuples(kind: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(KINDS[kind]) if str(field.type).startswith("tuple"))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_clean(inner) for inner in value]
    return value
