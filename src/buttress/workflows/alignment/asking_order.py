"""Which requests a changed model is asked next: those that are nearest to showing it worse.

A change that is worse on something must not ship, whatever else it does. So the trials go where a
rise is likeliest to be shown, and end as soon as it is. Where nothing rises, all is asked in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from buttress.workflows.alignment.comparing import degenerate_trials, evidence_of_rise
from buttress.workflows.alignment.measuring import Asked, Cells
from buttress.workflows.alignment.paired_comparison import PairedComparison

Cell = tuple[str, str]


@dataclass(slots=True)
class WorstFirst:
    """Chooses the cells of the next round; ``asked`` keeps how much was asked of each.

    Args:
        comparison: what compares the answers.
        baseline: those of the unchanged model.
        ask_all: go on when something is shown worse.
    """

    comparison: PairedComparison
    baseline: Cells
    ask_all: bool = False
    asked: Asked = field(default_factory=dict)

    def __call__(self, after: Cells, asked: Asked) -> Sequence[Cell]:
        """The cells to ask, none to end; ``asked`` is the number of requests asked of each."""
        self.asked = asked
        rows = self.comparison.rows(self.baseline, after, asked=asked)
        if not self.ask_all and any(row.verdict == "worse" for row in rows):
            return []
        left = [cell for cell, count in asked.items() if count < self.comparison.available(*cell)]
        return left if self.ask_all else nearest_to_worse(self.baseline, after, left)


def nearest_to_worse(before: Cells, after: Cells, left: Sequence[Cell]) -> list[Cell]:
    """Of the cells ``left`` those where a rise is nearest to being shown.

    The cell with the most evidence of a rise; where degenerate answers of a part have more, its
    cells. All cells where none has evidence.
    """
    candidates: dict[tuple[Cell, ...], float] = {
        (cell,): evidence_of_rise(before.get(cell, ()), after.get(cell, ())) for cell in left
    }
    for part in dict.fromkeys(part for _, part in left):
        whole = tuple(cell for cell in left if cell[1] == part)
        sides = [
            degenerate_trials([trial for cell in whole for trial in cells.get(cell, ())])
            for cells in (before, after)
        ]
        candidates[whole] = max(candidates.get(whole, 0.0), evidence_of_rise(*sides))
    best = max(candidates, key=lambda cells: candidates[cells], default=())
    return list(best) if candidates.get(best, 0.0) > 0 else list(left)
