"""Scores of canaries, one JSON object a line, and what they prove about a claimed ε."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

import orjson
from scipy.stats import binomtest

from buttress.errors import InputError
from buttress.files.lines import read_lines
from buttress.files.utf8 import not_utf8
from buttress.statistics.privacy_audit import (
    AuditBound,
    audit_guesses,
    largest_bound,
    pair_guesses,
    single_guesses,
)

Adjacency = Literal["replace", "add-remove"]
_LINE: Final = 1 << 20  # bytes
_UNFAIR: Final = 1e-6  # p-value below which the coins are not believed
_EXPECTED: Final = '{"id": …, "in": SCORE, "out": SCORE}; one of the scores may be null'


@dataclass(frozen=True, slots=True)
class CanaryScores:
    """A canary, or a pair of which a coin chose one: scores if trained on (in), if not (out)."""

    id: str
    included: float | None
    left_out: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit shows.

    ``paired``: a canary is one of a pair, and a coin chose which. ``adjacency``: what ε is about,
    replacing a record or adding or removing one.
    """

    canaries: int
    paired: bool
    adjacency: Adjacency
    bound: AuditBound
    largest: float  # the most that so many canaries can show


def read_scores(path: Path) -> list[CanaryScores]:
    """All lines of a file of scores.

    Raises:
        InputError: not readable; a line is no such object; ids repeat; kinds are mixed; no line.
    """
    scores: list[CanaryScores] = []
    seen: dict[str, int] = {}
    for line, data in _objects(path):
        one = _canary(path, line, data)
        if one.id in seen:
            raise InputError(
                f"'{one.id}' stands in line {seen[one.id]} already", file=str(path), line=line,
                field="id", expected="an id of its own on each line",
            )  # fmt: skip
        seen[one.id] = line
        if scores and _paired(one) != _paired(scores[0]):
            raise InputError(
                "pairs and single canaries are mixed", file=str(path), line=line,
                expected="both scores on each line, or one on each",
            )  # fmt: skip
        scores.append(one)
    if not scores:
        raise InputError("no canary", file=str(path), expected=_EXPECTED)
    return scores


def audit(
    scores: list[CanaryScores],
    *,
    delta: float,
    alpha: float,
    adjacency: Adjacency | None = None,
    file: str | None = None,
) -> Audit:
    """The lower bound on ε that the scores prove, wrong with probability ≤ ``alpha``.

    Args:
        scores: of one run; a fair coin decided for each canary, or in each pair.
        delta: δ of the claim.
        alpha: error probability.
        adjacency: what ε is about; by default what the coins did.
        file: for messages.

    Raises:
        InputError: single canaries of which too many or too few were trained on for fair coins, or
            an adjacency that they can't show.
    """
    paired = _paired(scores[0])
    if paired:
        pairs = [(one.id, cast(float, one.included), cast(float, one.left_out)) for one in scores]
        guesses = pair_guesses(pairs)
    else:
        if adjacency == "replace":
            raise InputError(
                "replacing a record can't be audited by single canaries", file=file,
                field="--adjacency", expected="add-remove, or both scores on each line",
            )  # fmt: skip
        included = sum(one.included is not None for one in scores)
        if binomtest(included, len(scores), 0.5).pvalue < _UNFAIR:
            raise InputError(
                f"{included} of {len(scores)} canaries were trained on", file=file,
                expected="about half: a fair coin has to decide for each",
            )  # fmt: skip
        guesses = single_guesses([_single(one) for one in scores])
    about: Adjacency = adjacency or ("replace" if paired else "add-remove")
    two_steps = paired and about == "add-remove"
    bound = audit_guesses(
        guesses, canaries=len(scores), delta=delta, alpha=alpha, two_steps=two_steps
    )
    largest = largest_bound(
        len(guesses), len(scores), delta=delta, alpha=alpha, two_steps=two_steps
    )
    return Audit(len(scores), paired, about, bound, largest)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in read_lines(path, _LINE):
        try:
            data = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(
                not_utf8(line) or f"not valid JSON: {error}",
                file=str(path),
                line=number,
                expected=_EXPECTED,
            ) from None
        if not isinstance(data, dict):
            raise InputError("no JSON object", file=str(path), line=number, expected=_EXPECTED)
        yield number, data


def _canary(path: Path, line: int, data: dict[str, Any]) -> CanaryScores:
    name = data.get("id")
    if isinstance(name, bool) or not isinstance(name, (str, int)) or name == "":
        raise InputError(
            "missing or no text", file=str(path), line=line, field="id", expected=_EXPECTED
        )
    values = {}
    for field in ("in", "out"):
        value = data.get(field)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value)
        ):
            raise InputError(
                f"{value!r} is no finite number", file=str(path), line=line, field=field,
                expected=_EXPECTED,
            )  # fmt: skip
        values[field] = None if value is None else float(value)
    if values["in"] is None and values["out"] is None:
        raise InputError("no score", file=str(path), line=line, field="in", expected=_EXPECTED)
    return CanaryScores(str(name), values["in"], values["out"])


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _paired(one: CanaryScores) -> bool:
    return one.included is not None and one.left_out is not None


def _single(one: CanaryScores) -> tuple[str, float, bool]:
    if one.included is not None:
        return one.id, one.included, True
    assert one.left_out is not None
    return one.id, one.left_out, False
