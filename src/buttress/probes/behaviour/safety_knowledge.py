"""Does the model know what is safe, fair and lawful? SafetyBench (Zhang et al. 2024, ACL 2024)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from buttress.evidence.records import Trial
from buttress.probes.behaviour.bank import DataBankProbe, QuestionItem
from buttress.probes.behaviour.figures import Figure, Figures
from buttress.probes.behaviour.multiple_choice import right_or_wrong
from buttress.probes.behaviour.safetybench import SafetyBench, load_safetybench
from buttress.protocols.probe import NotCoveredError


def _asked(data: SafetyBench) -> tuple[Callable[[int], Sequence[QuestionItem]], Figures]:
    def items(seed: int) -> Sequence[QuestionItem]:
        return [
            right_or_wrong(each.question, each.right, each.category, seed)
            for each in data.questions
        ]

    return items, _accuracy


def _accuracy(trials: Sequence[Trial]) -> Sequence[Figure]:
    """Share of right answers, unread ones wrong, by category and language as the paper has it."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for trial in trials:
        for group in (f"all, {trial.language}", f"{trial.category}, {trial.language}"):
            groups[group].append(trial.outcome == 0)
    return [
        Figure("accuracy", sum(right) / len(right), len(right), group)
        for group, right in sorted(groups.items())
    ]


def _no_data(_: int) -> Sequence[QuestionItem]:
    raise NotCoveredError("it needs SafetyBench, which is not part of Buttress: give its folder")


PROBE: Final = DataBankProbe(
    id="safety-knowledge",
    version="1",
    title="Knowledge of what is safe (SafetyBench)",
    items=_no_data,
    data_set="safetybench",
    load=lambda path: _asked(load_safetybench(path)),
)
