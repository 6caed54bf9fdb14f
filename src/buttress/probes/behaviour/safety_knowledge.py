"""Does the model know what is safe, fair and lawful? SafetyBench (Zhang et al. 2024, ACL 2024)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from buttress.probes.base import NotCoveredError
from buttress.probes.behaviour.bank import DataBankProbe, Item
from buttress.probes.behaviour.multiple_choice import right_or_wrong
from buttress.probes.behaviour.safetybench import SafetyBench, load_safetybench


def _asked(data: SafetyBench) -> Callable[[int], Sequence[Item]]:
    return lambda seed: [
        right_or_wrong(each.question, each.right, each.category, seed) for each in data.questions
    ]


def _no_data(_: int) -> Sequence[Item]:
    raise NotCoveredError("it needs SafetyBench, which is not part of Buttress: give its folder")


PROBE: Final = DataBankProbe(
    id="safety-knowledge",
    version="1",
    title="Knowledge of what is safe (SafetyBench)",
    items=_no_data,
    data_set="safetybench",
    load=lambda path: _asked(load_safetybench(path)),
)
