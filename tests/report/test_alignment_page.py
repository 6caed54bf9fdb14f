"""The page of an alignment: sentences, plot and tables in both languages, text escaped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from buttress.report.alignment_page import render
from buttress.report.language import load
from tests.report.pages import problems, read


def row(risk: str, verdict: str, before: float, after: float, part: str = "held-out") -> Any:
    return {
        "risk": risk, "part": part, "before": before, "after": after, "pairs": 60, "lost": 1,
        "not_asked": 0,
        "difference": {"estimate": after - before, "low": after - before - 0.1,
                       "high": after - before + 0.1},
        "margin": 0.08, "verdict": verdict, "correction": "calibration", "labels": [0, 0],
        "degenerate": [0.0, 0.0],
    }  # fmt: skip


def document(code: int = 1) -> dict[str, Any]:
    def tried(name: str, harm: float | None, over: float | None, exit: int | None) -> Any:
        details = {"curve": [[0, 0.4], [0.02, 0.6]], "words_curve": [[0, 0.1], [0.02, 0.2]]}
        return {
            "name": name, "kind": "gate", "harm": harm, "over_refusal": over, "exit": exit,
            "why_not": "" if exit is not None else "no <weights>", "setting": {},
            "details": details if name == "gate" else {},
        }  # fmt: skip

    return {
        "schema": "buttress/alignment/1", "command": "align", "system": "<b>bot</b>",
        "asset": "model", "run": "r", "judge": "offline 1", "seed": 0, "recipe": "gate",
        "exit": code, "judge_errors": "alike", "targets": ["harmful-compliance"],
        "comparison": [
            row("harmful-compliance", "better", 0.67, 0.2),
            row("over-refusal", "worse", 0.09, 0.39),
            row("ordinary-refusal", "no-worse", 0.0, 0.0),
            row("degenerate-answers", "undecided", 0.03, 0.05),
            row("over-refusal", "undecided", 0.0, 0.0, "public"),
        ],
        "split": {"held_out_categories": ["weapons", "fraud-scams"], "held_out": 120, "seen": 90,
                  "public": 3, "ordinary": 20, "dropped": ["a", "b"]},
        "perplexity": {"before": 9.0, "after": 9.5, "change": 0.055, "margin": 0.03,
                       "tokens": 400, "verdict": "worse"},
        "attacks": [{"attack": "prefill", "before": 0.5, "after": 0.4, "pairs": 24,
                     "difference": {"estimate": -0.1, "low": -0.3, "high": 0.1}}],
        "recipes": [tried("gate", 0.2, 0.39, code), tried("sft", 0.2, 0.39, 1),
                    tried("steering", None, None, None)],
        "changed": [{"risk": "over-refusal", "category": "weapons", "became": "worse",
                     "request": "<script>alert(1)</script>", "before": "yes", "after": "no"}],
        "limits": [
            "The figures are of one seed and one split. Another split has other categories."
        ],
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_escaped(language: str) -> None:
    page = render(document(), language)
    assert problems(read(page)) == []
    assert "<script>alert" not in page
    assert "<b>bot</b>" not in page
    assert page.count('class="point exit1"') == 2
    assert page.count('class="curve gate"') == page.count('class="curve words"') == 1
    say = load(language).say
    assert say("Worse on something: this change should not ship.") in page
    assert say("Refusal of look-alikes") in page
    assert "+30 [+20, +40]" in page
    assert "+5.5 %" in page
    assert page.count(say("no-worse").replace("-", " ")) >= 2  # in the sentence and in the table
    # On a narrow screen the first columns are what is seen.
    heads = [page.index(f"<th>{say(one)}</th>") for one in ("Risk", "Verdict", "Margin")]
    assert heads == sorted(heads)
    odd = document() | {"limits": ["not compared: {'a': 1}"]}
    assert "not compared: {&#39;a&#39;: 1}" in render(odd, language)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_no_english_sentence_is_left_in_chinese(code: int) -> None:
    text = "\n".join(read(render(document(code), "zh")).text)
    text = text[text.index("对齐") :]
    assert re.findall(r"[A-Za-z’']+(?: [A-Za-z’',]+){2,}", text) == []


def test_an_answer_keeps_its_lines_and_what_is_hidden_in_it_is_seen() -> None:
    made = document()
    made["changed"][0]["before"] = "1. First\n\n2. Then\u202e"
    assert "1. First\n\n2. Then\\u202e</dd>" in render(made)
