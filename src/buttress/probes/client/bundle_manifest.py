"""The manifest of an Android app bundle: elements as protocol buffers (aapt2, Resources.proto)."""

from __future__ import annotations

from typing import Final

from buttress.files.byte_source import BytesSource
from buttress.files.protobuf_wire import LEN, VARINT, Wire, WireError
from buttress.probes.client.markup import ANDROID, ElementBuilder, MarkupElement, MarkupError

_ELEMENT: Final = 1  # of XmlNode
_NAME: Final = 3  # of XmlElement
_ATTRIBUTE: Final = 4
_CHILD: Final = 5
_SPACE: Final = 1  # of XmlAttribute
_LOCAL: Final = 2
_VALUE: Final = 3
_COMPILED: Final = 6
_PRIMITIVE: Final = 7  # of Item
_INTEGER: Final = 6  # of Primitive
_BOOLEAN: Final = 8
_REFERENCE: Final = 1  # of Item
_REFERENCE_NAME: Final = 3
_STRING: Final = 2  # of Item
_STRING_VALUE: Final = 1


def parse(data: bytes) -> MarkupElement:
    """The root element.

    Raises:
        MarkupError: it can't be read.
    """
    builder = ElementBuilder()
    try:
        _node(Wire(BytesSource(data)), data, 0, len(data), builder)
    except (WireError, RecursionError) as error:
        raise MarkupError(f"its manifest can't be read: {error}") from None
    if builder.root is None:
        raise MarkupError("its manifest has no element")
    return builder.root


def _node(wire: Wire, data: bytes, start: int, end: int, builder: ElementBuilder) -> None:
    for one in wire.fields(start, end):
        if one.number == _ELEMENT and one.wire == LEN:
            _element(wire, data, one.start, one.end, builder)


def _element(wire: Wire, data: bytes, start: int, end: int, builder: ElementBuilder) -> None:
    element = MarkupElement("")
    children: list[tuple[int, int]] = []
    for one in wire.fields(start, end):
        if one.wire != LEN:
            continue
        if one.number == _NAME:
            element.name = _text(data, one.start, one.end)
        elif one.number == _ATTRIBUTE:
            key, value = _attribute(wire, data, one.start, one.end)
            element.attributes.setdefault(key, value)
        elif one.number == _CHILD:
            children.append((one.start, one.end))
    builder.start(element)
    for child in children:
        _node(wire, data, *child, builder)
    builder.end()


def _attribute(wire: Wire, data: bytes, start: int, end: int) -> tuple[str, str]:
    space = local = value = ""
    for one in wire.fields(start, end):
        if one.wire != LEN:
            continue
        text = _text(data, one.start, one.end)
        if one.number == _SPACE:
            space = text
        elif one.number == _LOCAL:
            local = text
        elif one.number == _VALUE:
            value = text
        elif one.number == _COMPILED and not value:
            value = _compiled(wire, data, one.start, one.end)
    return f"android:{local}" if space == ANDROID else local, value


def _compiled(wire: Wire, data: bytes, start: int, end: int) -> str:
    """A compiled boolean, whole number, text or reference, as text; "" for all others."""
    for item in wire.fields(start, end):
        if item.wire != LEN:
            continue
        for one in wire.fields(item.start, item.end):
            if item.number == _PRIMITIVE and one.wire == VARINT:
                if one.number == _BOOLEAN:
                    return "true" if one.value else "false"
                if one.number == _INTEGER:
                    return str(one.value)
            elif item.number == _REFERENCE and one.number == _REFERENCE_NAME and one.wire == LEN:
                return f"@{_text(data, one.start, one.end)}"
            elif item.number == _STRING and one.number == _STRING_VALUE and one.wire == LEN:
                return _text(data, one.start, one.end)
    return ""


def _text(data: bytes, start: int, end: int) -> str:
    return data[start : min(end, len(data))].decode("utf-8", "replace")
