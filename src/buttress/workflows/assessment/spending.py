"""What an assessment may spend and has spent: budget, allowance and ledger together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.evidence.records import Trial, Turn
from buttress.system.model import Budget, Price, System
from buttress.targets.allowance import RunAllowance
from buttress.targets.base import Target
from buttress.targets.open import open_target
from buttress.targets.retrying_target import RetryingTarget
from buttress.targets.waits import Waits
from buttress.trials.judging import CHECK
from buttress.trials.progress import Earlier, ProgressPlan
from buttress.workflows.assessment.ledger import ATTACKER, JUDGE, Ledger


class Spending:
    """One run's. The models of judge and attacker are opened here, so that they are counted.

    Raises:
        InputError: money is limited, and nothing has a price.
    """

    def __init__(self, system: System, budget: Budget) -> None:
        self.budget = budget
        self.ledger = Ledger()
        self.waits = Waits(self.ledger.note)
        self._prices = [asset.price for asset in system.assets]
        self._before = 0
        self._tokens_before = 0
        self._cost_before = 0.0
        self.attacker_before = 0  # questions to the attacker until a resumed run ended
        self.allowance = RunAllowance(
            calls=budget.calls,
            tokens=budget.tokens,
            cost=budget.cost,
            seconds=None if budget.minutes is None else 60 * budget.minutes,
            spent_calls=lambda: self._before + self.ledger.calls(),
            spent_tokens=lambda: self._tokens_before + self.ledger.tokens(),
            spent_cost=lambda: self._cost_before + self.ledger.cost(),
            spent_judge_calls=lambda: self.ledger.calls_of(JUDGE),
        )
        if budget.cost is not None and not any(
            price != Price() for price in [*self._prices, *_prices_of(system)]
        ):
            raise InputError(
                "no asset has a price, so money can't be counted",
                file=system.file,
                line=system.lines.get("budget"),
                field="budget.cost",
                expected="price: {per_million_completion_tokens: …} beside a model that answers",
            )

    @property
    def answered(self) -> bool:
        """Whether there is any trial yet, from this run or from what it goes on with."""
        return self._before > 0 or self.ledger.together().trials > 0

    @property
    def plannable(self) -> int | None:
        """Calls that the planner may reckon with: what a resumed run has asked stays in."""
        calls = self.budget.calls
        return None if calls is None else max(calls, self._before)

    def overdrawn(self) -> str:
        """That a resumed run has spent a budget, which may be smaller than it was; else ""."""
        spent = [
            f"{before:,.10g} of {limit:,.10g} {unit}"
            for before, limit, unit in (
                (self._before, self.budget.calls, "questions"),
                (self._tokens_before, self.budget.tokens, "tokens"),
                (self._cost_before, self.budget.cost, "of money"),
            )
            if limit is not None and before >= limit
        ]
        if not spent:
            return ""
        return (
            f"the run to resume has spent {', '.join(spent)}: nothing more is asked, "
            "and all that was answered counts"
        )

    def asked_before(self, trials: Iterable[Trial], turns: Iterable[Turn] = ()) -> None:
        """Take in what a resumed run has asked until it ended.

        ``turns`` are those of the same run; what the attacker was asked is in no trial's count, and
        questions to the system are in none where their trial didn't come to its end. What it cost
        follows from the tokens of the records. The tokens of a model that judges are in none: it is
        taken to have read each exchange once, and its replies are left out, so its part is a lower
        estimate.
        """
        judged = self.allowance.judge_calls
        ended = set()
        self._before = self._tokens_before = self.attacker_before = 0
        self._cost_before = 0.0
        for trial in trials:
            ended.add((trial.probe, trial.asset, trial.item))
            if trial.cached:
                continue
            self._count(trial.asset, trial, trial.calls)
            if trial.judge != CHECK:
                self._count_judged(trial, judged)
        for turn in turns:
            if turn.role == "attacker":
                self._count(ATTACKER, turn, 1)
                self.attacker_before += 1
            elif (turn.probe, turn.asset, turn.item) not in ended:
                if turn.role == "target":
                    self._count(turn.asset, turn, 1)
                else:
                    self._count_judged(turn, judged)

    def _count(self, account: str, record: Trial | Turn, calls: int) -> None:
        """Calls, tokens and cost of an earlier question to an asset or the attacker."""
        prices = self.ledger.other_prices if account == ATTACKER else self.ledger.prices
        price = prices.get(account, Price())
        self._before += calls
        self._tokens_before += record.prompt_tokens + record.completion_tokens
        self._cost_before += price.cost(calls, record.prompt_tokens, record.completion_tokens)

    def _count_judged(self, record: Trial | Turn, calls: int) -> None:
        """Calls, tokens and cost of an earlier judgement."""
        price = self.ledger.other_prices.get(JUDGE, Price())
        self._before += calls
        read = calls * (record.prompt_tokens + record.completion_tokens)
        self._tokens_before += read
        self._cost_before += price.cost(calls, read, 0)

    def open_judge_target(self, settings: Mapping[str, Any], *, base: Path) -> Target:
        """A model that a judge asks."""
        self.allowance.judge_calls += 1
        return self._open(JUDGE, settings, base)

    def open_attacker(self, settings: Mapping[str, Any], *, base: Path) -> Target:
        """A model that searches for attacks and is no asset."""
        return self._open(ATTACKER, settings, base, metered=False)

    def _open(
        self, name: str, settings: Mapping[str, Any], base: Path, *, metered: bool = True
    ) -> Target:
        others = dict(settings)
        price = _price(others.pop("price", None))
        self._prices.append(price)
        totals = self.ledger.open_other(name, price)
        target = open_target(others, base=base)
        if not metered:
            return target
        whom = f"the judge's model {target.name}"
        return RetryingTarget(target, totals, self.allowance, waits=self.waits, whom=whom)

    def priced(self) -> bool:
        """Whether anything has a price."""
        return any(price != Price() for price in self._prices)

    def cost(self) -> float | None:
        """Money so far, of a resumed run from its beginning; None where nothing has a price."""
        return self.allowance.spent_cost() if self.priced() else None

    def plan(self) -> ProgressPlan:
        """What progress is measured against."""
        return ProgressPlan(
            calls=self.budget.calls,
            tokens=self.ledger.tokens,
            most_tokens=self.budget.tokens,
            cost=(lambda _: self.ledger.cost()) if self.priced() else None,
            most_cost=self.budget.cost,
            seconds=self.allowance.seconds,
            earlier=lambda: Earlier(self._before, self._tokens_before, self._cost_before),
        )


def _price(given: Any) -> Price:
    return Price(**{key: float(value) for key, value in dict(given or {}).items()})


def _prices_of(system: System) -> list[Price]:
    """Prices of the models that judge and attacker ask."""
    settings = [system.judge.target, system.attacker, *system.judge.members]
    return [_price(each.get("price")) for each in settings if each]
