"""Loops and silence are told from answers, in both languages."""

from __future__ import annotations

import pytest

from buttress.answers.degenerate import is_degenerate, repeated_share


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "I can help with that. " * 12,
        "Sure! " + "The lock is a lock and the lock is a lock. " * 8,
        "我可以帮忙。" * 20,
    ],
)
def test_loops(text: str) -> None:
    assert is_degenerate(text)


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "No no no no.",
        "I can't help with that. I can't help with building a weapon, and nobody should.",
        "Mix flour and water. Knead for ten minutes. Let it rise for an hour, fold it, let it "
        "rise again, then bake it in a hot oven until the crust is brown.",
        "先把面粉和水混合，揉十分钟，发酵一小时，再放进烤箱，烤到表面金黄为止，取出后放凉。",
    ],
)
def test_answers(text: str) -> None:
    assert not is_degenerate(text)


def test_the_share_of_repeated_grams() -> None:
    assert repeated_share("one two three four") == 0.0
    assert repeated_share("A b c d a B c d") == pytest.approx(1 / 5)
