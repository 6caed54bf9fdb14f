"""Cheap tests that rule a format out, so that what reads it need not even be imported.

Each is necessary and rarely sufficient: the format's own ``matches`` decides. Most of the time that
a small file takes is the import of modules, hence this one imports next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from buttress.files.byte_source import ByteSource, FileSource
from buttress.probes.artifacts.encodings.text import is_text
from buttress.probes.artifacts.pickles.opcodes import KNOWN

HEAD: Final = 512  # bytes that recognition may look at, a tar header
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
_OBJECT: Final = re.compile(r'\{\s*"')
_BLANKS: Final = b" \t\n\r\v\f"  # all that ``bytes.lstrip`` takes
_WIDE: Final = b'\0\xff\xfe{"' + _BLANKS
_SHARD: Final = re.compile(r"\.data-[0-9]{5}-of-[0-9]{5}\Z")
TABLE_END: Final = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # LevelDB's, which TensorFlow uses
_MARKS: Final = (b":", b"{", b"!", b"?", b"\0")  # the last for text in UTF-16
_OCTAL: Final = b" \0\t\n\v\f\r+_01234567oO"  # all that ``int(digits, 8)`` takes

# Of protocol buffers (protobuf.dev, "Encoding"); the whole reader would be imported for each file.
_HIGHEST_FIELD: Final = (1 << 29) - 1
_FIXED_WIDTH: Final = {1: 8, 5: 4}  # bytes of a wire type
_FIELD_HEADER: Final = 20  # two varints
_SHORT_MESSAGE: Final = 24  # bytes of the least message that something is looked for behind


def pickled(_source: ByteSource, head: bytes) -> bool:
    """It begins with an opcode."""
    return head[0] in KNOWN


def zipped(source: ByteSource, head: bytes) -> bool:
    """A local header at the start, or an end record in the last 64 KB."""
    if head.startswith(b"PK\x03\x04"):
        return True
    if not source.whole or source.size <= 22:
        return False
    return _ZIP_END in source.read_at(max(0, source.size - _ZIP_TAIL), _ZIP_TAIL)


def safetensors(_source: ByteSource, head: bytes) -> bool:
    """A brace after eight bytes."""
    return head[8:9] == b"{"


def gguf(_source: ByteSource, head: bytes) -> bool:
    """The magic number."""
    return head.startswith(b"GGUF")


def numpy_array(_source: ByteSource, head: bytes) -> bool:
    """The magic number."""
    return head.startswith(b"\x93NUMPY")


def hdf5(source: ByteSource, head: bytes) -> bool:
    """The signature at the start, or after a user block."""
    if head.startswith(_HDF5):
        return True
    if not source.whole or source.size <= _HDF5_USER_BLOCKS[0]:
        return False
    return any(source.size > at and source.read_at(at, 8) == _HDF5 for at in _HDF5_USER_BLOCKS)


def json_object(_source: ByteSource, head: bytes) -> bool:
    """A brace comes first, in any encoding of JSON, but for a byte order mark and blanks."""
    if b"\0" not in head[:4]:
        return head.removeprefix(_UTF8_MARK).lstrip()[:1] in (b"", b"{")
    if head[:4].strip(_WIDE) or head[:4] == bytes(4):  # no brace or blank in UTF-16 or UTF-32
        return False
    from json import detect_encoding

    text = head.decode(detect_encoding(head), "replace").lstrip("\ufeff \t\r\n")
    return text == "" or _OBJECT.match(text) is not None


def json_text(_source: ByteSource, head: bytes) -> bool:
    """A brace or bracket comes first, but for a byte order mark and blanks."""
    return head.removeprefix(_UTF8_MARK).lstrip()[:1] in (b"{", b"[")


def tarred(_source: ByteSource, head: bytes) -> bool:
    """A whole block with a number, octal or binary, where the checksum is."""
    number = head[148:156]
    return len(head) == 512 and (
        number[0] in (0x80, 0xFF)
        or (not number.translate(None, _OCTAL) and bool(number.strip(b" \0")))
    )


def compressed(_source: ByteSource, head: bytes) -> bool:
    """A signature."""
    return head.startswith(_COMPRESSED)


def seven_zip(_source: ByteSource, head: bytes) -> bool:
    """The signature."""
    return head.startswith(b"7z\xbc\xaf\x27\x1c")


def electron_archive(_source: ByteSource, head: bytes) -> bool:
    """Its first word is 4, and a brace comes after four words."""
    return head[:4] == b"\4\0\0\0" and head[16:17] == b"{"


def mini_program(_source: ByteSource, head: bytes) -> bool:
    """The two marks around its lengths."""
    return head[0] == 0xBE and head[13:14] == b"\xed"


def text(_source: ByteSource, head: bytes) -> bool:
    """No control bytes, or the mark of UTF-16."""
    return is_text(head)


def marked_text(source: ByteSource, head: bytes) -> bool:
    """Text with a mark that YAML, templates and protobuf's text need, unless it goes on."""
    if not text(source, head):
        return False
    return len(head) >= HEAD or any(mark in head for mark in _MARKS)


def xml(_source: ByteSource, head: bytes) -> bool:
    """A tag comes first, or the mark of UTF-16."""
    return head[:2] in _UTF16_MARKS or head.removeprefix(_UTF8_MARK).lstrip()[:1] == b"<"


def tflite(_source: ByteSource, head: bytes) -> bool:
    """The file identifier."""
    return head[4:8] == b"TFL3"


def message_pack(_source: ByteSource, head: bytes) -> bool:
    """A map."""
    return 0x81 <= head[0] <= 0x8F or head[0] in (0xDE, 0xDF)


def paddle_params(_source: ByteSource, head: bytes) -> bool:
    """Versions that are 0, few levels of detail, and a description that begins with a type."""
    levels = int.from_bytes(head[4:12], "little")
    if len(head) < 24 or head[:4] != bytes(4) or levels > 8:
        return False
    return bool(levels) or (head[12:16] == bytes(4) and head[20] == 8)


def core_ml_weights(_source: ByteSource, head: bytes) -> bool:
    """Version 2, and the sentinel of the first blob."""
    return head[4:8] == b"\2\0\0\0" and head[64:68] == b"\xef\xbe\xad\xde"


def opaque_weights(source: ByteSource, head: bytes) -> bool:
    """The file identifier, the mark at the end of a table, or a name that TensorFlow gives."""
    if head[4:8] == b"ORTM":
        return True
    if isinstance(source, FileSource) and _SHARD.search(source.name):
        return True
    return source.whole and source.size >= 48 and source.read_at(source.size - 8, 8) == TABLE_END


def protobuf(_source: ByteSource, head: bytes) -> bool:
    """Fields of a message as far as the head goes; most other files fail within a few bytes.

    A short message may end within it, with something else appended.
    """
    at = 0
    while at < len(head):
        start = at
        tag, at = _varint(head, at)
        number, wire = tag >> 3, tag & 7
        value = 0
        if at >= 0 and wire in (0, 2):
            value, at = _varint(head, at)
        if at < 0 or not 1 <= number <= _HIGHEST_FIELD or wire > 5:
            reached = start + _FIELD_HEADER // 2 if at < 0 else start
            return start > 0 and reached >= min(len(head) - _FIELD_HEADER, _SHORT_MESSAGE)
        if number > 1 << 20 or (wire == 2 and value > 1 << 40):
            return False
        at += value if wire == 2 else _FIXED_WIDTH.get(wire, 0)
    return True


def _varint(head: bytes, at: int) -> tuple[int, int]:
    """The number and the offset after it, -1 where it is cut short or too long."""
    value = 0
    for place, byte in enumerate(head[at : at + 10]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return 0, -1


# First bytes without which these are false, whatever follows.
FIRST: Final[Mapping[Callable[[ByteSource, bytes], bool], frozenset[int]]] = {
    pickled: KNOWN,
    gguf: frozenset(b"G"),
    numpy_array: frozenset(b"\x93"),
    json_object: frozenset(b"{\0\xef\xff\xfe" + _BLANKS),
    json_text: frozenset(b"{[\xef" + _BLANKS),
    compressed: frozenset(one[0] for one in _COMPRESSED),
    seven_zip: frozenset(b"7"),
    electron_archive: frozenset(b"\4"),
    mini_program: frozenset(b"\xbe"),
    xml: frozenset(b"<\xef\xfe\xff" + _BLANKS),
    message_pack: frozenset((*range(0x81, 0x90), 0xDE, 0xDF)),
    paddle_params: frozenset(b"\0"),
}
