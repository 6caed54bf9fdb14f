"""The loader of all YAML: fast, and bounded in depth.

libyaml parses; the nodes are composed in Python. libyaml's own composer calls itself for each level
of nesting, so that a few ten thousand brackets overflow the stack of the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.composer import Composer
from yaml.constructor import BaseConstructor, SafeConstructor
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver, Resolver
from yaml.scanner import Scanner

MAX_DEPTH: Final = 100


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
        raise ValueError(" ".join(str(error).split())) from None


def load_yaml(path: Traversable) -> Any:
    """Plain data of a YAML file that Buttress ships."""
    return parse_plain(path.read_text(encoding="utf-8"))
