"""Where tainted values come from and what cleans them, from ``flows.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from buttress.probes.artifacts.issue import load_yaml
from buttress.probes.source.code.paths import Globs
from buttress.probes.source.code.values import ALL

_FILE: Final = Path(__file__).parent / "flows.yaml"


@dataclass(frozen=True)
class Source:
    """One kind of origin: paths of its values, and what gives a function its parameters."""

    label: str
    title: str
    spreads: bool  # whether the result of any function that is given it carries it too
    values: Globs
    parameters: Globs


@dataclass(frozen=True)
class Flows:
    """All sources, cleaners and checks."""

    sources: tuple[Source, ...]
    cleaners: tuple[tuple[frozenset[str], Globs], ...]
    checks: Globs
    kept: frozenset[str]  # labels of sources that do not spread
    every: Globs  # all values of all sources: one look for most paths

    def label(self, path: str) -> str | None:
        """The label of the source that a value of this path comes from."""
        if not self.every.match(path):
            return None
        return next(one.label for one in self.sources if one.values.match(path))

    def given(self, path: str) -> str | None:
        """The label of the parameters of functions that are given to what has this path."""
        return next((one.label for one in self.sources if one.parameters.match(path)), None)

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
        Source(
            one["label"],
            one["title"],
            one.get("spreads", True),
            Globs(one["values"]),
            Globs(one["parameters"]),
        )
        for one in data["sources"]
    )
    cleaners = tuple(
        (frozenset(ALL if use == "all" else use for use in one["for"]), Globs(one["calls"]))
        for one in data["cleaners"]
    )
    kept = frozenset(one.label for one in sources if not one.spreads)
    every = Globs(glob for one in sources for glob in one.values.globs)
    return Flows(sources, cleaners, Globs(data["checks"]), kept, every)
