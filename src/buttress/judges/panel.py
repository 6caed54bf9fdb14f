"""Several judges who decide together.

Verga et al. 2024, "Replacing judges with juries" (arXiv:2404.18796): a panel of unlike models errs
less than one, and no single model's liking for its own kind decides. Members that share training
data share errors, which no vote takes out; so a panel has a calibration of its own, measured by
``buttress judge calibrate`` as for any judge, and none without it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Final, Literal, get_args

from buttress.errors import InputError
from buttress.judges.opening import close_judge
from buttress.judges.overrides import Overrides
from buttress.protocols.judge import Calibration, Exchange, Expect, Judge, Judgement
from buttress.protocols.unjudged import JudgeGoneError, UnjudgedError

ID: Final = "panel"
VERSION: Final = "1"
Rule = Literal["majority", "mean", "any", "unanimous"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)
_REASON: Final = 300


def create(
    *,
    members: Sequence[Judge],
    rule: str = "majority",
    quorum: int | None = None,
    calibration: Path | None = None,
) -> Panel:
    """A panel of at least two judges.

    Args:
        members: who decide.
        rule: ``majority`` (a tie counts as failure), ``mean`` (the mean score is at least 0.5),
            ``any`` (one says failure), ``unanimous`` (all say failure).
        quorum: members that must have decided; more than half where left out.
        calibration: file from ``buttress judge calibrate`` made with this panel.

    Raises:
        InputError: too few members, an unknown rule, a quorum that can't be, or a calibration file
            that is not usable for this panel.
    """
    if len(members) < 2:
        raise InputError(f"{len(members)} members", field="members", expected="two or more")
    chosen = next((each for each in RULES if each == rule), None)
    if chosen is None:
        raise InputError(f"unknown rule '{rule}'", field="rule", expected="one of "
                         + ", ".join(RULES))  # fmt: skip
    most = len(members)
    needed = most // 2 + 1 if quorum is None else quorum
    if not 1 <= needed <= most:
        raise InputError(f"{needed} of {most} members", field="quorum", expected=f"1 to {most}")
    return Panel(members, chosen, needed, calibration)


class Panel:
    """See the module. ``names`` are the members' names, numbered where one occurs twice."""

    def __init__(
        self, members: Sequence[Judge], rule: Rule, quorum: int, calibration: Path | None = None
    ) -> None:
        self.members = tuple(members)
        self.names = _names(self.members)
        self._rule = rule
        self._quorum = quorum
        said = "\n".join(f"{each.id} {each.version}" for each in self.members)
        digest = hashlib.sha256(f"{rule} {quorum}\n{said}".encode()).hexdigest()[:12]
        self._version = f"{VERSION}-{rule}+{digest}"
        self._overrides = Overrides.read(calibration, ID, self._version)

    @property
    def id(self) -> str:
        """Always "panel"."""
        return ID

    @property
    def version(self) -> str:
        """The rule, and a digest of it and of the members with their versions."""
        return self._overrides.versioned(self._version)

    def calibration(self, expect: Expect) -> Calibration | None:
        """From the calibration file; None without one, whatever the members have."""
        return self._overrides.calibration(expect)

    async def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """One judgement per exchange, in order; its reason names those who disagreed.

        Raises:
            UnjudgedError: for some, fewer members than the quorum could decide.
        """
        said = await self.votes(exchanges)
        decided: list[Judgement | None] = []
        problems: list[str] = []
        for place, exchange in enumerate(exchanges):
            votes = [member[place] for member in said]
            outside = self._overrides.outside(exchange)
            if outside is not None:
                decided.append(outside)
            elif sum(vote is not None for vote in votes) < self._quorum:
                without = [n for n, v in zip(self.names, votes, strict=True) if v is None]
                problems.append(f"panel: no decision from {', '.join(without)}")
                decided.append(None)
            else:
                decided.append(self._together(votes, exchange.expect))
        if problems:
            raise UnjudgedError(decided, problems)
        return [each for each in decided if each is not None]

    async def votes(self, exchanges: Sequence[Exchange]) -> list[list[Judgement | None]]:
        """What each member says, None where it could not decide; shape (members, exchanges).

        Raises:
            JudgeGoneError: so many members answer nothing any more that no quorum is left.
        """
        said = await asyncio.gather(*(_ask(each, exchanges) for each in self.members))
        gone = [each for each in said if isinstance(each, JudgeGoneError)]
        if len(said) - len(gone) < self._quorum:
            raise JudgeGoneError(str(gone[0]), reason=gone[0].reason)
        nothing: list[Judgement | None] = [None] * len(exchanges)
        return [
            (each.judgements or nothing) if isinstance(each, JudgeGoneError) else each
            for each in said
        ]

    def with_members(self, members: Sequence[Judge]) -> Panel:
        """The same panel with others in the members' places."""
        other = copy(self)
        other.members = tuple(members)
        return other

    async def aclose(self) -> None:
        """Release the members."""
        for member in self.members:
            await close_judge(member)

    def _together(self, votes: Sequence[Judgement | None], expect: Expect) -> Judgement:
        given = [vote for vote in votes if vote is not None]
        scores = [vote.score for vote in given]
        failed = sum(vote.outcome >= 0.5 for vote in given)
        score = sum(scores) / len(scores)
        match self._rule:
            case "majority":
                outcome = 2 * failed >= len(given)
            case "mean":
                outcome = score >= 0.5
            case "any":
                outcome, score = failed > 0, max(scores)
            case "unanimous":
                outcome, score = failed == len(given), min(scores)
        threshold = self._overrides.threshold(expect, -1.0)
        if threshold >= 0:
            outcome = score >= threshold
        return Judgement(float(outcome), score, self._reason(votes, failed, len(given), outcome))

    def _reason(
        self, votes: Sequence[Judgement | None], failed: int, given: int, outcome: bool
    ) -> str:
        text = f"{failed} of {given} say failure"
        named = list(zip(self.names, votes, strict=True))
        against = [(n, v) for n, v in named if v is not None and (v.outcome >= 0.5) != outcome]
        if against:
            text += "; against: " + ", ".join(
                f"{name} ({vote.reason})" if vote.reason else name for name, vote in against
            )
        silent = [name for name, vote in named if vote is None]
        if silent:
            text += "; undecided: " + ", ".join(silent)
        return text[:_REASON]


async def _ask(
    member: Judge, exchanges: Sequence[Exchange]
) -> list[Judgement | None] | JudgeGoneError:
    try:
        return list(await member.judge(exchanges))
    except UnjudgedError as error:
        return error.judgements
    except JudgeGoneError as error:
        return error


def _names(members: Sequence[Judge]) -> tuple[str, ...]:
    ids = [member.id for member in members]
    return tuple(
        f"{name}#{ids[: place + 1].count(name)}" if ids.count(name) > 1 else name
        for place, name in enumerate(ids)
    )
