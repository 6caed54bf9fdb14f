"""Reads one HTTP/1 answer from bytes as they come, within limits, and tolerates bad manners."""

from __future__ import annotations

import re
import zlib
from typing import Final

import httptools

from buttress.files.visible import shortened
from buttress.live.limits import Limits
from buttress.protocols.live import Reply
from buttress.targets.base import TargetError
from buttress.targets.content_coding import decoded

NO_HTTP: Final = "no HTTP"
_INFORMATIONAL: Final = frozenset(range(100, 200)) - {101}  # after 101 no other answer follows
_GZIP: Final = b"\x1f\x8b"  # each member of a file begins so (RFC 1952)
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_END_OF_EVENT: Final = re.compile(rb"(?>\r\n|\n|\r){2}")
_EVENT_DATA: Final = re.compile(rb"(?:\A|[\r\n])data:[ \t]*[^\s]")
_RPC_CALL: Final = re.compile(rb'"method"\s*:\s*"')
_SENT_AS: Final = re.compile(r"\b(?:x-)?gzip\b|\bdeflate\b", re.I)
_STREAMED: Final = frozenset(("gzip", "x-gzip", "deflate"))
_END_OF_HEADERS: Final = re.compile(rb"\r?\n\r?\n")
# What some servers begin with that the parser refuses: HTTP/2, http/1.1, ICY (of radio streams).
_STATUS: Final = re.compile(rb"(?i)\s*(?:HTTP/\d(?:\.\d)?|ICY)[ \t]+(\d{3})(?!\d)")
_HEADER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\0\r]*")
_LENGTH: Final = re.compile(rb"(?i)content-length[^0-9]*([0-9]{1,18})(?![0-9])")
_STEP: Final = 256 << 10  # of inflated bytes at a time


class ResponseReader:
    """``feed`` bytes until ``done``; ``reply`` is what came.

    With ``events`` a stream of events can be fed further; it is done with its first event, and
    after ``read_on`` with the next. ``failed`` says why there is none. ``keep_alive`` is whether
    the connection can serve another request; ``received`` counts bytes as sent.
    """

    def __init__(self, limits: Limits, *, events: bool = False) -> None:
        self._limits = limits
        self.events = events
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._parser = self._new_parser()
        self._inflate: zlib._Decompress | None = None
        self._in_body = False
        self._whole_coding = ""  # decoded at the end, not as it comes
        self._stream = False
        self._event = 0  # where in the body the first event begins that has not ended
        self._searched = 0  # up to where its end is not
        self._head = bytearray()  # until the headers are read; what a second attempt begins with
        self._head_is_bad = self._mended = self._raw_deflate = False
        self.received = 0
        self.done = False
        self.cut = ""
        self.failed = ""
        self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Take what the connection brought."""
        if self.done and not (self.events and self._stream):
            self.keep_alive = False  # bytes that nobody asked for
            return
        self.received += len(data)
        if not self._in_body and not self._mended:
            self._head += data
            if self._head_is_bad:
                self._mend()
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish(keep_alive=False)
        except httptools.HttpParserError as error:
            if self._in_body and not self.done:
                self._end(f"broken off: {_told(error)}")
            elif not self.done and not self._mended and _may_be_status(self._head):
                self._head_is_bad = True
                self._mend()
            elif not self.done:
                self._fail(f"{NO_HTTP}: {_told(error)}")
            else:
                self.keep_alive = False
            return
        if not self._in_body and self.received > self._limits.header_bytes:
            self._fail(f"headers longer than {self._limits.header_bytes:,} bytes")

    def _mend(self) -> None:
        """Read an answer again whose headers the parser refuses: without lines that are no header,
        and with the first length that has a number. Its connection serves no other request.
        """
        end = _END_OF_HEADERS.search(self._head)
        if end is None:
            if len(self._head) > self._limits.header_bytes:
                self._fail(f"headers longer than {self._limits.header_bytes:,} bytes")
            return
        head = bytes(self._head[: end.start()])
        first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
        if status := _STATUS.match(first):
            first = b"HTTP/1.1 " + status[1]
        kept = [
            line
            for line in lines
            if _HEADER.fullmatch(line) and not line.lower().startswith(b"content-length")
        ]
        if length := next(filter(None, map(_LENGTH.match, lines)), None):
            kept.append(b"Content-Length: " + length[1])
        whole = b"\r\n".join([first, *kept]) + b"\r\n\r\n" + self._head[end.end() :]
        self._mended, self._head_is_bad = True, False
        self._headers.clear()
        self._head.clear()
        self._parser = self._new_parser()
        self.received -= len(whole)
        self.feed(whole)

    def read_on(self) -> None:
        """Be done when one more event is there, which may be so already."""
        if self._stream and not self.cut:
            self.done = self._has_event()

    def eof(self) -> None:
        """The connection was closed."""
        if self.done:
            return
        if not self._in_body:
            self._fail("closed without an answer" if not self.received else "closed in the headers")
        elif self._has("content-length") or self._has("transfer-encoding"):
            self._end("closed before its end")
        else:
            self._finish(keep_alive=False)

    def late(self, why: str) -> None:
        """No more is waited for: what came of a body is kept, and told as cut."""
        if self._in_body:
            self._end(why)
        else:
            self._fail(why)

    def reply(self) -> Reply | None:
        """The answer as far as it was read."""
        if self.failed or not self._in_body:
            return None
        return Reply(
            self._parser.get_status_code(), tuple(self._headers), bytes(self._body), self.cut
        )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers.append((name.decode("latin-1"), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self._parser.get_status_code() in _INFORMATIONAL:
            self._headers.clear()
            return
        self._in_body = True
        self._head.clear()
        kind = next((v for n, v in self._headers if n.lower() == "content-type"), "")
        self._stream = "text/event-stream" in kind.lower()
        coding = next((v for n, v in self._headers if n.lower() == "content-encoding"), "").lower()
        if not coding and (sent := next((_SENT_AS.search(v) for n, v in self._headers
                                         if n.lower() == "transfer-encoding"), None)):  # fmt: skip
            coding = sent[0].lower()
        if coding in _STREAMED:
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._raw_deflate = coding == "deflate"
        elif coding not in ("", "identity"):
            self._whole_coding = coding

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        if self.done and not self.events:
            return
        try:
            self._take(body)
        except zlib.error as error:
            if self._body or not self._inflate:
                self._end(f"not inflated: {error}")
            elif self._raw_deflate:  # many send what zlib's header should stand before
                self._raw_deflate = False
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                self.on_body(body)
                return
            else:
                self._inflate = None
                self._body += body[: self._limits.body_bytes]
        if self._stream and not self.done and self._has_event():
            self._finish(keep_alive=False)  # of an endless stream of events one is enough
        elif (len(self._body) >= self._limits.body_bytes and not self.done) or (
            self.received > self._limits.body_bytes + self._limits.header_bytes and not self.done
        ):
            self._end(f"body longer than {self._limits.body_bytes:,} bytes")

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._in_body and not self.done:  # else of an interim answer: the real one follows
            self._finish(keep_alive=not self._mended and self._parser.should_keep_alive())

    def _has_event(self) -> bool:
        """Whether an event with data has ended that is no message of its own by the server."""
        while end := _END_OF_EVENT.search(self._body, self._searched):
            event = self._body[self._event : end.end()]
            self._event = self._searched = end.end()
            if _EVENT_DATA.search(event) and not (
                b'"jsonrpc"' in event and _RPC_CALL.search(event)
            ):
                return True
        self._searched = max(self._event, len(self._body) - 3)  # a line may end in two pieces
        return False

    def _take(self, body: bytes) -> None:
        if self._inflate is None:
            room = self._limits.body_bytes - len(self._body)
            self._body += body[:room]
            return
        waiting = body
        while waiting and len(self._body) < self._limits.body_bytes:
            room = min(_STEP, self._limits.body_bytes - len(self._body))
            self._body += self._inflate.decompress(waiting, room)
            waiting = self._inflate.unconsumed_tail
            if self._inflate.eof and (rest := self._inflate.unused_data).startswith(_GZIP):
                self._inflate, waiting = zlib.decompressobj(_GZIP_OR_ZLIB), rest

    def _new_parser(self) -> httptools.HttpResponseParser:
        parser = httptools.HttpResponseParser(self)
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_transfer_encoding=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_optional_crlf_after_chunk=True,
            lenient_spaces_after_chunk_size=True,
        )
        return parser

    def _has(self, name: str) -> bool:
        return any(given.lower() == name for given, _ in self._headers)

    def _end(self, why: str) -> None:
        self.cut, self.done, self.keep_alive = why, True, False

    def _fail(self, why: str) -> None:
        self.failed, self.done, self.keep_alive = why, True, False

    def _finish(self, *, keep_alive: bool) -> None:
        self.done, self.keep_alive = True, keep_alive
        if self._whole_coding:
            try:
                whole = decoded(bytes(self._body), self._whole_coding)
            except TargetError:
                self.cut = f"not read: it is coded as {shortened(self._whole_coding)}"
                return
            self._body = bytearray(whole[: self._limits.body_bytes])
            if len(whole) > self._limits.body_bytes:
                self.cut = f"body longer than {self._limits.body_bytes:,} bytes"


def _may_be_status(head: bytes | bytearray) -> bool:
    """Whether what came so far may begin a line with a status."""
    start = head[:64].lstrip().upper()
    return any(start.startswith(one) or one.startswith(start) for one in (b"HTTP/", b"ICY "))


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__
