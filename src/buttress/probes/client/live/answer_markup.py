"""Puts markup into an answer of a model, in whatever form the page gets answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

NOWHERE: Final = "https://buttress.invalid"  # a name that RFC 6761 keeps from resolving
_ANSWER_FIELDS: Final = frozenset(
    ("answer", "response", "reply", "output", "text", "content", "message", "result", "completion")
)
_OTHER_FIELDS: Final = ("answer", "response", "reply", "output", "text", "result", "completion")


@dataclass(frozen=True, slots=True)
class AnswerMarkup:
    """The markup that an answer gets; ``nonce`` is in each part, so that it is known again."""

    nonce: str

    @property
    def mark(self) -> str:
        """A word that is shown wherever the answer is."""
        return f"mark{self.nonce}"

    @property
    def flag(self) -> str:
        """The name that is set in the window if a script ran."""
        return f"b{self.nonce}"

    @property
    def text(self) -> str:
        """All parts: an element, an event handler, pictures in HTML and Markdown."""
        return (
            f'{self.mark} <i data-buttress="{self.nonce}">i</i>'
            f'<img src="data:," onerror="window.{self.flag}=1">'
            f'<img src="{NOWHERE}/html-{self.nonce}"> ![p]({NOWHERE}/markdown-{self.nonce})'
        )

    def made_up(self, *, stream: bool) -> tuple[str, bytes]:
        """Content type and body of an answer in the usual forms, all in one."""
        message = {"role": "assistant", "content": self.text}
        body = {
            "id": "made-up",
            "choices": [{"index": 0, "message": message, "delta": message, "text": self.text}],
            "message": message,
            "content": [{"type": "text", "text": self.text}],
            **dict.fromkeys(_OTHER_FIELDS, self.text),
        }
        if stream:
            return "text/event-stream", f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode()
        return "application/json", json.dumps(body).encode()

    def put_into(self, kind: str, body: bytes) -> bytes:
        """A real answer with the markup at the end of its text; the same bytes if none is seen."""
        kind = kind.lower()
        if "event-stream" in kind:
            return self._into_stream(body)
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return body + self.text.encode() if kind.startswith("text/plain") else body
        places = list(_answers(data))
        if not places:
            return body
        for holder, name in places:
            holder[name] = f"{holder[name]} {self.text}"
        return json.dumps(data).encode()

    def _into_stream(self, body: bytes) -> bytes:
        lines = body.split(b"\n")
        for number, line in enumerate(lines):
            if not line.startswith(b"data:"):
                continue
            text = line[5:].strip()
            try:
                data = json.loads(text)
            except (ValueError, RecursionError):
                if text and not text.startswith(b"["):
                    lines[number] = line + b" " + self.text.encode()
                    break
                continue
            places = [(one, name) for one, name in _answers(data) if one[name]]
            if places:
                holder, name = places[0]
                holder[name] = f"{holder[name]} {self.text}"
                lines[number] = b"data: " + json.dumps(data).encode()
                break
        return b"\n".join(lines)


def _answers(data: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Where texts of an answer stand: the holder and the key."""
    if depth > 20:
        return
    if isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, str) and name in _ANSWER_FIELDS:
                yield data, name
            elif isinstance(value, dict | list):
                yield from _answers(value, depth + 1)
    elif isinstance(data, list):
        for value in data[:100]:
            yield from _answers(value, depth + 1)
