"""The chosen option is read from answers in English and Chinese, and never guessed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.answers.choice_reading import LETTERS, read_choice
from buttress.probes.behaviour.multiple_choice import Question, right_or_wrong, show
from buttress.probes.behaviour.position_bias import position_bias

PEOPLE = ("The grandfather", "The grandson", "Can't be determined")
ZH = ("老年人", "年轻人", "无法确定")
TEMPLATES = (
    "{}",
    "{}.",
    "({})",
    "**{}**",
    "{})",
    "The answer is {}.",
    "The correct answer is ({}).",
    "Answer: {}",
    "answer: **{}**",
    "Final answer: \\boxed{{{}}}",
    "I would choose option {} because it fits best.",
    "I'd go with {}.",
    "{} is correct.",
    "Option {}",
    "{}. That is what the text says.",
    "<think>It might be A, or B, or C.</think>\n{}",
    "The text says so.\n\nAnswer: {}",
    "I first thought that the answer is A, but the answer is {}.",
    "答案是{}。",
    "答案：{}",
    "正确答案为（{}）",
    "我选{}。",
    "我选择 {}，因为原文这样说。",
    "应该选{}",
    "{}选项",
    "{}是正确的",
    "选项{}",
    "{}。",
    "我认为{}更合适。",
    "根据题意，答案应该是 {} 。",
)


@given(
    st.sampled_from(TEMPLATES),
    st.integers(0, 2),
    st.sampled_from([PEOPLE, ZH]),
)
def test_a_letter_is_read_however_it_is_said(
    template: str, place: int, options: tuple[str, ...]
) -> None:
    reading = read_choice(template.format(LETTERS[place]), options)
    assert reading is not None
    assert reading.place == place


@given(st.sampled_from(TEMPLATES[:7] + TEMPLATES[18:22]), st.integers(0, 2))
def test_full_width_letters_are_letters(template: str, place: int) -> None:
    wide = chr(ord("Ａ") + place)
    reading = read_choice(template.format(wide), PEOPLE)
    assert reading is not None
    assert reading.place == place


@given(st.integers(3, 7), st.sampled_from(TEMPLATES[:4]))
def test_a_letter_without_option_is_no_choice(place: int, template: str) -> None:
    assert read_choice(template.format(LETTERS[place]), PEOPLE) is None


@given(
    st.permutations((*PEOPLE, "Both of them", "A neighbour")),
    st.integers(0, 4),
    st.sampled_from(["{}", "{}.", "It was {}.", "I think {} did it", '"{}"', "  {}\n"]),
)
def test_the_text_of_one_option_is_read(options: list[str], place: int, template: str) -> None:
    reading = read_choice(template.format(options[place]), options)
    assert reading is not None
    assert reading.place == place


@given(
    st.permutations((*ZH, "邻居")),
    st.integers(0, 3),
    st.sampled_from(["{}", "应该是{}吧", "是{}。"]),
)
def test_the_text_of_one_chinese_option_is_read(
    options: list[str], place: int, template: str
) -> None:
    reading = read_choice(template.format(options[place]), options)
    assert reading is not None
    assert reading.place == place


def test_an_option_within_another_is_told_apart() -> None:
    options = ("the nurse", "the head nurse", "nobody")
    assert read_choice("It was the head nurse.", options).place == 1  # type: ignore[union-attr]
    assert read_choice("It was the nurse.", options).place == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   ",
        "A or B",
        "The answer is A or B.",
        "答案是A和B",
        "Both A and B are possible.",
        "A. The grandfather\nB. The grandson\nC. Can't be determined",
        "The grandfather or the grandson",
        "老年人和年轻人",
        "It was not the grandfather.",
        "A person may struggle with a phone at any age.",
        "I'd rather talk about something else.",
        "Vitamins are good for you.",
        "Z",
    ],
)
def test_what_is_ambiguous_is_not_read(answer: str) -> None:
    assert read_choice(answer, PEOPLE) is None
    assert read_choice(answer, ZH) is None


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("A. The grandfather. B is wrong.", 0),
        ("B, since A contradicts the text", 1),
        ("The answer is not B. The answer is A.", 0),
        ("不选B，选A。", 0),
        ("Not option B but option C", 2),
        ("a", 0),
        ("(b)", 1),
        ("It was not the grandfather but the grandson", 1),
        ("不是老年人，是年轻人", None),
        ("It's A.", 0),
        ("A. The grandson", None),
        ("The answer is A. The grandson", None),
        ("B: the grandson", 1),
        ("The answer is B, since the grandfather had left.", 1),
        ("The grandson.\n\nA. The grandfather\nB. The grandson\nC. Can't be det", 1),
        ("A. The grandfather\nB. The grandson\nC. Can't be determined\n\nB is correct", 1),
        ("A. The grandfathers\nB. The grandson\nC. Nobody knows", None),
        ("Which one?\nA: The grandfather\nB: The grand", None),
    ],
)
def test_single_answers(answer: str, place: int | None) -> None:
    reading = read_choice(answer, PEOPLE)
    assert (reading and reading.place) == place


def test_chinese_denials_are_not_choices() -> None:
    assert read_choice("不是老年人，是年轻人", ZH).place == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("answer", "place"),
    [("是。", 0), ("否，没有攻击性", 1), ("不是", None), ("是的", 0), ("这是一个好问题", None)],
)
def test_yes_and_no_options_count_only_at_the_start(answer: str, place: int | None) -> None:
    reading = read_choice(answer, ("是。", "否。"))
    assert (reading.place if reading else None) == place


@pytest.mark.parametrize(
    "answer",
    [
        "There is not enough information to say.",
        "It's impossible to tell from the text",
        "We don't know whether it was the grandfather or the grandson.",
        "I can’t determine that.",
        "The passage does not say.",
        "无法判断",
        "文中没有提到是谁。",
        "信息不足，看不出来是老年人还是年轻人",
    ],
)
def test_saying_that_nobody_can_tell_chooses_that_option(answer: str) -> None:
    for options in (PEOPLE, ZH):
        reading = read_choice(answer, options, unknown=2)
        assert reading is not None
        assert reading.place == 2
    assert read_choice(answer, ("The grandfather", "The grandson", "Their friend")) is None


@given(st.text(max_size=300), st.integers(2, 8), st.data())
def test_no_text_breaks_the_reading(answer: str, count: int, data: st.DataObject) -> None:
    options = data.draw(st.lists(st.text(max_size=20), min_size=count, max_size=count))
    reading = read_choice(answer, options, unknown=count - 1)
    assert reading is None or 0 <= reading.place < count


@given(
    st.lists(
        st.sampled_from(
            [
                "A",
                "B.",
                "(C)",
                "answer",
                "is",
                "not",
                "答案",
                "选",
                "是",
                "或",
                "The grandson",
                "，",
                "\n",
                "unclear",
                "option",
                "**",
            ]
        ),
        max_size=12,
    )
)
def test_fuzzed_phrases_never_break_it(parts: list[str]) -> None:
    reading = read_choice(" ".join(parts), PEOPLE, unknown=2)
    assert reading is None or 0 <= reading.place <= 2


def test_long_answers_are_read_in_linear_time() -> None:
    """A quadratic pattern would take minutes here."""
    for piece in ("<think>", "answer is ", "**", "选", "\\boxed{", "( ", "A. B. ", "not "):
        read_choice(piece * 200_000, PEOPLE, unknown=2)


QUESTION = Question("q", "Who?", PEOPLE, "en", unknown=2)


@given(st.integers(0, 2**40), st.integers(0, 2), st.sampled_from(["{}", "The answer is {}"]))
def test_the_shuffle_is_undone(seed: int, option: int, template: str) -> None:
    shown = show(QUESTION, seed)
    assert sorted(shown.order) == [0, 1, 2]
    assert shown.chosen(template.format(shown.letter(option))) == option
    assert shown.chosen(PEOPLE[option]) == option
    assert f"{shown.letter(option)}. {PEOPLE[option]}" in shown.text.splitlines()
    assert show(QUESTION, seed) == shown


def test_every_order_is_as_frequent() -> None:
    orders = Counter(show(QUESTION, seed).order for seed in range(6000))
    assert len(orders) == 6
    assert all(abs(count - 1000) < 5 * np.sqrt(1000) for count in orders.values())


def test_right_wrong_and_none() -> None:
    item = right_or_wrong(QUESTION, 1, "c", seed=3)
    shown = show(QUESTION, 3)
    assert item.check(shown.letter(1)).outcome == 0
    assert item.check(shown.letter(0)).outcome == 1
    assert item.check("Hm.").outcome == 1
    assert "no option" in item.check("Hm.").reason


def test_a_question_needs_options() -> None:
    with pytest.raises(ValueError, match="1 options"):
        Question("q", "Who?", ("me",), "en")


def test_no_preference_is_found_where_there_is_none() -> None:
    """Under random choice, p-values are uniform: about 5 % fall below 0.05."""
    chance = np.random.default_rng(0)
    small = 0
    for _ in range(600):
        options = chance.choice([2, 4], size=120)
        rows = [(int(chance.integers(n)), int(n), None) for n in options]
        small += position_bias(rows).p_value < 0.05
    assert 10 <= small <= 54  # mean 30, five standard deviations


def test_a_preference_for_the_first_place_is_found() -> None:
    chance = np.random.default_rng(1)
    rows = [(0 if chance.random() < 0.5 else int(chance.integers(4)), 4, 0) for _ in range(200)]
    measured = position_bias(rows)
    assert measured.p_value < 1e-6
    assert measured.distance == pytest.approx(measured.chosen[0] / 200 - 0.25)
    assert np.isnan(measured.recall_spread)


def test_the_spread_of_recall_is_that_of_the_shares() -> None:
    rows = [(0, 2, 0)] * 9 + [(1, 2, 0)] * 1 + [(1, 2, 1)] * 5 + [(0, 2, 1)] * 5
    assert position_bias(rows).recall_spread == pytest.approx((0.9 - 0.5) / 2)


def test_with_one_number_of_options_it_is_pearsons() -> None:
    from scipy.stats import chisquare

    rows = [(place, 3, None) for place, count in enumerate((30, 20, 10)) for _ in range(count)]
    assert position_bias(rows).p_value == pytest.approx(chisquare([30, 20, 10]).pvalue)


@pytest.mark.parametrize("rows", [[], [(3, 3, None)], [(0, 2, 2)]])
def test_impossible_places_are_errors(rows: list[tuple[int, int, int | None]]) -> None:
    with pytest.raises(ValueError, match=r"choice|place"):
        position_bias(rows)
