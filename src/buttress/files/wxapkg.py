"""Packages of WeChat mini-programs (wxapkg): an index of names, offsets and sizes, then the files.

All numbers are big-endian. The desktop client keeps packages encrypted with a key that it derives
from the application's id, so that the owner of an application can open their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from buttress.files.byte_source import ByteSource

ENCRYPTED: Final = b"V1MMWX"
_FIRST: Final = 0xBE
_LAST: Final = 0xED
_FIXED: Final = 18  # bytes in front of the index
_MAX_INDEX: Final = 8 << 20  # bytes
_MAX_NAME: Final = 4096  # bytes
_BLOCK: Final = 1024  # encrypted bytes at the beginning, of which one is padding
_ROUNDS: Final = 1000
_SALT: Final = b"saltiest"
_VECTOR: Final = b"the iv: 16 bytes"
_NO_KEY: Final = 0x66  # what the rest is masked with where the id is too short


class WxapkgError(ValueError):
    """It is no such package, or more than is read; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class WxapkgFile:
    """A file in the package; ``offset`` counts from its start."""

    name: str
    offset: int
    size: int


def matches(head: bytes) -> bool:
    """Whether bytes begin as such a package does, encrypted or not."""
    return head.startswith(ENCRYPTED) or _is_plain(head)


def _is_plain(head: bytes) -> bool:
    return len(head) >= _FIXED and head[0] == _FIRST and head[13] == _LAST and not any(head[1:5])


def start(head: bytes) -> int:
    """Where in a package that is not encrypted the bytes of its files begin."""
    return _FIXED - 4 + int.from_bytes(head[5:9], "big")


def read(source: ByteSource) -> tuple[list[WxapkgFile], list[str]]:
    """The files of a package that is not encrypted, in the order of its index.

    Returns:
        The files, and what is wrong with the index, whose entries of that kind are left out.

    Raises:
        WxapkgError: the index can't be read.
    """
    head = source.read_at(0, _FIXED)
    if not _is_plain(head):
        raise WxapkgError("it does not begin with the header of a mini-program's package")
    length, count = int.from_bytes(head[5:9], "big"), int.from_bytes(head[14:18], "big")
    if length > _MAX_INDEX:
        raise WxapkgError(f"its index is larger than {_MAX_INDEX >> 20} MiB")
    index = source.read_at(_FIXED, max(length - 4, 0))
    found: list[WxapkgFile] = []
    wrong: list[str] = []
    at = 0
    for number in range(1, count + 1):
        size = int.from_bytes(index[at : at + 4], "big")
        end = at + 4 + size
        if size > _MAX_NAME or end + 8 > len(index):
            wrong.append(f"file {number} of {count} lies outside its index")
            break
        name = index[at + 4 : end].decode("utf-8", "backslashreplace").removeprefix("/")
        offset, length = (int.from_bytes(index[end + k : end + k + 4], "big") for k in (0, 4))
        if offset + length > source.size:
            wrong.append(f"file {number} of {count} lies outside the package")
        else:
            found.append(WxapkgFile(name, offset, length))
        at = end + 8
    if at < len(index) and not wrong:
        wrong.append("its index goes on after the last file that it announces")
    if not found and wrong:
        raise WxapkgError(wrong[0])
    return found, wrong


def decrypt(data: bytes, appid: str) -> bytes:
    """The plain package from one that the desktop client keeps.

    Args:
        data: the whole encrypted file.
        appid: the application's id, ``wx`` and 16 hexadecimal digits.

    Raises:
        WxapkgError: it is not encrypted so, or with another id.
        ImportError: the package ``cryptography`` is missing.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    start = len(ENCRYPTED)
    if not data.startswith(ENCRYPTED) or len(data) < start + _BLOCK:
        raise WxapkgError("it is not an encrypted package")
    key = PBKDF2HMAC(SHA1(), 32, _SALT, _ROUNDS).derive(appid.encode())
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_VECTOR)).decryptor()
    first = decryptor.update(data[start : start + _BLOCK]) + decryptor.finalize()
    mask = ord(appid[-2]) & 0xFF if len(appid) >= 2 else _NO_KEY
    rest = data[start + _BLOCK :].translate(bytes(byte ^ mask for byte in range(256)))
    plain = first[: _BLOCK - 1] + rest
    if not _is_plain(plain[:_FIXED]):
        raise WxapkgError("the appid given is not that of this package")
    return plain
