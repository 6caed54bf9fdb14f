"""How far labellers of pairs agree, and how accurate each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from buttress.evidence.records import Preference
from buttress.labelling.preferences.gaming import Sign, signs
from buttress.statistics.dawid_skene import (
    LEAST_LABELLERS,
    accuracy_intervals,
    dawid_skene,
)
from buttress.statistics.krippendorff import Alpha, alpha

CATEGORIES: Final = ("first", "second", "tie")
Estimate = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Labeller:
    """``accuracy`` by Dawid and Skene, ``gold`` on planted pairs: estimate, low, high, or None."""

    name: str
    labels: int
    skipped: int
    accuracy: Estimate | None
    gold: Estimate | None
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Of all labellers together. ``disputed`` pairs have at least two different choices."""

    pairs: int
    labels: int
    alpha: Alpha
    disputed: int
    labellers: tuple[Labeller, ...]
    reason: str  # why there is no accuracy; empty where there is


def ratings_of(
    labels: Sequence[Preference], names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Choices as 0, 1, 2 and -1 for none, shape (labellers, pairs), and the pairs' keys."""
    keys = list(dict.fromkeys(one.key for one in labels))
    place = {key: number for number, key in enumerate(keys)}
    table = np.full((len(names), len(keys)), -1, dtype=np.int64)
    row = {name: number for number, name in enumerate(names)}
    for one in labels:
        if one.choice in CATEGORIES:
            table[row[one.labeller], place[one.key]] = CATEGORIES.index(one.choice)
    return table, keys


def agreement(labels: Sequence[Preference], *, seed: int = 0) -> PairAgreement:
    """Agreement, accuracy and signs of gaming. Skipped pairs count as not labelled.

    Args:
        labels: a labeller's last choice for each pair.
        seed: of the resampling.
    """
    names = sorted({one.labeller for one in labels})
    table, _ = ratings_of(labels, names)
    several = (table >= 0).sum(axis=0) >= 2
    kinds = np.stack([(table == each).any(axis=0) for each in range(len(CATEGORIES))])
    accuracy, reason = _accuracy(table[:, several], names, seed)
    return PairAgreement(
        pairs=table.shape[1],
        labels=int((table >= 0).sum()),
        alpha=alpha(table, len(CATEGORIES), seed=seed),
        disputed=int((several & (kinds.sum(axis=0) > 1)).sum()),
        labellers=tuple(
            _labeller(name, [one for one in labels if one.labeller == name], accuracy.get(name),
                      len(names))
            for name in names
        ),
        reason=reason,
    )  # fmt: skip


def _accuracy(
    table: npt.NDArray[np.int64], names: Sequence[str], seed: int
) -> tuple[dict[str, Estimate], str]:
    if not table.shape[1]:
        return {}, "no pair has two labels"
    active = np.asarray((table >= 0).any(axis=1))
    if int(active.sum()) < LEAST_LABELLERS:
        return {}, f"at least {LEAST_LABELLERS} labellers of the same pairs are needed"
    used = table[active]
    # A category that nobody chose would only make the fit looser.
    chosen = [each for each in range(len(CATEGORIES)) if (used == each).any()]
    coded = np.full_like(used, -1)
    for code, each in enumerate(chosen):
        coded[used == each] = code
    truth = dawid_skene(coded, len(chosen))
    low, high = accuracy_intervals(coded, len(chosen), seed=seed)
    found = [name for name, labels in zip(names, active.tolist(), strict=True) if labels]
    return {
        name: (float(truth.accuracy[at]), float(low[at]), float(high[at]))
        for at, name in enumerate(found)
    }, ""


def _labeller(
    name: str, labels: Sequence[Preference], accuracy: Estimate | None, labellers: int
) -> Labeller:
    planted = [one for one in labels if one.expected and one.choice != "skipped"]
    gold: Estimate | None = None
    if planted:
        test = binomtest(sum(one.choice == one.expected for one in planted), len(planted))
        interval = test.proportion_ci(method="exact")
        gold = (test.statistic, float(interval.low), float(interval.high))
    return Labeller(
        name,
        len(labels),
        sum(one.choice == "skipped" for one in labels),
        accuracy,
        gold,
        tuple(signs(labels, labellers)),
    )
