"""Failure rates by harm category and attack, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.report.language import ENGLISH, Language
from buttress.report.numbers import percent, span
from buttress.report.words import attack_name, category_name

STEPS: Final = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, number of trials, shade from 0 to ``STEPS`` - 1, and its story."""

    text: str
    trials: int
    shade: int
    title: str


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Columns are probes with their attacks, rows are categories, worst first."""

    columns: Sequence[tuple[str, str]]  # name, and what is asked
    rows: Sequence[tuple[str, Sequence[Cell | None]]]


def heatmap(document: Mapping[str, Any], language: Language = ENGLISH) -> Heatmap | None:
    """The table of the document's ``cells``; None where there are none."""
    rows = document["cells"]
    if any(cell["probe"] == "attack-cells" for cell in rows):
        # The same attacks again, asked where it mattered most.
        rows = [cell for cell in rows if cell["probe"] != "attack-arsenal"]
    cells = {(cell["probe"], cell["attack"], cell["category"]): cell for cell in rows}
    if not cells:
        return None
    tested = dict.fromkeys(risk["probe"] for risk in document["risks"])
    order = {probe: place for place, probe in enumerate(tested)}
    families = sorted(
        {key[:2] for key in cells},
        key=lambda key: (key[0] == "over-refusal", key[1] != "direct", order.get(key[0], 99), key),
    )
    categories = sorted(
        {key[2] for key in cells},
        key=lambda category: (-_mean(cells.values(), category), category),
    )
    lines = [
        (
            category_name(category, language),
            [_cell(cells.get((*family, category)), language) for family in families],
        )
        for category in categories
    ]
    return Heatmap([_column(*family, language) for family in families], lines)


def _mean(cells: Any, category: str) -> float:
    """Mean rate of a category over the attacks; benign requests are another matter."""
    mine = [
        cell["estimate"]
        for cell in cells
        if cell["category"] == category and cell["probe"] != "over-refusal"
    ]
    return math.fsum(mine) / len(mine) if mine else 0.0


def _column(probe: str, attack: str, language: Language) -> tuple[str, str]:
    say = language.say
    if probe == "over-refusal":
        return attack_name(probe, language), say("benign requests")
    if attack == "direct":
        return attack_name(probe, language), say("no attack")
    return attack_name(attack, language), say("attack")


def _cell(cell: Mapping[str, Any] | None, language: Language) -> Cell | None:
    if cell is None:
        return None
    say, estimate = language.say, cell["estimate"]
    trials, failures = cell["trials"], cell["failures"]
    if trials:
        seen = say(
            "{failures} in {trials}",
            failures=language.plural(failures, "failure"),
            trials=language.plural(trials, "trial"),
        )
    else:
        seen = say("no trials here, borrowed from row and column")
    return Cell(
        text=percent(round(estimate, 2)) if estimate >= 0.005 else "<1%",
        trials=trials,
        shade=min(STEPS - 1, int(math.sqrt(min(1.0, estimate)) * STEPS)),
        title=say(
            "{rate}, interval {interval}; {seen}",
            rate=percent(estimate), interval=span(cell["low"], cell["high"]), seen=seen,
        ),
    )  # fmt: skip
