"""Signs that a labeller does not read: side preference, haste, constant answers, planted pairs.

Sides are drawn at random, so an honest labeller chooses the left answer half of the time whatever
the answers are; that makes the first and third tests exact. All tests of all labellers share
``ERROR``. A sign is a reason to look, not a proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scipy.stats import binomtest

from buttress.evidence.records import Preference

ERROR: Final = 0.01  # chance that anybody honest gets a sign, over all tests together
LEAST_GOLD: Final = 0.7  # share of planted pairs that a labeller should get right
WORDS_A_SECOND: Final = 1000 / 60  # four times the usual 240 words a minute (Brysbaert 2019)
CHARACTERS_A_SECOND: Final = 1500 / 60  # for Chinese and Japanese
TESTS: Final = 4
_CJK: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_WORD: Final = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Sign:
    """``kind`` is side, constant, speed or gold; ``share`` is what was seen among ``labels``."""

    kind: Literal["side", "constant", "speed", "gold"]
    share: float
    labels: int
    explanation: str


def signs(labels: Iterable[Preference], labellers: int = 1) -> list[Sign]:
    """Signs in one labeller's labels, in the order in which they were given.

    Args:
        labels: of one labeller.
        labellers: how many are looked at together, whose tests share ``ERROR``.
    """
    given = sorted(labels, key=lambda one: one.time)
    error = ERROR / (TESTS * max(1, labellers))
    found = [_side(given, error), _constant(given, error), _speed(given, error), _gold(given)]
    return [sign for sign in found if sign is not None]


def longest_run_chance(labels: int, run: int) -> float:
    """Chance that so many fair coin tosses hold a run of equal sides at least that long.

    By counting the sequences without one: the last run has some length below ``run``.
    """
    if run <= 1:
        return 1.0 if labels else 0.0
    if run > labels:
        return 0.0
    lengths = [1.0] + [0.0] * (run - 2)  # chance by length of the last run, none long enough
    for _ in range(labels - 1):
        lengths = [sum(lengths) / 2, *(chance / 2 for chance in lengths[:-1])]
    return 1.0 - sum(lengths)


def reading_seconds(text: str) -> float:
    """The least time in which anybody reads a text."""
    return len(_WORD.findall(text)) / WORDS_A_SECOND + len(_CJK.findall(text)) / CHARACTERS_A_SECOND


def _sides(labels: Sequence[Preference]) -> list[bool]:
    """Whether the left answer was chosen, for labels whose sides are known."""
    return [
        one.choice == one.left for one in labels if one.left and one.choice in ("first", "second")
    ]


def _side(labels: Sequence[Preference], error: float) -> Sign | None:
    sides = _sides(labels)
    if not sides or binomtest(sum(sides), len(sides)).pvalue > error:
        return None
    share = sum(sides) / len(sides)
    return Sign("side", share, len(sides), f"chose the left answer in {share:.0%} of labels")


def _constant(labels: Sequence[Preference], error: float) -> Sign | None:
    sides = _sides(labels)
    longest = run = 0
    for place, side in enumerate(sides):
        run = run + 1 if place and side == sides[place - 1] else 1
        longest = max(longest, run)
    if longest and longest_run_chance(len(sides), longest) <= error:
        text = f"chose the same side {longest} times in a row"
        return Sign("constant", longest / len(sides), len(sides), text)
    undecided = sum(one.choice in ("tie", "skipped") for one in labels)
    if (
        labels
        and binomtest(undecided, len(labels), 0.9, alternative="less").pvalue > 0.5
        and (len(labels) >= 20)
    ):
        share = undecided / len(labels)
        return Sign("constant", share, len(labels), f"chose no answer in {share:.0%} of labels")
    return None


def _speed(labels: Sequence[Preference], error: float) -> Sign | None:
    timed = [one for one in labels if one.seconds > 0]
    hasty = sum(
        one.seconds < reading_seconds(f"{one.prompt} {one.first} {one.second}") for one in timed
    )
    if not timed or binomtest(hasty, len(timed), 0.25, alternative="greater").pvalue > error:
        return None
    share = hasty / len(timed)
    return Sign("speed", share, len(timed), f"{share:.0%} of labels came faster than one can read")


def _gold(labels: Sequence[Preference]) -> Sign | None:
    planted = [one for one in labels if one.expected and one.choice != "skipped"]
    right = sum(one.choice == one.expected for one in planted)
    if not planted or binomtest(right, len(planted), LEAST_GOLD, alternative="less").pvalue > ERROR:
        return None
    share = right / len(planted)
    return Sign("gold", share, len(planted), f"{share:.0%} of the planted pairs are right")
