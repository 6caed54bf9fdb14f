"""Reads what a server answers to a ClientHello: hello, certificates, OCSP answer, or an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from buttress.probes.link.tls.handshake_keys import RecordReader

_ALERT: Final = 21
_HANDSHAKE: Final = 22
_ENCRYPTED: Final = 23
_CHANGE_CIPHER: Final = 20
_FATAL: Final = 2
_TLS13: Final = 0x0304
_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_MOST_MESSAGE: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What the server chose. ``group`` and ``share`` are its key in TLS 1.3."""

    version: int
    suite: int
    compression: int
    extensions: frozenset[int]
    retry: bool = False
    group: int = 0
    share: bytes = b""

    @property
    def secure_renegotiation(self) -> bool:
        """Whether it knows RFC 5746, or has no renegotiation at all (TLS 1.3)."""
        return self.version >= _TLS13 or 0xFF01 in self.extensions


class _CutError(Exception):
    """A field is longer than what holds it."""


class _Fields:
    """Takes fields from the front of a message."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        if len(self.rest) < count:
            raise _CutError
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))


class ServerFlight:
    """``feed`` bytes until ``done``.

    ``hello`` is None where there is none; ``alert`` is the fatal alert, by its number (RFC 8446
    section 6). ``certificates`` are DER, in the order of the server. ``staple`` is its OCSP answer,
    ``key_exchange`` the message of that name of TLS 1.2 and before, ``asks_certificate`` whether
    it wants one of the client. ``problem`` says what could not be read. ``ssl2`` says that an SSL 2
    server answered.
    """

    def __init__(self, client_hello: bytes, *, whole: bool, ssl2: bool = False) -> None:
        self.hello: ServerHello | None = None
        self.alert: int | None = None
        self.certificates: list[bytes] = []
        self.staple = b""
        self.key_exchange = b""
        self.asks_certificate = False
        self.problem = ""
        self.ssl2 = False
        self.done = False
        self._whole = whole
        self._wants_ssl2 = ssl2
        self._transcript = client_hello
        self._buffer = bytearray()
        self._messages = bytearray()
        self._reader: RecordReader | None = None

    def feed(self, data: bytes) -> None:
        """Take what the connection brought."""
        if self.done:
            return
        self._buffer += data
        try:
            if self._wants_ssl2 and self._buffer[:1] and self._buffer[0] & 0x80:
                self._read_ssl2()
                return
            while not self.done and len(self._buffer) >= 5:
                kind, length = self._buffer[0], int.from_bytes(self._buffer[3:5])
                if kind not in range(_CHANGE_CIPHER, _ENCRYPTED + 1) or self._buffer[1] != 3:
                    self._end("no TLS")
                elif len(self._buffer) < 5 + length:
                    return
                else:
                    header, content = self._buffer[:5], self._buffer[5 : 5 + length]
                    del self._buffer[: 5 + length]
                    self._record(kind, bytes(header), bytes(content))
        except _CutError:
            self._end("a message that is shorter than it says")

    def _record(self, kind: int, header: bytes, content: bytes) -> None:
        if kind == _ALERT:
            self._read_alert(content)
        elif kind == _HANDSHAKE:
            self._read_messages(content)
        elif kind == _ENCRYPTED:
            self._read_encrypted(header, content)

    def _read_alert(self, content: bytes) -> None:
        if len(content) < 2:
            self._end("an alert that is cut")
        elif content[0] == _FATAL:
            self.alert, self.done = content[1], True
        # A warning, such as that of an unknown name, is followed by the hello.

    def _read_messages(self, content: bytes) -> None:
        self._messages += content
        while not self.done and len(self._messages) >= 4:
            length = int.from_bytes(self._messages[1:4])
            if length > _MOST_MESSAGE:
                self._end("a message that is too long")
            elif len(self._messages) < 4 + length:
                return
            else:
                message = bytes(self._messages[: 4 + length])
                del self._messages[: 4 + length]
                self._message(message[0], message[4:], message)

    def _message(self, kind: int, body: bytes, message: bytes) -> None:
        tls13 = self.hello is not None and self.hello.version == _TLS13
        if kind == 2:
            self.hello = _server_hello(body)
            self._transcript += message
            if not self._whole or self.hello.retry:
                self.done = True
        elif kind == 11:
            self._certificates(_Fields(body), tls13=tls13)
        elif kind == 12:
            self.key_exchange = body
        elif kind == 13:
            self.asks_certificate = True
        elif kind == 22 and body[:1] == b"\x01":
            self.staple = _Fields(body[1:]).vector(3)
        elif kind in (14, 20):
            self.done = True

    def _certificates(self, fields: _Fields, *, tls13: bool) -> None:
        if tls13:
            fields.vector(1)
        entries = _Fields(fields.vector(3))
        while entries.rest:
            self.certificates.append(entries.vector(3))
            if not tls13:
                continue
            extensions = _Fields(entries.vector(2))
            while extensions.rest:
                kind, data = extensions.number(2), extensions.vector(2)
                if kind == 5 and data[:1] == b"\x01" and len(self.certificates) == 1:
                    self.staple = _Fields(data[1:]).vector(3)

    def _read_encrypted(self, header: bytes, content: bytes) -> None:
        if self.hello is None:
            self._end("an encrypted record before the hello")
            return
        try:
            if self._reader is None:
                hello = self.hello
                self._reader = RecordReader(hello.suite, hello.group, hello.share, self._transcript)
            kind, plain = self._reader.read(header, content)
        except ValueError as error:
            self._end(f"not decrypted: {error}")
            return
        if kind == _ALERT:
            self._read_alert(plain)
        elif kind == _HANDSHAKE:
            self._read_messages(plain)

    def _read_ssl2(self) -> None:
        length = int.from_bytes(self._buffer[:2]) & 0x7FFF
        if len(self._buffer) >= 2 + min(length, 11):
            message = self._buffer[2:]
            self.ssl2 = message[0] == 4 and message[3:5] == b"\x00\x02"
            self.done = True

    def _end(self, problem: str) -> None:
        self.problem, self.done = problem, True


def _server_hello(body: bytes) -> ServerHello:
    fields = _Fields(body)
    version, random = fields.number(2), fields.take(32)
    fields.vector(1)
    suite, compression = fields.number(2), fields.number(1)
    extensions: dict[int, bytes] = {}
    if fields.rest:
        left = _Fields(fields.vector(2))
        while left.rest:
            kind = left.number(2)
            extensions[kind] = left.vector(2)
    group, share = 0, b""
    if 43 in extensions:
        version = _Fields(extensions[43]).number(2)
    if 51 in extensions:
        key = _Fields(extensions[51])
        group = key.number(2)
        share = key.vector(2) if key.rest else b""
    return ServerHello(
        version, suite, compression, frozenset(extensions), random == _RETRY, group, share
    )
