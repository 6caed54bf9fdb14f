"""Preference data of other tools: which answer is better survives, and errors name their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from buttress.errors import InputError
from buttress.interchange.preferences import read_preferences
from buttress.labelling.preferences.messages import shown
from tests.interchange.preference_samples import (
    ARGILLA,
    ARGILLA_1,
    BINARISED,
    COLUMNS,
    FLAT,
    HH,
    PKU,
    RATED,
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
            prompt, *answers = (shown(part) for part in (pair.prompt, pair.first, pair.second))
            if label.choice == "tie":
                found.append((prompt, set(answers), label.labeller))
            else:
                better, other = answers if label.choice == "first" else answers[::-1]
                found.append((prompt, better, other, label.labeller))
    return found


def test_all_shapes_of_trl(tmp_path: Path) -> None:
    assert read(tmp_path, "trl", *TRL) == [("Why?", "Because.", "No.", "trl")] * 3 + [
        ("Why?", "Because.", "No.", "trl")
    ]


def test_a_records_system_text_stands_before_the_prompt(tmp_path: Path) -> None:
    answers = {"chosen": "Because.", "rejected": "No."}
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    records = [
        {"system": "Be brief.", "prompt": "Why?", **answers},
        {"system": "Be brief.", "prompt": turns, **answers},
        {"system": " ", "prompt": "Why?", **answers},
    ]
    prompt = "system: Be brief.\n\nuser: Why?"
    assert [one[0] for one in read(tmp_path, "trl", *records)] == [prompt, prompt, "Why?"]


def test_a_list_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_bytes(orjson.dumps(TRL))
    assert [shown(pair.prompt) for pair, _ in read_preferences(path, "trl")] == ["Why?"] * 4


def test_dialogues_are_cut_before_the_last_answer_though_answers_begin_alike(
    tmp_path: Path,
) -> None:
    prompt = "user: Hello\n\nassistant: Hi\n\nuser: Why?"
    assert read(tmp_path, "hh", HH) == [(prompt, "Because I say.", "Because of you.", "hh")]


def test_scores_make_pairs_and_ties(tmp_path: Path) -> None:
    assert read(tmp_path, "ultrafeedback", ULTRAFEEDBACK, BINARISED) == [
        ("Why?", "Because.", "No.", "ultrafeedback"),
        ("Why?", {"Because.", "So."}, "ultrafeedback"),
        ("Why?", "So.", "No.", "ultrafeedback"),
        ("Why?", "Because.", "No.", "ultrafeedback"),
    ]


def test_a_completion_that_nobody_rated_has_pairs_and_no_label(tmp_path: Path) -> None:
    completions = [
        {"response": text, "overall_score": score}
        for text, score in (("a", "8.5"), ("b", "N/A"), ("c", 3))
    ]
    record = {"instruction": "Why?", "completions": completions}
    assert read(tmp_path, "ultrafeedback", record) == [("Why?", "a", "c", "ultrafeedback")]
    assert len(list(read_preferences(tmp_path / "set.jsonl", "ultrafeedback"))) == 3
    completions[1]["overall_score"] = "good"
    with pytest.raises(InputError, match=r":1: completions\[1\].overall_score: not a number"):
        read(tmp_path, "ultrafeedback", record)


def test_a_call_of_a_tool_is_part_of_an_answer(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "X"}}}
    record = {
        "prompt": [{"role": "user", "content": "Rain?"}],
        "chosen": [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "name": "weather", "content": "sun"},
            {"role": "assistant", "content": "No."},
        ],
        "rejected": [{"role": "assistant", "content": "Yes."}],
    }
    ((prompt, better, other, _),) = read(tmp_path, "trl", record)
    assert (prompt, other) == ("Rain?", "Yes.")
    assert better.startswith('assistant: {"tool_call": {"name": "weather"')
    assert better.endswith("tool: sun\n\nassistant: No.")


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


def test_responses_of_argillas_first_version(tmp_path: Path) -> None:
    assert read(tmp_path, "argilla", ARGILLA_1, COLUMNS) == [
        ("Why?", "Because.", "No.", "ann"),
        ("Why?", "No.", "Because.", "ben"),
        ("Why?", "No.", "Because.", "ann"),
        ("Why?", "Because.", "No.", "ben"),
    ]


def of_argilla(fields: dict[str, str], value: Any) -> dict[str, Any]:
    response = {"value": value, "user_id": "ann"}
    return {"fields": {"prompt": "Why?", **fields}, "responses": {"best": [response]}}


def test_a_number_is_the_answer_that_is_numbered_so(tmp_path: Path) -> None:
    from_zero = {"response_0": "zero", "response_1": "one"}
    from_one = {"response1": "one", "response2": "two"}
    for fields, value, better in (
        (from_zero, "1", "one"), (from_zero, "0", "zero"), (from_one, "1", "one"),
        (from_one, "2", "two"), ({"chosen": "one", "rejected": "two"}, "2", "two"),
        ({"answer_a": "one", "answer_b": "two"}, "B", "two"),
    ):  # fmt: skip
        ((_, found, _, _),) = read(tmp_path, "argilla", of_argilla(fields, value))
        assert found == better


def test_three_answers_make_three_pairs(tmp_path: Path) -> None:
    fields = {"response1": "a", "response2": "b", "response3": "c"}
    names = ["response2", "response3", "response1"]
    expected = [("Why?", "b", "a", "ann"), ("Why?", "c", "a", "ann"), ("Why?", "b", "c", "ann")]
    assert read(tmp_path, "argilla", of_argilla(fields, names)) == expected
    tied = [{"value": name, "rank": rank} for name, rank in zip(names, (1, 2, 2), strict=True)]
    assert read(tmp_path, "argilla", of_argilla(fields, tied))[1] == ("Why?", {"a", "c"}, "ann")
    # A choice of one says nothing about the two others.
    assert read(tmp_path, "argilla", of_argilla(fields, "response2")) == [
        ("Why?", "b", "a", "ann"),
        ("Why?", "b", "c", "ann"),
    ]


def test_a_comment_is_no_choice_and_two_choices_need_a_criterion(tmp_path: Path) -> None:
    record = of_argilla({"response1": "a", "response2": "b"}, "response1")
    record["responses"]["comment"] = [{"value": "Clear.", "user_id": "ann"}]
    record["responses"]["stars"] = [{"value": 2, "user_id": "ann"}]
    assert read(tmp_path, "argilla", record) == [("Why?", "a", "b", "ann")]
    record["responses"]["kinder"] = [{"value": "tie", "user_id": "ann"}]
    with pytest.raises(InputError, match="best or kinder"):
        read(tmp_path, "argilla", record)
    kinder = read(tmp_path, "argilla", record, criterion="kinder")
    assert kinder == [("Why?", {"a", "b"}, "ann")]


def test_ratings_in_place_of_scores(tmp_path: Path) -> None:
    tied = {"prompt": "Why?", "chosen": "a", "rejected": "b", "chosen-rating": 4.0,
            "rejected-rating": 4.0}  # fmt: skip
    assert read(tmp_path, "ultrafeedback", RATED, tied) == [
        ("Why?", "Because.", "No.", "ultrafeedback"),
        ("Why?", {"a", "b"}, "ultrafeedback"),
    ]
    assert read(tmp_path, "ultrafeedback", {"instruction": "Why?", "completions": []}) == []


def test_content_in_blocks(tmp_path: Path) -> None:
    blocks = [{"type": "text", "text": "Why?"}]
    record = {
        "prompt": [{"role": "user", "content": blocks}],
        "chosen": [{"role": "assistant", "content": "Because."}],
        "rejected": [{"role": "assistant", "content": [{"type": "text", "text": "No."}]}],
    }
    assert read(tmp_path, "trl", record) == [("Why?", "Because.", "No.", "trl")]
    record["prompt"] = [{"role": "user", "content": [*blocks, {"type": "image"}]}]
    with pytest.raises(InputError, match=r"prompt\[0\].content\[1\].type: 'image'"):
        read(tmp_path, "trl", record)


def test_a_prompt_within_the_texts_ends_at_a_turn_or_a_word(tmp_path: Path) -> None:
    assert read(tmp_path, "trl", {"chosen": "Why? Raining.", "rejected": "Why? Rain."}) == [
        ("Why?", "Raining.", "Rain.", "trl")
    ]
    prompt = "user: Hello\n\nassistant: Hi\n\nuser: Why?"
    assert read(tmp_path, "trl", HH) == [(prompt, "Because I say.", "Because of you.", "trl")]


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
        ("trl", {"question": "why", "chosen": "I say a", "rejected": "I say b"}, "prompt"),
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


SAID = {"from": "human", "value": "Why?"}
BETTER = {"from": "gpt", "value": "Because."}
WORSE = {"from": "gpt", "value": "No."}


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": [SAID], "chosen": BETTER, "rejected": WORSE},
        {"prompt": [SAID], "chosen": [BETTER], "rejected": [WORSE]},
        {"chosen": [SAID, BETTER], "rejected": [SAID, WORSE]},
        {
            "prompt": "Why?",
            "chosen": {"role": "assistant", "content": "Because."},
            "rejected": {"role": "assistant", "content": "No."},
        },
    ],
)
def test_messages_of_sharegpt_and_a_single_message(tmp_path: Path, record: Any) -> None:
    assert read(tmp_path, "trl", record) == [("Why?", "Because.", "No.", "trl")]


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "\n\nHuman: Why?\n\nAssistant:", "chosen": " Because.", "rejected": " No."},
        {
            "chosen": "\r\n\r\nHuman: Why?\r\n\r\nAssistant: Because.",
            "rejected": "\r\n\r\nHuman: Why?\r\n\r\nAssistant: No.",
        },
    ],
)
def test_dialogues_that_are_cut_already_or_have_other_line_ends(
    tmp_path: Path, record: Any
) -> None:
    assert read(tmp_path, "hh", record) == [("Why?", "Because.", "No.", "hh")]


def test_dialogues_as_messages(tmp_path: Path) -> None:
    assert read(tmp_path, "hh", TRL[2]) == [("Why?", "Because.", "No.", "hh")]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_named_as_such(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "set.jsonl"
    line = '{"prompt": "Wozu n\u00fctzt es?", "chosen": "a", "rejected": "b"}\n'
    path.write_bytes(line.encode(encoding))
    with pytest.raises(InputError, match=r"set.jsonl:1: not UTF-8 .*; expected JSON in UTF-8"):
        list(read_preferences(path, "trl"))
