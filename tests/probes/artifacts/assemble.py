"""Builds inert malicious samples, opcode by opcode. Nothing here ever loads one."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.artifacts.model_files import PROBE
from buttress.protocols.inspection import InspectionContext


def scan(path: Path) -> tuple[list[Finding], Inspection]:
    """All findings, and the inspection, of a file or folder."""
    *findings, inspection = PROBE.inspect(InspectionContext.at("weights", path))
    assert isinstance(inspection, Inspection)
    assert all(isinstance(one, Finding) for one in findings)
    return findings, inspection  # type: ignore[return-value]


def scan_bytes(folder: Path, data: bytes, name: str = "sample.bin") -> list[Finding]:
    path = folder / name
    path.write_bytes(data)
    return scan(path)[0]


def rules(findings: list[Finding]) -> set[str]:
    return {one.rule for one in findings}


def proto(version: int) -> bytes:
    return bytes([0x80, version])


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw if len(raw) < 256 else wide_text(value)


def wide_text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def constant(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def by_global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def by_stack_global(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def by_memo(module: str, name: str) -> bytes:
    """Names go through the memo, with junk on the stack meanwhile."""
    return (
        text(module)
        + b"\x94"
        + b"0"
        + text(name)
        + b"\x94"
        + b"0"
        + b"N"
        + b"h\x00"
        + b"h\x01"
        + b"\x93"
    )


def by_put(module: str, name: str) -> bytes:
    """PUTs out of order, one of them overwritten."""
    return (
        wide_text("innocent") + b"q\x07" + b"0" + wide_text(module) + b"q\x07" + b"0"
        + wide_text(name) + b"r\x00\x01\x00\x00" + b"0" + b"g7\n" + b"j\x00\x01\x00\x00" + b"\x93"
    )  # fmt: skip


def by_escapes(module: str, name: str) -> bytes:
    """Names as escaped text of protocol 0."""
    unicode = "".join(f"\\u{ord(one):04x}" for one in module).encode()
    escaped = "".join(f"\\x{ord(one):02x}" for one in name).encode()
    return b"V" + unicode + b"\n" + b"S'" + escaped + b"'\n" + b"\x93"


def by_dup(module: str, name: str) -> bytes:
    return text(module) + b"2" + b"0" + text(name) + b"\x93"


def call(function: bytes, argument: str = "id") -> bytes:
    return function + text(argument) + b"\x85R"


def by_inst(module: str, name: str, argument: str = "id") -> bytes:
    return b"(" + text(argument) + f"i{module}\n{name}\n".encode()


def by_obj(function: bytes, argument: str = "id") -> bytes:
    return b"(" + function + text(argument) + b"o"


def by_new(function: bytes, argument: str = "id") -> bytes:
    return function + text(argument) + b"\x85\x81"


IMPORTS = {
    "global": by_global,
    "stack_global": by_stack_global,
    "memo": by_memo,
    "put": by_put,
    "escapes": by_escapes,
    "dup": by_dup,
}


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


EVIL = proto(4) + call(by_stack_global("os", "system")) + b"."
