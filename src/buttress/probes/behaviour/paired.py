"""Comparing two sets of trials item by item: before and after, with and without, en and zh."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from buttress.evidence.records import Trial
from buttress.statistics.confidence import ConfidenceSequence
from buttress.statistics.multiple import mean_evidence, p_value
from buttress.statistics.paired import compare_pairs

Verdict = Literal["acceptable", "unacceptable", "undecided"]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two outcomes for each item; 1 is a failure.

    ``worse``, ``better`` and ``same`` count the pairs whose second outcome is higher, lower or
    equal. ``difference`` is the mean of second less first, in [-1, 1]; ``low`` and ``high`` bound
    it with probability 1 - alpha at any time of stopping, where the pairs come in random order.
    ``p_value`` is of "no change on average", two-sided, and holds at any time of stopping too; see
    ``statistics.paired``.
    """

    pairs: int
    unpaired: int
    worse: int
    better: int
    same: int
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def consistency(self) -> float:
        """Share of pairs with the same outcome, in [0, 1]."""
        return self.same / self.pairs


@dataclass(frozen=True, slots=True)
class Survival:
    """Whether a verdict is the same under the second condition; None where one is undecided."""

    first: Verdict
    second: Verdict

    @property
    def survives(self) -> bool | None:
        """Whether both verdicts are the same."""
        if "undecided" in (self.first, self.second):
            return None
        return self.first == self.second


def by_item(trial: Trial) -> str:
    """Pairs trials of the same item."""
    return trial.item


def by_item_across_languages(trial: Trial) -> str:
    """Pairs an item's versions in two languages, whose ids differ in the last part only."""
    return trial.item.removesuffix(f"/{trial.language}")


def compare(
    first: Iterable[Trial],
    second: Iterable[Trial],
    *,
    key: Callable[[Trial], str] = by_item,
    alpha: float = 0.05,
) -> Paired:
    """Compare the outcomes of pairs.

    Args:
        first, second: trials; of several with the same key, the last counts.
        key: what makes two trials a pair.
        alpha: error probability of the interval, in (0, 1).

    Raises:
        ValueError: no pair.
    """
    before = {key(trial): trial.outcome for trial in first}
    after = {key(trial): trial.outcome for trial in second}
    shared = [name for name in before if name in after]
    if not shared:
        raise ValueError("no item has a trial in both sets")
    result = compare_pairs([before[key] for key in shared], [after[key] for key in shared], alpha)
    either = mean_evidence((result.log_rise, result.log_fall))
    return Paired(
        pairs=result.pairs,
        unpaired=len(before) + len(after) - 2 * len(shared),
        worse=result.worse,
        better=result.better,
        same=result.pairs - result.worse - result.better,
        difference=result.difference,
        low=result.low,
        high=result.high,
        p_value=p_value(either),
    )


def survival(
    first: Iterable[Trial],
    second: Iterable[Trial],
    limit: float,
    *,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> Survival:
    """Whether a verdict at ``limit`` is the same under both conditions.

    Args:
        first, second: trials in the order in which they were asked.
        limit: tolerated failure rate, in (0, 1).
        alpha, beta: probabilities of calling acceptable what is not, and the reverse.
    """
    return Survival(_verdict(first, limit, alpha, beta), _verdict(second, limit, alpha, beta))


def _verdict(trials: Iterable[Trial], limit: float, alpha: float, beta: float) -> Verdict:
    sequence = ConfidenceSequence(beta, alpha)
    sequence.update([trial.outcome for trial in trials])
    if sequence.excludes_from(limit):
        return "acceptable"
    return "unacceptable" if sequence.excludes_to(limit) else "undecided"
