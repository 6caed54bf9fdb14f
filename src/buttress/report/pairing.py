"""Two assessments' evidence, item by item: what was asked on both sides, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buttress.documents import reading as documents
from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.statistics.paired import ALPHA, PairedResult, compare_pairs

Key = tuple[str, str, str, str]  # probe, item, attack, language


@dataclass(slots=True)
class AskedItem:
    """An item's ``prompt``, and the outcomes of its samples by content address, in order."""

    prompt: str
    outcomes: dict[str, float] = field(default_factory=dict)


Questions = dict[Key, AskedItem]
Recorded = Mapping[tuple[str, str], Questions]  # by (probe, asset)


def by_question(trials: Iterable[Trial], into: Questions | None = None) -> Questions:
    """Outcomes by what was asked; of trials with one content address the last counts."""
    found: Questions = {} if into is None else into
    for trial in trials:
        key = (trial.probe, trial.item, trial.attack, trial.language)
        found.setdefault(key, AskedItem(trial.prompt_id)).outcomes[trial.key] = trial.outcome
    return found


def compare_questions(before: Questions, after: Questions, alpha: float = ALPHA) -> PairedResult:
    """Pairs each question of one side with the same of the other, its first sample with the first.

    All pairs of one prompt count once, with their mean difference.

    Args:
        before, after: as ``by_question`` gives them.
        alpha: error probability of the interval of the difference, in (0, 1).
    """
    olds, news, prompts = [], [], []
    for key, item in before.items():
        if (other := after.get(key)) is None:
            continue
        for old, new in zip(item.outcomes.values(), other.outcomes.values(), strict=False):
            olds.append(old)
            news.append(new)
            prompts.append(item.prompt)
    return compare_pairs(olds, news, alpha, prompts)


def recorded(path: Path, document: Mapping[str, Any]) -> Recorded:
    """The trials of a document's run, from the evidence store beside it.

    Args:
        path: the document or its folder.
        document: what ``document.load`` read there.

    Raises:
        InputError: there is no usable store.
    """
    file = documents.resolve(path).parent / FILE_NAME
    if not file.is_file():
        raise InputError(
            f"no {FILE_NAME} beside the document", file=str(file), field="--paired",
            expected="the folder in which the assessment was made",
        )  # fmt: skip
    found: dict[tuple[str, str], Questions] = {}
    with EvidenceStore.open(file, read_only=True) as store:
        for trial in store.trials(run=document["run"]["id"]):
            by_question([trial], found.setdefault((trial.probe, trial.asset), {}))
    return found
