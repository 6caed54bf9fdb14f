"""Files of a reward model's scores: of pairs that people have ordered, and of samples to pick from.

A pair is in one of TRL's forms (``prompt``, ``chosen``, ``rejected``) with ``score_chosen`` and
``score_rejected``, or has ``prompt``, ``first``, ``second``, ``choice``, ``score_first`` and
``score_second``. Samples are objects with ``prompt``, ``proxy`` and ``gold``: numbers of one
sample, or lists of all samples of the prompt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.interchange.fields import Fields
from buttress.interchange.objects import objects_of
from buttress.interchange.preferences import chosen_and_rejected
from buttress.interchange.turns import said_in
from buttress.labelling.preferences.messages import shown

_SCORES: Final = (
    ("score_chosen", "score_rejected"), ("chosen_score", "rejected_score"),
    ("scores_chosen", "scores_rejected"), ("reward_chosen", "reward_rejected"),
    ("chosen_reward", "rejected_reward"),
)  # fmt: skip
_NUMBER: Final = "a finite number"


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """``chosen_first`` says whether the chosen answer was shown first; None where nobody knows."""

    prompt: str
    chosen: str
    rejected: str
    chosen_score: float
    rejected_score: float
    chosen_first: bool | None = None


def read_scored_pairs(path: Path) -> tuple[list[ScoredPair], int]:
    """The pairs with a decided choice, and the number of tied or skipped ones.

    Raises:
        InputError: not such a file, or no pair in it; names file, line and field.
        MissingExtraError: Parquet without pyarrow.
    """
    pairs: list[ScoredPair] = []
    undecided = 0
    for record in objects_of(path):
        pair = _by_place(record) if record.get("first") is not None else _by_choice(record)
        if pair is None:
            undecided += 1
        else:
            pairs.append(pair)
    if not pairs:
        raise InputError("no decided pair", file=str(path), expected="pairs with scores")
    return pairs, undecided


def read_samples(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    """Proxy and gold scores of each prompt's samples.

    Raises:
        InputError: not such a file, or a prompt with fewer than two samples.
        MissingExtraError: Parquet without pyarrow.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for record in objects_of(path):
        proxy, gold = _numbers(record, "proxy"), _numbers(record, "gold")
        if len(proxy) != len(gold):
            raise record.error("gold", f"{len(gold)} scores", f"{len(proxy)}, as in proxy")
        kept = found.setdefault(record.text("prompt"), ([], []))
        kept[0].extend(proxy)
        kept[1].extend(gold)
    if not found:
        raise InputError("no samples", file=str(path), expected="objects with prompt, proxy, gold")
    for prompt, (proxy, _) in found.items():
        if len(proxy) < 2:
            raise InputError(
                f"one sample of the prompt '{prompt[:40]}'", file=str(path), field="proxy",
                expected="two samples of each prompt or more",
            )  # fmt: skip
    return found


def _by_choice(record: Fields) -> ScoredPair | None:
    names = next((both for both in _SCORES if record.get(both[0]) is not None), _SCORES[0])
    prompt, chosen, rejected = map(shown, chosen_and_rejected(record))
    first = record.get("chosen_first")
    if first is not None and not isinstance(first, bool):
        raise record.error("chosen_first", "not true or false", "true, false, or nothing")
    return ScoredPair(
        prompt, chosen, rejected, _number(record, names[0]), _number(record, names[1]), first
    )


def _by_place(record: Fields) -> ScoredPair | None:
    choice = record.text("choice")
    if choice not in ("first", "second", "tie", "skipped"):
        raise record.error("choice", f"'{choice[:40]}' is none", "first, second, tie or skipped")
    prompt, *texts = (shown(said_in(record, name)) for name in ("prompt", "first", "second"))
    scores = _number(record, "score_first"), _number(record, "score_second")
    if choice not in ("first", "second"):
        return None
    at = 0 if choice == "first" else 1
    return ScoredPair(prompt, texts[at], texts[1 - at], scores[at], scores[1 - at], at == 0)


def _number(record: Fields, name: str) -> float:
    value = record.get(name)
    if isinstance(value, list) and len(value) == 1:  # a model's output of shape (1,)
        value = value[0]
    return _finite(record, name, value)


def _finite(record: Fields, name: str, value: object) -> float:
    if value is None:
        raise record.error(name, "missing", _NUMBER)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise record.error(name, "not a finite number", _NUMBER)
    return float(value)


def _numbers(record: Fields, name: str) -> list[float]:
    value = record.get(name)
    if not isinstance(value, list):
        return [_number(record, name)]
    return [_finite(record, f"{name}[{place}]", one) for place, one in enumerate(value)]
