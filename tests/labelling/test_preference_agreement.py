"""Agreement, accuracy and signs of gaming, on simulated labellers whose habits are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from buttress.evidence.records import Preference
from buttress.labelling.preferences.agreement import agreement
from buttress.labelling.preferences.gaming import longest_run_chance, reading_seconds, signs
from buttress.labelling.preferences.pairs import Pair, label_of
from buttress.labelling.preferences.session import left_side

TEXT = "A sentence of some words that takes its time to be read by anybody. " * 4


def labels(
    name: str,
    count: int,
    accuracy: float,
    rng: np.random.Generator,
    *,
    side: str = "",
    seconds: float = 30,
    gold: bool = False,
) -> list[Preference]:
    """Choices of who finds the first answer better, with errors, or always takes a side."""
    made = []
    for number in range(count):
        pair = Pair(
            f"p{number}", f"Prompt {number}? {TEXT}", "good", "bad", "first" if gold else ""
        )
        left = left_side(pair, name, 0)
        right = "second" if left == "first" else "first"
        choice = "first" if rng.random() < accuracy else "second"
        choice = {"left": left, "right": right, "": choice}.get(side, side)
        made.append(
            Preference(pair.key, pair.item, pair.prompt, pair.first, pair.second, choice, name,
                       left=left, seconds=seconds, expected=pair.expected, time=float(number))
        )  # fmt: skip
    return made


def kinds(given: list[Preference]) -> set[str]:
    return {sign.kind for sign in signs(given)}


def test_honest_labellers_get_no_sign() -> None:
    rng = np.random.default_rng(1)
    flagged = sum(bool(kinds(labels(f"l{n}", 80, 0.85, rng, gold=True))) for n in range(200))
    # ERROR is 0.01 for sides, runs and speed together, and less for gold at 0.85.
    assert flagged <= 8  # 8 or fewer has chance 0.999 at 0.015


@pytest.mark.parametrize(
    ("habit", "expected"),
    [
        ({"side": "left"}, {"side", "constant"}),
        ({"side": "tie"}, {"constant"}),
        ({"seconds": 0.5}, {"speed"}),
        ({"accuracy": 0.5, "gold": True}, {"gold"}),
    ],
)
def test_habits_are_seen(habit: dict, expected: set[str]) -> None:
    rng = np.random.default_rng(2)
    assert kinds(labels("x", 80, **({"accuracy": 0.9, "rng": rng} | habit))) == expected


def test_chance_of_a_run_is_that_of_all_sequences() -> None:
    for size, run in itertools.product(range(1, 11), range(1, 12)):
        longest = [
            max(len(list(same)) for _, same in itertools.groupby(tosses))
            for tosses in itertools.product((0, 1), repeat=size)
        ]
        share = sum(each >= run for each in longest) / len(longest)
        assert longest_run_chance(size, run) == pytest.approx(share)


def test_reading_counts_chinese_by_characters() -> None:
    assert reading_seconds("one two three") == pytest.approx(0.18)
    assert reading_seconds("一二三四五") == pytest.approx(0.2)


def test_accuracy_alpha_and_disputes() -> None:
    rng = np.random.default_rng(3)
    people = {"ann": 0.95, "ben": 0.85, "cem": 0.8, "dee": 0.6}
    pairs = [Pair(f"p{n}", f"{n}?", "one", "two") for n in range(500)]
    truth = rng.integers(0, 2, len(pairs))
    given = [
        label_of(pair, ("first", "second")[int(right) ^ int(rng.random() > chance)], name)
        for name, chance in people.items()
        for pair, right in zip(pairs, truth, strict=True)
    ]
    found = agreement(given)
    assert (found.pairs, found.labels, found.reason) == (500, 2000, "")
    for one in found.labellers:
        assert one.accuracy is not None
        assert abs(one.accuracy[0] - people[one.name]) < 0.07
        assert one.accuracy[1] <= one.accuracy[0] <= one.accuracy[2]
        assert not one.signs
    choices: dict[str, set[str]] = {}
    for label in given:
        choices.setdefault(label.key, set()).add(label.choice)
    assert found.disputed == sum(len(each) > 1 for each in choices.values())
    assert found.alpha.low < found.alpha.estimate < found.alpha.high


def test_two_labellers_have_agreement_and_no_accuracy() -> None:
    pair = Pair("p", "?", "one", "two")
    found = agreement([label_of(pair, "first", "ann"), label_of(pair, "skipped", "ben")])
    assert found.reason == "no pair has two labels"
    found = agreement([label_of(pair, "first", "ann"), label_of(pair, "tie", "ben")])
    assert found.reason == "at least 3 labellers of the same pairs are needed"
    assert found.disputed == 1
    assert all(one.accuracy is None for one in found.labellers)
