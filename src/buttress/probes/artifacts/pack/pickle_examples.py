"""Pickles described as data, for the examples of rules: they are put together, never loaded.

A description is a scalar, a list, or a mapping with one of: ``call: NAME`` with ``args`` (a list)
and ``state``; ``new: NAME`` with the same, made by NEWOBJ; ``import: NAME``; ``tuple: [...]``;
``dict: [[key, value], ...]``; ``bytes: HEX``. ``NAME`` is ``module.attribute``, or
``module:attribute`` where the attribute has dots itself.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES
from buttress.probes.artifacts.issue import RULES, ArtifactIssue
from buttress.probes.artifacts.pickles.judge import NameLists

_PROTOCOL: Final = b"\x80\x04"
_TUPLE: Final = {0: b")", 1: b"\x85", 2: b"\x86", 3: b"\x87"}
_LEAST: Final = "medium"
_SHAPES: Final[dict[str, set[str]]] = {
    "call": {"args", "state"}, "new": {"args", "state"}, "import": set(), "tuple": set(),
    "dict": set(), "bytes": set(),
}  # fmt: skip


def split(name: str) -> tuple[str, str]:
    """Module and attribute of ``module.attribute`` or ``module:attribute``.

    Raises:
        ValueError: it is neither.
    """
    module, _, attribute = name.partition(":") if ":" in name else name.rpartition(".")
    parts = [*module.split("."), *attribute.split(".")]
    if not module or not attribute or not all(part.isidentifier() for part in parts):
        raise ValueError(f"'{name[:80]}' is no module.attribute")
    return module, attribute


def assemble(described: Any) -> bytes:
    """The pickle, of protocol 4, that a description stands for.

    Raises:
        ValueError: it describes none.
    """
    return _PROTOCOL + _value(described) + b"."


def imported(described: Any) -> set[tuple[str, str]]:
    """Modules and names that the pickle imports.

    Raises:
        ValueError: as ``assemble``.
    """
    if isinstance(described, list):
        return set().union(*(imported(one) for one in described))
    if not isinstance(described, dict):
        return set()
    names = [described[shape] for shape in ("call", "new", "import") if shape in described]
    return {split(str(name)) for name in names}.union(*(imported(v) for v in described.values()))


def suspicious(pickle: bytes, names: NameLists) -> list[ArtifactIssue]:
    """Issues of a pickle that are at least of medium severity."""
    from buttress.files.byte_source import BytesSource
    from buttress.probes.artifacts.formats import pickled
    from buttress.probes.artifacts.scope import FileTally, Scope

    found = pickled.inspect(BytesSource(pickle), Scope(FileTally(names=names)))
    least = SEVERITIES.index(_LEAST)
    return [
        one
        for one in found
        if SEVERITIES.index(one.severity or RULES.own[one.rule].severity) >= least
    ]


def _value(given: Any) -> bytes:
    match given:
        case None:
            return b"N"
        case bool():
            return b"\x88" if given else b"\x89"
        case int() if -(1 << 31) <= given < 1 << 31:
            return b"J" + struct.pack("<i", given)
        case float():
            return b"G" + struct.pack(">d", given)
        case str():
            raw = given.encode()
            return b"X" + struct.pack("<I", len(raw)) + raw
        case list():
            return b"](" + b"".join(map(_value, given)) + b"e"
        case dict():
            return _shape(given)
    raise ValueError(f"{str(given)[:40]!r} can't be in an example")


def _shape(given: dict[str, Any]) -> bytes:
    shapes = [one for one in _SHAPES if one in given]
    if len(shapes) != 1 or given.keys() - {shapes[0]} - _SHAPES[shapes[0]]:
        raise ValueError(
            "a mapping needs one of " + ", ".join(_SHAPES) + "; args and state go with call and new"
        )
    shape = shapes[0]
    inner = given[shape]
    if shape in ("tuple", "dict", "bytes"):
        return _container(shape, inner)
    module, attribute = split(str(inner))
    made = _value(module) + _value(attribute) + b"\x93"
    if shape == "import":
        return made
    arguments = given.get("args", [])
    if not isinstance(arguments, list):
        raise ValueError("'args' is no list")
    made += _tuple(arguments) + (b"R" if shape == "call" else b"\x81")
    return made + (_value(given["state"]) + b"b" if "state" in given else b"")


def _container(shape: str, inner: Any) -> bytes:
    if shape == "bytes":
        raw = bytes.fromhex(str(inner))
        return b"B" + struct.pack("<I", len(raw)) + raw
    if not isinstance(inner, list):
        raise ValueError(f"'{shape}' is no list")
    if shape == "tuple":
        return _tuple(inner)
    if not all(isinstance(one, list) and len(one) == 2 for one in inner):
        raise ValueError("'dict' is no list of pairs")
    return b"}(" + b"".join(_value(part) for pair in inner for part in pair) + b"u"


def _tuple(given: Sequence[Any]) -> bytes:
    parts = b"".join(map(_value, given))
    return parts + _TUPLE[len(given)] if len(given) in _TUPLE else b"(" + parts + b"t"
