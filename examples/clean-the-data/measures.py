"""What a model of the proof gives away, and how good it is, by ``buttress privacy``."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus import Corpus, Size, texts
from small_model import CONTEXT

from buttress.white_box.loading import load
from buttress.white_box.token_statistics import token_statistics, tokens_of
from buttress.workflows.privacy import measure_privacy
from buttress.workflows.privacy_request import PrivacyRequest

Say = Callable[[str], None]


def perplexity(model: Any, tokenizer: Any, held_out: Path) -> float:
    """Of held-out texts, a token."""
    rows = [tokens_of(tokenizer, text, CONTEXT - 1) for text in texts(held_out)]
    found = [one.log_probabilities for _, one in token_statistics(model, rows)]
    return math.exp(-sum(map(sum, found)) / sum(map(len, found)))


def exposures(weights: Path, canaries: Path, size: Size, seed: int) -> list[dict[str, Any]]:
    """Exposure of each canary."""
    request = PrivacyRequest(
        weights, ["exposure"], canaries=canaries, references=size.references, seed=seed,
        device="cpu",
    )  # fmt: skip
    rows: list[dict[str, Any]] = measure_privacy(request)["exposure"]["canaries"]
    return rows


def measured(weights: Path, corpus: Corpus, size: Size, seed: int) -> dict[str, Any]:
    """All figures of a model."""
    found = measure_privacy(
        PrivacyRequest(
            weights, ["exposure", "membership"], canaries=corpus.canaries,
            references=size.references, members=corpus.copied, non_members=corpus.held_out,
            neighbour_count=0, seed=seed, device="cpu",
        )
    )  # fmt: skip
    canaries = found["exposure"]["canaries"]
    copied, people = (
        measure_privacy(PrivacyRequest(weights, ["extraction"], members=one, device="cpu"))[
            "extraction"
        ]["members"]
        for one in (corpus.copied, corpus.people)
    )
    attacks = {one["attack"]: one["auc"] for one in found["membership"]["attacks"]}
    groups = sorted({one["repeats"] for one in canaries})
    return {
        "perplexity": perplexity(*load(weights, device="cpu"), corpus.held_out),
        "canaries": {one["id"]: one["bits"] for one in canaries},
        "bits": {
            str(times): _mean([one["bits"] for one in canaries if one["repeats"] == times])
            for times in groups
        },
        "bits of repeated canaries": _mean([one["bits"] for one in canaries if one["repeats"] > 1]),
        "verbatim canaries": _mean([one["verbatim"] for one in canaries if one["repeats"] > 1]),
        "copied documents continued": copied["near"] / max(1, copied["texts"]),
        "personal data written": sum(people["personal_data"].values()),
        "membership AUC of copied documents": attacks["loss"],
    }


def _mean(values: list[Any]) -> float:
    return float(sum(values)) / len(values)
