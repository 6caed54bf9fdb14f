"""Text in Unicode encodings other than UTF-8, read as UTF-8; and what text in none of them is."""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, Any, Final

UTF16_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Longest first: the mark of UTF-32-LE begins as that of UTF-16-LE does.
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be", **UTF16_MARKS
}  # fmt: skip
_ZEROS: Final[
    dict[tuple[bool, ...], str]
] = {  # which of the first four bytes are zero where text begins in ASCII (RFC 4627, 3)
    (True, True, True, False): "utf-32-be",
    (False, True, True, True): "utf-32-le",
    (True, False, True, False): "utf-16-be",
    (False, True, False, True): "utf-16-le",
}
_PIECE: Final = 1 << 16  # bytes
# Encodings that are still met, each with characters of its language, two together: a letter with an
# accent and the one behind it may pass for one. Only what is common: in their larger forms anything
# is something.
_OTHERS: Final = {
    "GB 18030": ("gb2312", "[\u4e00-\u9fff]{2,}"),
    "Big5": ("big5", "[\u4e00-\u9fff]{2,}"),
    "Shift JIS": ("shift_jis", "[\u3040-\u30ff]{2,}"),
    "EUC-KR": ("euc_kr", "[\uac00-\ud7a3]{2,}"),
}


def as_utf8(stream: IO[bytes]) -> IO[bytes]:
    """The stream; where it holds UTF-16 or UTF-32, with or without a mark, the same in UTF-8.

    Without a mark two characters at the beginning have to be ASCII, as in JSON. Half a surrogate
    pair gives bytes that are no UTF-8, so that what holds it is told and nothing else.

    Args:
        stream: buffered, at its beginning. Reading raises ``ValueError`` where it ends inside a
            character or holds what is none.
    """
    head = stream.peek(4)[:4] if isinstance(stream, io.BufferedReader) else b""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            stream.read(len(mark))
            return io.BufferedReader(_Recoded(stream, name), _PIECE)
    encoding = _ZEROS.get(tuple(not byte for byte in head))
    return stream if encoding is None else io.BufferedReader(_Recoded(stream, encoding), _PIECE)


class _Recoded(io.RawIOBase):
    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._ready = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase``.

        Raises:
            ValueError: it ends inside a character, or holds what is none.
        """
        while not self._ready:
            piece = self._stream.read(_PIECE)
            try:
                text = self._decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                raise ValueError(f"not {self._encoding.upper()}: {error.reason}") from None
            self._ready = text.encode("utf-8", "surrogatepass")
            if not piece:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def not_utf8(data: bytes) -> str:
    """What is wrong with bytes that are no UTF-8, and what they may be; empty where they are it."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = error.start
    else:
        return ""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        likely = " or ".join(_likely(data)) or "in another encoding"
        return (
            f"byte {place} is not UTF-8; the file may be {likely}: convert it to UTF-8, "
            "for example by iconv"
        )
    return f"half a surrogate pair at byte {place}"


def _likely(data: bytes) -> list[str]:
    """Names of encodings in which most of what is not ASCII is of the encoding's language."""
    found = []
    for name, (encoding, letters) in _OTHERS.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if 3 * sum(map(len, re.findall(letters, text))) >= sum(
            character > "\x7f" for character in text
        ):
            found.append(name)
    return found
