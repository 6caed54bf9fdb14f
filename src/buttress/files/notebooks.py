"""Jupyter notebooks as the texts of their cells, each with its place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_MAX_NODES: Final = 400_000  # brackets and braces: beyond, parsing would take too much memory
_IMAGE: Final = ("image/", "video/", "audio/", "application/pdf")


@dataclass(frozen=True, slots=True)
class Part:
    """A text in a notebook. ``cell`` counts from 1; None for what belongs to no cell."""

    text: bytes
    cell: int | None


def parts(data: bytes) -> Iterator[Part] | None:
    """Sources, outputs and other texts of a notebook in the order of the file; images left out.

    None where the bytes are no notebook that can be parsed: then they are to be read as text.
    """
    if data.count(b"[") + data.count(b"{") > _MAX_NODES:
        return None
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return _parts(notebook) if isinstance(notebook, dict) else None


def _parts(notebook: dict[str, Any]) -> Iterator[Part]:
    for key, value in notebook.items():
        if key == "cells" and isinstance(value, list):
            for number, cell in enumerate(value, 1):
                yield from (Part(text, number) for text in _texts(cell))
        else:
            yield from (Part(text, None) for text in _texts(value))


def _texts(value: Any) -> Iterator[bytes]:
    """All texts below a value. Lists of nothing but texts are lines of one, as nbformat has it."""
    if isinstance(value, str):
        yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            yield "".join(value).encode("utf-8", "surrogatepass")
        else:
            for one in value:
                yield from _texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if not key.startswith(_IMAGE):
                # A name decides whether a literal is a secret, so it stays beside its value.
                if isinstance(one, str) and "\n" not in one:
                    pair = json.dumps({key: one}, ensure_ascii=False)
                    yield pair.encode("utf-8", "surrogatepass")
                else:
                    yield from _texts(one)


class Lines:
    """Finds the lines of secrets in the notebook's file, in which they are written as JSON."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._next: dict[bytes, int] = {}

    def line(self, secret: bytes) -> int | None:
        """Line (from 1) of the next place of ``secret``; None where it is spelt in another way."""
        first = secret.lstrip().partition(b"\n")[0].decode("utf-8", "replace")
        for ascii_only in (False, True):
            written = json.dumps(first, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "replace")
            place = self._data.find(written, self._next.get(written, 0)) if written else -1
            if place >= 0:
                self._next[written] = place + 1
                return self._data.count(b"\n", 0, place) + 1
        return None
