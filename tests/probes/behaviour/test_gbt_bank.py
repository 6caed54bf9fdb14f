"""Banks of GB/T 45654: loading, and whether they reach the minimum counts."""

from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.probes.behaviour import harmful_compliance, over_refusal
from buttress.probes.behaviour.gbt_bank import (
    ASPECTS,
    RISKS,
    BankQuestion,
    Kind,
    as_prompts,
    coverage,
    load_bank,
    minimums,
)
from buttress.protocols.probe import TrialContext
from buttress.standards.crosswalk import load_standards


def bank(kind: Kind, each: int = 0) -> list[BankQuestion]:
    """A bank with exactly the minimum of each topic, or ``each``, filled up to the total."""
    least = minimums(kind)
    questions = [
        BankQuestion(f"{topic}-{number}", f"{topic} question {number}", topic, "en")
        for topic, count in least.items()
        for number in range(each or count)
    ]
    total = {"should-refuse": 500, "should-not-refuse": 500, "generated-content": 2000}[kind]
    first = next(iter(least))
    while len(questions) < total:
        number = len(questions)
        questions.append(BankQuestion(f"more-{number}", f"more {number}", first, "en"))
    return questions


def test_the_risks_are_the_standards() -> None:
    assert list(load_standards()["gbt45654-2025"].items) == list(RISKS)
    assert len(RISKS) == 31
    assert len(minimums("should-refuse")) == 17
    assert set(minimums("should-not-refuse")) == set(ASPECTS)
    generated = minimums("generated-content")
    assert sorted(generated.values()) == [20] * 14 + [50] * 17


KINDS: tuple[Kind, ...] = ("should-refuse", "should-not-refuse", "generated-content")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bank_with_exactly_the_minimum_passes_and_one_less_does_not(kind: Kind) -> None:
    questions = bank(kind)
    report = coverage(questions, kind)
    assert report.met
    assert not report.missing
    last = list(minimums(kind))[-1]
    short = [question for question in questions if question.id != f"{last}-0"]
    report = coverage(short, kind)
    assert not report.met
    assert report.missing == {"total": 1, last: 1}


def test_repetitions_do_not_count() -> None:
    questions = bank("should-refuse")
    risk = questions[0].topic
    repeated = [
        BankQuestion("x", questions[1].text.upper() + "!", risk, "en")
        if question is questions[0]
        else question
        for question in questions
    ]
    report = coverage(repeated, "should-refuse")
    assert report.repeated == 1
    assert report.missing == {"total": 1}


def test_a_small_bank_says_all_that_is_missing() -> None:
    report = coverage([], "should-not-refuse")
    assert report.missing == {"total": 500, "sample": 300} | dict.fromkeys(ASPECTS, 20)


@pytest.mark.parametrize(
    ("written", "risk"),
    [
        ("A.1.1", "A.1.1"),
        ("a.2.9", "A.2.9"),
        ("A1.8", "A.1.8"),
        ("A.1 a)", "A.1.1"),
        ("A.2-i", "A.2.9"),
        ("A.1.c", "A.1.3"),
    ],
)
def test_risks_are_read_however_they_are_written(tmp_path: Path, written: str, risk: str) -> None:
    file = tmp_path / "bank.jsonl"
    file.write_text(json.dumps({"question": "怎么办？", "risk": written}), encoding="utf-8")
    (question,) = load_bank(file, "should-refuse")
    assert (question.topic, question.language) == (risk, "zh")


def test_csv_and_json_lines_give_the_same(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "question": "Who, then?", "risk": "A.1.4", "language": "en"},
        {"id": "2", "question": "谁呢？", "risk": "A.2.5", "language": ""},
    ]
    lines = tmp_path / "bank.jsonl"
    lines.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    table = tmp_path / "bank.csv"
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert load_bank(lines, "should-refuse") == load_bank(table, "should-refuse")
    assert [q.language for q in load_bank(table, "should-refuse")] == ["en", "zh"]


@pytest.mark.parametrize(
    ("row", "kind", "field"),
    [
        ({"question": "Q", "risk": "A.3.1"}, "should-refuse", "risk"),
        ({"question": "Q", "risk": "A.6.1"}, "generated-content", "risk"),
        ({"question": "Q", "risk": "A.1.9"}, "generated-content", "risk"),
        ({"question": "Q", "risk": "A.5 c)"}, "generated-content", "risk"),
        ({"question": "Q"}, "should-refuse", "risk"),
        ({"question": "Q", "aspect": "sport"}, "should-not-refuse", "aspect"),
        ({"question": " ", "risk": "A.1.1"}, "should-refuse", "question"),
        ({"question": "Q", "risk": "A.1.1", "language": "fr"}, "should-refuse", "language"),
        ({"words": "Q", "risk": "A.1.1"}, "should-refuse", None),
    ],
)
def test_errors_name_line_and_column(
    tmp_path: Path, row: dict[str, str], kind: Kind, field: str | None
) -> None:
    good = {"question": "Fine?", "risk": "A.1.1", "aspect": "Ethnic groups"}
    file = tmp_path / "bank.jsonl"
    file.write_text(f"{json.dumps(good)}\n{json.dumps(row)}", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_bank(file, kind)
    assert caught.value.line == 2
    assert caught.value.field == field


def test_repeated_ids_and_empty_files_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    row = json.dumps({"id": 1, "question": "Q", "risk": "A.1.1"})
    file.write_text(f"{row}\n{row}", encoding="utf-8")
    with pytest.raises(InputError, match="taken"):
        load_bank(file, "should-refuse")
    file.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no questions"):
        load_bank(file, "should-refuse")


def test_the_banks_feed_the_refusal_probes() -> None:
    prompts = [
        *as_prompts(bank("should-refuse"), "should-refuse"),
        *as_prompts(bank("should-not-refuse"), "should-not-refuse"),
    ]
    context = TrialContext(seed=1, prompts=prompts)
    assert harmful_compliance.PROBE.size(context) == 500
    assert over_refusal.PROBE.size(context) == 500
    assert next(iter(harmful_compliance.PROBE.stream(context))).category in RISKS
    with pytest.raises(ValueError, match="neither"):
        as_prompts(bank("generated-content"), "generated-content")


@settings(max_examples=80)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from(["question", "risk", "aspect", "language", "id", "prompt"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2),
    ),
)
def test_fuzzed_rows_are_read_or_are_errors(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, row: dict[str, object]
) -> None:
    file = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    file.write_text(json.dumps(row), encoding="utf-8")
    with contextlib.suppress(InputError):
        (question,) = load_bank(file, kind)
        assert question.topic in minimums(kind)
