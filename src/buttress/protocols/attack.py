"""What a single-turn attack is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

from buttress.targets.base import Message

_Text = TypeVar("_Text")
_LISTS: Final = ("AML.T", "LLM", "CWE-")


class Attack(Protocol):
    """A transformation of a request into an adversarial one.

    ``variants`` are named transformations of the family, so that a trial can say which one it
    used. A variant's name holds no "+", which joins the names of composed attacks.
    """

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """Paper, MITRE ATLAS, OWASP and CWE ids; see ``AttackDescription`` for each kind alone."""
        ...

    @property
    def variants(self) -> Sequence[str]:
        """Names of the transformations in the family."""
        ...

    @property
    def calls(self) -> int:
        """Questions to the target that one attempt costs; 1 for a single-turn attack."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that the family is written for; others get the text of the first."""
        ...

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The messages to send; the last is from the user. Pure: same arguments, same messages.

        Raises:
            KeyError: no such variant.
        """
        ...


class AttackDescription:
    """The ids in ``references`` by kind, and the cost of an attack that asks once."""

    __slots__ = ()
    references: tuple[str, ...]

    @property
    def papers(self) -> tuple[str, ...]:
        """Papers: ``arXiv:…`` ids, or author and year where there is none."""
        return tuple(one for one in self.references if not one.startswith(_LISTS))

    @property
    def atlas(self) -> tuple[str, ...]:
        """MITRE ATLAS techniques, ``AML.T…``."""
        return tuple(one for one in self.references if one.startswith("AML.T"))

    @property
    def owasp(self) -> tuple[str, ...]:
        """Items of the OWASP Top 10 for LLM applications, ``LLM…``."""
        return tuple(one for one in self.references if one.startswith("LLM"))

    @property
    def calls(self) -> int:
        """One question an attempt."""
        return 1


def localised(texts: Mapping[str, _Text], language: str) -> _Text:
    """The entry for ``language`` (``zh-Hans`` finds ``zh``), else the mapping's first."""
    for name in (language, language.partition("-")[0]):
        if name in texts:
            return texts[name]
    return next(iter(texts.values()))
