"""Scripts, pages and maps that lie compressed, as web servers send them: ``app.js.gz``."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from buttress.files.byte_source import ExpansionError, FileSource, ResourceMeter
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.probes.client import texts
from buttress.targets.base import TargetError
from buttress.targets.content_coding import decoded

_CODINGS: Final = {".gz": "gzip", ".br": "br", ".zst": "zstd"}
_GZIP: Final = 16 + zlib.MAX_WBITS


class PrecompressedError(Exception):
    """A compressed text is not read; the message says why."""


def plain_name(name: str) -> str:
    """The name of the text that a file of that name holds; empty where it holds none."""
    plain, dot, coding = name.rpartition(".")
    known = f"{dot}{coding.lower()}" in _CODINGS
    return plain if known and texts.limit(plain.rpartition("/")[2]) else ""


def text(file: SourceFile, data: bytes, meter: ResourceMeter) -> SourceFile:
    """The text that a compressed file holds.

    Args:
        file: its location, and where it lies in a package.
        data: its bytes.
        meter: what may be spent on it.

    Raises:
        PrecompressedError: damaged, too large, or nothing that is installed expands it.
        ExpansionError: more came out than is allowed.
    """
    name = plain_name(file.name)
    limit = texts.limit(name)
    coding = _CODINGS[file.name[len(name) :].lower()]
    try:
        if coding == "gzip":
            reader = zlib.decompressobj(_GZIP)
            whole = reader.decompress(data, limit + 1)
            if not reader.eof and len(whole) <= limit:
                raise PrecompressedError("its compressed data breaks off")
        else:
            whole = decoded(data, coding)
    except zlib.error:
        raise PrecompressedError("its compressed data is damaged") from None
    except TargetError as error:
        needs = "the extra 'codings' reads it" if error.fatal else "it breaks off, or is too large"
        raise PrecompressedError(f"it is compressed with '{coding}'; {needs}") from None
    meter.expand(len(whole))
    if len(whole) > limit:
        raise PrecompressedError(f"larger than {limit >> 10:,} KiB when it is expanded")
    return replace(file, data=whole, member=f"{file.member}!{name.rpartition('/')[2]}")


def files(tree: Tree, reading: SourceReading) -> Iterator[tuple[Path, SourceFile]]:
    """The compressed texts of a tree, as ``inspect_files`` takes them.

    Those that lie there as they are too say nothing new.
    """
    every = {one.location for one in tree.files}
    for one in tree.own:
        if not is_alone(one.location, every):
            continue
        meter = ResourceMeter()
        place = SourceFile(one.location, b"", one.uri)
        try:
            with FileSource(one.path, meter, tree) as source:
                data = source.read_at(0, min(source.size, texts.MAX_SCRIPT))
                if source.size > texts.MAX_SCRIPT:
                    reading.not_searched(one.location, f"larger than {len(data) >> 10:,} KiB")
                    continue
            found = text(place, data, meter)
        except (PrecompressedError, ExpansionError) as error:
            reading.not_searched(one.location, str(error))
        except OSError as error:
            reading.record_unread(one.location, error.strerror or "not readable")
        else:
            reading.files += 1
            reading.bytes += len(found.data)
            yield Path(one.path).with_name(found.name), found


def is_alone(name: str, names: Collection[str]) -> bool:
    """Whether a file holds a text that lies nowhere as it is."""
    plain = plain_name(name)
    return bool(plain) and plain not in names
