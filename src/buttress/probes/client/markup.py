"""Elements of XML, from text: the form in which binary XML is brought, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

MAX_ELEMENTS: Final = 100_000
MAX_DEPTH: Final = 200
ANDROID: Final = "http://schemas.android.com/apk/res/android"
_SHOWN: Final = 2_000  # characters of a value in text


class MarkupError(ValueError):
    """It is no XML, or more than is read; the message says what is wrong."""


@dataclass(slots=True)
class MarkupElement:
    """An element. Names of attributes in Android's namespace begin with ``android:``.

    ``line`` is that of the text that the element was read from, or was written as.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[MarkupElement] = field(default_factory=list)
    line: int = 1
    text: str = ""

    def each(self, name: str) -> Iterator[MarkupElement]:
        """Its children of that name."""
        return (child for child in self.children if child.name == name)

    def below(self) -> Iterator[MarkupElement]:
        """Itself and all elements in it, in the order of the text."""
        left = [self]
        while left:
            one = left.pop()
            yield one
            left.extend(reversed(one.children))


class ElementBuilder:
    """Puts elements together as their beginnings and ends come, within bounds."""

    def __init__(self) -> None:
        self.root: MarkupElement | None = None
        self._open: list[MarkupElement] = []
        self._count = 0

    def start(self, element: MarkupElement) -> None:
        """An element begins.

        Raises:
            MarkupError: there are too many, or they are nested too deep.
        """
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise MarkupError(f"more than {MAX_ELEMENTS:,} elements, or {MAX_DEPTH} in each other")
        if self._open:
            self._open[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self._open.append(element)

    def end(self) -> None:
        """The last element that began ends; an end too many is passed over, as devices do."""
        if self._open:
            self._open.pop()

    def add_text(self, text: str) -> None:
        """Text in the last element that began."""
        if self._open:
            self._open[-1].text += text[: _SHOWN - len(self._open[-1].text)]


def parse(data: bytes) -> MarkupElement:
    """The root element of a text.

    Raises:
        MarkupError: it is no XML, declares entities, or is more than is read.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    builder = ElementBuilder()

    def start(name: str, attributes: dict[str, str]) -> None:
        named = {_prefixed(key): value for key, value in attributes.items()}
        element = MarkupElement(name.rpartition(" ")[2], named, line=parser.CurrentLineNumber)
        builder.start(element)

    def entity(*_: object) -> None:
        raise MarkupError("it declares entities")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: builder.end()
    parser.CharacterDataHandler = builder.add_text
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise MarkupError(f"line {error.lineno}: it is no XML") from None
    except (LookupError, ValueError) as error:
        if isinstance(error, MarkupError):
            raise
        raise MarkupError("its encoding is not known") from None
    if builder.root is None:
        raise MarkupError("it has no element")
    return builder.root


def _prefixed(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"android:{local}" if space == ANDROID else local


def written(root: MarkupElement) -> bytes:
    """The elements as indented text, a line each; sets each element's ``line`` to its own."""
    lines: list[str] = []

    def write(element: MarkupElement, depth: int) -> None:
        space = "  " * depth
        attributes = "".join(
            f" {name}={quoteattr(value[:_SHOWN])}" for name, value in element.attributes.items()
        )
        inner = element.children
        lines.append(f"{space}<{element.name}{attributes}{'>' if inner else '/>'}{element.text}")
        element.line = len(lines)
        for child in inner:
            write(child, depth + 1)
        if inner:
            lines.append(f"{space}</{element.name}>")

    write(root, 0)
    return "\n".join(" ".join(line.splitlines()) for line in lines).encode("utf-8", "replace")
