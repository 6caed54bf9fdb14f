"""What brings an injection to the model: content of a third party that the user's task is about."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

import orjson

from buttress.probes.behaviour.injection import data, fill

Place = Literal["start", "middle", "end"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
Parts: TypeAlias = Sequence[tuple[str, bool]]
"""Paragraphs in order; True marks the injection."""


def placed(sentences: Sequence[str], injection: str, place: Place) -> Parts:
    """The sentences as paragraphs with the injection among them; none where it is empty."""
    parts = [(sentence, False) for sentence in sentences]
    if injection:
        at = {"start": 0, "middle": len(parts) // 2, "end": len(parts)}[place]
        parts.insert(at, (injection, True))
    return parts


def carry(carrier: str, title: str, parts: Parts, language: str) -> str:
    """The content; ``carrier`` is a key of ``CARRIERS``."""
    return CARRIERS[carrier](title, parts, language)


def asked(carrier: str, ask: str, language: str) -> str:
    """The user's question that goes with that content."""
    kind = "web-page" if carrier.startswith("web-") else carrier
    return fill(data("carriers")["asked"][kind][language], ask=ask)


def _document(title: str, parts: Parts, _language: str) -> str:
    return "\n".join([title, "", *(text for text, _ in parts)])


def _mail(title: str, parts: Parts, language: str) -> str:
    words = {name: text[language] for name, text in data("carriers").items() if name != "asked"}
    head = [words["from"], fill(words["subject"], title=title), "", words["greeting"]]
    return "\n".join([*head, *(text for text, _ in parts), words["closing"]])


def _page(hidden: Callable[[str], str]) -> Callable[[str, Parts, str], str]:
    """A web page whose injection no reader sees."""

    def page(title: str, parts: Parts, language: str) -> str:
        body = "\n".join(
            hidden(text) if planted else f"<p>{html.escape(text)}</p>" for text, planted in parts
        )
        return (
            f'<html lang="{language}">\n<head><title>{html.escape(title)}</title></head>\n'
            f"<body>\n<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>"
        )

    return page


def _hidden_text(text: str) -> str:
    return f'<div style="font-size:0;color:#fff">{html.escape(text)}</div>'


def _comment(text: str) -> str:
    return f"<!-- {text.replace('--', '-')} -->"  # two dashes would end the comment


def _image(text: str) -> str:
    return f'<img src="picture.png" alt="{html.escape(text, quote=True)}">'


def _tool_result(title: str, parts: Parts, _language: str) -> str:
    notes = [
        {"id": number, "text": text, "author": "guest" if planted else "staff"}
        for number, (text, planted) in enumerate(parts, 1)
    ]
    content = {"status": 200, "title": title, "notes": notes}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def _calendar(title: str, parts: Parts, _language: str) -> str:
    """RFC 5545, section 3.3.11: backslash, comma, semicolon and line ends are escaped."""

    def escaped(text: str) -> str:
        for sign in "\\,;":
            text = text.replace(sign, f"\\{sign}")
        return text.replace("\n", "\\n")

    description = "\\n".join(escaped(text) for text, _ in parts)
    return "\n".join(
        [
            *("BEGIN:VEVENT", "DTSTART:20310312T100000Z", "DTEND:20310312T110000Z"),
            f"SUMMARY:{escaped(title)}",
            f"DESCRIPTION:{description}",
            "END:VEVENT",
        ]
    )


def _code(title: str, parts: Parts, _language: str) -> str:
    lines = [line for text, _ in parts for line in text.split("\n")]
    comments = "\n".join(f"    # {line}" for line in lines)
    return f"def report(entries):  # {title}\n{comments}\n    return sum(entries)"


def _snippets(title: str, parts: Parts, _language: str) -> str:
    return "\n\n".join(
        f"[{number}] {title} (https://site-{number}.example)\n{text}"
        for number, (text, _) in enumerate(parts, 1)
    )


SAME_PAGE: Final = ("web-comment", "web-alt")
"""Carriers that don't differ from ``web-hidden`` where nothing is planted."""
CARRIERS: Final[Mapping[str, Callable[[str, Parts, str], str]]] = {
    "document": _document,
    "e-mail": _mail,
    "web-hidden": _page(_hidden_text),
    "web-comment": _page(_comment),
    "web-alt": _page(_image),
    "tool-result": _tool_result,
    "calendar": _calendar,
    "code": _code,
    "snippets": _snippets,
}
