"""The model under attack in each of its states, and what an attack changed between two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress.documents.alignment import AttackComparison, ChangeInterval
from buttress.evidence.records import Trial
from buttress.statistics.paired import compare_pairs
from buttress.statistics.paired_verdict import ALPHA
from buttress.system.model import System
from buttress.workflows.alignment.comparing import judged_change
from buttress.workflows.alignment.intervention import Intervention
from buttress.workflows.alignment.measuring import REFUSAL_DIRECTION, Measurer
from buttress.workflows.alignment.requests import MeasuredRequests

EXTRACTION: Final = "extraction"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Attacker:
    """Attacks ``count`` held-out harmful requests.

    ``on_weights``: the model runs in this process, so that its inside can be attacked; directions
    are kept in ``out``.
    """

    system: System
    count: int
    device: str
    requests: MeasuredRequests
    measurer: Measurer
    out: Path
    on_weights: bool
    say: Say

    def attack(
        self,
        open_target: Callable[[], Any],
        name: str,
        system_prompt: str,
        settings: Mapping[str, Any],
    ) -> dict[str, list[Trial]]:
        """Trials by attack on held-out harmful requests; empty where none are asked for.

        Args:
            open_target: opens the model in the state that is attacked.
            name: of that state in the evidence.
            system_prompt: put before every question.
            settings: of the target; ``weights`` are those of the state.

        Raises:
            InputError, ButtressError: as ``Measurer.measure``.
        """
        if not self.count:
            return {}
        found = self.measurer.attack(
            open_target, self.requests, self.count, asset=name,
            system_prompt=system_prompt, prefill=self.on_weights,
        )  # fmt: skip
        if self.on_weights:
            direction = self._direction(str(settings["weights"]))

            def open_ablated() -> Any:
                from buttress.white_box.ablated_target import AblatedTarget

                return AblatedTarget(open_target(), direction)

            found[REFUSAL_DIRECTION] = self.measurer.attack_inside(
                open_ablated, self.requests, self.count, asset=name,
                system_prompt=system_prompt,
            )  # fmt: skip
        return found

    def _direction(self, weights: str) -> Any:
        """The direction that an attacker takes out of these weights, found on seen requests."""
        from buttress.workflows.alignment.weight_attacks import attack_direction

        self.say("attack: refusal direction")
        seen = self.requests.split.seen
        named = hashlib.sha256(weights.encode()).hexdigest()[:12]
        return attack_direction(
            self.system.base / weights,
            [one.text for one in seen if one.expect == "refuse"],
            [one.text for one in seen if one.expect == "answer"],
            self.out / "directions" / named, device=self.device,
        ).vector  # fmt: skip

    def extraction(self, plain: Mapping[str, Any], changed: Intervention) -> list[AttackComparison]:
        """Whether the trained model completes its training data, beside the unchanged one."""
        if not self.count:
            return []
        from buttress.workflows.alignment.weight_attacks import completed_records

        before, after = (
            completed_records(
                self.system.base / str(settings["weights"]), changed.training_data,
                self.count, device=self.device,
            )
            for settings in (plain, changed.settings)
        )  # fmt: skip
        return [counted_attack(EXTRACTION, before, after)]


def attack_rows(
    before: Mapping[str, Sequence[Trial]], after: Mapping[str, Sequence[Trial]]
) -> list[AttackComparison]:
    """A row for each attack that both states were put under."""
    return [
        _attack_row(attack, before[attack], found)
        for attack, found in after.items()
        if attack in before
    ]


def counted_attack(name: str, before: Sequence[bool], after: Sequence[bool]) -> AttackComparison:
    """An attack that succeeds or not on the same things before and after, without a judge."""
    found = compare_pairs([float(one) for one in before], [float(one) for one in after], ALPHA)
    count = len(before)
    return AttackComparison(
        attack=name,
        before=sum(before) / max(1, count),
        after=sum(after) / max(1, count),
        difference=ChangeInterval(estimate=found.difference, low=found.low, high=found.high),
        pairs=count,
    )


def _attack_row(attack: str, before: Sequence[Trial], after: Sequence[Trial]) -> AttackComparison:
    change = judged_change(before, after, ALPHA)
    keys = {trial.item for trial in after}
    both = [trial for trial in before if trial.item in keys]
    items = {trial.item for trial in both}
    others = [trial for trial in after if trial.item in items]
    return AttackComparison(
        attack=attack,
        before=sum(trial.outcome for trial in both) / max(1, len(both)),
        after=sum(trial.outcome for trial in others) / max(1, len(others)),
        difference=ChangeInterval(estimate=change.estimate, low=change.low, high=change.high),
        pairs=len(both),
    )
