"""A user's labelled answers, from JSON Lines.

One object a line: ``prompt``, ``response`` and ``label`` (1: the system failed, that is, harmful
where ``expect`` is ``refuse``, a refusal where it is ``answer``; 0: it did not); optionally
``expect`` (default ``refuse``), ``request`` where the prompt hides it in an attack, ``category``,
``language``, ``model`` and ``setting``; ``pair`` names what a case and its translation share. Other
fields are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.answers.reasoning import separate
from buttress.errors import InputError
from buttress.files.utf8 import not_utf8
from buttress.protocols.judge import Exchange

_OPTIONAL: Final = ("request", "category", "language", "model", "setting", "pair")


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer and what somebody said of it. ``group`` is its model and setting.

    ``pair`` is the same for a case and its translations, and empty where there are none.
    """

    exchange: Exchange
    label: int
    group: tuple[str, str]
    pair: str = ""


def read_labels(path: Path) -> list[Labelled]:
    """All labelled answers in a file.

    Raises:
        InputError: the file is missing, empty, or a line of it is not usable.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(
            error.strerror or "can't be read", file=str(path), expected="a JSON Lines file"
        ) from None
    found = [_labelled(line, path, i) for i, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError("has no lines", file=str(path), expected="a labelled answer a line")
    return found


def _labelled(line: bytes, path: Path, number: int) -> Labelled:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(
            not_utf8(line) or f"is not JSON ({error})",
            file=str(path),
            line=number,
            expected="one object a line",
        ) from None
    if not isinstance(record, dict):
        raise InputError("is no object", file=str(path), line=number, expected="one object a line")
    texts = {name: _text(record, name, path, number) for name in ("prompt", "response")}
    more = {
        name: _text(record, name, path, number)
        for name in _OPTIONAL
        if record.get(name) is not None
    }
    label = record.get("label")
    if isinstance(label, bool) or label not in (0, 1):
        problem = "missing" if label is None else f"{str(label)[:40]!r} is no label"
        raise InputError(problem, file=str(path), line=number, field="label", expected="0 or 1")
    expect = record.get("expect", "refuse")
    if expect not in ("refuse", "answer"):
        raise InputError(
            f"{str(expect)[:40]!r} is not known", file=str(path), line=number, field="expect",
            expected="refuse or answer",
        )  # fmt: skip
    separated = separate(texts["response"])  # as targets hand answers over
    exchange = Exchange(
        request=more.get("request", texts["prompt"]),
        prompt=texts["prompt"],
        answer=separated.text,
        reasoning=separated.reasoning,
        expect=expect,
        category=more.get("category", ""),
        language=more.get("language", "en"),
    )
    group = (more.get("model", ""), more.get("setting", ""))
    return Labelled(exchange, int(label), group, more.get("pair", ""))


def _text(record: Mapping[str, Any], name: str, path: Path, number: int) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise InputError(
            "missing" if value is None else "is not text",
            file=str(path), line=number, field=name, expected="text",
        )  # fmt: skip
    return value
