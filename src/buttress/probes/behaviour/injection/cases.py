"""Questions of injection probes: items that know their attack, in an order that probes share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from buttress.probes.behaviour.bank import BankProbe, QuestionItem, item_order, seed_of
from buttress.protocols.probe import TrialContext, TrialSpec


@dataclass(frozen=True, slots=True)
class Case(QuestionItem):
    """An item with the attack that its trial is filed under."""

    attack: str = "injection"


@dataclass(frozen=True, slots=True)
class CaseProbe(BankProbe):
    """Asks cases. Probes of one ``family`` whose items match ask them in the same order.

    So a target that is asked by one has answered the other as well, however many trials are run.
    """

    family: str = ""
    attack: str = "injection"

    def stream(self, context: TrialContext) -> Iterator[TrialSpec]:
        """Trials in a random permutation of the cases.

        Raises:
            NotCoveredError: as ``BankProbe.stream``.
        """
        items = self._items(context)
        seed = seed_of(context.seed, self.family or self.id)
        return (
            replace(self._filed(items[place], context), draw=draw)
            for place, draw in item_order(items, seed, context)
        )

    def _filed(self, item: QuestionItem, context: TrialContext) -> TrialSpec:
        attack = item.attack if isinstance(item, Case) else self.attack
        return replace(self._spec(item, context), attack=attack)
