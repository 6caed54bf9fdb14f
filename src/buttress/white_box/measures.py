"""Figures of trials that evidence has no place for, one JSON object a line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError

FILE_NAME: Final = "measures.jsonl"


class Measures:
    """Figures by the trial's key; durable when ``add`` returns, the newest of a key counts.

    A last line that a kill cut off is dropped: its trial is not in the store either.

    Raises:
        InputError: the file can't be read, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Mapping[str, Any]] = {}
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise InputError(error.strerror or "can't be read", file=str(path)) from None
        *lines, cut = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                record = orjson.loads(line)
                self._known[str(record["key"])] = dict(record["measures"])
            except (ValueError, TypeError, KeyError):
                raise InputError(
                    "not a measure of a trial", file=str(path), line=number, expected="a JSON line"
                ) from None
        if cut:
            with path.open("r+b") as file:
                file.truncate(len(content) - len(cut))

    def add(self, measures: Mapping[str, Mapping[str, Any]]) -> None:
        """Append figures by key.

        Raises:
            InputError: the file can't be written.
        """
        lines = [
            orjson.dumps({"key": key, "measures": dict(value)}) + b"\n"
            for key, value in measures.items()
        ]
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(error.strerror or "can't be written", file=str(self._path)) from None
        self._known.update(measures)

    def of(self, key: str) -> Mapping[str, Any]:
        """Figures of a trial; empty where there are none."""
        return self._known.get(key, {})
