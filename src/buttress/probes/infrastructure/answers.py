"""Conditions on an answer, as data, and the part of the answer that shows that they hold."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from buttress.files.visible import shortened
from buttress.probes.infrastructure.aig.matching import compiled
from buttress.protocols.live import LiveRequest, Reply
from buttress.targets.event_stream import data as event_data

_TITLE: Final = re.compile(r"<title[^>]{0,200}>\s*([^<]{0,300}?)\s*</title", re.I)
_PAGE: Final = re.compile(r"\s*(?:<!--|<!doctype\s+html|<html|<head|<title)", re.I)
# What some products make of their JSON for those who do not ask for JSON alone (Label Studio).
_SHOWN_JSON: Final = re.compile(r"\s*<pre>\s*([\[{].*[\]}])\s*</pre>\s*\Z", re.S)
_MISSING: Final = object()
_JSON_BYTES: Final = 1 << 20
_KNOWN: Final = frozenset(
    ("get", "post", "raw", "data", "send", "status", "header", "body", "title", "json", "without")
)


@dataclass(frozen=True)
class HostAnswer:
    """An answer as text, as JSON, and by its title, each made once."""

    reply: Reply

    @cached_property
    def text(self) -> str:
        """The body."""
        return self.reply.text

    @cached_property
    def title(self) -> str:
        """What ``<title>`` holds, empty where there is none."""
        match = _TITLE.search(self.text[:100_000])
        return match[1] if match else ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or the data of an event; None where it is none.

        Of a stream it is the first event that is no notification of JSON-RPC.
        """
        if "text/event-stream" not in self.reply.header("content-type").lower():
            return _parsed(self.text)
        values = map(_parsed, event_data(self.text))
        return next((one for one in values if one is not None and not _notifies(one)), None)

    @property
    def is_data(self) -> bool:
        """Whether it is a success with something else than a page for people."""
        return 200 <= self.reply.status < 300 and not _PAGE.match(self.text)

    def at(self, path: str) -> Any:
        """The value of JSON at ``a.b.0``; ``_MISSING`` where there is none."""
        value = self.json
        for key in path.split(".") if path else ():
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return _MISSING
        return _MISSING if value is None and path else value


@dataclass(frozen=True)
class AnswerCondition:
    """A request, and what its answer must hold: all of it.

    Texts are regular expressions (RE2), searched without regard to case. ``without`` must not be
    found in the body. A status of 0 stands for any.
    """

    request: LiveRequest
    status: tuple[int, ...] = (200,)
    header: Mapping[str, str] = field(default_factory=dict)
    body: tuple[str, ...] = ()
    title: str = ""
    json: Mapping[str, str] = field(default_factory=dict)
    without: str = ""

    def proof(self, answer: HostAnswer) -> str | None:
        """The part of the answer that shows that the condition holds; None where it does not."""
        reply = answer.reply
        if 0 not in self.status and reply.status not in self.status:
            return None
        parts: list[str] = []
        for name, pattern in self.header.items():
            value = reply.header(name)
            if not value or not _found(pattern, value):
                return None
            parts.append(f"{name}: {value}")
        if self.title:
            if not _found(self.title, answer.title):
                return None
            parts.append(f"<title>{answer.title}")
        for path, pattern in self.json.items():
            value = answer.at(path)
            if value is _MISSING or not _found(pattern, _plain(value)):
                return None
            parts.append(f"{path or 'JSON'} = {_plain(value)}")
        for pattern in self.body:
            if not (match := _found(pattern, answer.text)):
                return None
            parts.append(match.group(0))
        if self.without and _found(self.without, answer.text):
            return None
        return shortened("; ".join(parts) or f"status {reply.status}")

    def captured(self, answer: HostAnswer) -> str:
        """The first group that an expression of the condition captures, empty where none does."""
        for path, pattern in self.json.items():
            value = answer.at(path)
            if value is not _MISSING and (found := _group(pattern, _plain(value))):
                return found
        for name, pattern in self.header.items():
            if found := _group(pattern, answer.reply.header(name)):
                return found
        if self.title and (found := _group(self.title, answer.title)):
            return found
        return next((one for pattern in self.body if (one := _group(pattern, answer.text))), "")


def condition(data: Mapping[str, Any]) -> AnswerCondition:
    """A condition from its data.

    Raises:
        ValueError: it is none.
    """
    if unknown := set(data) - _KNOWN:
        raise ValueError(f"unknown field '{min(unknown)}'")
    status = data.get("status", 200)
    body = data.get("body", ())
    made = AnswerCondition(
        _request(data),
        tuple(status) if isinstance(status, list) else (int(status),),
        dict(data.get("header", {})),
        (body,) if isinstance(body, str) else tuple(body),
        data.get("title", ""),
        {path: str(pattern) for path, pattern in data.get("json", {}).items()},
        data.get("without", ""),
    )
    for pattern in (
        *made.header.values(),
        *made.body,
        *made.json.values(),
        made.title,
        made.without,
    ):
        compiled(f"(?i){pattern}")
    return made


def _request(data: Mapping[str, Any]) -> LiveRequest:
    send = tuple((str(name), str(value)) for name, value in data.get("send", {}).items())
    body = str(data.get("data", "")).encode()
    if "raw" in data:
        return LiveRequest("TCP", "", body=str(data["raw"]).encode())
    if "post" in data:
        return LiveRequest("POST", data["post"], send, body)
    return LiveRequest("GET", data["get"], send)


def _parsed(text: str) -> Any:
    if shown := _SHOWN_JSON.match(text):
        text = html.unescape(shown[1])
    start = text[:200].lstrip()[:1]
    if start not in ("{", "[", '"') or len(text) > _JSON_BYTES:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _notifies(value: Any) -> bool:
    return isinstance(value, dict) and "jsonrpc" in value and "method" in value


def _found(pattern: str, text: str) -> Any:
    return compiled(f"(?i){pattern}").search(text)


def _group(pattern: str, text: str) -> str:
    match = _found(pattern, text)
    if not match:
        return ""
    return next((one for one in match.groups() if one), "")


def _plain(value: Any) -> str:
    """A value of JSON as the text that patterns are held against."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
