"""What each asset's questions have cost, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from buttress.system.model import Asset, Price
from buttress.trials.progress import Progress
from buttress.trials.totals import Totals


@dataclass(slots=True)
class Ledger:
    """Totals by asset, since prices differ. It is itself a ``Progress`` that shows the sums."""

    prices: dict[str, Price] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    progress: Progress | None = None

    def open(self, asset: Asset) -> Totals:
        """A new account."""
        self.prices[asset.id] = asset.price
        return self.totals.setdefault(asset.id, Totals())

    def together(self) -> Totals:
        """Sums over all accounts."""
        whole = Totals()
        for one in self.totals.values():
            whole.calls += one.calls
            whole.trials += one.trials
            whole.cached += one.cached
            whole.errors += one.errors
            whole.attacker_calls += one.attacker_calls
            whole.asked += one.asked
            whole.prompt_tokens += one.prompt_tokens
            whole.completion_tokens += one.completion_tokens
            whole.messages.update(one.messages)
        return whole

    def cost(self) -> float:
        """What the calls cost so far, in the currency of the manifest's prices."""
        return sum(
            price.cost(one.calls, one.prompt_tokens, one.completion_tokens)
            for price, one in zip(self.prices.values(), self.totals.values(), strict=True)
        )

    def update(self, totals: Totals, probe: str) -> None:
        """An engine committed trials of ``probe``."""
        del totals  # one asset's only
        if self.progress is not None:
            self.progress.update(self.together(), probe)

    def say(self, text: str) -> None:
        """Pass it on."""
        if self.progress is not None:
            self.progress.say(text)

    def close(self) -> None:
        """Pass it on."""
        if self.progress is not None:
            self.progress.close()


def priced(assets: Sequence[Asset]) -> bool:
    """Whether any asset has a price."""
    return any(asset.price != Price() for asset in assets)
