"""Preference data of other tools: which answer is better survives, and errors name their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from buttress.errors import InputError
from buttress.interchange.preferences import read_preferences
from tests.interchange.preference_samples import (
    ARGILLA,
    BINARISED,
    FLAT,
    HH,
    PKU,
    TRL,
    ULTRAFEEDBACK,
)


def read(folder: Path, form: str, *records: Any, criterion: str = "") -> list[tuple[Any, ...]]:
    """Prompt, better answer, other answer (or a set, where they tie) and labeller of each label."""
    path = folder / "set.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(one) for one in records))
    found: list[tuple[Any, ...]] = []
    for pair, labels in read_preferences(path, form, criterion):
        for label in labels:
            answers = (pair.first, pair.second)
            if label.choice == "tie":
                found.append((pair.prompt, set(answers), label.labeller))
            else:
                better, other = answers if label.choice == "first" else answers[::-1]
                found.append((pair.prompt, better, other, label.labeller))
    return found


def test_all_shapes_of_trl(tmp_path: Path) -> None:
    assert read(tmp_path, "trl", *TRL) == [("Why?", "Because.", "No.", "trl")] * 3 + [
        ("Why?", "Because.", "No.", "trl")
    ]


def test_a_list_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_bytes(orjson.dumps(TRL))
    assert [pair.prompt for pair, _ in read_preferences(path, "trl")] == ["Why?"] * 4


def test_dialogues_are_cut_before_the_last_answer_though_answers_begin_alike(
    tmp_path: Path,
) -> None:
    prompt = "Human: Hello\n\nAssistant: Hi\n\nHuman: Why?"
    assert read(tmp_path, "hh", HH) == [(prompt, "Because I say.", "Because of you.", "hh")]


def test_scores_make_pairs_and_ties(tmp_path: Path) -> None:
    assert read(tmp_path, "ultrafeedback", ULTRAFEEDBACK, BINARISED) == [
        ("Why?", "Because.", "No.", "ultrafeedback"),
        ("Why?", {"Because.", "So."}, "ultrafeedback"),
        ("Why?", "So.", "No.", "ultrafeedback"),
        ("Why?", "Because.", "No.", "ultrafeedback"),
    ]


def test_better_and_safer_are_two_criteria(tmp_path: Path) -> None:
    assert read(tmp_path, "pku", PKU) == [("Why?", "Because.", "No.", "pku better")]
    assert read(tmp_path, "pku", PKU, criterion="safer") == [
        ("Why?", "No.", "Because.", "pku safer")
    ]


def test_submitted_responses_and_ranks(tmp_path: Path) -> None:
    assert read(tmp_path, "argilla", ARGILLA, FLAT) == [
        ("Why?", "Because.", "No.", "ann"),
        ("Why?", "No.", "Because.", "ben"),
        ("Why?", "No.", "Because.", "ann"),
        ("Why?", {"Because.", "No."}, "ben"),
    ]


def test_the_better_answer_is_not_always_the_first(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    rows = [{"prompt": f"{n}?", "chosen": f"yes {n}", "rejected": f"no {n}"} for n in range(400)]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    first = sum(labels[0].choice == "first" for _, labels in read_preferences(path, "trl"))
    assert 140 < first < 260  # six standard deviations of a fair coin


@pytest.mark.parametrize(
    ("form", "record", "field"),
    [
        ("trl", {"prompt": "a", "completion": "b", "label": True}, "chosen"),
        ("trl", {"chosen": "a", "rejected": "b"}, "prompt"),
        ("trl", {"prompt": 3, "chosen": "a", "rejected": "b"}, "prompt"),
        ("hh", {"chosen": "Hello", "rejected": "Hello you"}, "chosen"),
        ("ultrafeedback", {"instruction": "a", "completions": [{"response": "b"}]},
         "completions[0].overall_score"),
        ("pku", {**PKU, "better_response_id": 2}, "better_response_id"),
        ("argilla", {"fields": {"prompt": "a"}}, "fields.response1"),
        ("argilla", {**ARGILLA, "responses": {"q": [{"value": "maybe"}]}}, "responses.q[0].value"),
    ],
)  # fmt: skip
def test_errors_name_file_line_and_field(
    tmp_path: Path, form: str, record: dict[str, Any], field: str
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\n" + orjson.dumps(record))
    with pytest.raises(InputError) as caught:
        list(read_preferences(path, form))
    assert str(caught.value).startswith(f"{path}:2: {field}: ")
    assert "\n" not in str(caught.value)
