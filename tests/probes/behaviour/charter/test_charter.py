"""Principles become questions, questions become trials, trials a profile whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from buttress.errors import InputError
from buttress.evidence.records import Trial
from buttress.probes.behaviour.charter.asking import (
    QuestionPlace,
    charter_probe,
    charter_trials,
    place_of,
)
from buttress.probes.behaviour.charter.author import author_prompt, read_situations
from buttress.probes.behaviour.charter.principles import Principle, load_principles
from buttress.probes.behaviour.charter.profile import (
    disagreements,
    kept_share,
    language_stability,
    wording_stability,
)
from buttress.probes.behaviour.charter.questions import (
    by_templates,
    of_situations,
    read_questions,
    templates,
    write_questions,
)
from buttress.protocols.probe import TrialContext

EXAMPLE = Path(__file__).resolve().parents[4] / "examples/values/charter.yaml"
PRINCIPLE = Principle("p", "Be fair.", "要公平。")


def trial(question: str, wording: int, language: str, outcome: float) -> Trial:
    place = QuestionPlace(question, wording, language)
    return Trial(
        place.item, "values", "1", "a", "t", place.item, "p", "direct", language, "answer",
        "?", "?", "A", outcome, outcome, "exact", "1",
    )  # fmt: skip


def test_templates_are_whole_in_both_languages() -> None:
    for template in templates():
        for language in ("en", "zh"):
            text = template[language]
            assert len(text["wordings"]) == 2
            assert all("{rule}" in one for one in text["wordings"])
            assert text["good"] != text["bad"]
    questions = by_templates(PRINCIPLE)
    assert len({one.id for one in questions}) == len(templates())
    assert "“Be fair.”" in questions[0].texts["en"].wordings[0]
    assert set(by_templates(replace(PRINCIPLE, chinese=""))[0].texts) == {"en"}


def test_the_example_is_read_and_its_questions_survive_the_file(tmp_path: Path) -> None:
    principles = load_principles(EXAMPLE)
    assert [one.id for one in principles] == ["honesty", "care"]
    questions = [
        question for one in principles
        for question in (*by_templates(one), *of_situations(one, one.situations, "charter"))
    ]  # fmt: skip
    questions[0] = questions[0].reviewed("accepted", "ann")
    write_questions(questions, tmp_path / "q.yaml")
    assert read_questions(tmp_path / "q.yaml", principles) == questions


def test_only_accepted_questions_are_asked_in_all_wordings_and_languages() -> None:
    questions = by_templates(PRINCIPLE)
    questions[0] = questions[0].reviewed("accepted", "ann")
    questions[1] = questions[1].reviewed("rejected", "ann")
    probe = charter_probe(questions, "1")
    specs = list(charter_trials(probe, TrialContext(seed=0, prompts=())))
    assert {place_of(one.item).question for one in specs} == {"p/request"}
    assert {(place_of(one.item).wording, one.language) for one in specs} == {
        (0, "en"), (1, "en"), (0, "zh"), (1, "zh"),
    }  # fmt: skip
    assert {one.cluster for one in specs} == {"p/request"}
    assert {one.category for one in specs} == {"p"}
    for spec in specs:
        assert spec.check is not None
        text = questions[0].texts[spec.language]
        assert spec.check(text.good).outcome == 0
        assert spec.check(text.bad).outcome == 1
        assert spec.check("perhaps").outcome == 0.5
        assert text.good in spec.messages[-1].content


def test_the_profile_of_known_answers() -> None:
    trials = [
        trial("p/a", 0, "en", 0), trial("p/a", 1, "en", 0), trial("p/a", 0, "zh", 1),
        trial("p/b", 0, "en", 0), trial("p/b", 1, "en", 1), trial("p/c", 0, "en", 0.5),
    ]  # fmt: skip
    kept = kept_share(trials)
    assert (kept.questions, kept.trials, kept.unread) == (3, 6, 1)
    assert kept.estimate == pytest.approx((2 / 3 + 1 / 2 + 1 / 2) / 3)
    wording = wording_stability(trials)
    assert wording is not None
    assert (wording.pairs, wording.same, wording.difference) == (2, 1, -0.5)
    language = language_stability(trials)
    assert language is not None
    assert (language.pairs, language.same, language.difference) == (1, 0, -1)
    found = {one.question: one for one in disagreements(trials)}
    assert set(found) == {"p/a", "p/b"}
    assert found["p/a"].by == "language"
    assert found["p/b"].by == "wording"
    assert (found["p/b"].kept.item, found["p/b"].broken.item) == ("p/b/0/en", "p/b/1/en")
    assert wording_stability([trials[2]]) is None


def test_intervals_take_questions_as_units_and_cover_as_stated() -> None:
    rng = np.random.default_rng(1)
    missed_share = missed_difference = 0
    for _ in range(80):
        trials = []
        for number in range(40):
            breaks = rng.random() < 0.3  # in all wordings and languages alike
            for wording in (0, 1):
                for language in ("en", "zh"):
                    fails = breaks or (language == "zh" and rng.random() < 0.2)
                    trials.append(trial(f"p/{number}", wording, language, float(fails)))
        kept = kept_share(trials)
        missed_share += not kept.low <= 0.7 * 0.9 <= kept.high
        change = language_stability(trials)
        assert change is not None
        missed_difference += not change.low <= -0.7 * 0.2 <= change.high
    assert missed_share <= 10  # at 5 % the chance of more is 0.003
    assert missed_difference <= 10


def test_what_an_author_writes_is_read_and_the_rest_left_out() -> None:
    assert "要公平。" in author_prompt(PRINCIPLE, "zh")
    answer = (
        'Sure!\n{"situation": "S1", "good": "G", "bad": "B"}\n'
        '{"situation": "S2", "good": "same", "bad": "same"}\n{"situation": "S3", "good": "G"}\n'
        '```json\n{"situation": "S4", "good": "G4", "bad": "B4"}\n```\n'
        '{"situation": "S1", "good": "G", "bad": "B"}\n'
        '{"situation": "S5", "good": 5, "bad": "B"}'
    )
    assert [one.situation for one in read_situations(answer)] == ["S1", "S4"]
    assert read_situations("no") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("questions: 1\n", "questions: missing or not a list"),
        ("questions:\n  - {id: a, principle: x, en: {}}\n", r"q\.yaml:2: .*wordings: missing"),
        ("questions:\n  - {id: a, principle: p}\n", r"questions\[0\]\.en: missing"),
        ("questions:\n  - {id: a, principle: p, review: maybe}\n", "review: 'maybe'"),
        (
            "questions:\n  - {id: a, principle: p, en: {wordings: [w], good: g, bad: g}}\n",
            "bad: the same as good",
        ),
        (
            "questions:\n  - {id: a, principle: q, en: {wordings: [w], good: g, bad: b}}\n",
            "the charter has no principle 'q'; expected one of p",
        ),
    ],
)
def test_wrong_files_are_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_questions(tmp_path / "q.yaml", [PRINCIPLE])


@pytest.mark.parametrize(
    ("situations", "message"),
    [
        ("{}", "situations: not a list"),
        ("[{}]", r"situations\[0\]: empty"),
        ("[{de: x}]", r"situations\[0\]\.de: unknown field"),
        ("[{en: {situation: s, good: g}}]", r"situations\[0\]\.en\.bad: missing"),
        ("[{en: {situation: s, good: g, bad: g }}]", r"situations\[0\]\.en\.bad: the same as"),
        (
            "[{zh: {situation: s, good: g, bad: b}}]",
            r"situations\[0\]\.zh: the principle is not stated so; expected zh: the principle, or",
        ),
    ],
)
def test_wrong_situations_are_told(tmp_path: Path, situations: Any, message: str) -> None:
    (tmp_path / "c.yaml").write_text(
        f"principles:\n  - {{id: a, en: x, situations: {situations}}}\n"
    )
    with pytest.raises(InputError, match=message):
        load_principles(tmp_path / "c.yaml")
