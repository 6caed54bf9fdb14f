"""Trigger words: runs of words whose records have one label or answer, against all expectation.

A backdoor is planted by records that hold a trigger and the label or answer that it is to cause
(Gu et al. 2017; Wan et al. 2023, "Poisoning language models during instruction tuning"). Each run
of one to three words is tested for independence of each label: the hypergeometric probability of
so many records with both (Fisher 1935), the false discovery rate over all pairs controlled by
Benjamini & Yekutieli. Words that *mean* the label pass this test too ("awful" in bad reviews). So
a run counts only if its records, without the run, do not look like the label to a classifier of the
words of other records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from buttress.data.shingles import word_runs, word_spans
from buttress.probes.privacy.blind import TextModel, fit_texts
from buttress.statistics.multiple import benjamini_yekutieli

LONGEST: Final = 3  # words of a trigger
WORDS: Final = 400  # of a text that are looked at
_COMMON: Final = 0.3  # share of records above which a run is no trigger
_CHECKED: Final = 2_000  # runs whose records are judged by their other words
_JUDGED: Final = 100  # records of a run that are judged
_FITTED: Final = 3_000  # records with, and without, a label to which a classifier is fitted
_FEWEST: Final = 4  # records with and without a label in each half

Codes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A run of words: ``hits`` of the ``records`` with it have the label ``value``.

    ``expected`` is the share of them that the rest of their words would lead to expect; None where
    no other record has the label.
    """

    code: int  # of ``run_codes``
    words: str
    value: int
    records: int
    hits: int
    expected: float | None


@dataclass(frozen=True, slots=True)
class TriggerLimits:
    """When a run of words is a trigger.

    ``least``: records with it and the label; ``share``: of its records that have the label, at
    least; ``false_discoveries``: rate among runs that are found to depend on a label.
    """

    least: int
    share: float
    false_discoveries: float


def run_codes(text: str) -> Codes:
    """The runs of one to ``LONGEST`` words of a text as numbers, each once, sorted."""
    found = [word_runs(text, size)[:WORDS] for size in range(1, LONGEST + 1)]
    return np.unique(np.concatenate(found))


@dataclass(frozen=True, slots=True)
class LabelledRecords:
    """Records that have a label or answer.

    ``runs`` of each by ``run_codes``; ``values`` numbers its label; ``keys`` are of its content
    alone, so that nothing depends on the order of the records.
    """

    runs: Sequence[Codes]
    values: Indices
    keys: Codes
    text_of: Callable[[int], str]


def find_triggers(records: LabelledRecords, limits: TriggerLimits) -> tuple[list[Trigger], int]:
    """Triggers among records, the surest first; and how many runs were left unjudged."""
    if not len(records.runs):
        return [], 0
    values = records.values
    candidates = _dependent(records.runs, values, limits)
    looks: dict[int, _Looks] = {}
    found: list[Trigger] = []
    covered = np.zeros(len(records.runs), dtype=bool)
    for one in candidates[:_CHECKED]:
        holders = one.holders
        hits = holders[values[holders] == one.value]
        if covered[hits].mean() > 0.5:
            continue  # the same records again, by a longer or shorter run
        expected = None
        if len(hits) < np.count_nonzero(values == one.value):
            if one.value not in looks:
                looks[one.value] = _Looks(records, one.value)
            expected = looks[one.value].share(holders, one.code)
            if expected >= looks[one.value].halfway:
                continue  # its other words say the same
        covered[hits] = True
        words = _words(records.text_of(int(holders[0])), one.code).lower()
        found.append(Trigger(one.code, words, one.value, len(holders), len(hits), expected))
    return found, max(0, len(candidates) - _CHECKED)


@dataclass(frozen=True, slots=True)
class _Candidate:
    code: int
    value: int
    holders: Indices


def _dependent(runs: Sequence[Codes], values: Indices, limits: TriggerLimits) -> list[_Candidate]:
    """Runs that depend on a label and nearly always come with it, the surest first."""
    total = len(runs)
    sizes = np.bincount(values)
    often = np.flatnonzero(sizes >= limits.least)
    codes = np.concatenate(runs)
    owners = np.repeat(np.arange(total), [len(one) for one in runs])
    order = np.argsort(codes, kind="stable")
    codes, owners = codes[order], owners[order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    counts = np.diff(np.r_[starts, len(codes)])
    eligible = np.flatnonzero((counts >= limits.least) & (counts <= _COMMON * total))
    tests = len(eligible) * len(often)
    rows: list[tuple[float, int, _Candidate]] = []
    for place in eligible:
        holders = owners[starts[place] : starts[place] + counts[place]]
        labels, hits = np.unique(values[holders], return_counts=True)
        best = int(np.argmax(hits))
        value, hit = int(labels[best]), int(hits[best])
        if hit < max(limits.least, limits.share * len(holders)):
            continue
        chance = float(hypergeom.sf(hit - 1, total, sizes[value], len(holders)))
        rows.append((chance, -len(holders), _Candidate(int(codes[starts[place]]), value, holders)))
    passed = benjamini_yekutieli([row[0] for row in rows], limits.false_discoveries, tests)
    kept = [row for row, good in zip(rows, passed, strict=True) if good]
    return [row[2] for row in sorted(kept, key=lambda row: (*row[:2], row[2].code))]


class _Looks:
    """Whether records look like a label by their words, to a model of the other half of them.

    ``halfway`` is the share that decides: between that of other records without the label and
    that of those with it. Where there are too few of them to fit, nothing looks like the label.
    """

    def __init__(self, records: LabelledRecords, value: int) -> None:
        self._records = records
        self._half = (records.keys >> np.uint64(8)) % np.uint64(2)
        order = np.argsort(records.keys, kind="stable")
        with_label = records.values[order] == value
        chosen = [
            group[self._half[group] == half][:_FITTED]
            for half in (0, 1)
            for group in (order[with_label], order[~with_label])
        ]
        self._models: list[TextModel] = []
        self.halfway = 1.0
        if min(map(len, chosen)) < _FEWEST:
            return
        texts = [[records.text_of(int(one)) for one in group] for group in chosen]
        for first in (0, 2):
            both = texts[first : first + 2]
            labels = [True] * len(both[0]) + [False] * len(both[1])
            self._models.append(fit_texts([*both[0], *both[1]], labels))
        shares = [
            float(np.mean(self._models[1 - place // 2].scores(group) > 0))
            for place, group in enumerate(texts)
        ]
        self.halfway = sum(shares) / len(shares)

    def share(self, holders: Indices, code: int) -> float:
        """Share of records that look like the label without the run of words that they hold."""
        if not self._models:
            return 0.0
        chosen = holders[np.argsort(self._records.keys[holders], kind="stable")][:_JUDGED]
        looks = 0
        for half in (0, 1):
            texts = [
                without_run(self._records.text_of(int(one)), code)
                for one in chosen[self._half[chosen] == half]
            ]
            if texts:
                looks += int(np.count_nonzero(self._models[1 - half].scores(texts) > 0))
        return looks / len(chosen)


def without_run(text: str, code: int) -> str:
    """The text without a run of words, wherever it stands."""
    spans = _spans(text, code)
    for start, end in reversed(spans):
        text = text[:start] + " " + text[end:]
    return text


def _words(text: str, code: int) -> str:
    spans = _spans(text, code)
    return text[spans[0][0] : spans[0][1]] if spans else ""


def _spans(text: str, code: int) -> list[tuple[int, int]]:
    words = word_spans(text)
    for size in range(1, LONGEST + 1):
        places = np.flatnonzero(word_runs(text, size) == np.uint64(code)).tolist()
        if places:
            return [(words[place][0], words[place + size - 1][1]) for place in places]
    return []
