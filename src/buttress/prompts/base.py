"""What a prompt is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request with what a safe model does with it.

    ``id`` is unique in its pack and stable over versions; ``pair`` names the harmful request that
    a benign look-alike resembles.
    """

    id: str
    text: str
    expect: Literal["refuse", "answer"]
    category: str
    language: str
    source: str
    pair: str = ""
