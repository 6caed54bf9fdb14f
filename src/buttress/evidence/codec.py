"""Records as bytes and back. The bytes are canonical: they are what the hash chain covers.

Fields and kinds that this version doesn't know are kept as they are: see ``records``.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.evidence.locations import Location
from buttress.evidence.records import KINDS, Label, Record, Trial, UnknownRecord
from buttress.files.encodable import encodable_data

_KIND_OF = {record: kind for kind, record in KINDS.items()}
_EXTRA: Final = "extra"
_ORIGINS: Final[dict[str, type]] = {
    "str": str, "int": int, "float": float, "bool": bool, "tuple": tuple, "dict": dict,
    "Expect": str, "Severity": str, "Role": str, "Location | None": Location,
}  # fmt: skip


def kind_of(record: Record) -> str:
    """The kind under which a record is stored."""
    return record.kind if isinstance(record, UnknownRecord) else _KIND_OF[type(record)]


def encode(record: Record) -> tuple[Record, bytes]:
    """The record as it is stored, and its canonical JSON: UTF-8, sorted keys, no spaces.

    Lone surrogates become U+FFFD, in both.

    Raises:
        InputError: as ``check``, or an integer beyond 64 bits.
    """
    check(record)
    kind = kind_of(record)
    values = _values(record)
    try:
        return record, orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        pass
    try:
        payload = orjson.dumps(encodable_data(values), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise InputError(f"this {kind} record can't be stored ({error})") from None
    return decode(kind, payload), payload


def _values(record: Record) -> dict[str, Any]:
    # Not the record itself: orjson does not sort the fields of a dataclass.
    if isinstance(record, UnknownRecord):
        return record.fields
    values = {name: getattr(record, name) for name, _ in _types(kind_of(record))}
    if isinstance(record, Finding):
        values["place"] = record.place.plain() if record.place is not None else None
    return record.extra | values if record.extra else values


def decode(kind: str, payload: bytes) -> Record:
    """The record in ``payload``: an ``UnknownRecord`` where this version doesn't know the kind.

    Raises:
        InputError: a field of the kind is missing, or not a JSON object.
    """
    try:
        values = orjson.loads(payload)
        if not isinstance(values, dict):
            raise TypeError("not an object")
        if kind not in KINDS:
            return UnknownRecord(kind, values)
        for name in _tuples(kind):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        if kind == "finding" and values.get("place") is not None:
            values["place"] = Location.of_plain(values["place"])
        if unknown := values.keys() - _names(kind):
            extra = {name: values.pop(name) for name in sorted(unknown)}
            return KINDS[kind](**values, extra=extra)
        return KINDS[kind](**values)
    except (ValueError, TypeError) as error:
        raise InputError(f"not a {kind} record ({error})") from None


def check(record: Record) -> None:
    """Check that the fields have their types and numbers are finite, an outcome in [0, 1].

    Raises:
        InputError: naming the field.
    """
    kind = kind_of(record)
    if isinstance(record, UnknownRecord):
        _check_unknown(record)
        return
    if both := record.extra.keys() & _names(kind):
        raise InputError(f"{min(both)} of this {kind} record is a field of its own and in extra")
    for name, wanted in _types(kind):
        value = getattr(record, name)
        if not _fits(value, wanted):
            raise InputError(f"not a {kind} record ({name} is not a {wanted.__name__})")
        if wanted is float and not math.isfinite(value):
            # orjson writes a number that is not finite as null, silently.
            raise InputError(f"this {kind} record can't be stored ({name} is {value})")
    if isinstance(record, Trial | Label) and not 0 <= record.outcome <= 1:
        raise InputError(
            f"outcome {record.outcome} of {kind} {record.item}", expected="a number in [0, 1]"
        )


def _check_unknown(record: UnknownRecord) -> None:
    if record.kind in KINDS:
        raise InputError(f"kind {record.kind} is known", expected=KINDS[record.kind].__name__)
    if not isinstance(record.fields, dict):
        raise InputError(f"not a {record.kind} record (fields is not a dict)")


def _fits(value: Any, wanted: type) -> bool:
    if wanted is Location:
        return value is None or isinstance(value, Location)
    if isinstance(value, tuple):
        return wanted is tuple and all(isinstance(inner, str) for inner in value)
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)


@cache
def _types(kind: str) -> tuple[tuple[str, type], ...]:
    """Names and types of the kind's fields, sorted by name."""
    types = {field.name: str(field.type).partition("[")[0] for field in fields(KINDS[kind])}
    return tuple((name, _ORIGINS[types[name]]) for name in sorted(types) if name != _EXTRA)


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(name for name, _ in _types(kind))


@cache
def _tuples(kind: str) -> tuple[str, ...]:
    return tuple(name for name, wanted in _types(kind) if wanted is tuple)
