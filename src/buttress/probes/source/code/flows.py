"""Where tainted values come from and what cleans them, from ``flows.yaml``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from buttress.files.yaml_loader import load_yaml
from buttress.probes.source.code.addresses import lines_of
from buttress.probes.source.code.paths import GlobUnion
from buttress.probes.source.code.sockets import accepts, connects, listens, receiver
from buttress.probes.source.code.values import ALL

_CLIENT: Final = re.compile(r"[\w*]+\..*\(\)\.")
_NOT_BOUND: Final = "the file binds this socket to no address that other machines reach"
_CONNECTED: Final = "the program connects to it itself"
_FILE: Final = Path(__file__).parent / "flows.yaml"


@dataclass(frozen=True)
class TaintSource:
    """One kind of origin: paths of its values, and what gives a function its parameters."""

    label: str
    title: str
    spreads: bool  # whether the result of any function that is given it carries it too
    values: GlobUnion
    parameters: GlobUnion
    methods: tuple[tuple[GlobUnion, GlobUnion, frozenset[str]], ...]  # names, bases, classes
    sockets: GlobUnion  # values of sockets of which the module must show that others reach them
    fields: tuple[tuple[frozenset[str], GlobUnion], ...]  # attributes of self, bases of its class
    doubts: tuple[tuple[GlobUnion, str], ...]  # values that may do no harm, and why, in words

    def method_words(self) -> list[frozenset[bytes]]:
        """As ``GlobUnion.words``, of ``methods`` and ``fields``."""
        found = []
        for names, bases, classes in self.methods:
            for name in names.words():
                found += [one | name for one in bases.words()]
                found += [name | {one.encode()} for one in classes]
        for fields, bases in self.fields:
            found += [one | {name.encode()} for name in fields for one in bases.words()]
        return found


@dataclass(frozen=True)
class Flows:
    """All sources, cleaners and checks."""

    sources: tuple[TaintSource, ...]
    cleaners: tuple[tuple[frozenset[str], GlobUnion], ...]
    checks: GlobUnion
    exits: GlobUnion  # calls that do not return
    demands: (
        GlobUnion  # calls, alone as a statement, that by their name raise where it does not fit
    )
    parsers: GlobUnion  # calls that take an address apart
    passes: GlobUnion  # calls that give back what they are given, in another form
    kept: frozenset[str]  # labels of sources that do not spread
    carried: frozenset[str]  # labels that go through parameters to where they do harm
    every: GlobUnion  # all values of all sources: one look for most paths
    takers: GlobUnion  # all ``parameters``
    roots: frozenset[str]  # names of libraries whose objects lead to sources, as patterns

    def label(self, path: str) -> str | None:
        """The label of the source that a value of this path comes from."""
        if not self.every.match(path):
            return None
        return next(one.label for one in self.sources if one.values.match(path))

    def given(self, path: str) -> str | None:
        """The label of the parameters of functions that are given to what has this path."""
        if not self.takers.match(path):
            return None
        return next((one.label for one in self.sources if one.parameters.match(path)), None)

    def method(self, name: str, bases: Sequence[str], classes: Sequence[str]) -> str | None:
        """The label of the parameters of a method that a framework calls."""
        for one in self.sources:
            for names, globs, titles in one.methods:
                if names.match(name) and (
                    titles.intersection(classes) or any(map(globs.match, bases))
                ):
                    return one.label
        return None

    def field(self, name: str, bases: Sequence[str]) -> str | None:
        """The label of an attribute of ``self`` that a framework sets."""
        for one in self.sources:
            for names, globs in one.fields:
                if name in names and any(map(globs.match, bases)):
                    return one.label
        return None

    def doubt(self, path: str, text: str, line: int) -> str:
        """Why a value of this path, in this line of a module, may be no stranger's, in words."""
        for one in self.sources:
            if one.sockets.match(path):
                name = receiver("".join(lines_of(text)[line - 1 : line]))
                if path.startswith("zmq."):
                    return "" if listens(text, name) else _NOT_BOUND
                if connects(text, name):
                    return _CONNECTED
                return "" if accepts(text) else _NOT_BOUND
            for globs, why in one.doubts:
                if globs.match(path):
                    return why
        return ""

    def leads(self, path: str) -> bool:
        """Whether a value of this path may lead to a source: a client, say, or a request."""
        first = path.partition(".")[0].partition("(")[0]
        return bool(first) and bool(self._root.fullmatch(first))

    @cached_property
    def _root(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, sorted(self.roots))))

    def cleaned(self, path: str) -> frozenset[str]:
        """Uses for which the result of a call of this path is safe."""
        found: frozenset[str] = frozenset()
        for uses, calls in self.cleaners:
            if calls.match(path):
                found |= uses
        return found

    def title(self, label: str) -> str:
        """A source in words."""
        return next(one.title for one in self.sources if one.label == label)


@cache
def flows() -> Flows:
    """The flows that come with Buttress."""
    data = load_yaml(_FILE)
    sources = tuple(
        TaintSource(
            one["label"],
            one["title"],
            one.get("spreads", True),
            GlobUnion(one["values"]),
            GlobUnion(one["parameters"]),
            tuple(
                (
                    GlobUnion(few["names"]),
                    GlobUnion(few.get("bases", ())),
                    frozenset(few.get("classes", ())),
                )
                for few in one.get("methods", ())
            ),
            GlobUnion(one.get("sockets", ())),
            tuple(
                (frozenset(few["names"]), GlobUnion(few["bases"])) for few in one.get("fields", ())
            ),
            tuple((GlobUnion(few["values"]), few["why"]) for few in one.get("doubts", ())),
        )
        for one in data["sources"]
    )
    cleaners = tuple(
        (frozenset(ALL if use == "all" else use for use in one["for"]), GlobUnion(one["calls"]))
        for one in data["cleaners"]
    )
    kept = frozenset(one.label for one in sources if not one.spreads)
    carried = frozenset(one["label"] for one in data["sources"] if one.get("carried", True))
    every = GlobUnion(glob for one in sources for glob in one.values.globs)
    takers = GlobUnion(glob for one in sources for glob in one.parameters.globs)
    # Of ``openai.OpenAI().chat.completions.create()`` the first name: objects of that library lead
    # to a source, wherever they go.
    leading = {
        glob.partition(".")[0]
        for one in sources
        if one.label in carried
        for glob in one.values.globs
        if _CLIENT.match(glob)
    }
    roots = frozenset(one.replace("**", "*") for one in leading)
    checks, exits, demands, parsers, passes = (
        GlobUnion(data[key]) for key in ("checks", "exits", "demands", "parsers", "passes")
    )
    return Flows(
        sources,
        cleaners,
        checks,
        exits,
        demands,
        parsers,
        passes,
        kept,
        carried,
        every,
        takers,
        roots,
    )
