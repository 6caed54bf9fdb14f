"""What questions have cost: of each asset, the judge and the attacker, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from buttress.system.model import Asset, Price
from buttress.trials.progress import Progress
from buttress.trials.totals import Totals

JUDGE: Final = "judge"
ATTACKER: Final = "attacker"


@dataclass(slots=True)
class Ledger:
    """Totals by account, since prices differ. It is itself a ``Progress`` that shows the sums.

    ``others`` are the accounts of judge and attacker, whose answers are no trials.
    """

    prices: dict[str, Price] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    others: dict[str, Totals] = field(default_factory=dict)
    other_prices: dict[str, Price] = field(default_factory=dict)
    progress: Progress | None = None

    def open(self, asset: Asset) -> Totals:
        """A new account of an asset."""
        self.prices[asset.id] = asset.price
        return self.totals.setdefault(asset.id, Totals())

    def open_other(self, name: str, price: Price) -> Totals:
        """The account of judge or attacker."""
        self.other_prices[name] = price
        return self.others.setdefault(name, Totals())

    def together(self) -> Totals:
        """Sums over the accounts of all assets."""
        whole = Totals()
        for one in self.totals.values():
            whole.calls += one.calls
            whole.trials += one.trials
            whole.cached += one.cached
            whole.errors += one.errors
            whole.asked += one.asked
            whole.unjudged += one.unjudged
            whole.prompt_tokens += one.prompt_tokens
            whole.completion_tokens += one.completion_tokens
            whole.estimated += one.estimated
            whole.messages.update(one.messages)
        return whole

    def calls(self) -> int:
        """Questions sent, those to judge and attacker included."""
        return sum(one.calls for one in (*self.totals.values(), *self.others.values()))

    def tokens(self) -> int:
        """Tokens read and written, those of judge and attacker included."""
        accounts = (*self.totals.values(), *self.others.values())
        return sum(one.prompt_tokens + one.completion_tokens for one in accounts)

    def calls_of(self, name: str) -> int:
        """Questions sent to the judge or the attacker."""
        return self.others[name].calls if name in self.others else 0

    def cost(self) -> float:
        """What the calls cost so far, in the currency of the manifest's prices."""
        return sum(
            prices[name].cost(one.calls, one.prompt_tokens, one.completion_tokens)
            for prices, totals in (
                (self.prices, self.totals),
                (self.other_prices, self.others),
            )
            for name, one in totals.items()
        )

    def update(self, totals: Totals, probe: str) -> None:
        """An engine committed trials of ``probe``."""
        del totals  # one asset's only
        if self.progress is not None:
            whole = self.together()
            whole.calls = self.calls()
            self.progress.update(whole, probe)

    def say(self, text: str) -> None:
        """Pass it on."""
        if self.progress is not None:
            self.progress.say(text)

    def note(self, text: str) -> None:
        """Pass it on."""
        if self.progress is not None:
            self.progress.note(text)

    def close(self) -> None:
        """Pass it on."""
        if self.progress is not None:
            self.progress.close()


def priced(assets: Sequence[Asset]) -> bool:
    """Whether any asset has a price."""
    return any(asset.price != Price() for asset in assets)
