"""The loader of all YAML: fast, and bounded in depth.

libyaml parses; the nodes are composed in Python. libyaml's own composer calls itself for each level
of nesting, so that a few ten thousand brackets overflow the stack of the process.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.composer import Composer
from yaml.constructor import BaseConstructor, SafeConstructor
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver, Resolver
from yaml.scanner import Scanner

MAX_DEPTH: Final = 100
_SURROGATES: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(?:"
    r"([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_CONTROLS: Final = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")


class _PythonParser(Reader, Scanner, Parser):
    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)


if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    _Parser = _PythonParser
else:
    try:
        from yaml.cyaml import CParser as _Parser
    except ImportError:  # PyYAML was built without libyaml
        _Parser = _PythonParser


class _BoundedComposer(Composer, _Parser):
    def __init__(self, stream: str) -> None:
        _Parser.__init__(self, stream)
        Composer.__init__(self)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class BoundedLoader(_BoundedComposer, SafeConstructor, Resolver):
    """A ``Loader`` for PyYAML: plain data only, nested at most ``MAX_DEPTH`` deep."""

    def __init__(self, stream: str) -> None:
        _BoundedComposer.__init__(self, stream)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)


class _BoundedTextLoader(_BoundedComposer, BaseConstructor, BaseResolver):
    def __init__(self, stream: str) -> None:
        _BoundedComposer.__init__(self, stream)
        BaseConstructor.__init__(self)
        BaseResolver.__init__(self)


def parse_plain(text: str, *, scalars: bool = True) -> Any:
    """The data of a YAML text; of a key that is given twice, the last value.

    Args:
        text: one document.
        scalars: tell numbers, dates, booleans and nulls from text; all is text otherwise.

    Raises:
        ValueError: it is not YAML, is nested too deeply, or a value does not fit its tag.
    """
    try:
        loader = BoundedLoader(text) if scalars else _BoundedTextLoader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    # Beside its own errors, the library lets through those of dates, numbers and odd tags.
    except (yaml.YAMLError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        if (readable := json_as_yaml(text)) != text:
            return parse_plain(readable, scalars=scalars)
        raise ValueError(" ".join(str(error).split())) from None


def json_as_yaml(text: str) -> str:
    """JSON without what YAML does not know; to be asked only of what could not be read as it is.

    JSON writes an emoji as two escapes, halves of a surrogate pair (RFC 8259, section 7); YAML 1.2
    (sections 5.1 and 5.7) knows one escape for it. A lone half, and a control character that JSON
    lets stand in a text, becomes U+FFFD. No line moves.
    """

    def joined(match: re.Match[str]) -> str:
        before, high, low = match.groups()
        if not high:
            return f"{before}\\ufffd"
        code = 0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)
        return f"{before}\\U{code:08x}"

    return _CONTROLS.sub("\ufffd", _SURROGATES.sub(joined, text))


def load_yaml(path: Traversable) -> Any:
    """Plain data of a YAML file that Buttress ships."""
    return parse_plain(path.read_text(encoding="utf-8"))
