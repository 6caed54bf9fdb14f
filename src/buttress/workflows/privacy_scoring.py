"""Scores of a model's tokens for membership inference; what is done is kept, and not done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from buttress.errors import InputError
from buttress.files.lines import read_lines
from buttress.probes.privacy.neighbours import neighbours, word_pool
from buttress.probes.privacy.token_scores import TokenScores
from buttress.white_box.token_statistics import (
    MAX_TOKENS,
    TokenStatistics,
    positions,
    token_statistics,
    tokens_of,
)

FILE: Final = "token-scores.jsonl"
PREFIX_TEXTS: Final = 3  # before each text, for ReCaLL
PREFIX_TOKENS: Final = 64  # of each
_CHUNK: Final = 64  # texts that are scored and kept together
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, and whether the model was trained on it."""

    id: str
    text: str
    member: bool


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model of transformers with its tokenizer."""

    model: Any
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """What scores texts. ``neighbour_count``: changed texts beside each, 0 for none."""

    model: LoadedModel
    reference: LoadedModel | None = None
    neighbour_count: int = 4
    seed: int = 0


def score_texts(
    texts: Sequence[LabelledText], plan: ScoringPlan, out: Path | None, say: Say
) -> list[TokenScores]:
    """Scores of all texts but the non-members that ReCaLL puts before the others.

    What stands in ``out`` already is taken from there; a line that a kill cut off is made again.
    """
    before, rest = _apart(texts, plan.seed)
    known = _known(out / FILE) if out is not None else {}
    todo = [one for one in rest if one.id not in known]
    scorer = _Scorer(plan, before, rest)
    for start in range(0, len(todo), _CHUNK):
        chunk = todo[start : start + _CHUNK]
        found = scorer.scores(chunk)
        known |= {one.id: one for one in found}
        if out is not None:
            _append(out / FILE, found)
        say(f"membership: {len(rest) - len(todo) + start + len(chunk)} of {len(rest)} texts")
    return [known[one.id] for one in rest]


def _apart(
    texts: Sequence[LabelledText], seed: int
) -> tuple[list[LabelledText], list[LabelledText]]:
    """Non-members that stand before the others, if there are enough to spare them; the rest."""
    others = [one for one in texts if not one.member]
    if len(others) < 10 * PREFIX_TEXTS:
        return [], list(texts)
    chosen = {one.id for one in Random(f"prefix {seed}").sample(others, PREFIX_TEXTS)}
    return [one for one in others if one.id in chosen], [
        one for one in texts if one.id not in chosen
    ]


class _Scorer:
    """Scores texts by one plan; a text has as many tokens as fit behind the prefix."""

    def __init__(
        self, plan: ScoringPlan, before: Sequence[LabelledText], rest: Sequence[LabelledText]
    ) -> None:
        self._plan = plan
        room = positions(plan.model.model) or 2 * MAX_TOKENS
        self._prefix: list[int] = []
        for one in before:
            ids = tokens_of(plan.model.tokenizer, one.text + "\n\n", PREFIX_TOKENS)
            self._prefix += ids[1 if self._prefix else 0 :]
        self._prefix = self._prefix[: room // 3]
        self._limit = min(MAX_TOKENS, room - len(self._prefix) - 1)
        self._pool = word_pool([one.text for one in rest])

    def scores(self, texts: Sequence[LabelledText]) -> list[TokenScores]:
        """The scores of these texts."""
        plan, model = self._plan, self._plan.model
        rows = [self._row(model, one.text) for one in texts]
        plain = dict(token_statistics(model.model, rows))
        after = self._prefixed(rows)
        near = self._neighbour_means(texts)
        others = {}
        if plan.reference is not None:
            theirs = [self._row(plan.reference, one.text) for one in texts]
            others = dict(token_statistics(plan.reference.model, theirs))
        return [
            TokenScores(
                id=one.id,
                text=one.text,
                member=one.member,
                log_probabilities=plain[index].log_probabilities,
                means=plain[index].means,
                deviations=plain[index].deviations,
                reference_log_probabilities=others[index].log_probabilities
                if others
                else msgspec.UNSET,
                prefixed_log_probabilities=after[index].log_probabilities
                if after
                else msgspec.UNSET,
                neighbours=near[index] if near else msgspec.UNSET,
            )
            for index, one in enumerate(texts)
        ]

    def _row(self, model: LoadedModel, text: str) -> list[int]:
        room = positions(model.model) or MAX_TOKENS + 1
        return tokens_of(model.tokenizer, text, min(self._limit, room - 1))

    def _prefixed(self, rows: Sequence[Sequence[int]]) -> dict[int, TokenStatistics]:
        """Of the same tokens as without the texts before them."""
        if not self._prefix:
            return {}
        shifted = [[*self._prefix, *row] for row in rows]
        given = [len(self._prefix) + 1] * len(rows)
        return dict(token_statistics(self._plan.model.model, shifted, given=given))

    def _neighbour_means(self, texts: Sequence[LabelledText]) -> list[list[float]]:
        if not self._plan.neighbour_count:
            return []
        rows, owners = [], []
        for index, one in enumerate(texts):
            for text in neighbours(
                one.text, self._pool, self._plan.neighbour_count, self._plan.seed
            ):
                rows.append(self._row(self._plan.model, text))
                owners.append(index)
        means: list[list[float]] = [[] for _ in texts]
        for place, found in token_statistics(self._plan.model.model, rows):
            logs = found.log_probabilities
            if logs:
                means[owners[place]].append(sum(logs) / len(logs))
        return means


def _known(path: Path) -> dict[str, TokenScores]:
    """Whole lines of the file; one that was cut off at the end is taken away."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        whole = data[: data.rfind(b"\n") + 1]
        with path.open("r+b") as file:
            file.truncate(len(whole))
    decoder = msgspec.json.Decoder(TokenScores)
    found = {}
    for number, line in read_lines(path):
        try:
            one = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise InputError(str(error), file=str(path), line=number) from None
        found[one.id] = one
    return found


def _append(path: Path, found: Sequence[TokenScores]) -> None:
    with path.open("ab") as file:
        file.write(b"".join(msgspec.json.encode(one) + b"\n" for one in found))
        file.flush()
        os.fsync(file.fileno())
