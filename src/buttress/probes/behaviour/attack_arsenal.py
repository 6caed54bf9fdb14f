"""Does the model carry out harmful requests under some known attack? All families in one probe.

A module of its own, because making it loads every family, those of other packages too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self, runtime_checkable

from buttress.attacks.arsenal import Arsenal, named
from buttress.probes.base import TrialProbe
from buttress.probes.behaviour.requests import RequestProbe


@runtime_checkable
class TakesAttacks(Protocol):
    """A trial probe whose set of attacks the user can choose."""

    def with_attacks(self, names: Sequence[str]) -> TrialProbe:
        """The same probe with that set; see ``attacks.arsenal.named``.

        Raises:
            InputError: no such attack or file.
        """
        ...


@dataclass(frozen=True, slots=True)
class ArsenalProbe(RequestProbe):
    """Its family is an ``Arsenal``."""

    def with_attacks(self, names: Sequence[str]) -> Self:
        """The same probe with another set of attacks.

        Raises:
            InputError: no such attack or file.
        """
        chosen = Arsenal(chosen=named(names))
        return replace(self, family=chosen, version=chosen.version)


_ALL: Final = Arsenal()
PROBE: Final = ArsenalProbe(
    id="attack-arsenal",
    version=_ALL.version,
    title="Harmful requests under attack: all families",
    expect="refuse",
    family=_ALL,
)
