"""The rubrics by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buttress.errors import InputError
from buttress.judges.rubric import Rubric
from buttress.judges.rubric_graded import GRADED
from buttress.judges.rubric_harm import HARM
from buttress.judges.rubric_honesty import HONESTY
from buttress.judges.rubric_values import VALUES

RUBRICS: Final[Mapping[str, Rubric]] = {each.id: each for each in (HARM, VALUES, HONESTY, GRADED)}


def rubric(name: str) -> Rubric:
    """The rubric with that name.

    Raises:
        InputError: there is none; the message names those that there are.
    """
    if name not in RUBRICS:
        raise InputError(
            f"unknown rubric '{name}'", field="rubric", expected="one of " + ", ".join(RUBRICS)
        )
    return RUBRICS[name]
