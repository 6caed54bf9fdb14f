"""Does the model carry out harmful requests under some known attack?

One probe for all single-turn families, one for all attacks that search. A module of its own,
because making them loads every attack, those of other packages too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

from buttress.attacks.arsenal import (
    Arsenal,
    digest_of,
    named_families,
    named_searches,
    registered_searches,
)
from buttress.probes.behaviour.requests import RequestProbe
from buttress.protocols.probe import NotCoveredError, TrialContext, TrialProbe

if TYPE_CHECKING:
    pass


@runtime_checkable
class TakesAttacks(Protocol):
    """A trial probe whose set of attacks the user can choose."""

    def with_attacks(self, names: Sequence[str]) -> TrialProbe:
        """The same probe with those of ``names`` that it can carry out; see ``attacks.arsenal``.

        Raises:
            InputError: no such attack or file.
        """
        ...


@dataclass(frozen=True, slots=True)
class ArsenalProbe(RequestProbe):
    """Its family is an ``Arsenal``."""

    def with_attacks(self, names: Sequence[str]) -> Self:
        """The same probe with the single-turn attacks among ``names``.

        Raises:
            InputError: no such attack or file.
        """
        chosen = Arsenal(chosen=named_families(names))
        return replace(self, family=chosen, version=chosen.version)

    def size(self, context: TrialContext) -> int:
        """Number of trials at most.

        Raises:
            NotCoveredError: no attack of this kind was named, or as ``RequestProbe.size``.
        """
        if not self.variants:
            raise NotCoveredError("the manifest names no single-turn attack")
        return RequestProbe.size(self, context)


@dataclass(frozen=True, slots=True)
class SearchProbe(RequestProbe):
    """Each request meets each search once; the chance that a search, drawn evenly, succeeds."""

    def with_attacks(self, names: Sequence[str]) -> Self:
        """The same probe with the searches among ``names``."""
        chosen = named_searches(names)
        return replace(self, searches=chosen, version=digest_of(chosen))

    def size(self, context: TrialContext) -> int:
        """Number of trials at most.

        Raises:
            NotCoveredError: no attack of this kind was named, or as ``RequestProbe.size``.
        """
        if not self.searches:
            raise NotCoveredError("the manifest names no attack that searches")
        return RequestProbe.size(self, context)


_ALL: Final = Arsenal()
PROBE: Final = ArsenalProbe(
    id="attack-arsenal",
    version=_ALL.version,
    title="Harmful requests under attack: all families",
    expect="refuse",
    family=_ALL,
)
SEARCH: Final = SearchProbe(
    id="attack-search",
    version=digest_of(registered_searches()),
    title="Harmful requests under adaptive attacks",
    expect="refuse",
    searches=registered_searches(),
)
