"""Records of training data: their texts, where these stand, and how one is changed.

A record is one JSON object. Its line is kept as it came: a record that no stage changes is written
byte for byte, and in one that is changed all other fields keep their bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec
import orjson

FieldPath = tuple[str | int, ...]

# Fields that hold text where the user names none, in the order in which they are read.
TEXT_FIELDS: Final = (
    *("text", "content", "document", "body", "raw_content"),
    *("title", "subject", "description", "summary", "abstract", "article", "passage", "highlights"),
    *("system", "system_prompt", "instruction", "prompt", "question", "query", "context", "input"),
    *("history", "output", "completion", "response", "answer", "reply", "generation", "target"),
    *("reasoning_content", "reasoning", "thinking", "rationale", "critique", "revision"),
    *("chosen", "rejected", "value"),
    *("sentence", "utterance", "transcript", "transcription", "caption", "review", "comment"),
    *("story", "explanation", "translation"),
    *("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "replies"),
    *("prompts", "questions", "completions", "responses", "answers", "outputs", "generations"),
    *("sentences", "utterances", "transcripts", "captions", "reviews", "comments", "translations"),
    *("candidates", "choices", "message", "texts", "documents", "paragraphs", "passages"),
    *("contents", "parts", "tool_calls", "function_call", "functionCall", "function"),
    *("functionResponse", "arguments", "args"),
)
_ORDER: Final = {name: place for place, name in enumerate(TEXT_FIELDS)}
_NUMBERED: Final = re.compile(r"_?(?:[0-9]{1,2}|[a-d])$")  # response_0, answer_b, text2
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2,4})?$")
# Fields that give a tool what it asks for: its author names what is in them, so all texts are read.
_FREE: Final = frozenset({"arguments", "args", "input"})
# Fields inside records that name a kind and hold no text.
_LABELS: Final = frozenset({"id", "role", "from", "type", "name", "model"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record came from: ``number`` counts readable records over all inputs, from 0."""

    number: int
    file: str
    line: int  # from 1; the row of a Parquet file


@dataclass(frozen=True, slots=True)
class Slot:
    """A text of a record: the path of its field, and the text."""

    path: FieldPath
    text: str


class Record:
    """One record: ``line`` is its JSON without the line break.

    ``known``: attributes of the line that were computed before, such as ``data`` or ``key``.
    """

    def __init__(
        self,
        line: bytes,
        position: Position,
        *,
        field: str = "",
        source_field: str = "",
        known: Mapping[str, Any] | None = None,
    ) -> None:
        self.line = line
        self.position = position
        self._field = field
        self._source_field = source_field
        self.__dict__.update(known or {})

    @cached_property
    def data(self) -> dict[str, Any]:
        """The parsed record."""
        data: dict[str, Any] = orjson.loads(self.line)
        return data

    @cached_property
    def key(self) -> bytes:
        """SHA-256 of the record with sorted keys, 32 bytes: the same in every file and order."""
        return content_key(self.data)

    @cached_property
    def id(self) -> str:
        """The record's own ``id``, or the first 16 hexadecimal digits of its key."""
        own = self.data.get("id")
        if isinstance(own, str) and own:
            return own
        if isinstance(own, int) and not isinstance(own, bool):
            return str(own)
        return self.key.hex()[:16]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The record's texts; empty where it has none."""
        return tuple(text_slots(self.data, self._field))

    @cached_property
    def text(self) -> str:
        """All texts, an empty line between two."""
        return "\n\n".join(slot.text for slot in self.slots)

    @cached_property
    def source(self) -> str:
        """The value of the source field, or the name of the file where there is none."""
        return source_of(self.data, self._source_field) or self.position.file

    def with_texts(self, texts: Sequence[str]) -> Record:
        """The record with these texts in place of its own, one for each slot."""
        line = self.line
        if any(slot.text != text for slot, text in zip(self.slots, texts, strict=True)):
            line = _rewritten(
                self.line,
                {slot.path: text for slot, text in zip(self.slots, texts, strict=True)},
            )
        return Record(line, self.position, field=self._field, source_field=self._source_field)


def content_key(data: Any) -> bytes:
    """SHA-256 of JSON data with sorted keys, 32 bytes."""
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).digest()


def text_slots(data: dict[str, Any], field: str = "") -> Iterator[Slot]:
    """The texts of a record.

    Args:
        data: the record.
        field: the field to read, with dots between levels, in each member of a list; where empty,
            the fields of ``TEXT_FIELDS``, also with a number or a letter behind (``response_0``,
            ``answer_b``), and again inside objects. A field holds a text, or lists and objects of
            texts at any depth; what a tool is given is read under all names. Where a record has
            none of the fields, those of the objects in it are read.
    """
    if field:
        names = [field] if field in data else field.split(".")
        yield from _texts_at(data, names, ())
    elif _text_fields(data):
        yield from own_text_slots(data)
    else:
        yield from _inner_texts(data, ())


def own_text_slots(data: dict[str, Any]) -> Iterator[Slot]:
    """The texts in fields of ``TEXT_FIELDS`` that the record itself has."""
    yield from _texts(data, ())


def _inner_texts(value: Any, path: FieldPath) -> Iterator[Slot]:
    """The texts of the outermost objects with known fields."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _inner_texts(item, (*path, place))
    elif isinstance(value, dict):
        if _text_fields(value):
            yield from _texts(value, path)
            return
        for name, item in value.items():
            yield from _inner_texts(item, (*path, name))


def _texts_at(value: Any, names: Sequence[str], path: FieldPath) -> Iterator[Slot]:
    """The texts of the field with these names, one a level, in each member of a list."""
    if not names:
        yield from _texts(value, path)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts_at(item, names, (*path, place))
    elif isinstance(value, dict) and names[0] in value:
        yield from _texts_at(value[names[0]], names[1:], (*path, names[0]))


def _texts(value: Any, path: FieldPath) -> Iterator[Slot]:
    if isinstance(value, str):
        yield Slot(path, value)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))
    elif isinstance(value, dict):
        names = _text_fields(value) if _FREE.isdisjoint(path) else value
        for name in names or (value if _by_language(value) else ()):
            yield from _texts(value[name], (*path, name))


def _by_language(data: dict[str, Any]) -> bool:
    """Whether an object holds a text in several languages, as ``{"en": "…", "pt-BR": "…"}``."""
    return data.keys() != {"id"} and all(
        isinstance(value, str) and _LANGUAGE.match(name) for name, value in data.items()
    )


def _text_fields(data: dict[str, Any]) -> list[str]:
    """The fields of an object that hold text: known ones in their order, then numbered ones."""
    known = sorted((name for name in data if name in _ORDER), key=_ORDER.__getitem__)
    if len(known) == len(data):
        return known
    return known + [
        name
        for name in data
        if name not in _ORDER and (stem := _NUMBERED.sub("", name)) != name and stem in _ORDER
    ]


def unread_fields(data: dict[str, Any], field: str = "") -> set[str]:
    """Fields with a string that ``text_slots`` does not read; dots between levels, no places."""
    read = {slot.path for slot in text_slots(data, field)}
    found: set[str] = set()
    _collect_unread(data, (), read, found)
    return found


def _collect_unread(value: Any, path: FieldPath, read: set[FieldPath], found: set[str]) -> None:
    if isinstance(value, str):
        if value and path not in read and path[-1] not in _LABELS:
            found.add(".".join(name for name in path if isinstance(name, str)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _collect_unread(item, (*path, place), read, found)
    elif isinstance(value, dict):
        for name, item in value.items():
            _collect_unread(item, (*path, name), read, found)


def source_of(data: dict[str, Any], field: str = "") -> str:
    """The source that a record names, by default in ``source`` or ``meta.source``."""
    for path in (field,) if field else ("source", "meta.source", "metadata.source"):
        value: Any = data
        for name in (path,) if path in data else path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def _rewritten(line: bytes, texts: dict[FieldPath, str]) -> bytes:
    """The JSON object ``line`` with the texts at these paths replaced; all else keeps its bytes."""
    groups: dict[str | int, dict[FieldPath, str]] = {}
    for path, text in texts.items():
        groups.setdefault(path[0], {})[path[1:]] = text
    parsed: Any
    if line.lstrip()[:1] == b"[":
        parsed = msgspec.json.decode(line, type=list[msgspec.Raw])
    else:
        parsed = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    for name, inner in groups.items():
        old = bytes(parsed[name])
        new = orjson.dumps(inner[()]) if () in inner else _rewritten(old, inner)
        parsed[name] = msgspec.Raw(new)
    return msgspec.json.encode(parsed)
