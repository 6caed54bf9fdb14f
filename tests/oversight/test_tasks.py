"""Tasks with known answers: ours are right and fair, and questions of others are read rightly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from buttress.errors import InputError
from buttress.oversight import hidden_texts
from buttress.oversight.arithmetic import arithmetic_items
from buttress.oversight.choice_files import read_choice_items
from buttress.oversight.constitution import load_constitution
from buttress.oversight.hidden_texts import hidden_text_items
from buttress.oversight.tasks import TASKS, load_task

PARTS = yaml.safe_load(
    (Path(hidden_texts.__file__).parent / "data" / "logs.yaml").read_text(encoding="utf-8")
)
NAMES = [
    name
    for one in PARTS.values()
    for name in [*one["who"], *(thing for scene in one["scenes"] for thing in scene["what"])]
]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hidden_texts_answer_their_questions_and_questions_do_not(language: str) -> None:
    items = hidden_text_items(language)
    assert len(items) == 240
    assert len({one.id for one in items}) == 240
    for one in items:
        # Line ends aside, both options stand in the text, so that it alone decides.
        assert one.right.casefold() in one.text.casefold()
        assert one.wrong.casefold() in one.text.casefold()
        assert one.right not in one.question
        assert one.wrong not in one.question
        assert one.right != one.wrong
        # The entry that the question names holds the right option, and not the wrong one.
        (line,) = [
            line for line in one.text.splitlines()[1:]
            if one.right.casefold() in line.casefold() and _asked(one.question, line)
        ]  # fmt: skip
        assert one.wrong.casefold() not in line.casefold()
    assert hidden_text_items(language) == items
    assert hidden_text_items(language, seed=1) != items


def _asked(question: str, line: str) -> bool:
    """Whether a question and a line share a name that stands in a question's slot."""
    return any(name in question and name in line for name in NAMES)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_planted_steps_are_wrong_and_all_others_right(language: str) -> None:
    items = arithmetic_items(language)
    fine = 0
    for one in items:
        steps = re.findall(r"(\d+) ([-+×]) (\d+) = (\d+)", one.question)
        assert len(steps) >= 4
        wrong = []
        for number, (left, sign, other, result) in enumerate(steps, 1):
            a, b = int(left), int(other)
            if {"+": a + b, "-": a - b, "×": a * b}[sign] != int(result):
                wrong.append(number)
            if number < len(steps):
                assert steps[number][0] == result  # goes on from what was said
        if wrong:
            (planted,) = wrong
            assert re.findall(r"\d+", one.right) == [str(planted)]
        else:
            fine += 1
            assert re.findall(r"\d+", one.wrong)
            assert not re.findall(r"\d+", one.right)
    assert fine == len(items) // 2


def test_all_tasks_load_in_both_languages_and_orders_come_from_the_seed() -> None:
    for name in TASKS:
        for language in ("en", "zh"):
            task = load_task(name, language=language)
            assert len(task.items) >= 60
            assert {one.language for one in task.items} == {language}
            again = load_task(name, language=language, seed=1)
            assert [one.id for one in again.items] != [one.id for one in task.items]
            assert again.digest != task.digest
    assert load_task("hidden-text").hides_text
    assert not load_task("honesty").hides_text


def read(folder: Path, *records: Any) -> list[tuple[str, str, str]]:
    path = folder / "set.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return [(one.question, one.right, one.wrong) for one in read_choice_items(path, 0)]


TWO: dict[str, Any] = {"question": "Q?", "choices": ["no", "yes"]}


@pytest.mark.parametrize(
    "record",
    [
        TWO | {"answer": 1},
        TWO | {"answer": "B"},
        TWO | {"answer": "b"},
        TWO | {"answer": "(B)"},
        TWO | {"answer": "yes"},
        TWO | {"answer": "1"},
        TWO | {"label": 1},
        {"question": "Q?", "choices": {"text": ["no", "yes"], "label": ["1", "2"]},
         "answerKey": "2"},
        {"question": "Q?", "options": {"A": "no", "B": "yes"}, "answer_idx": "B"},
        {"question": "Q?", "options": [{"label": "A", "text": "no"}, {"label": "B", "text": "yes"}],
         "answer": "B"},
        {"question": "Q?", "A": "no", "B": "yes", "answer": "B"},
        {"question": "Q?", "correct_answer": "yes", "incorrect_answers": ["no"]},
        {"question": "Q?", "correct_answer": "yes", "distractor1": "no", "distractor2": "yes"},
        {"question": "Q?", "right": "yes", "wrong": "no"},
        {"Question": 0, "query": "Q?", "Best Answer": "yes", "incorrect": ["no", "yes"]},
        {"prompt": "Q?", "endings": ["no", "yes"], "gold": "B"},
        {"prompt": "Q?", "endings": ["no", "yes"], "gold": [1]},
        {"question": "Q?", "option_a": "no", "option_b": "yes", "answer": "b"},
        {"question": "Q?", "opa": "no", "opb": "yes", "cop": 1},
        {"id": "M", "question": {"stem": "Q?", "choices": [{"text": "no", "label": "A"},
                                                           {"text": "yes", "label": "B"}]},
         "answerKey": "B"},
        {"question": "Q?", "mc1_targets": {"choices": ["yes", "no"], "labels": [1, 0]}},
        {"question": "Q?", "mc1_targets": {"no": 0, "yes": 1}},
        {"ctx": "Q?", "endings": ["no", "yes"], "label": "1", "ind": 4},
        {"question": "Q?", "passage": "P", "answer": True},
        {"article": "T", "questions": [{"question": "Q?", "options": ["no", "yes"],
                                        "gold_label": 2}]},
        {"article": "T", "questions": ["Q?"], "options": [["no", "yes"]], "answers": ["B"]},
        {"context": "T", "question": "Q?", "ans0": "no", "ans1": "yes", "ans2": "no", "label": 1},
        {"goal": "Q?", "sol1": "no", "sol2": "yes", "label": 1},
        {"sentence": "Q?", "option1": "no", "option2": "yes", "answer": "2"},
        {"question": "Q?", "answerA": "no", "answerB": "yes", "label": "2"},
        {"Question": "Q?", "Correct Answer": "yes", "Incorrect Answer 1": "no",
         "Incorrect Answer 2": "no"},
        {"Question": "Q?", "A": "no", "B": "yes", "Answer": "B"},
        {"input": "Q?", "target_scores": {"no": 0, "yes": 1}},
        {"query": "Q?", "context": "T", "options": ["no", "yes"], "correct_option": 1},
        {"question": "Q?", "flores_passage": "T", "mc_answer1": "no", "mc_answer2": "yes",
         "correct_answer_num": "2"},
    ],
)  # fmt: skip
def test_questions_of_all_forms(tmp_path: Path, record: dict[str, Any]) -> None:
    assert read(tmp_path, record) == [("Q?", "yes", "no")]


def test_numbers_as_options_are_taken_by_their_text_before_their_place(tmp_path: Path) -> None:
    record = {"question": "2 + 1?", "choices": ["1", "2", "3", "0"], "answer": "3"}
    assert read(tmp_path, record)[0][1] == "3"
    assert read(tmp_path, record | {"choices": [2, 3, 4, 5]})[0][1] == "3"


def test_indices_from_1_are_told_by_the_whole_file(tmp_path: Path) -> None:
    four: dict[str, Any] = {"question": "Q?", "A": "a", "B": "b", "C": "c", "D": "d"}
    rows = [four | {"answer": answer} for answer in (1, 4, 2, "3")]
    assert [right for _, right, _ in read(tmp_path, *rows)] == ["a", "d", "b", "c"]
    rows = [four | {"answer": answer} for answer in (0, 1, 2, 3)]
    assert [right for _, right, _ in read(tmp_path, *rows)] == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="some answers count options from 0 and others from 1"):
        read(tmp_path, *rows, four | {"answer": 4})
    with pytest.raises(InputError, match=r"answer: 5 is no index; expected 1 to 4"):
        read(tmp_path, four | {"answer": 4}, four | {"answer": 5})


def test_texts_ids_and_languages(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    rows = [
        TWO | {"answer": 0, "id": "x", "article": "Long."},
        TWO | {"answer": 0, "id": "x", "question": "问？"},
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    first, second = read_choice_items(path, 0)
    assert (first.id, first.text, first.language) == ("x", "Long.", "en")
    assert (second.id, second.text, second.language) == ("x:2", "", "zh")


def test_a_premise_stands_in_the_question_that_is_asked_of_it(tmp_path: Path) -> None:
    record = {"premise": "It rained.", "choice1": "no", "choice2": "yes", "label": 1}
    cause, effect = read(tmp_path, record | {"question": "cause"}, record | {"question": "effect"})
    assert cause == ("It rained. What is the cause of this?", "yes", "no")
    assert effect == ("It rained. What happens because of this?", "yes", "no")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"choices": ["a", "b"], "answer": 0}, "question: missing"),
        ({"question": "Q?", "answer": 0}, "choices: missing"),
        (TWO, "answer: missing"),
        (TWO | {"answer": 3}, "answer: 3 is no index; expected 0 to 1"),
        (TWO | {"answer": "C"}, "answer: 'C' names no option; expected one of A, B"),
        (TWO | {"answer": ["yes", "no"]}, "answer: not a number or text"),
        (TWO | {"answer": True}, "answer: not a number or text"),
        (
            {"questions": ["a", "b"], "options": [["x", "y"]], "answers": ["A", "B"]},
            "options: 1 members; expected 2, as questions",
        ),
        (
            {"questions": [{"question": "Q?", "options": ["a", "b"]}]},
            r"questions\[0\].answer: missing",
        ),
        ({"question": "Q?", "mc1_targets": {"a": 0, "b": 0}}, "mc1_targets.labels: no option is"),
        (TWO | {"choices": ["yes", "yes"], "answer": 0}, "choices: no wrong option"),
        (TWO | {"choices": ["yes"], "answer": 0}, "choices: 1 options; expected 2 to 10"),
        (TWO | {"choices": ["yes", None], "answer": 0}, r"choices\[1\]: not text"),
    ],
)
def test_what_is_no_question_is_told(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=r"set\.jsonl:1: " + message):
        read(tmp_path, record)


def test_an_unknown_task_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no task and no file 'chess'; expected hidden-text, "):
        load_task("chess")
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="no questions"):
        load_task(str(tmp_path / "empty.jsonl"))


def test_constitutions(tmp_path: Path) -> None:
    ours = load_constitution()
    assert len(ours) == 3
    assert all(one.english and one.chinese and one.source for one in ours)
    path = tmp_path / "c.yaml"
    path.write_text("principles:\n  - {id: a, zh: 甲}\n")
    (only,) = load_constitution(path)
    assert only.text("en") == "甲"
    for text, message in (
        ("principles: []\n", "principles: empty"),
        ("principles:\n  - {id: a}\n", r"c\.yaml:2: principles\[0\]\.en: missing"),
        ("principles:\n  - {en: a}\n", r"principles\[0\]\.id: missing"),
        ("principles:\n  - {id: a, en: x}\n  - {id: a, en: y}\n", "'a' stands twice"),
        ("principles:\n  - {id: a, en: x, weight: 1}\n", "weight: unknown field"),
        ("rules: []\n", "principles: missing or not a list"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            load_constitution(path)
