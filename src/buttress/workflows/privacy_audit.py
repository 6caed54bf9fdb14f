"""Audit of a claimed ε by the scores of canaries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buttress import __version__
from buttress.errors import InputError
from buttress.probes.privacy.audit_scores import Adjacency, audit, read_scores


def audit_scores(
    path: Path,
    *,
    delta: float,
    claimed: float | None = None,
    confidence: float = 0.95,
    adjacency: Adjacency | None = None,
) -> dict[str, Any]:
    """The document of an audit.

    Raises:
        InputError: the scores or a number is not usable.
    """
    if not 0 <= delta < 1:
        raise InputError(f"{delta:g}", field="--delta", expected="0 or more, and less than 1")
    if not 0.5 <= confidence < 1:
        raise InputError(f"{confidence:g}", field="--confidence", expected="0.5 to below 1")
    if claimed is not None and not 0 <= claimed < float("inf"):
        raise InputError(f"{claimed:g}", field="--claimed", expected="0 or more")
    scores = read_scores(path)
    seen = audit(scores, delta=delta, alpha=1 - confidence, adjacency=adjacency, file=str(path))
    return {
        "schema": "buttress-privacy-audit/1",
        "version": __version__,
        "scores": str(path),
        "canaries": seen.canaries,
        "paired": seen.paired,
        "adjacency": seen.adjacency,
        "delta": delta,
        "confidence": confidence,
        "guesses": seen.bound.guesses,
        "correct": seen.bound.correct,
        "p_value": seen.bound.p_value_of_none,
        "epsilon_low": seen.bound.epsilon_low,
        "largest": seen.largest,
        "claimed": claimed,
        "outcome": _outcome(seen.bound.epsilon_low, seen.largest, claimed),
    }


def _outcome(low: float, largest: float, claimed: float | None) -> str | None:
    if claimed is None:
        return None
    if low > claimed:
        return "refuted"
    return "not refuted" if largest > claimed else "undecided"


def exit_code(document: Mapping[str, Any]) -> int:
    """0, 1 where the claim is refuted, 3 where so many canaries could not refute it."""
    return {"refuted": 1, "undecided": 3}.get(document["outcome"] or "", 0)
