"""Whether a judge decides by what it should not: order, length, form, chance, language.

Position and verbosity bias of model judges: Zheng et al. 2023 (arXiv:2306.05685, section 3.3). Each
check judges the same answers twice, once changed in a way that must not matter, and counts flips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.stats import binomtest

from buttress.judges.agreement import Agreement, agreement
from buttress.judges.calibrate import judged
from buttress.judges.labels import Labelled
from buttress.judges.llm import LlmJudge
from buttress.judges.panel import Panel
from buttress.judges.perturb import CHANGES
from buttress.judges.rubric import language_of
from buttress.protocols.judge import Exchange, Judge, Judgement
from buttress.statistics.correction import clopper_pearson

LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Flips:
    """How often a change moved an outcome: ``up`` to failure, ``down`` from it, of ``pairs``.

    ``unjudged`` pairs lack one of both outcomes and are left out.
    """

    name: str
    pairs: int
    up: int
    down: int
    unjudged: int = 0

    @property
    def rate(self) -> float:
        """Share of pairs that flipped; NaN without pairs."""
        return (self.up + self.down) / self.pairs if self.pairs else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the flip rate (Clopper & Pearson 1934)."""
        return clopper_pearson(self.up + self.down, self.pairs, (1 - LEVEL) / 2)

    @property
    def shift(self) -> tuple[float, float, float]:
        """Change of the failure rate with an interval of at least 95 %.

        From exact bounds on both kinds of flips, each at half of the error.
        """
        alpha = (1 - LEVEL) / 4
        up, down = (clopper_pearson(each, self.pairs, alpha) for each in (self.up, self.down))
        rate = (self.up - self.down) / self.pairs if self.pairs else float("nan")
        return rate, up[0] - down[1], up[1] - down[0]

    @property
    def lopsided(self) -> float:
        """p-value of flips going both ways alike (exact McNemar test, 1947)."""
        flips = self.up + self.down
        return float(binomtest(self.up, flips, 0.5).pvalue) if flips else 1.0

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "pairs": self.pairs,
            "up": self.up,
            "down": self.down,
            "unjudged": self.unjudged,
            "flip_rate": None if not self.pairs else self.rate,
            "interval": self.interval,
            "shift": None if not self.pairs else self.shift,
            "p": self.lopsided,
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """All checks; ``left_out`` says which do not apply to this judge or these answers, and why."""

    flips: tuple[Flips, ...]
    left_out: tuple[str, ...]
    names: tuple[str, ...] = ()
    agreement: Agreement | None = None


async def check(
    judge: Judge, labelled: Sequence[Labelled], *, repeats: int = 2, seed: int = 0
) -> Checked:
    """All checks that apply.

    Args:
        judge: any.
        labelled: answers; the labels are not used.
        repeats: how often a judge that draws its replies is asked again.
        seed: of those draws.
    """
    exchanges = [each.exchange for each in labelled]
    plain = await _said(judge, exchanges)
    flips, left_out = [], []
    turned = swapped(judge)
    if turned is None:
        left_out.append("order: this judge reads no order")
    else:
        flips.append(_compare("order swapped", plain, await _said(turned, exchanges)))
    for name, change in CHANGES.items():
        changed = await _said(judge, [change(each) for each in exchanges])
        flips.append(_compare(name, plain, changed))
    pairs = translations(labelled)
    if pairs:
        one, other = ([plain[pair[side]] for pair in pairs] for side in (0, 1))
        flips.append(_compare("en to zh", one, other))
    else:
        left_out.append("language: no answers in English and Chinese with the same pair")
    again = [await _said(_anew(judge, seed + each), exchanges) for each in range(repeats)]
    if again:
        # The intervals take answers as independent; repeats of one answer are not quite.
        parts = [_compare("asked again", plain, each) for each in again]
        flips.append(
            replace(
                parts[0],
                pairs=sum(part.pairs for part in parts),
                up=sum(part.up for part in parts),
                down=sum(part.down for part in parts),
                unjudged=sum(part.unjudged for part in parts),
            )
        )
    if not isinstance(judge, Panel):
        return Checked(tuple(flips), tuple(left_out))
    votes = await judge.votes(exchanges)
    table = np.array([[np.nan if v is None else v.outcome for v in row] for row in votes])
    return Checked(tuple(flips), tuple(left_out), judge.names, agreement(table, seed=seed))


def swapped(judge: Judge) -> Judge | None:
    """The judge asked in the other order; None where there is no order."""
    if isinstance(judge, LlmJudge):
        return judge.swapped()
    if isinstance(judge, Panel):
        turned = [swapped(member) for member in judge.members]
        if any(turned):
            both = zip(judge.members, turned, strict=True)
            return judge.with_members([new or member for member, new in both])
    return None


def translations(labelled: Sequence[Labelled]) -> list[tuple[int, int]]:
    """Places of English answers and their Chinese translations, by ``pair``."""
    places: dict[tuple[str, str], int] = {}
    for place, each in enumerate(labelled):
        if each.pair:
            places.setdefault((each.pair, language_of(each.exchange)), place)
    return [
        (place, places[pair, "zh"])
        for (pair, language), place in places.items()
        if language == "en" and (pair, "zh") in places
    ]


def _anew(judge: Judge, seed: int) -> Judge:
    if isinstance(judge, LlmJudge):
        return judge.resampled(seed)
    if isinstance(judge, Panel):
        return judge.with_members([_anew(member, seed) for member in judge.members])
    return judge


async def _said(judge: Judge, exchanges: Sequence[Exchange]) -> list[Judgement | None]:
    return (await judged(judge, exchanges))[0]


def _compare(
    name: str, plain: Sequence[Judgement | None], changed: Sequence[Judgement | None]
) -> Flips:
    both = [
        (one.outcome >= 0.5, other.outcome >= 0.5)
        for one, other in zip(plain, changed, strict=True)
        if one is not None and other is not None
    ]
    return Flips(
        name,
        pairs=len(both),
        up=sum(not one and other for one, other in both),
        down=sum(one and not other for one, other in both),
        unjudged=len(plain) - len(both),
    )
