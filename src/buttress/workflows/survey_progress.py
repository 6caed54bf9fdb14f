"""The progress of a survey: a line a host that is done, so that a run that was cut off goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from buttress.errors import InputError
from buttress.live.sent import shown_body
from buttress.live.survey import HostResult
from buttress.probes.infrastructure.aig.pack_contents import packed_names

if TYPE_CHECKING:
    from buttress.live.limits import Limits
    from buttress.live.scope import Endpoint
    from buttress.protocols.live import LiveContext, LiveProbe, LiveRequest, RecordedRequest

FILE_NAME: Final = "progress.jsonl"
_EXPECTED: Final = "the folder of a survey that was cut off, with the same options"


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """The first line."""

    id: str
    began: float
    settings: str


@dataclass
class SurveyProgress:
    """A file of what is done; ``hosts`` are those of the run that is gone on with."""

    id: str
    began: float
    hosts: list[HostResult]
    _file: BinaryIO

    @classmethod
    def begin(cls, out: Path, settings: str, identifier: str, began: float) -> SurveyProgress:
        """A new file in the folder ``out``; one of before is gone.

        Raises:
            InputError: not writable.
        """
        try:
            out.mkdir(parents=True, exist_ok=True)
            file = (out / FILE_NAME).open("wb")
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(out), field="--out", expected="a folder"
            ) from None
        made = cls(identifier, began, [], file)
        made._write(msgspec.json.encode(_Head(identifier, began, settings)))
        return made

    @classmethod
    def resume(cls, out: Path, settings: str) -> SurveyProgress:
        """The progress in the folder; a last line that was cut off is left out.

        Raises:
            InputError: there is none, or it was made with other options.
        """
        path = out / FILE_NAME
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError:
            raise InputError(
                "no survey to go on with", file=str(path), field="--resume", expected=_EXPECTED
            ) from None
        whole = [line for line in lines if line.endswith(b"\n")]
        try:
            head = msgspec.json.decode(whole[0], type=_Head)
            hosts = [msgspec.json.decode(line, type=HostResult) for line in whole[1:]]
        except (IndexError, msgspec.MsgspecError, ValueError) as error:
            told = " ".join(str(error).split())[:100]
            raise InputError(
                f"not readable: {told}", file=str(path), field="--resume", expected=_EXPECTED
            ) from None
        if head.settings != settings:
            raise InputError(
                "it was made with other options or probes", file=str(path), field="--resume",
                expected=_EXPECTED,
            )  # fmt: skip
        file = path.open("r+b")
        file.truncate(sum(map(len, whole)))
        file.seek(0, os.SEEK_END)
        return cls(head.id, head.began, hosts, file)

    def add(self, host: HostResult) -> None:
        """Keep a host that is done, on the disk before this returns."""
        sent = [
            replace(one, request=replace(one.request, script=None, body=_body(one.request)))
            for one in host.sent
        ]
        self._write(msgspec.json.encode(replace(host, sent=sent)))

    def done(self, endpoint: Endpoint) -> HostResult | None:
        """What is known of a host from the run that is gone on with."""
        return next((one for one in self.hosts if one.endpoint == endpoint), None)

    def finish(self) -> None:
        """The survey is whole: the file is no longer needed."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def close(self) -> None:
        """Keep the file for a later run."""
        self._file.close()

    def _write(self, line: bytes) -> None:
        self._file.write(line + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _body(request: LiveRequest) -> bytes:
    return shown_body(request).encode() if request.script is not None else request.body


def _digest_of(signed: RecordedRequest | None) -> str:
    """Tells recorded requests apart; their headers are secrets."""
    if signed is None:
        return ""
    text = repr((signed.method, signed.path, signed.headers, signed.body))
    return hashlib.sha256(text.encode()).hexdigest()


def settings_digest(
    probes: Sequence[LiveProbe],
    context: LiveContext,
    endpoints: Sequence[Endpoint],
    limits: Limits,
) -> str:
    """What has to be the same for a run to be gone on with."""
    openapi = context.openapi.read_bytes() if context.openapi else b""
    parts = (
        [(one.id, one.version) for one in probes],
        context.active,
        context.as_written,
        str(context.rules.resolve()) if context.rules else packed_names(context.knowledge),
        sorted(context.keys),
        _digest_of(context.signed),
        hashlib.sha256(openapi).hexdigest(),
        context.advisories is not None,
        list(endpoints),
        limits,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
