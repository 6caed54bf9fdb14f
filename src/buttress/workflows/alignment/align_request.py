"""What a run of ``align`` or ``harden`` is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from buttress.errors import InputError
from buttress.workflows.alignment.comparing import MARGINS, JudgeErrors
from buttress.workflows.alignment.recipe import Recipe
from buttress.workflows.alignment.requests import HARM, RISKS


@dataclass(frozen=True, slots=True)
class AlignRequest:
    """What is asked for. ``margins`` in shares by risk (and ``perplexity``), over the defaults.

    ``pairs``, ``seen_pairs`` and ``ordinary`` bound how many requests each part has, ``attacked``
    how many are attacked; ``language`` is that of the page; ``ask_all`` goes on asking a changed
    model when something is shown worse already; ``skip_impossible`` goes on without a recipe that
    this asset can't have; ``judge_errors`` says whether the judge is taken to err alike before and
    after a change.
    """

    recipes: Sequence[Recipe]
    out: Path
    command: Literal["align", "harden"] = "align"
    asset: str | None = None
    targets: Sequence[str] = (HARM,)
    margins: Mapping[str, float] = field(default_factory=dict)
    languages: Sequence[str] = ()
    held_out: Sequence[str] = ()
    pairs: int | None = None
    seen_pairs: int | None = None
    ordinary: int | None = None
    attacked: int = 24
    seed: int = 0
    resume: bool = False
    device: str = "auto"
    language: str = "en"
    ask_all: bool = False
    skip_impossible: bool = False
    judge_errors: JudgeErrors = "alike"

    def check(self) -> None:
        """Refuse risks and margins that are not known.

        Raises:
            InputError: names the option.
        """
        for risk in self.targets:
            if risk not in RISKS:
                raise InputError(
                    f"unknown risk '{risk}'", field="--target", expected="of " + ", ".join(RISKS)
                )
        for risk, margin in self.margins.items():
            if risk not in MARGINS:
                raise InputError(
                    f"unknown risk '{risk}'", field="--margin", expected="of " + ", ".join(MARGINS)
                )
            if not 0 <= margin <= 1:
                raise InputError(
                    f"{100 * margin:g} points", field="--margin", expected="0 to 100 points"
                )
