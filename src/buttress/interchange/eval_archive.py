"""Members of an Inspect ``.eval`` log: a zip whose members are stored, deflated or zstd (93).

Read without Inspect, one member in memory at a time. Python's ``zipfile`` finds the members; their
bytes are expanded here, bounded, because it knows zstd only from Python 3.14 on.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from buttress.errors import InputError, MissingExtraError
from buttress.files.zip_errors import BAD_ZIP
from buttress.interchange.fields import RecordPlace
from buttress.interchange.lines import unreadable

MEMBER_LIMIT: Final = 256 * 2**20  # expanded bytes of one sample
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")  # PKWARE APPNOTE 6.3.10, section 4.3.7
_STORED: Final = 0
_DEFLATED: Final = 8
_ZSTANDARD: Final = 93
_CHUNK: Final = 1 << 18
_WINDOW_LIMIT: Final = 128 * 2**20  # bytes; the most that any zstd level uses


class EvalArchive:
    """An open log. Use as a context manager.

    Raises:
        InputError: not a zip file, or not readable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise unreadable(path, error) from None
        try:
            # A name that occurs twice was logged again; the last one counts, as for Inspect.
            self._members = zipfile.ZipFile(self._file).NameToInfo
        except BAD_ZIP as error:
            self._file.close()
            raise InputError(
                f"a broken zip file ({error})"[:200], file=str(path), expected="an Inspect log"
            ) from None

    def __enter__(self) -> EvalArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def names(self) -> list[str]:
        """Names of the members, in the order of the directory."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The expanded bytes of a member.

        Raises:
            InputError: it is broken, too large, or packed in an unknown way.
            MissingExtraError: it is zstd, and no package for that is installed.
        """
        member = self._members[name]
        place = RecordPlace.member(self._path, name)
        if member.flag_bits & 1:
            raise place.error("encrypted", "a log that Inspect wrote")
        packed = self._packed(member, place)
        expanded = bytearray()
        try:
            for piece in _expand(packed, member.compress_type, place):
                expanded += piece
                if len(expanded) > MEMBER_LIMIT:
                    raise place.error("too large", f"at most {MEMBER_LIMIT} bytes")
        except (zlib.error, EOFError) as error:
            raise place.error(f"broken ({error})"[:200], "a log that Inspect wrote") from None
        if zlib.crc32(expanded) != member.CRC:
            raise place.error("its checksum is wrong", "a log that Inspect wrote")
        return bytes(expanded)

    def _packed(self, member: zipfile.ZipInfo, place: RecordPlace) -> Iterator[bytes]:
        """The packed bytes, read as they are needed."""
        left = member.compress_size
        try:
            self._file.seek(member.header_offset)
            header = self._file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
                raise place.error("no member where the directory says", "a log that Inspect wrote")
            _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
            at = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
            while left > 0:
                self._file.seek(at)
                piece = self._file.read(min(_CHUNK, left))
                if not piece:
                    raise place.error("cut short", "a log that Inspect wrote")
                at += len(piece)
                left -= len(piece)
                yield piece
        except (OSError, ValueError) as error:
            raise place.error(f"can't be read ({error})", "a log that Inspect wrote") from None


def _expand(packed: Iterator[bytes], method: int, place: RecordPlace) -> Iterator[bytes]:
    if method == _STORED:
        return packed
    if method == _DEFLATED:
        return _inflate(packed)
    if method == _ZSTANDARD:
        return _unzstd(packed)
    raise place.error(f"compression method {method}", "stored, deflate or zstd")


def _inflate(packed: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in packed:
        yield decoder.decompress(piece, _CHUNK)
        while decoder.unconsumed_tail:
            yield decoder.decompress(decoder.unconsumed_tail, _CHUNK)
    if not decoder.eof:
        raise EOFError("cut short")


def _unzstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Frame after frame: Inspect starts a new one every 200 MiB."""
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("reading an Inspect .eval log", "inspect") from None
    source = cast(IO[bytes], _Readable(packed))  # all that is called of it is read
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT)
    try:
        with decoder.stream_reader(source, read_across_frames=True) as reader:
            while piece := reader.read(_CHUNK):
                yield piece
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None


class _Readable:
    """Pieces as something with ``read``, for zstandard."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _count: int) -> bytes:
        return next(self._pieces, b"")
