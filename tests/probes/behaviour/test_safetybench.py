"""SafetyBench from the user's files."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.probes.behaviour import safety_knowledge
from buttress.probes.behaviour.bank import TakesData
from buttress.probes.behaviour.multiple_choice import show
from buttress.probes.behaviour.safetybench import load_safetybench
from tests.probes.behaviour.parts import CONTEXT, trial
from tests.shared import DATA, needs_data

ENTRY = {"id": 1, "options": ["Yes.", "No."], "category": "Ethics and Morality", "question": "Ok?"}


def write(folder: Path, questions: object, answers: object, language: str = "en") -> Path:
    (folder / f"test_{language}.json").write_text(json.dumps(questions), encoding="utf-8")
    (folder / f"test_answers_{language}.json").write_text(json.dumps(answers), encoding="utf-8")
    return folder


@needs_data
def test_the_public_subset_is_read_whole_and_scored_by_its_key() -> None:
    assert DATA is not None
    folder = DATA / "safetybench"
    data = load_safetybench(folder)
    assert (len(data.questions), data.left_out) == (2100, 0)
    assert set(Counter(each.category for each in data.questions).values()) == {300}
    probe = safety_knowledge.PROBE.with_data(folder)
    known = {each.question.id: each for each in data.questions}
    key = json.loads((folder / "test_answers_zh_subset.json").read_text(encoding="utf-8"))
    for spec in islice(probe.stream(CONTEXT), 300):
        each = known[spec.item]
        right = key[spec.item.split("/")[1]]["answer"]
        shown = show(each.question, CONTEXT.seed)
        for option in range(len(each.question.options)):
            assert trial(spec, shown.letter(option)).outcome == (option != right)
        assert trial(spec, f"答案是{shown.letter(right)}。").outcome == 0
        assert trial(spec, "").outcome == 1


def test_english_and_chinese_keys_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path, [ENTRY], {"1": {"answer": 0}})
    write(tmp_path, [ENTRY], {"1": {"answer": 1}}, "zh")
    data = load_safetybench(tmp_path)
    assert {each.question.language: each.right for each in data.questions} == {"en": 0, "zh": 1}


def test_questions_without_answer_are_left_out(tmp_path: Path) -> None:
    data = load_safetybench(write(tmp_path, [ENTRY, ENTRY | {"id": 2}], {"1": 1}))
    assert (len(data.questions), data.left_out) == (1, 1)
    assert data.questions[0].category == "ethics-and-morality"


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    one = safety_knowledge.PROBE.with_data(write(tmp_path, [ENTRY], {"1": 1})).version
    two = safety_knowledge.PROBE.with_data(
        write(tmp_path, [ENTRY | {"question": "Why?"}], {"1": 1})
    ).version
    assert one != two
    assert isinstance(safety_knowledge.PROBE, TakesData)


@pytest.mark.parametrize(
    ("questions", "answers", "field"),
    [
        ([ENTRY | {"options": ["Yes"]}], {"1": 0}, "[0].options"),
        ([ENTRY | {"id": None}], {"1": 0}, "[0].id"),
        ([ENTRY | {"question": ""}], {"1": 0}, "[0].question"),
        ([ENTRY | {"category": 3}], {"1": 0}, "[0].category"),
        ([3], {"1": 0}, "[0]"),
        ([ENTRY], {"1": {"answer": "A"}}, "1"),
        ([ENTRY], {"1": 2}, "1"),
        ([ENTRY, ENTRY], {"1": 0}, "[1].id"),
        ({"a": 1}, {"1": 0}, None),
        ([ENTRY], [0], None),
        ([ENTRY], {"2": 0}, None),
    ],
)
def test_errors_name_file_and_field(
    tmp_path: Path, questions: object, answers: object, field: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        load_safetybench(write(tmp_path, questions, answers))
    assert caught.value.field == field
    assert caught.value.file is not None


def test_missing_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such questions"):
        load_safetybench(tmp_path)


@settings(max_examples=60)
@given(st.binary(max_size=60) | st.just(b'[{"id": 1'), st.binary(max_size=60))
def test_fuzzed_files_are_errors(
    tmp_path_factory: pytest.TempPathFactory, questions: bytes, answers: bytes
) -> None:
    folder = tmp_path_factory.mktemp("safetybench")
    (folder / "test_en.json").write_bytes(questions)
    (folder / "test_answers_en.json").write_bytes(answers)
    with pytest.raises(InputError):
        load_safetybench(folder)
