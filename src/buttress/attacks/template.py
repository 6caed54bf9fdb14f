"""Attacks that wrap a request in a fixed text, one text per variant and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from buttress.targets.base import Message

SLOT = "{request}"


@dataclass(frozen=True, slots=True)
class TemplateAttack:
    """A family of wrappers. ``templates`` is variant -> language -> text with one ``{request}``.

    A language without a text of its own uses the English one.
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

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """The request inside the wrapper, as one user message; ``seed`` plays no part."""
        del seed
        texts = self.templates[variant]
        text = texts.get(language, texts["en"])
        return (Message("user", text.replace(SLOT, request)),)
