"""Attacks that wrap a request in a fixed text, one text per variant and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from buttress.protocols.attack import AttackDescription, localised
from buttress.targets.base import Message

SLOT = "{request}"


@dataclass(frozen=True, slots=True)
class TemplateAttack(AttackDescription):
    """A family of wrappers. ``templates`` is variant -> language -> text with one ``{request}``.

    A language without a text of its own uses the variant's first one.
    """

    id: str
    version: str
    title: str
    references: tuple[str, ...]
    templates: Mapping[str, Mapping[str, str]]

    @property
    def variants(self) -> Sequence[str]:
        """Names of the wrappers."""
        return tuple(self.templates)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that every wrapper has a text in."""
        shared = set.intersection(*(set(texts) for texts in self.templates.values()))
        first = next(iter(self.templates.values()))
        return tuple(language for language in first if language in shared)

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The request inside the wrapper, as one user message; ``seed`` plays no part."""
        del seed
        text = localised(self.templates[variant], language)
        return (Message("user", text.replace(SLOT, request)),)
