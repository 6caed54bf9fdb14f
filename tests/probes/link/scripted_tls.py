"""A server that answers ClientHello as it is told to: for what no library speaks any more.

It reads the offer and sends a ServerHello or an alert; it can do no cryptography.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SSL3, TLS10, TLS11, TLS12 = 0x0300, 0x0301, 0x0302, 0x0303


@dataclass
class ScriptedTls:
    """``suites`` by version, in the order of the server's choice."""

    suites: Mapping[int, Sequence[int]] = field(default_factory=dict)
    ssl2: bool = False
    compression: bool = False
    renegotiation_info: bool = True
    guards_fallback: bool = True
    warns: bool = False  # of an unknown name, before it goes on
    answers_with: int = 0  # this suite, whatever was offered
    most_suites: int = 0  # closes the connection on a longer offer
    refusal: bytes = b"\x15\x03\x01\x00\x02\x02\x28"  # handshake_failure
    record: int = 0  # bytes of a record, 0 for a whole message
    alert_after: bool = False  # a fatal alert after the hello
    key_exchange: bytes = b""
    seen: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(2)
            if first[0] & 0x80:
                rest = await reader.readexactly(int.from_bytes(first) & 0x7FFF)
                self.seen.append(first + rest)
                if self.ssl2:
                    body = b"\x04\x00\x01\x00\x02" + bytes(6)
                    writer.write((0x8000 | len(body)).to_bytes(2) + body)
            elif first == b"\x16\x03":
                length = (await reader.readexactly(3))[1:]
                hello = await reader.readexactly(int.from_bytes(length))
                self.seen.append(hello)
                writer.write(self.answer(hello))
            else:
                writer.write(b"HTTP/1.0 400 Bad\r\n\r\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, hello: bytes) -> bytes:
        version = int.from_bytes(hello[4:6])
        at = 38 + 1 + hello[38]
        count = int.from_bytes(hello[at : at + 2])
        offered = [
            int.from_bytes(hello[at + 2 + 2 * k : at + 4 + 2 * k]) for k in range(count // 2)
        ]
        at += 2 + count
        methods = hello[at + 1 : at + 1 + hello[at]]
        if b"\x00\x2b\x00\x03\x02\x03\x04" in hello:
            version = 0x0304
        if self.most_suites and len(offered) > self.most_suites:
            return b""
        warning = b"\x15\x03\x01\x00\x02\x01\x70" if self.warns else b""
        if 0x5600 in offered and self.guards_fallback and version < max(self.suites):
            return warning + b"\x15\x03\x01\x00\x02\x02\x56"
        mine = self.suites.get(version, ())
        chosen = self.answers_with or next((one for one in mine if one in offered), 0)
        if not chosen:
            return warning + self.refusal
        packed = 1 if self.compression and 1 in methods else 0
        body = version.to_bytes(2) + bytes(32) + b"\x00" + chosen.to_bytes(2) + bytes([packed])
        if self.renegotiation_info:
            body += b"\x00\x05\xff\x01\x00\x01\x00"
        messages = _message(2, body)
        if self.key_exchange:
            messages += _message(12, self.key_exchange) + _message(14, b"")
        made = warning
        step = self.record or len(messages)
        for start in range(0, len(messages), step):
            part = messages[start : start + step]
            made += b"\x16" + version.to_bytes(2) + len(part).to_bytes(2) + part
        return made + (b"\x15\x03\x03\x00\x02\x02\x28" if self.alert_after else b"")


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body
