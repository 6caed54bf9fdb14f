"""All registered families as one: each request meets each family once, in a variant drawn for it.

So a rate over the arsenal is the chance that a request succeeds under an attack whose family is
drawn evenly, however many variants a family has.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from buttress import extension
from buttress.attacks.base import Attack, Described
from buttress.targets.base import Message


@cache
def families() -> Mapping[str, Attack]:
    """The registered families by id."""
    return {name: extension.load("attacks", name) for name in extension.names("attacks")}


@dataclass(frozen=True, slots=True)
class Arsenal(Described):
    """Its variants are the ids of the families."""

    id: str = "arsenal"
    title: str = "All families"
    references: tuple[str, ...] = ("AML.T0054", "AML.T0051", "LLM01")

    @property
    def version(self) -> str:
        """Those of all families."""
        return "1:" + ",".join(f"{name}={one.version}" for name, one in families().items())

    @property
    def variants(self) -> Sequence[str]:
        """Ids of the families."""
        return tuple(families())

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that any family is written for."""
        return tuple(dict.fromkeys(code for one in families().values() for code in one.languages))

    def covers(self, variant: str, language: str) -> bool:
        """Whether the family is written for that language."""
        return language in families()[variant].languages

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The request in a variant of the family, drawn by seed and request.

        Raises:
            KeyError: no such family.
        """
        family = families()[variant]
        chance = random.Random(f"{seed}:{variant}:{request}")
        chosen = chance.choice(tuple(family.variants))
        return family.apply(request, chosen, language=language, seed=seed)


ATTACK = Arsenal()
