"""The requests of a survey in a file, each written before it is sent: a kill loses none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import orjson

from buttress.documents.survey import request_row
from buttress.errors import InputError
from buttress.live.scope import Endpoint
from buttress.live.sent import NO_ANSWER_KNOWN, Sent
from buttress.protocols.live import LiveRequest

FILE_NAME: Final = "requests.jsonl"


class _Line(msgspec.Struct):
    """A line, as far as it is read again: ``target`` is the number of the endpoint."""

    target: int
    url: str
    time: float
    method: str
    path: str
    headers: dict[str, str]
    body: str


class RequestLog:
    """Appends a line a request. It is with the operating system before ``add`` returns.

    So it outlives a kill of this process. It is not forced to the disk: a loss of power may take
    the last lines.
    """

    def __init__(self, file: BinaryIO, endpoints: Sequence[Endpoint]) -> None:
        self._file = file
        self._numbers = {one: number for number, one in enumerate(endpoints)}
        self._rows: dict[LiveRequest, dict[str, Any]] = {}

    @classmethod
    def begin(cls, path: Path, endpoints: Sequence[Endpoint]) -> RequestLog:
        """A new file.

        Raises:
            InputError: not writable.
        """
        return cls(_opened(path, "wb"), endpoints)

    @classmethod
    def resume(
        cls, path: Path, endpoints: Sequence[Endpoint]
    ) -> tuple[RequestLog, dict[Endpoint, list[Sent]]]:
        """The file of a run that was cut off, new if there is none, and what it sent to each.

        A last line that was cut off is removed: its request was not sent yet.

        Raises:
            InputError: not readable, or not such a file.
        """
        file = _opened(path, "r+b" if path.exists() else "w+b")
        try:
            sent, whole = _read(file, endpoints)
        except (msgspec.MsgspecError, IndexError):
            file.close()
            raise InputError(
                "not readable", file=str(path), field="--resume",
                expected="the requests of a survey that was cut off, a JSON object a line",
            ) from None  # fmt: skip
        file.truncate(whole)
        file.seek(0, os.SEEK_END)
        return cls(file, endpoints), sent

    def add(self, endpoint: Endpoint, sent: Sent) -> None:
        """Write a request that is sent next."""
        row = self._rows.get(sent.request)
        if row is None:
            row = self._rows[sent.request] = request_row(sent.request)
        head = {"target": self._numbers[endpoint], "url": sent.url, "time": round(sent.time, 3)}
        state = {"status": 0, "note": sent.note}
        self._file.write(orjson.dumps(head | row | state, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(file: BinaryIO, endpoints: Sequence[Endpoint]) -> tuple[dict[Endpoint, list[Sent]], int]:
    """What was sent to each endpoint, and the bytes of all whole lines."""
    whole, sent = 0, dict[Endpoint, list[Sent]]()
    for line in file.read().splitlines(keepends=True):
        if line.endswith(b"\n"):
            row = msgspec.json.decode(line, type=_Line)
            sent.setdefault(endpoints[row.target], []).append(_sent(row))
            whole += len(line)
    return sent, whole


def _opened(path: Path, mode: str) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open(mode, buffering=0)  # type: ignore[return-value]
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(path), field="--out", expected="a file to write"
        ) from None


def _sent(row: _Line) -> Sent:
    request = LiveRequest(row.method, row.path, tuple(row.headers.items()), row.body.encode())
    return Sent(request, row.url, row.time, 0.0, 0, 0, NO_ANSWER_KNOWN)
