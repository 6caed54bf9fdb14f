"""Cheap tests that rule a format out, so that what reads it need not even be imported.

Each is necessary and rarely sufficient: the format's own ``matches`` decides. Most of the time that
a small file takes is the import of modules, hence this one imports next to nothing.
"""

from __future__ import annotations

from typing import Final

from buttress.probes.artifacts.encodings.protobuf import plausible
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.pickles.opcodes import KNOWN
from buttress.probes.artifacts.source import Source

_ZIP_END: Final = b"PK\x05\x06"
_ZIP_TAIL: Final = 22 + 65535
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_USER_BLOCKS: Final = (512, 1024, 2048)
_COMPRESSED: Final = (
    b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\xfd7zXZ", b"\x5d\0\0",
    b"ZF0x", b"\x78", b"Rar!", b"MSCF",
)  # fmt: skip
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_OCTAL: Final = b" \0\t\n\v\f\r+_01234567oO"  # all that ``int(digits, 8)`` takes


def pickled(_source: Source, head: bytes) -> bool:
    """It begins with an opcode."""
    return head[0] in KNOWN


def zipped(source: Source, head: bytes) -> bool:
    """A local header at the start, or an end record in the last 64 KB."""
    if head.startswith(b"PK\x03\x04"):
        return True
    if not source.whole or source.size <= 22:
        return False
    return _ZIP_END in source.read_at(max(0, source.size - _ZIP_TAIL), _ZIP_TAIL)


def safetensors(_source: Source, head: bytes) -> bool:
    """A brace after eight bytes."""
    return head[8:9] == b"{"


def gguf(_source: Source, head: bytes) -> bool:
    """The magic number."""
    return head.startswith(b"GGUF")


def numpy_array(_source: Source, head: bytes) -> bool:
    """The magic number."""
    return head.startswith(b"\x93NUMPY")


def hdf5(source: Source, head: bytes) -> bool:
    """The signature at the start, or after a user block."""
    if head.startswith(_HDF5):
        return True
    return source.whole and any(
        source.size > at and source.read_at(at, 8) == _HDF5 for at in _HDF5_USER_BLOCKS
    )


def json_object(_source: Source, head: bytes) -> bool:
    """A brace comes first."""
    return head[0] == 0x7B


def json_text(_source: Source, head: bytes) -> bool:
    """A brace or bracket comes first, but for a byte order mark and blanks."""
    return head.removeprefix(_UTF8_MARK).lstrip()[:1] in (b"{", b"[")


def tarred(_source: Source, head: bytes) -> bool:
    """A whole block with a number, octal or binary, where the checksum is."""
    number = head[148:156]
    return len(head) == 512 and (
        number[0] in (0x80, 0xFF)
        or (not number.translate(None, _OCTAL) and bool(number.strip(b" \0")))
    )


def compressed(_source: Source, head: bytes) -> bool:
    """A signature."""
    return head.startswith(_COMPRESSED)


def seven_zip(_source: Source, head: bytes) -> bool:
    """The signature."""
    return head.startswith(b"7z\xbc\xaf\x27\x1c")


def text(_source: Source, head: bytes) -> bool:
    """No control bytes, or the mark of UTF-16."""
    return is_text(head)


def xml(_source: Source, head: bytes) -> bool:
    """A tag comes first, or the mark of UTF-16."""
    return head[:2] in _UTF16_MARKS or head.removeprefix(_UTF8_MARK).lstrip()[:1] == b"<"


def tflite(_source: Source, head: bytes) -> bool:
    """The file identifier."""
    return head[4:8] == b"TFL3"


def message_pack(_source: Source, head: bytes) -> bool:
    """A map."""
    return 0x81 <= head[0] <= 0x8F or head[0] in (0xDE, 0xDF)


def protobuf(_source: Source, head: bytes) -> bool:
    """Fields of a message as far as the head goes."""
    return plausible(head)
