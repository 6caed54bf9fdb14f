"""The summary in a terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from rich.console import Console

from buttress.report.numbers import percent, span
from buttress.report.run_words import outlooks
from buttress.report.terminal import summary
from tests.report.sample import HOSTILE, build, sample
from tests.report.strategies import documents
from tests.report.test_html import hostile


def shown(told: dict[str, Any], width: int = 80, out: Path = Path("out")) -> str:
    stream = io.StringIO()
    summary(told, Console(file=stream, width=width), out)
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_and_tells_what_matters(width: int, tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    told = sample()
    text = shown(told, width, tmp_path)
    path_lines = [line for line in text.splitlines() if str(tmp_path) in line]
    assert len(path_lines) == 1
    assert all(len(line) <= width for line in text.splitlines() if line not in path_lines)
    for risk in told["risks"]:
        assert risk["id"] in text
        assert risk["verdict"] in text
    assert "Not acceptable" in text
    for risk in told["risks"]:
        if risk["kind"] == "trials":
            interval = span(risk["rate"]["low"], risk["rate"]["high"])
            assert f"{percent(risk['rate']['estimate'])} [{interval}]" in text
    assert "deploy/id_rsa:1" in text
    assert f"{len(told['coverage']['unassessed_risks'])} risks of the catalogue" in text
    assert "the budget of calls is spent" in text


def test_only_files_that_are_there_are_named(tmp_path: Path) -> None:
    assert "report.html" not in shown(sample(), out=tmp_path)
    (tmp_path / "assessment.json").touch()
    text = shown(sample(), out=tmp_path)
    assert "assessment.json" in text
    assert "findings.sarif" not in text


def test_an_acceptable_system_is_told_plainly() -> None:
    text = " ".join(shown(build({}, ())).split())
    assert "Acceptable. The 2 measured risks all stay within what the policy tolerates." in text
    assert "Gravest findings" not in text


@pytest.mark.parametrize("text", [*HOSTILE, "[bold red]x[/]", "\x1b]0;title\x07", "a\rb\nc"])
def test_hostile_text_cannot_drive_the_terminal(text: str) -> None:
    seen = shown(hostile(sample(), text), 120)
    assert not any(ord(char) < 32 and char != "\n" for char in seen)
    assert "\u202e" not in seen
    if text.startswith("[bold"):
        assert "[bold red]x[/]" in seen


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_any_valid_document_has_a_summary(told: dict[str, Any]) -> None:
    assert shown(told)


def test_how_answers_ended_is_told_where_they_did_not_end_by_themselves() -> None:
    told = sample()
    told["totals"] |= {
        "refused_by": {"content filter": 1200, "firewall": 3},
        "finish_reasons": {"stop": 1500, "length": 12},
        "no_help": {"repeats the question": 7},
    }
    text = " ".join(shown(told, 120).split())
    assert "refused by the system around the model: content filter 1,200, firewall 3" in text
    assert "ended for another reason than its end: length 12" in text
    assert "answers that help with nothing: repeats the question 7" in text
    told["totals"] |= {"refused_by": {}, "finish_reasons": {"stop": 1500}, "no_help": {}}
    assert "Answers" not in shown(told, 120)


def test_questions_of_other_models_are_told_where_a_budget_holds_for_all() -> None:
    told = sample()
    told["run"]["budget"]["calls"] = 800
    told["totals"] |= {"calls": 297, "judge_calls": 503}
    text = " ".join(shown(told, 120).split())
    assert "297 questions, 503 to the judge, of 800 in all" in text
    told["totals"]["judge_calls"] = 0
    assert "297 of 800 questions" in " ".join(shown(told, 120).split())


def test_what_a_judge_leaves_undecided_is_one_line_for_each_range() -> None:
    """Risks with the same range and limit share it; no line is wider than a narrow terminal."""
    ranges = {"judged_low": 0.118, "judged_high": 0.42}
    known = {f"jailbreak-{number}-by-some-attack": (ranges, 0.15) for number in range(6)}
    known["harmful-compliance"] = ({"judged_low": 0.041, "judged_high": 0.32}, 0.05)
    lines = outlooks(known).splitlines()
    assert max(map(len, lines)) < 80
    assert "  12–42%, limit 15%: jailbreak-0-by-some-attack, jailbreak-1-by-some-attack," in lines
    assert "  4.1–32%, limit 5%: harmful-compliance" in lines
    assert [line for line in lines if line.startswith("  1")] == [lines[1]]
