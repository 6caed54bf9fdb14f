"""garak's reports as recorded answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.interchange.convert import to_recording
from buttress.interchange.recording import ConversionOptions, SkippedAnswers
from tests.interchange.samples import DATA, END, attempt, lines, message


def test_a_real_report() -> None:
    """Three prompts, one of them empty, two answers each; every second answer declines."""
    skipped = SkippedAnswers()
    records = list(to_recording(DATA / "garak.report.jsonl", None, skipped))
    assert len(records) == 4
    assert skipped.reasons == {"empty prompt": 2}
    assert [one["label"] for one in records] == [0, 1, 0, 1]
    assert {one["prompt"] for one in records} == {
        "The quick brown fox jumps over the lazy dog",
        "有朋自远方来，不亦乐乎?",
    }
    first = records[0]
    assert first["response"] == "I'm sorry, but I can't help with that."
    assert first["category"] == "test"
    assert first["attack"] == "test.Test"
    assert first["model"] == "openai.OpenAICompatible/toy"
    assert first["scores"] == {"always.Pass": 0.0, "mitigation.MitigationBypass": 0.0}
    assert "expect" not in first


def convert(tmp_path: Path, *rows: Any, **options: Any) -> list[dict[str, Any]]:
    return list(
        to_recording(lines(tmp_path / "r.jsonl", [*rows, END]), ConversionOptions(**options))
    )


@pytest.mark.parametrize("prompt", ["Do it", message("Do it"), {"turns": [
    {"role": "user", "content": message("Do it")}]}])  # fmt: skip
@pytest.mark.parametrize("output", ["Done", message("Done")])
def test_prompts_and_outputs_of_all_versions(tmp_path: Path, prompt: Any, output: Any) -> None:
    (record,) = convert(tmp_path, attempt(prompt, [output]), expect="refuse")
    assert (record["prompt"], record["response"]) == ("Do it", "Done")
    assert record["expect"] == "refuse"


def test_many_turns(tmp_path: Path) -> None:
    """The record holds what came before the last answer."""
    said = [("system", "Be good"), ("user", "One"), ("assistant", "1"), ("user", "Two"),
            ("assistant", "2")]  # fmt: skip
    turns = [{"role": role, "content": message(text)} for role, text in said]
    rows = attempt({"turns": turns[:2]}, [message("2")], conversations=[{"turns": turns}])
    (record,) = convert(tmp_path, rows)
    assert record["response"] == "2"
    assert record["prompt"] == "system: Be good\n\nuser: One\n\nassistant: 1\n\nuser: Two"
    assert "request" not in record


def test_many_turns_before_0_13(tmp_path: Path) -> None:
    said = [("user", "One"), ("assistant", "1"), ("user", "Two"), ("assistant", "2")]
    thread = [{"role": role, "content": text} for role, text in said]
    (record,) = convert(tmp_path, attempt("One", ["2"], messages=[thread]))
    assert record["response"] == "2"
    assert record["prompt"] == "user: One\n\nassistant: 1\n\nuser: Two"


def test_a_system_prompt_stands_beside_the_request(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": message("Be good")},
        {"role": "user", "content": message("Do it")},
    ]
    (record,) = convert(tmp_path, attempt({"turns": turns}, ["Done"]))
    assert record["request"] == "Do it"


def test_only_completed_attempts_count(tmp_path: Path) -> None:
    started = attempt("Do it", ["Done"], status=1)
    finished = attempt("Do it", ["Done"], detector_results={"d": [0.4]})
    assert len(convert(tmp_path, started, finished)) == 1


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ({"a": [0.4], "b": [0.5]}, 1),
        ({"a": [0.4], "b": [None]}, 0),
        ({"a": [None]}, None),
        ({}, None),
        ({"a": []}, None),
    ],
)
def test_a_label_is_any_detectors_hit(tmp_path: Path, scores: Any, label: int | None) -> None:
    (record,) = convert(tmp_path, attempt("Do it", ["Done"], detector_results=scores))
    assert record.get("label") == label


def test_the_runs_own_threshold_and_older_names(tmp_path: Path) -> None:
    setup = {
        "entry_type": "start_run setup",
        "plugins.model_type": "rest",
        "plugins.model_name": "n",
        "run.eval_threshold": 0.9,
    }
    row = attempt("Do it", ["Done"], detector_results={"a": [0.8]})
    (record,) = convert(tmp_path, setup, row)
    assert record["label"] == 0
    assert record["model"] == "rest/n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (attempt("Do it", [None]), "no answer"),
        (attempt("Do it", []), "no answer"),
        (attempt(" ", ["x"]), "empty prompt"),
        (attempt({"text": "See", "data_path": "a.png"}, ["x"]), "the prompt is not only text"),
    ],
)
def test_what_is_left_out(tmp_path: Path, row: Any, reason: str) -> None:
    skipped = SkippedAnswers()
    path = lines(tmp_path / "r.jsonl", [row, END])
    assert list(to_recording(path, None, skipped)) == []
    assert skipped.reasons == {reason: 1}


def test_a_run_that_broke_off(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", [attempt("Do it", ["Done"])])
    with pytest.raises(InputError, match=r"broke off.*--unfinished"):
        list(to_recording(path))
    assert len(list(to_recording(path, ConversionOptions(unfinished=True)))) == 1


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (attempt(None, ["x"]), "prompt"),
        (attempt(7, ["x"]), "prompt"),
        (attempt("p", "x"), "outputs"),
        (attempt("p", [7]), r"outputs\[0\]"),
        (attempt("p", ["x"], probe_classname=None), "probe_classname"),
        (attempt("p", ["x"], detector_results={"d": ["high"]}), "detector_results.d"),
        (attempt({"turns": [{"content": "x"}]}, ["x"]), r"prompt.turns\[0\].role"),
    ],
)
def test_errors_name_line_and_field(tmp_path: Path, row: Any, field: str) -> None:
    path = lines(tmp_path / "r.jsonl", [{"entry_type": "init"}, row, END])
    with pytest.raises(InputError, match=rf"r\.jsonl:2: {field}: "):
        list(to_recording(path))
