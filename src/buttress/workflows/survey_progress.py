"""The progress of a survey, so that a run that was cut off goes on and what it sent is known."""

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
from buttress.workflows.survey_requests import FILE_NAME as REQUESTS
from buttress.workflows.survey_requests import RequestLog

if TYPE_CHECKING:
    from buttress.live.limits import Limits
    from buttress.live.scope import Endpoint
    from buttress.live.sent import Sent
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
    """Two files of a survey: a line a host that is done, and a line a request before it is sent.

    ``hosts`` are those of the run that is gone on with, ``cut`` what it sent to others before it
    was cut off. ``note`` says where an earlier run's requests are.
    """

    id: str
    began: float
    hosts: list[HostResult]
    cut: dict[Endpoint, list[Sent]]
    _file: BinaryIO
    _log: RequestLog
    note: str = ""

    @classmethod
    def begin(
        cls, out: Path, settings: str, identifier: str, began: float, endpoints: Sequence[Endpoint]
    ) -> SurveyProgress:
        """New files in the folder ``out``; the requests of a run that was cut off are kept.

        Raises:
            InputError: not writable.
        """
        try:
            out.mkdir(parents=True, exist_ok=True)
            note = _kept_apart(out)
            file = (out / FILE_NAME).open("wb")
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(out), field="--out", expected="a folder"
            ) from None
        made = cls(
            identifier, began, [], {}, file, RequestLog.begin(out / REQUESTS, endpoints), note
        )
        made._write(msgspec.json.encode(_Head(identifier, began, settings)))
        return made

    @classmethod
    def resume(cls, out: Path, settings: str, endpoints: Sequence[Endpoint]) -> SurveyProgress:
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
        log, cut = RequestLog.resume(out / REQUESTS, endpoints)
        for one in hosts:
            cut.pop(one.endpoint, None)
        file = path.open("r+b")
        file.truncate(sum(map(len, whole)))
        file.seek(0, os.SEEK_END)
        return cls(head.id, head.began, hosts, cut, file, log)

    def before(self, endpoint: Endpoint, sent: Sent) -> None:
        """Keep a request that is sent next."""
        self._log.add(endpoint, sent)

    def add(self, host: HostResult) -> None:
        """Keep a host that is done, on the disk before this returns.

        What was sent to it before the run was cut off is put before what it was sent now.
        """
        host.sent[:0] = self.cut.pop(host.endpoint, ())
        sent = [
            replace(one, request=replace(one.request, script=None, body=_body(one.request)))
            for one in host.sent
        ]
        self._write(msgspec.json.encode(replace(host, sent=sent)))

    def done(self, endpoint: Endpoint) -> HostResult | None:
        """What is known of a host from the run that is gone on with."""
        return next((one for one in self.hosts if one.endpoint == endpoint), None)

    def close(self) -> None:
        """Close the files; they are kept for a later run until ``remove_progress``."""
        self._file.close()
        self._log.close()

    def _write(self, line: bytes) -> None:
        self._file.write(line + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def remove_progress(out: Path) -> None:
    """The survey is whole and written: what was kept to go on with it is no longer needed."""
    (out / FILE_NAME).unlink(missing_ok=True)


def _kept_apart(out: Path) -> str:
    """Give the requests of a run that was cut off a name of their own; says so."""
    progress, requests = out / FILE_NAME, out / REQUESTS
    if not progress.exists() or not requests.exists():
        return ""
    with progress.open("rb") as file:
        first = file.readline(1_000)
    try:
        run = msgspec.json.decode(first, type=_Head).id
    except msgspec.MsgspecError:
        run = ""
    if not run.isalnum():
        run = f"{int(requests.stat().st_mtime)}"
    place = requests.with_name(f"requests-{run}.jsonl")
    requests.rename(place)
    return (
        f"an earlier survey in this folder was cut off: what it sent is kept in {place.name}, "
        "and is not part of this result"
    )


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
        (context.canary.host, context.canary.port),
        list(endpoints),
        limits,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
