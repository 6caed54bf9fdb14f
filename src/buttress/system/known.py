"""What a manifest may name that other packages define."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names by kind; functions, so that nothing is loaded which no manifest names.

    Attributes:
        categories: of harm.
        prompt_sets: sets of prompts that can be fetched, or are given by a path.
        unpublished_sets: sets whose file everybody brings, since nobody publishes it.
        in_pack: the file that ``pack:ID/NAME`` names, of one of the given kinds; raises InputError.
    """

    categories: Callable[[], Collection[str]]
    prompt_sets: Callable[[], Collection[str]]
    unpublished_sets: Callable[[], Collection[str]]
    in_pack: Callable[[str, tuple[str, ...]], Path]
