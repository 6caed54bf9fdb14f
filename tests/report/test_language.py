"""The report in other languages: nothing is left in English that is ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from buttress.cli.main import main
from buttress.documents.reading import load as load_document
from buttress.errors import InputError
from buttress.judges.no_help import REASONS
from buttress.report import loss_words, words
from buttress.report.html import render
from buttress.report.json import encode
from buttress.report.language import codes, load
from buttress.risk.catalogue import SEVERITY_LABELS, load_catalogue
from buttress.risk.loss import FREQUENCY
from buttress.risk.policy import Tolerance
from buttress.risk.verdict import HELD_OPEN, RiskState
from buttress.standards.crosswalk import load_standards
from buttress.statistics.correction import UNMEASURED, CalibrationCounts
from tests.report.pages import problems, read
from tests.report.phrases import phrases
from tests.report.sample import build, sample

OTHERS = [code for code in codes() if code != "en"]
# Names that stand in every language.
_SAME = {"MLCommons AILuminate 1.0"}


def nested(value: Any) -> Iterator[dict[str, Any]]:
    """The mappings in a JSON value."""
    if isinstance(value, dict):
        yield value
        yield from (each for inner in value.values() for each in nested(inner))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def catalogue_texts() -> Iterator[str]:
    for risk in load_catalogue().risks.values():
        yield from (risk.title, risk.scenario, risk.actor, risk.harm, *risk.remedies)
        yield from (barrier.title for barrier in risk.barriers)
    for standard in load_standards().values():
        yield from (standard.title, *standard.items.values())
    yield from (*SEVERITY_LABELS.values(), FREQUENCY)
    yield from (*words.VERDICTS, words.UNMEASURED, words.PARTLY, "year")


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_and_noun_is_translated(code: str) -> None:
    said, nouns = phrases()
    assert len(said) > 200  # the extraction works
    language = load(code)
    assert sorted(said - set(language.messages)) == []
    assert sorted(nouns - set(language.nouns)) == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_fields_of_the_original(code: str) -> None:
    language = load(code)
    for table in (language.messages, language.patterns):
        for english, other in table.items():
            assert fields(other) <= fields(english), english
    for english, other in language.messages.items():
        # What is counted or named must not be lost; a period's name may stand fewer times.
        assert fields(english) <= fields(other), english


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_the_catalogue_and_the_standards_is_translated(code: str) -> None:
    language = load(code)
    same = {text for text in catalogue_texts() if text and language.text(text) == text}
    assert same <= _SAME


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize(
    ("failures", "trials", "counts"),
    [
        (0, 0, None), (0, 2, CalibrationCounts(90, 10, 280, 20)), (12, 12, None),
        (5_000, 100_000, None),
        (2_000, 20_000, CalibrationCounts(40, 10, 95, 5)), (900, 2_000, UNMEASURED),
        (60, 1_000, None), (1, 20, CalibrationCounts(40, 10, 95, 5)),
    ],
)  # fmt: skip
def test_what_would_decide_is_translated(
    code: str, failures: int, trials: int, counts: CalibrationCounts | None
) -> None:
    state = RiskState(Tolerance(limit=0.05), counts)
    state.update([1.0] * failures + [0.0] * (trials - failures))
    said = state.would_decide()
    assert said
    assert not re.search("[a-z]{2,} [a-z]{2,}", load(code).text(said).replace("buttress judge", ""))


def test_what_would_decide_by_the_estimate_is_translated() -> None:
    assert load("zh").text(HELD_OPEN) != HELD_OPEN


def test_no_english_sentence_is_left_in_the_chinese_report() -> None:
    document = sample()
    page = read(render(document, "zh"))
    assert problems(page) == []
    text = "\n".join(page.text)
    text = text[text.index("跳过目录") : text.index('"use strict"')]  # between style and script
    # What the document brings along: names, requests, answers, messages of rules.
    system, judge = document["system"], document["judge"]
    brought = {
        *(row[name] for row in document["worst"] for name in ("request", "prompt", "answer")),
        *(row["reason"] for row in document["worst"]),
        *(one[name] for one in document["findings"] for name in ("message", "remedy", "proof")),
        *(asset["description"] for asset in system["assets"]),
        *(use["name"] for use in system["profile"]["uses"]),
        *(reason for row in document["coverage"]["covered"] for reason in row["skipped"]),
        *(known["source"] for known in judge["calibration"].values()),
        *document["totals"]["error_messages"],
        *(system["purpose"], system["owner"], system["name"], system["profile"]["users"]),
        "buttress evidence verify DIR",
        "buttress evidence verify",
    }
    for known in sorted(brought, key=len, reverse=True):
        text = text.replace(known, "")
    assert re.findall(r"[A-Za-z’']+(?: [A-Za-z’',]+){2,}", text) == []


def test_verdicts_undecided_and_acceptable_are_told_in_chinese() -> None:
    page = render(build({"over-refusal": {"chat-model": (0.1, 24)}}, ()), "zh")
    assert '<html lang="zh">' in page
    assert "尚未判定" in page
    assert "对无害请求的过度拒绝" in page
    assert "按目前的比率，约需再" in page


def test_a_text_that_nobody_translated_stays_as_it_is() -> None:
    zh = load("zh")
    assert zh.text("A risk of my own") == "A risk of my own"
    assert (
        zh.text("about 1,200 more trials at the present rate")
        == "按目前的比率，约需再做 1,200 次试验"
    )
    assert zh.money(48_000, "CNY") == "¥4.8万"
    assert zh.plural(3, "risk") == "3 项风险"
    assert load("en").plural(3, "risk") == "3 risks"


@pytest.mark.parametrize("code", ["en", *OTHERS])
def test_repeated_answers_are_told_beside_their_prompts(code: str) -> None:
    risk = next(each for each in sample()["risks"] if each["kind"] == "trials" and each["judged"])
    risk = risk | {
        "judged": {"trials": 214, "failures": 20.7, "estimate": 0.0967},
        "design": {"trials": 2151, "prompts": 214, "set_size": None, "correlation": 0.0},
        "estimand": "prompts-like-these",
    }
    language = load(code)
    said = words.reading(risk, language)
    assert words.trials_of(risk) == 2151
    for figure in ("10%", "2,151", "214"):
        assert figure in said
    assert "20.7" not in said
    assert words.estimand(risk, language) == ("prompts like these" if code == "en" else "同类提示")
    alone = risk | {"design": risk["design"] | {"trials": 214}}
    assert "20.7" in words.reading(alone, language)


@pytest.mark.parametrize(("code", "told"), [("en", "it was not certain"), ("zh", "并不确定")])
def test_failures_that_the_judge_is_not_certain_of_are_told(code: str, told: str) -> None:
    risk = next(each for each in sample()["risks"] if each["kind"] == "trials" and each["judged"])
    judged = {"trials": 40, "failures": 12.0, "estimate": 0.3, "held_open": 6.0}
    language = load(code)
    with_them = words.reading(risk | {"judged": judged}, language)
    assert told in with_them
    assert "15%" in with_them
    for none in (0.0, None):
        said = words.reading(risk | {"judged": judged | {"held_open": none}}, language)
        assert told not in said


UNKNOWN = {
    "en": ("12 failures in 30 trials", "10 more have no known outcome", "None of 40 trials has"),
    "zh": ("30 次试验中认定 12 次失败", "另有 10 次没有已知结果", "40 次试验均无已知结果"),
}


@pytest.mark.parametrize("code", UNKNOWN)
def test_only_what_was_seen_is_called_seen(code: str) -> None:
    """A trial without an outcome counts half in the rate, and is no half failure that was seen."""
    risk = next(each for each in sample()["risks"] if each["kind"] == "trials" and each["judged"])
    risk = {name: value for name, value in risk.items() if name not in ("design", "worst_case")}
    judged = {"trials": 40, "failures": 17.0, "estimate": 0.425, "held_open": 0.0, "unknown": 10.0}
    seen, more, none = UNKNOWN[code]
    language = load(code)
    said = words.reading(risk | {"judged": judged}, language)
    assert seen in said
    assert more in said
    assert none not in said
    assert not words.nothing_known(risk | {"judged": judged})
    nothing = risk | {"judged": judged | {"failures": 20.0, "unknown": 40.0}}
    assert none in words.reading(nothing, language)
    assert seen not in words.reading(nothing, language)
    assert words.nothing_known(nothing)


@pytest.mark.parametrize("code", ["en", "zh"])
def test_what_part_of_the_loss_was_measured_is_told(code: str) -> None:
    document = sample()
    risks = [risk for risk in document["risks"] if risk["verdict"] != "acceptable"][:2]
    named = sum(risk["loss"]["mean"] for risk in risks)
    document["loss"] |= {"mean": 10 * named, "mean_measured": 2 * named}
    told = load(code).money(2 * named, document["loss"]["unit"])
    assert told in loss_words.measured_loss(document["loss"], load(code))
    assert "50%" in loss_words.remedied(document, risks, load(code))
    document["loss"] |= {"mean_measured": 10 * named}
    assert loss_words.measured_loss(document["loss"], load(code)) == ""
    assert "50%" not in loss_words.remedied(document, risks, load(code))


@pytest.mark.parametrize("code", OTHERS)
def test_what_the_offline_judge_was_measured_on_is_translated(code: str) -> None:
    stored = json.loads(files("buttress.judges").joinpath("data", "offline.json").read_text())
    sources = [value["source"] for value in nested(stored) if "source" in value]
    assert len(sources) >= 2
    assert [source for source in sources if load(code).text(source) == source] == []


@pytest.mark.parametrize("code", OTHERS)
def test_why_answers_help_with_nothing_is_translated(code: str) -> None:
    language = load(code)
    assert [reason for reason in REASONS if language.text(reason) == reason] == []


def test_figures_stand_apart_from_chinese_characters() -> None:
    language = load("zh")
    said = language.say(
        "The judge saw {failures} in {trials}.", failures="16 次失败", trials="110 次试验"
    )
    assert "在 110 次" in said
    assert "认定 16 次" in said
    assert language.say("A ranking, not a forecast.") == "这是排序，不是预测。"


def test_an_unknown_language_is_one_error() -> None:
    with pytest.raises(InputError, match="one of en, zh"):
        render(sample(), "xx")


def test_the_command_writes_it_beside_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "assessment.json").write_bytes(encode(sample()))
    load_document(tmp_path / "assessment.json")
    assert main(["report", str(tmp_path), "--language", "zh"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.zh.html")
    assert "不可接受" in (tmp_path / "report.zh.html").read_text(encoding="utf-8")
    assert main(["report", str(tmp_path), "--language", "xx"]) == 2
    assert main(["report", str(tmp_path), "--language", "zh", "--format", "sarif"]) == 2
