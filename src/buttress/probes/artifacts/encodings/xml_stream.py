"""XML read as a stream of start tags; entities stop it, none is ever expanded or fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from buttress.files.byte_source import ByteSource

_PIECE: Final = 64 << 10
_MAX_BYTES: Final = 64 << 20
_MAX_DEPTH: Final = 256
_MAX_TOKEN: Final = 4 << 20
_ROOT_WITHIN: Final = 256 << 10
_FIRST: Final = re.compile(rb"<(?:\w+:)?(\w+)[\s/>]")
_SUBSET_END: Final = re.compile(rb"\]\s*>")
_ENCODING_ERRORS: Final = (18, 19)  # expat: unknown encoding, incorrect encoding
_BEGINS: Final = re.compile(rb"\s*<[?!A-Za-z]")


class XmlError(Exception):
    """It is not well formed, or more than is read."""


class XmlEncodingError(XmlError):
    """The parser here does not have its encoding; another one may."""


class _Stop(Exception):  # noqa: N818 - no error: it ends the parser's run
    pass


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag, or with ``name`` "?" a processing instruction, or "" for a run of text."""

    name: str  # without a prefix
    attributes: dict[str, str]
    offset: int
    text: str = ""


@dataclass(slots=True)
class Outline:
    """What the declaration at the start of a document says."""

    doctype: str = ""
    entities: list[str] = field(default_factory=list)  # sentences
    external: bool = False
    end: int = 0  # offset after the outermost element, 0 where it has not ended


def elements(source: ByteSource, outline: Outline, *, texts: bool = False) -> Iterator[Element]:
    """Start tags in order; ``outline`` is filled on the way. Ends at the first entity declaration.

    Raises:
        XmlError: not well formed, nested too deep, or longer than is read.
    """
    found: list[Element] = []
    depth = 0
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise XmlError(f"it is nested more than {_MAX_DEPTH} deep")
        found.append(Element(name.rpartition(":")[2], attributes, parser.CurrentByteIndex))

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 0:
            outline.end = parser.CurrentByteIndex

    def text(data: str) -> None:
        if data.strip():
            found.append(Element("", {}, parser.CurrentByteIndex, data[:4096]))

    def instruction(target: str, data: str) -> None:
        found.append(Element("?", {"target": target, "data": data}, parser.CurrentByteIndex))

    def doctype(name: str, system: str | None, public: str | None, _subset: int) -> None:
        outline.doctype = name.rpartition(":")[2]
        if system or public:
            outline.external = True
            outline.entities.append(f"fetches its document type from {system or public}")

    def entity(
        name: str, _parameter: int, _value: str | None, _base: str | None, system: str | None,
        *_rest: str | None,
    ) -> None:  # fmt: skip
        outline.external = outline.external or system is not None
        what = (
            f"takes the entity {name[:60]!r} from {system}"
            if system
            else (f"declares the entity {name[:60]!r}")
        )
        outline.entities.append(what)
        raise _Stop

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.ProcessingInstructionHandler = instruction
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    if texts:
        parser.CharacterDataHandler = text
    at = 0
    while True:
        data = source.read_at(at, _PIECE)
        at += len(data)
        try:
            parser.Parse(data, not data)
        except _Stop:
            yield from found
            return
        except XmlError:
            yield from found
            raise
        except (ValueError, LookupError) as error:
            raise XmlEncodingError(f"its encoding is not read ({error})") from None
        except expat.ExpatError as error:
            yield from found
            if error.code in _ENCODING_ERRORS:
                raise XmlEncodingError(f"its encoding is not read ({error})") from None
            raise XmlError(f"it is not well formed ({error})") from None
        yield from found
        found.clear()
        if not data:
            return
        if at - max(parser.CurrentByteIndex, 0) > _MAX_TOKEN:
            raise XmlError(f"a tag or text has more than {_MAX_TOKEN >> 20} MB")
        if at > _MAX_BYTES:
            raise XmlError(f"more than {_MAX_BYTES >> 20} MB are not read")


def root(source: ByteSource, head: bytes) -> str:
    """Name of the outermost element, "" where it is no XML."""
    if not (
        _BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")) or head[:2] in (b"\xff\xfe", b"\xfe\xff")
    ):
        return ""
    outline = Outline()
    try:
        for element in elements(source, outline):
            if element.name != "?":
                return element.name
            if element.offset > _ROOT_WITHIN:
                break
    except XmlError:  # its first tag alone may be too much, or its encoding unknown
        pass
    # An entity ended the reading. The document type may have any name; the first tag decides.
    plain = source.read_at(0, _ROOT_WITHIN).replace(b"\0", b"")  # UTF-16 as well
    named = _FIRST.search(plain, _declarations_end(plain))
    return named[1].decode("ascii", "replace") if named else outline.doctype


def _declarations_end(text: bytes) -> int:
    """Where the declaration of the document type, which may hold tags in quotes, ends."""
    start = text.find(b"<!DOCTYPE")
    subset = text.find(b"[", start) if start >= 0 else -1
    plain_end = text.find(b">", start) if start >= 0 else -1
    if start < 0 or plain_end < 0:
        return 0
    if subset < 0 or subset > plain_end:
        return plain_end
    end = _SUBSET_END.search(text, subset)
    return end.end() if end else subset
