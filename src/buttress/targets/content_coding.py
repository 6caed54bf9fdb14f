"""The body of a reply without its compression, whether its headers tell of it or not (RFC 9110)."""

from __future__ import annotations

import zlib
from typing import Final

from buttress.targets.base import TargetError

BODY_LIMIT: Final = 32 * 2**20  # bytes of one answer
ACCEPTED: Final = "gzip, deflate"
_GZIP: Final = b"\x1f\x8b"  # RFC 1952
_ZLIB: Final = (b"x\x01", b"x\x9c", b"x\xda")  # RFC 1950
_ZSTD: Final = b"\x28\xb5\x2f\xfd"  # RFC 8878
_EITHER: Final = zlib.MAX_WBITS | 32  # gzip or zlib, as the bytes tell
_BARE: Final = -zlib.MAX_WBITS  # deflate without a head, as some servers send it
_MOST_CODINGS: Final = 3
_STEP: Final = 2**10  # bytes; a block of zstd is 4 bytes at least and 128 KiB at most, expanded


def decoded(body: bytes, codings: str = "") -> bytes:
    """The body as it was before it was compressed.

    The bytes themselves tell gzip and zlib, because proxies lose the header, and keep it where they
    have expanded the body. Text is given back as it is, whatever the header.

    Args:
        body: as received.
        codings: the header ``Content-Encoding``; "" where there is none.

    Raises:
        TargetError: it breaks off, expands beyond all reason, or is in a coding that is not read.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    for name in reversed(names[:_MOST_CODINGS]):
        body = _without(body, name)
    return body


def _without(body: bytes, name: str) -> bytes:
    """The body without one layer of compression."""
    if body.startswith(_ZSTD):
        return _by_package(body, "zstd")
    if body.startswith((_GZIP, *_ZLIB)):
        return _inflated(body, _EITHER, name)
    if name == "deflate" and body:
        return _inflated(body, _BARE, name)
    if name in {"br", "zstd", "compress", "x-compress", "dcb", "dcz"} and not _is_text(body):
        return _by_package(body, name)
    return body


def _by_package(body: bytes, name: str) -> bytes:
    """The body without Brotli (RFC 7932) or Zstandard, where a package that reads it is installed.

    Neither is asked for, but some gateways send it all the same.

    Raises:
        TargetError: it can't be read, breaks off, or expands beyond all reason.
    """
    read = {"br": _from_brotli, "zstd": _from_zstd}.get(name)
    if read is None:
        raise _unread(name)
    try:
        whole, ended = read(body)
    except ImportError:
        raise _unread(name) from None
    except Exception:  # each package has an error of its own
        whole, ended = b"", False
    if len(whole) > BODY_LIMIT:
        raise _too_large()
    if not ended:
        raise _cut(name)
    return whole


def _from_brotli(body: bytes) -> tuple[bytes, bool]:
    """At most a little more than the limit, and whether that is all."""
    import brotli

    reader = brotli.Decompressor()
    return reader.process(body, output_buffer_limit=BODY_LIMIT + 1), reader.is_finished()


def _from_zstd(body: bytes) -> tuple[bytes, bool]:
    """The same for Zstandard, read in steps that give 32 MiB at most."""
    import zstandard

    reader = zstandard.ZstdDecompressor().decompressobj()
    whole = bytearray()
    for start in range(0, len(body), _STEP):
        if reader.eof or len(whole) > BODY_LIMIT:
            break
        whole += reader.decompress(body[start : start + _STEP])
    return bytes(whole), reader.eof


def _inflated(body: bytes, wbits: int, name: str) -> bytes:
    """The body without gzip or deflate, all members of it; itself where it only looks like it."""
    whole = bytearray()
    rest = body
    while rest and (not whole or rest.startswith(_GZIP)):
        reader = zlib.decompressobj(wbits)
        try:
            whole += reader.decompress(rest, BODY_LIMIT + 1 - len(whole))
        except zlib.error:
            return bytes(whole) or body
        if len(whole) > BODY_LIMIT:
            raise _too_large()
        if not reader.eof:
            if wbits == _BARE and _is_text(body):
                return body
            raise _cut(name or "gzip")
        rest = reader.unused_data
    return bytes(whole)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _too_large() -> TargetError:
    return TargetError(f"the answer is larger than {BODY_LIMIT} bytes", retry=False)


def _cut(name: str) -> TargetError:
    return TargetError(f"the reply breaks off within its {name}", retry=True, doubtful=True)


def _unread(name: str) -> TargetError:
    return TargetError(
        f"the reply is compressed with '{name}', which was not asked for; expected {ACCEPTED} or"
        " none ('headers: {Accept-Encoding: identity}' in the manifest asks for none; br and zstd"
        " are read with the extra 'codings')",
        retry=False,
        fatal=True,
        doubtful=True,
    )
