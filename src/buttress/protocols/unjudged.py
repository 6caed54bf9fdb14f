"""What a judge raises when it could not decide: never an outcome in place of one."""

from __future__ import annotations

from collections.abc import Sequence

from buttress.errors import ButtressError
from buttress.protocols.judge import Judgement


class UnjudgedError(ButtressError):
    """Some exchanges got no judgement.

    ``judgements`` has an entry per exchange, in order, None where there is none; ``problems`` says
    why, once per such exchange. Whoever catches it keeps the rest and counts these.
    """

    def __init__(self, judgements: Sequence[Judgement | None], problems: Sequence[str]) -> None:
        self.judgements = list(judgements)
        self.problems = list(problems)
        super().__init__(
            f"the judge could not decide {len(problems)} of {len(judgements)} answers; "
            f"the first: {problems[0]}"
        )


class JudgeGoneError(ButtressError):
    """Nothing more is judged: a judge's model answers nothing any more, or may not be asked.

    ``judgements`` has an entry per exchange as ``UnjudgedError`` has, of those that were judged
    before it; it is empty where there are none. ``reason`` is the error behind it.
    """

    def __init__(
        self,
        message: str,
        judgements: Sequence[Judgement | None] = (),
        reason: ButtressError | None = None,
    ) -> None:
        super().__init__(message)
        self.judgements = list(judgements)
        self.reason = reason or self
