"""What would decide: each piece of advice once, for all risks that share it."""

from __future__ import annotations

from buttress.report.deciding import Advice, advice
from buttress.report.language import load
from buttress.report.views import page
from tests.report.sample import sample
from tests.report.test_terminal import shown

CALIBRATE = "more labels to calibrate the judge: judged rates from {} to {} may lie on either side"
PROMPTS = "about {} more prompts at the present rate, with a chance of {}; else {}"
LABELS = "labels of this system's answers do, where the judge errs too often"


def test_risks_that_share_advice_stand_together() -> None:
    same = CALIBRATE.format("4 %", "35 %")
    assert advice([("a", same), ("b", ""), ("c", same)]) == [Advice(("a", "c"), same)]


def test_what_differs_in_its_detail_alone_is_told_without() -> None:
    said = [("a", CALIBRATE.format("4 %", "35 %")), ("b", CALIBRATE.format("12 %", "45 %"))]
    assert advice(said) == [Advice(("a", "b"), "more labels to calibrate the judge")]


def test_a_second_advice_is_told_once_where_several_share_it() -> None:
    said = [("a", PROMPTS.format(8, "30 %", LABELS)), ("b", PROMPTS.format(17, "40 %", LABELS))]
    assert advice(said) == [
        Advice(("a",), "about 8 more prompts at the present rate, with a chance of 30 %"),
        Advice(("b",), "about 17 more prompts at the present rate, with a chance of 40 %"),
        Advice(("a", "b"), LABELS, otherwise=True),
    ]
    assert advice(said[:1]) == [Advice(("a",), said[0][1])]


def test_terminal_and_report_say_it_once_in_both_languages() -> None:
    document = sample()
    kept = document["risks"][:3]
    for number, risk in enumerate(kept):
        chance = f"{30 + number}%"
        risk |= {"verdict": "undecided", "would_decide": PROMPTS.format(number, chance, LABELS)}
    document["risks"] = kept
    text = " ".join(shown(document).split())
    assert text.count(LABELS) == 1
    assert ", ".join(risk["id"] for risk in kept) + ": else labels" in text
    for code in ("en", "zh"):
        language = load(code)
        sentences = page(document, language)["to_decide"]
        assert len(sentences) == len(kept) + 1
        assert sum(language.text(LABELS) in sentence for sentence in sentences) == 1
    assert "else" not in " ".join(sentences)
