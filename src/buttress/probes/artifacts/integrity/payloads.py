"""Programs, archives and scripts in the bytes of tensors, wherever they begin."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_OVERLAP: Final = 1 << 12  # bytes that a header is judged by
_TOLD: Final = 8
_SCRIPT: Final = re.compile(rb"#!/(?:usr/)?(?:local/)?bin/[\w./ -]{1,60}\n")
_NAME: Final = re.compile(rb"[\x20-\x7e]+")
_IMPORT: Final = re.compile(
    rb"c[A-Za-z_][\w.]{0,60}\n[A-Za-z_]\w{0,60}\n|"
    rb"\x8c[\x02-\x40][A-Za-z_][\w.]{1,60}\x94?\x8c[\x02-\x40][A-Za-z_]\w{1,60}\x94?\x93"
)


@dataclass(frozen=True, slots=True)
class Payload:
    """What begins at ``offset`` of a tensor."""

    offset: int
    what: str


class Searcher:
    """Looks at a stream of bytes; headers that lie across two pieces are seen too."""

    def __init__(self) -> None:
        self.found: list[Payload] = []
        self._rest = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        """The next piece."""
        whole = self._rest + data
        base = self._at - len(self._rest)
        for at in _candidates(whole):
            if len(self.found) >= _TOLD:
                break
            what = _what(whole, at)
            payload = Payload(base + at, what) if what else None
            if payload and payload not in self.found:
                self.found.append(payload)
        self._at += len(data)
        self._rest = whole[-_OVERLAP:]


def _candidates(data: bytes) -> list[int]:
    """Offsets of the first two bytes of any mark: a table look-up is faster than any search."""
    import numpy as np

    table = np.zeros(1 << 16, bool)
    table[[int.from_bytes(start[:2], "little") for start, _ in _JUDGES]] = True
    found: list[int] = []
    for odd in (0, 1):
        pairs = np.frombuffer(data, "<u2", max(len(data) - odd, 0) // 2, odd)
        found += (np.flatnonzero(table[pairs]) * 2 + odd).tolist()
    return sorted(found)


def _what(data: bytes, at: int) -> str | None:
    for start, judge in _JUDGES:
        if data.startswith(start, at):
            return judge(data, at)
    return None


def _elf(data: bytes, at: int) -> str | None:
    """Class, byte order and version, then a type and a machine that exist (ELF, "ELF Header")."""
    head = data[at : at + 24]
    if len(head) < 24 or head[4] not in (1, 2) or head[5] not in (1, 2) or head[6] != 1:
        return None
    order = "<" if head[5] == 1 else ">"
    kind, machine, version = struct.unpack(order + "HHI", head[16:24])
    return "an ELF program" if kind in (1, 2, 3, 4) and 0 < machine < 300 and version == 1 else None


def _pe(data: bytes, at: int) -> str | None:
    head = data[at : at + 64]
    if len(head) < 64:
        return None
    where = struct.unpack("<I", head[60:64])[0]
    near = where < _OVERLAP - 64 and data[at + where : at + where + 4] == b"PE\0\0"
    return "a Windows program" if near else None


def _mach_o(data: bytes, at: int) -> str | None:
    head = data[at : at + 28]
    if len(head) < 28:
        return None
    cpu, _, kind, commands = struct.unpack("<IIII", head[4:20])
    real = cpu in (0x01000007, 0x0100000C) and 1 <= kind <= 12 and 0 < commands < 1000
    return "a macOS program" if real else None


def _fat(data: bytes, at: int) -> str | None:
    head = data[at : at + 12]
    if len(head) < 12:
        return None
    count, cpu = struct.unpack(">II", head[4:12])
    known = (7, 12, 0x01000007, 0x0100000C)
    return "a macOS program" if 0 < count < 20 and cpu in known else None


def _zip(data: bytes, at: int) -> str | None:
    head = data[at : at + 30]
    if len(head) < 30:
        return None
    version, _, method = struct.unpack("<HHH", head[4:10])
    names, extras = struct.unpack("<HH", head[26:30])
    name = data[at + 30 : at + 30 + names]
    plain = 0 < names < 512 and _NAME.fullmatch(name) is not None
    known = version <= 63 and method in (0, 8, 9, 12, 14, 93, 95, 99) and extras < 4096
    return "a zip archive" if plain and known else None


def _pickle(data: bytes, at: int) -> str | None:
    """A protocol header, and an import spelled out within the next 200 bytes."""
    found = _IMPORT.search(data, at + 2, at + 200)
    return "a pickle that imports" if found else None


_JUDGES: Final[tuple[tuple[bytes, Callable[[bytes, int], str | None]], ...]] = (
    (b"\x7fELF", _elf),
    (b"MZ", _pe),
    (b"\xcf\xfa\xed\xfe", _mach_o),
    (b"\xca\xfe\xba\xbe", _fat),
    (b"PK\x03\x04", _zip),
    (b"#!/", lambda data, at: "a script" if _SCRIPT.match(data, at) else None),
    (b"7z\xbc\xaf\x27\x1c", lambda _data, _at: "a 7z archive"),
    (b"MSCF\0\0\0\0", lambda _data, _at: "a cabinet archive"),
    (b"<?php", lambda _data, _at: "a PHP script"),
    *((bytes([0x80, protocol]), _pickle) for protocol in range(2, 6)),
)
