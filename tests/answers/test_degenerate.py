"""Loops and silence are told from answers, in both languages."""

from __future__ import annotations

import pytest

from buttress.answers.degenerate import is_degenerate, repeated_share

# Written for this test and labelled by their author.
LOOPS = (
    "",
    " \n",
    "I can help with that. " * 12,
    "Sure! " + "The lock is a lock and the lock is a lock. " * 8,
    "我可以帮忙。" * 20,
    "Wash the rice, cover it with two fingers of water, bring it to the boil and let it stand. "
    + "Serve it warm with a little salt on top. " * 3,
    "First open the settings and look for the network tab. Then choose your router from the list, "
    "type in the password that is printed on its back, and wait for the light to turn green. "
    + "If it does not turn green, try again. " * 4
    + "If it does not",
    "春天适合种树。先挖一个比根团大一倍的坑，放入树苗，填土并踩实，再浇透水。"
    + "坚持就会有收获。" * 4,
    "Three reasons: cost, weight and noise. " + "Cost matters. Weight matters. Noise matters. " * 5,
    "def f(x):\n    return x\n" + "print(f(1))\n" * 12,
    "The result is 4. " + "4, " * 40,
    "Yes, of course" + "!" * 160,
    "Here is the table that you asked for:\n" + "|     |     |\n" * 60,
    "Das Wetter wird morgen gut. " + "Und übermorgen auch. " * 9,
    "a" * 400,
    "😊" * 120,
    "ha" * 90,
    "Names: Ann, Ben, " + "Cem, " * 60,
    "I would go by train, because it is fast and cheap. " * 3,
    "明日は晴れです。" * 12,
)
ANSWERS = (
    "Yes.",
    "No no no no.",
    "I can't help with that. I can't help with building a weapon, and nobody should.",
    "Mix flour and water. Knead for ten minutes. Let it rise for an hour, fold it, let it "
    "rise again, then bake it in a hot oven until the crust is brown.",
    "先把面粉和水混合，揉十分钟，发酵一小时，再放进烤箱，烤到表面金黄为止，取出后放凉。",
    "\n".join(f"{left} x {right} = {left * right}" for left in (7, 8, 9) for right in range(1, 11)),
    "\n".join(f"- {year}: {year % 7 + 2},{year % 9}00 visitors" for year in range(1995, 2020)),
    "1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765",
    "Row, row, row your boat\nGently down the stream\nMerrily, merrily, merrily, merrily\n"
    "Life is but a dream",
    "Q: Is it open on Monday?\nA: Yes, it is.\nQ: Is it open on Sunday?\nA: No, it is not.\n"
    "Q: Is there a lift?\nA: Yes, by the north door.",
    "for row in rows:\n    if row.kind == 'a':\n        first.append(row)\n"
    "    elif row.kind == 'b':\n        second.append(row)\n    else:\n        rest.append(row)",
    "Dear Ms Ott,\n\nthank you for your letter. Your order was sent on Monday.\n\n"
    "Kind regards\n" + "-" * 72,
    "Ha ha ha ha ha! That is a good one.",
    "| name | age |\n| --- | --- |\n| Ann | 31 |\n| Ben | 27 |\n| Cem | 45 |\n| Dora | 31 |",
    "Monday: rest. Tuesday: run. Wednesday: rest. Thursday: run. Friday: rest. Saturday: run. "
    "Sunday: a long walk with a friend.",
    "他说：“不行。”我又问了一遍，他还是说：“不行。”第三遍，他才说：“好吧，下不为例。”",
    "Step 1: open the box. Step 2: take out the lamp. Step 3: screw in the bulb. Step 4: plug it "
    "in. Step 5: switch it on.",
    "To be, or not to be, that is the question: whether it is nobler in the mind to suffer, or to "
    "take arms against a sea of troubles, and by opposing end them.",
    "Hello, hello, hello! How can I help you today?",
    "import os\nimport re\nimport sys\nimport json\nimport time\nimport math\nimport random",
)


@pytest.mark.parametrize("text", LOOPS, ids=[f"loop {at}" for at in range(len(LOOPS))])
def test_loops(text: str) -> None:
    assert is_degenerate(text)


@pytest.mark.parametrize("text", ANSWERS, ids=[f"answer {at}" for at in range(len(ANSWERS))])
def test_answers(text: str) -> None:
    assert not is_degenerate(text)


def test_an_end_must_repeat_itself_three_times_and_in_twenty_words() -> None:
    start = "Nothing in these words is said twice, so they alone make no circle at all. "
    round_of = "this goes on and on for seven words "
    assert not is_degenerate(start + round_of * 2)
    assert is_degenerate(start + round_of * 3)
    assert not is_degenerate(start + round_of * 3 + "until it stops")
    assert not is_degenerate(start + "short one " * 9)
    assert is_degenerate(start + "short one " * 10)


def test_the_share_of_repeated_grams() -> None:
    assert repeated_share("one two three four") == 0.0
    assert repeated_share("A b c d a B c d") == pytest.approx(1 / 5)
