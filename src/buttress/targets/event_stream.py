"""Answers that come in pieces: server-sent events (WHATWG HTML, section 9.2) and JSON lines."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, Final

from buttress.targets.base import TargetError
from buttress.targets.completion import in_snake_case, is_error

_LINE: Final = re.compile(r"\r\n|\n|\r")
_FIELD: Final = re.compile(r"^(data|event|id|retry):|^:", re.MULTILINE)
_MEDIA: Final = frozenset({"text/event-stream", "application/x-ndjson", "application/jsonl",
                           "application/stream+json", "application/json-lines"})  # fmt: skip
_COMMENTS: Final = re.compile(r"\A\s*(?::[^\r\n]*[\r\n]+)+")
_START: Final = 200
_LINES: Final = re.compile(r"\}[ \t]*\r?\n[ \t]*\{")  # between objects: no JSON value holds it
_REPEATED: Final = 8  # characters from which two equal pieces are taken for the same text
_GROWN: Final = 16  # characters from which a delta that holds all before it is taken for the whole
_LEAST_BASE64: Final = 16  # characters
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_PART: Final = re.compile(r"^(?P<kind>[0-9a-k]):(?P<value>[\[{\"].*)$")


def is_stream(content_type: str, text: str) -> bool:
    """Whether a body is a stream of events, by its type or, where a server errs, by its look."""
    if content_type in _MEDIA:
        return True
    start = _COMMENTS.sub("", text[: 10 * _START])[:_START].lstrip()
    if start.startswith("{"):
        return bool(_LINES.search(text))
    return bool(_FIELD.match(start))


def data(text: str) -> list[str]:
    """The data of each event, in order; lines of JSON where there are no events."""
    return [piece for _, piece in named_data(text)]


def named_data(text: str) -> list[tuple[str, str]]:
    """The name and data of each event, in order; lines of JSON, unnamed, where there are none."""
    text = _COMMENTS.sub("", text)
    if not _FIELD.search(text):
        return [("", line) for line in _LINE.split(text) if line.strip()]
    found: list[tuple[str, str]] = []
    name, lines = "", list[str]()
    for line in [*_LINE.split(text), ""]:
        if not line:
            found += [(name, piece) for piece in _pieces(lines)]
            name, lines = "", []
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif line.startswith("event:"):
            name = line[6:].strip()
    return found


def _pieces(lines: Sequence[str]) -> Sequence[str]:
    """The data of an event; of several where a server leaves out the empty lines between them."""
    if len(lines) > 1 and all(line[:1] in "{[" and _is_json(line) for line in lines):
        return lines
    return ["\n".join(lines)] if lines else []


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return line.strip() == "[DONE]"
    return True


def data_stream_text(text: str) -> str | None:
    """The text in a data stream of the AI SDK, lines such as ``0:"Hello"``; None where it is none.

    Raises:
        TargetError: the stream tells of an error (retry: it may pass).
    """
    lines = [line for line in _LINE.split(text) if line.strip()]
    parts = [_PART.match(line) for line in lines]
    if not lines or not all(parts):
        return None
    texts = []
    for part in parts:
        assert part is not None
        try:
            value = json.loads(part["value"])
        except ValueError:
            return None
        if part["kind"] == "3":
            raise TargetError(f"the stream ended with an error: {value}", retry=True)
        if part["kind"] == "0" and isinstance(value, str):
            texts.append(value)
    return "".join(texts)


def events(text: str) -> list[Any]:
    """The JSON value of each event, without the mark of the end.

    Raises:
        TargetError: an event is no JSON (retry: a stream may have been cut).
    """
    values = []
    for piece in data(text):
        if piece.strip() == "[DONE]":
            break
        try:
            values.append(opened(json.loads(piece)))
        except (ValueError, RecursionError):
            raise TargetError(f"an event is not JSON: '{piece[:60]}'", retry=True) from None
    return values


def opened(payload: Any) -> Any:
    """What Bedrock puts in base64 into ``bytes`` of a reply or a ``chunk``; any other as it is."""
    inner = payload.get("chunk", payload) if isinstance(payload, Mapping) else None
    packed = inner.get("bytes") if isinstance(inner, Mapping) else None
    if not isinstance(packed, str):
        return payload
    try:
        return json.loads(base64.b64decode(packed, validate=True))
    except (ValueError, RecursionError):
        return payload


def joined_pieces(texts: Sequence[str]) -> str:
    """The text that pieces add up to.

    Each may hold all before it, or the last all of it; or each may be in base64 for itself.
    """
    texts = [text for text in texts if text]
    if (decoded := _from_base64(texts)) is not None:
        return decoded
    pairs = list(pairwise(texts))
    long = len(texts) > 2 or (len(texts) == 2 and len(texts[0]) >= _REPEATED)
    if long and all(after.startswith(before) for before, after in pairs):
        return texts[-1]
    if len(texts) > 2 and texts[-1] == "".join(texts[:-1]):
        return texts[-1]
    return "".join(texts)


def _joined_deltas(texts: Sequence[str]) -> str:
    """As ``joined_pieces``, for pieces that are meant to come after each other.

    A model may write the same few signs again and again, so only text that grows counts as all
    that came before.
    """
    grown = [text for text, _ in groupby(filter(None, texts))]
    whole = grown[-1] if len(grown) > 2 else ""
    if len(whole) >= _GROWN and all(after.startswith(before) for before, after in pairwise(grown)):
        return whole
    return "".join(texts)


def _from_base64(texts: Sequence[str]) -> str | None:
    """The text of pieces that are base64 each; None where they aren't.

    A model that writes base64 itself writes it in pieces of any length, so all of them are whole
    by chance only where they are few and short.
    """
    whole = "".join(texts)
    if len(texts) < 2 or len(whole) < _LEAST_BASE64 or not all(map(_BASE64.fullmatch, texts)):
        return None
    try:
        said = b"".join(base64.b64decode(text, validate=True) for text in texts).decode()
    except ValueError:
        return None
    readable = all(sign.isprintable() or sign.isspace() for sign in said)
    return said if readable and re.search(r"\s|[^\x00-\x7f]", said) else None


def joined_completion(chunks: Sequence[Any]) -> dict[str, Any]:
    """Chunks of a chat completion as the completion that they add up to.

    Chunks of another form have no ``choices``, and what they add up to has none either.
    """
    whole: dict[str, Any] = {}
    choices: dict[str, _GrowingChoice] = {}
    for chunk in map(in_snake_case, chunks):
        if not isinstance(chunk, Mapping):
            continue
        if is_error(chunk.get("error")):
            return dict(chunk)
        if isinstance(chunk.get("usage"), Mapping):
            whole["usage"] = chunk["usage"]
        listed = chunk.get("choices")
        if isinstance(listed, list):
            whole.setdefault("choices", [])
            for choice in listed:
                if isinstance(choice, Mapping):
                    place = str(choice.get("index") or 0)
                    choices.setdefault(place, _GrowingChoice()).add(choice)
    if choices:
        whole["choices"] = [choices[place].joined() for place in sorted(choices)]
    return whole


class _GrowingChoice:
    """A choice whose pieces come one after another."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[str]] = {}
        self._calls: dict[Any, dict[str, str]] = {}
        self._reason: Any = None
        self._each_whole = True

    def add(self, choice: Mapping[str, Any]) -> None:
        self._reason = choice.get("finish_reason") or self._reason
        if isinstance(choice.get("text"), str):
            self._pieces.setdefault("content", []).append(choice["text"])
        delta = choice.get("delta")
        self._each_whole = self._each_whole and not delta
        piece = delta or choice.get("message")
        if not isinstance(piece, Mapping):
            return
        for field in ("content", "reasoning_content", "reasoning", "refusal", "thinking"):
            value = piece.get(field)
            if isinstance(value, list):
                value = "".join(str(p.get("text", "")) for p in value if isinstance(p, Mapping))
            if isinstance(value, str):
                self._pieces.setdefault(field, []).append(value)
        calls = piece.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(function, Mapping):
                known = self._calls.setdefault(
                    call.get("index", place), {"name": "", "arguments": ""}
                )
                for part in ("name", "arguments"):
                    if isinstance(function.get(part), str):
                        known[part] += function[part]

    def joined(self) -> dict[str, Any]:
        """The choice; messages in place of deltas may each hold all that came before."""
        join = joined_pieces if self._each_whole else _joined_deltas
        message: dict[str, Any] = {field: join(texts) for field, texts in self._pieces.items()}
        if self._calls:
            message["tool_calls"] = [{"function": call} for _, call in sorted(self._calls.items())]
        return {"message": message, "finish_reason": self._reason}
