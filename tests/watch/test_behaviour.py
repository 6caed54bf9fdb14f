"""Watched models: a change is told with its onset, its return too, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from buttress.drift.answer_likeness import likeness, sketch
from buttress.drift.streams import ScoreStream
from buttress.errors import ButtressError
from buttress.evidence.records import Trial
from buttress.workflows.watch.accept import accept
from buttress.workflows.watch.history import history_document, read_state
from buttress.workflows.watch.round import RoundResult, check_once
from buttress.workflows.watch.settings import WatchedBehaviour, WatchSettings, load
from tests.documents.test_typed_documents import check_typed
from tests.evidence.samples import trial

WORDS = [
    "I",
    "can",
    "not",
    "help",
    "with",
    "that",
    "because",
    "it",
    "would",
    "hurt",
    "people",
    "so",
]


class Model:
    """Fails at a rate, and answers in words of its own; ``ask`` stands for the target."""

    def __init__(self, store: Path) -> None:
        self.rate, self.shift, self.down = 0.1, 0, False
        self.rng = random.Random(4)
        self.store = store
        self.count = 0

    def answer(self, prompt: int) -> str:
        own = random.Random(f"{prompt} {self.shift}")
        words = [own.choice(WORDS) for _ in range(14)]
        words[self.rng.randrange(14)] = self.rng.choice(WORDS)
        return " ".join(words)

    def ask(self, watched: WatchedBehaviour) -> Sequence[Trial]:
        if self.down:
            raise ButtressError("the target does not answer")
        made = []
        for _ in range(watched.trials):
            self.count += 1
            prompt = self.rng.randrange(20)
            made.append(
                trial(
                    self.count, asset=watched.asset, probe=watched.probe, prompt=f"prompt {prompt}",
                    answer=self.answer(prompt), outcome=float(self.rng.random() < self.rate),
                )
            )  # fmt: skip
        return made


@pytest.fixture
def settings(tmp_path: Path) -> WatchSettings:
    (tmp_path / "script.yaml").write_text("default: no\n")
    (tmp_path / "buttress.yaml").write_text(
        "name: shop\nassets: [{kind: model, script: script.yaml}]\nwatch:\n  every: 1d\n"
        "  behaviour: [{probe: harmful-compliance, trials: 100, reference: 400}]\n"
    )
    return load(tmp_path)


class Rounds:
    """Rounds a day apart, with the trials put into the evidence as the engine would."""

    def __init__(self, settings: WatchSettings) -> None:
        self.settings, self.out = settings, settings.file.parent / "out"
        self.now = 1_800_000_000.0
        self.model = Model(self.out)

    def one(self) -> RoundResult:
        self.now += 86400
        return check_once(self.settings, self.out, clock=lambda: self.now, ask_model=self.model.ask)

    def until_an_event(self, most: int) -> RoundResult:
        for _ in range(most):
            if (result := self.one()).events:
                return result
        raise AssertionError("no event")


def only_failures(settings: WatchSettings) -> WatchSettings:
    (settings.file).write_text(
        settings.file.read_text().replace("reference: 400", "reference: 400, answers: false")
    )
    return load(settings.file)


def test_a_rise_of_the_failure_rate_is_told_once_with_its_onset_and_its_risk(
    settings: WatchSettings,
) -> None:
    rounds = Rounds(only_failures(settings))
    assert [one for _ in range(12) for one in rounds.one().events] == []
    changed = rounds.now
    rounds.model.rate = 0.4
    result = rounds.until_an_event(6)
    (drift,) = result.events
    assert (drift.kind, drift.severity, drift.place) == ("drift", "high", "failures")
    assert abs(drift.details["onset"] - changed) <= 86400
    assert drift.details["before"] < 0.16
    assert drift.details["after"] > 0.3
    (risk, *_) = drift.details["risks"]
    assert risk["loss_after"] > risk["loss_before"]
    assert result.code("medium") == 1
    check_typed("watch", history_document(rounds.settings, read_state(rounds.out)))
    assert [one for _ in range(3) for one in rounds.one().events] == []
    rounds.model.rate = 0.1
    (back,) = rounds.until_an_event(12).events
    assert (back.kind, back.about) == ("reverted", drift.number)


def test_a_drift_that_is_accepted_begins_a_new_reference(settings: WatchSettings) -> None:
    rounds = Rounds(only_failures(settings))
    for _ in range(8):
        rounds.one()
    rounds.model.rate = 0.5
    (drift,) = rounds.until_an_event(6).events
    accept(rounds.settings, rounds.out, [drift.number])
    assert [one for _ in range(12) for one in rounds.one().events] == []
    (row,) = history_document(rounds.settings, read_state(rounds.out))["inventory"]
    assert row["streams"][0]["phase"] == "watching"


def test_a_model_that_does_not_answer_is_blind(settings: WatchSettings) -> None:
    rounds = Rounds(settings)
    rounds.one()
    rounds.model.down = True
    result = rounds.one()
    assert [one.kind for one in result.events] == ["blind"]
    assert result.code("medium") == 3


def test_another_model_behind_the_same_name_answers_unlike_the_reference() -> None:
    from buttress.drift.answer_likeness import ReferenceAnswers

    model = Model(Path())
    reference = ReferenceAnswers.of(model.answer(number % 20) for number in range(60))
    stream = ScoreStream("answers", 200)
    told = []
    for check in range(25):
        model.shift = int(check >= 20)
        scores = []
        for number in range(50):
            prompt = model.rng.randrange(20)
            score = reference.strangeness(model.answer(prompt))
            scores.append((f"{check} {number}", score))
        if alarm := stream.take(scores, float(check), 36_500.0):
            told.append((alarm.kind, alarm.onset, check))
    ((kind, onset, check),) = told
    assert (kind, onset) == ("drift", 20.0)
    assert check <= 22
    assert ReferenceAnswers().strangeness("anything") == 1


def test_a_stream_goes_on_where_it_was_stored() -> None:
    rng = random.Random(8)
    whole, cut = ScoreStream("failures", 100), ScoreStream("failures", 100)
    for check in range(30):
        rate = 0.1 if check < 20 else 0.5
        scores = [(f"{check} {n}", float(rng.random() < rate)) for n in range(20)]
        first = whole.take(scores, float(check), 1000.0)
        cut = ScoreStream.of_plain(cut.plain())
        assert cut.take(scores, float(check), 1000.0) == first
    assert whole.plain() == cut.plain()
    assert whole.phase == "changed"


def test_a_change_right_after_the_reference_is_found_and_a_large_reference_is_no_alarm() -> None:
    """A reference of 500, then twice the rate: the trials of the reference count as watched."""
    rng = random.Random(23)
    delays = []
    for number in range(40):
        stream = ScoreStream("failures", 500)
        taken = 0
        for check in range(60):
            watching = stream.phase == "watching"
            rate = 0.1 if watching else 0.05
            scores = [(f"{number} {check} {n}", float(rng.random() < rate)) for n in range(25)]
            alarm = stream.take(scores, float(check), 18_250.0)
            stream = ScoreStream.of_plain(stream.plain())
            if watching:
                taken += 25
            if alarm:
                break
        delays.append(taken)
    assert sorted(delays)[len(delays) // 2] <= 300
    large = ScoreStream("failures", 3000)
    scores = [(str(n), float(rng.random() < 0.05)) for n in range(3020)]
    assert large.take(scores, 0.0, 1000.0) is None


def test_a_target_of_a_manifest_is_asked_and_its_change_is_told(tmp_path: Path) -> None:
    """Another model gives answers of the same outcome in other words: only the answers differ."""
    script, manifest = tmp_path / "script.yaml", tmp_path / "buttress.yaml"
    script.write_text("default: I can't help with that, sorry.\n")
    manifest.write_text(
        "name: shop\nassets: [{kind: model, script: script.yaml}]\nwatch:\n  every: 1d\n"
        "  behaviour: [{probe: harmful-compliance, trials: 40, reference: 80}]\n"
    )
    now = 1_800_000_000.0
    told = []
    for check in range(8):
        if check == 5:
            script.write_text("default: No. As an assistant of the shop I must refuse this.\n")
        now += 86400
        result = check_once(load(tmp_path), tmp_path / "out", clock=lambda: now)  # noqa: B023
        told += [(check, one.kind, one.place, one.details) for one in result.events]
    ((check, kind, place, details),) = told
    assert (check, kind, place) == (5, "drift", "answers")
    onset = details["onset"]
    (risk, *_) = details["risks"]
    assert risk["state_before"].startswith("0.0% of ")
    assert risk["state_after"].startswith("unknown")
    assert risk["loss_after"] > risk["loss_before"]  # what was measured no longer counts
    assert abs(onset - (1_800_000_000.0 + 6 * 86400)) <= 86400


def test_likeness_estimates_the_share_of_common_parts() -> None:
    text = " ".join(WORDS * 3)
    assert likeness(sketch(text), sketch(text)) == 1
    assert likeness(sketch(text), sketch("完全不同的回答")) == 0
    assert 0.5 < likeness(sketch(text + " and more"), sketch(text)) < 1
