"""Attacks that write the request in a code and tell the target how to read it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from buttress.protocols.attack import AttackDescription, localised
from buttress.targets.base import Message


def same(text: str) -> str:
    """The text itself."""
    return text


@dataclass(frozen=True, slots=True)
class Code:
    """A way to write a text, and its inverse.

    ``canonical`` is what of a text survives, such as its upper-case form where the code has no
    small letters: ``decode(encode(text, rng)) == canonical(text)`` for every text.
    """

    encode: Callable[[str, random.Random], str]
    decode: Callable[[str], str]
    canonical: Callable[[str], str] = same

    @classmethod
    def fixed(
        cls,
        encode: Callable[[str], str],
        decode: Callable[[str], str],
        canonical: Callable[[str], str] = same,
    ) -> Code:
        """A code without chance in it."""
        return cls(lambda text, _: encode(text), decode, canonical)


Codes: TypeAlias = Mapping[str, Code]
"""Language -> code."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A variant: codes and hints how to read them, by language. The hint stands above the code."""

    codes: Codes
    explanations: Mapping[str, str]

    @classmethod
    def of(cls, code: Code, *, en: str, zh: str, zh_code: Code | None = None) -> Coding:
        """With hints in English and Chinese; ``zh_code`` where Chinese needs another code."""
        codes = {"en": code} if zh_code is None else {"en": code, "zh": zh_code}
        return cls(codes, {"en": en, "zh": zh})

    def write(self, request: str, language: str, rng: random.Random) -> str:
        """Hint and encoded request."""
        encoded = localised(self.codes, language).encode(request, rng)
        return f"{localised(self.explanations, language)}\n{encoded}"

    def read(self, text: str, language: str) -> str:
        """The request, in its canonical form, from what ``write`` made.

        Raises:
            ValueError: the text does not start with the hint.
        """
        hint = f"{localised(self.explanations, language)}\n"
        if not text.startswith(hint):
            raise ValueError("the text was not written with this coding")
        return localised(self.codes, language).decode(text[len(hint) :])


@dataclass(frozen=True, slots=True)
class CodingAttack(AttackDescription):
    """A family of codings."""

    id: str
    version: str
    title: str
    references: tuple[str, ...]
    codings: Mapping[str, Coding]
    languages: tuple[str, ...] = ("en", "zh")

    @property
    def variants(self) -> Sequence[str]:
        """Names of the codings."""
        return tuple(self.codings)

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        """A hint and below it the encoded request, as one user message."""
        rng = random.Random(f"{seed}:{variant}:{request}")
        return (Message("user", self.codings[variant].write(request, language, rng)),)

    def recover(self, messages: Sequence[Message], variant: str, *, language: str) -> str:
        """The request in its canonical form, from what ``apply`` returned."""
        return self.codings[variant].read(messages[-1].content, language)

    def canonical(self, request: str, variant: str, *, language: str) -> str:
        """What of a request its coding keeps."""
        return localised(self.codings[variant].codes, language).canonical(request)
