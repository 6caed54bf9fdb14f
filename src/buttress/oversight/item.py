"""A question with a known answer, as all protocols put it: two options in a seeded order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

LETTERS: Final = ("A", "B")
Side = Literal["right", "wrong"]


@dataclass(frozen=True, slots=True)
class OversightItem:
    """``text`` is what the worker reads and the overseer does not; empty where both know as much.

    Every question has two options, so that guessing is right half of the time in all protocols.
    """

    id: str
    question: str
    right: str
    wrong: str
    text: str = ""
    language: str = "en"

    def options(self, seed: int) -> tuple[str, str]:
        """The options in the order shown, the same in all arms of a run."""
        pair = (self.right, self.wrong)
        return pair if self.drawn("order", seed) & 1 else (self.wrong, self.right)

    def letter(self, side: Side, seed: int) -> str:
        """The letter under which an option is shown."""
        return LETTERS[self.options(seed).index(self.right if side == "right" else self.wrong)]

    def side(self, seed: int) -> Side:
        """The side that a consultant argues for, each with chance 1/2."""
        return "right" if self.drawn("side", seed) & 1 else "wrong"

    def drawn(self, purpose: str, seed: int) -> int:
        """A number below 2^64 that depends on purpose, seed and item alone."""
        text = f"{purpose}\0{seed}\0{self.id}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big")
