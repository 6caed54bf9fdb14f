"""Figures of a behaviour beyond its failure rate: what its field reports, from the same trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from buttress.evidence.records import Trial


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``low`` and ``high`` are its 95 % interval, None where there is none.

    ``group`` is what it is about (an aspect, a foundation, a language), empty for all trials;
    ``value`` is NaN where there is nothing to compute it from.
    """

    name: str
    value: float
    trials: int
    group: str = ""
    low: float | None = None
    high: float | None = None


Figures = Callable[[Sequence[Trial]], Sequence[Figure]]


@runtime_checkable
class HasFigures(Protocol):
    """A trial probe that computes such figures."""

    def figures(self, trials: Sequence[Trial]) -> Sequence[Figure]:
        """Figures from trials of this probe."""
        ...
