"""What happens in a module, as rules see it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from buttress.probes.source.code.values import NOTHING, Value

Kind = Literal["call", "assign", "import", "assert", "text", "shell", "mapping"]
KINDS: Final[tuple[Kind, ...]] = ("call", "assign", "import", "assert", "text", "shell", "mapping")


@dataclass(frozen=True, slots=True)
class Branch:
    """A test that holds, or does not, where something happens.

    ``own``: nothing in it comes from outside, so that whoever runs the program decides.
    """

    test: ast.expr
    holds: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Context:
    """Where in a module something happens: decorators and bases of what is around it.

    ``branches`` are the tests on the way there, the outermost first.
    """

    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()
    check: str = ""  # what lets only some call the function around it, in words


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a rule may be about.

    ``path`` is what is called, assigned to or imported; ``value`` what is assigned, the text,
    or what a method is called on.
    ``arguments`` are those of a call in their order, ``named`` those with names (of a mapping: its
    entries). ``open_positions`` and ``open_names`` say that more may be given, by ``*`` or ``**``.
    """

    kind: Kind
    line: int
    context: Context
    path: str = ""
    value: Value = NOTHING
    arguments: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)
    open_positions: bool = False
    open_names: bool = False
    node: Any = None
