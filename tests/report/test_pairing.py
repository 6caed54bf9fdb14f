"""Items asked on both sides: which trials make pairs, and what ``diff --paired`` makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.cli import main as cli
from buttress.evidence.records import Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.report import json
from buttress.report.pairing import by_question, compare_questions
from buttress.statistics.paired import PairedResult
from tests.evidence.samples import trial
from tests.report.sample import build

PROBE, ASSET = "over-refusal", "chat-model"


def asked(outcomes: Sequence[int | None], side: str, run: str = "run-1") -> list[Trial]:
    """One trial for each item that is not None."""
    return [
        trial(
            0, key=f"{side}-{place}", item=f"item-{place}", probe=PROBE, asset=ASSET,
            attack="direct", language="en", outcome=float(outcome), score=float(outcome), run=run,
        )
        for place, outcome in enumerate(outcomes)
        if outcome is not None
    ]  # fmt: skip


def compare_trials(before: Iterable[Trial], after: Iterable[Trial]) -> PairedResult:
    return compare_questions(by_question(before), by_question(after))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([None, 0, 1])), max_size=40)
)
def test_only_what_both_sides_were_asked_is_paired(
    pairs: list[tuple[int | None, int | None]],
) -> None:
    before, after = asked([old for old, _ in pairs], "a"), asked([new for _, new in pairs], "b")
    both = [(old, new) for old, new in pairs if None not in (old, new)]
    for found in (compare_trials(before, after), compare_trials(before, after[::-1])):
        assert found.pairs == len(both)
        assert found.worse == both.count((0, 1))
        assert found.better == both.count((1, 0))


@pytest.mark.parametrize("field", ["probe", "item", "attack", "language"])
def test_another_question_is_no_pair(field: str) -> None:
    (one,) = asked([1], "a")
    assert compare_trials([one], [replace(one, key="b")]).pairs == 1
    assert compare_trials([one], [replace(one, **{field: "another"})]).pairs == 0  # type: ignore[arg-type]


def test_a_trial_that_was_stored_again_counts_once_and_samples_are_paired_in_order() -> None:
    (one,) = asked([0], "a")
    again = replace(one, cached=True, outcome=1.0)
    assert compare_trials([one, again], asked([1], "b")).worse == 0
    samples = [replace(one, key=f"s{number}", outcome=float(number == 1)) for number in range(3)]
    found = compare_trials(samples, [replace(sample, key=sample.key + "'") for sample in samples])
    assert (found.pairs, found.worse, found.better) == (3, 0, 0)


def assessment(folder: Path, rate: float, outcomes: Sequence[int | None]) -> dict[str, Any]:
    """A document of that rate with evidence beside it; the store holds an older run too."""
    document = build({PROBE: {ASSET: (rate, 60)}}, ())
    folder.mkdir()
    json.write(document, folder / "assessment.json")
    with EvidenceStore.open(folder / FILE_NAME) as store:
        store.append(asked([1 - (one or 0) for one in outcomes], "old", run="an-older-run"))
        store.append(asked(outcomes, folder.name, run=document["run"]["id"]))
    return document


def test_a_rise_that_counts_do_not_show_is_seen_item_by_item(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """14 of 60 prompts are refused that were not; most others are refused on both sides."""
    before, after = tmp_path / "before", tmp_path / "after"
    assessment(before, 0.3, [0] * 40 + [1] * 20)
    assessment(after, 0.3, [0] * 26 + [1] * 34)
    assert cli.main(["diff", str(before), str(after), "--json"]) == 0
    alone = orjson.loads(capsys.readouterr().out)
    assert [risk["paired"] for risk in alone["risks"]] == [None] * len(alone["risks"])
    assert cli.main(["diff", str(before), str(after), "--paired", "--json"]) == 1
    told = orjson.loads(capsys.readouterr().out)
    (risk,) = [risk for risk in told["risks"] if risk["risk"] == PROBE]
    assert risk["change"] == "regression"
    assert (risk["paired"]["pairs"], risk["paired"]["worse"], risk["paired"]["better"]) == (
        60,
        14,
        0,
    )
    assert risk["paired"]["low"] > 0
    assert risk["p_value"] < 0.05
    assert cli.main(["diff", str(before), str(after), "--paired"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "paired on 60 items: over-refusal @ chat-model: 14 worse, 0 better" in shown


def test_the_way_back_is_an_improvement(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    assessment(before, 0.3, [0] * 26 + [1] * 34)
    assessment(after, 0.3, [0] * 40 + [1] * 20)
    assert cli.main(["diff", str(before), str(after), "--paired"]) == 0


def test_nothing_shared_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    assessment(before, 0.3, [1, 0, None, None])
    assessment(after, 0.3, [None, None, 1, 1])
    assert cli.main(["diff", str(before), str(after), "--paired", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert any("none is paired" in warning for warning in told["warnings"])


def test_without_evidence_it_is_a_mistake_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    assessment(before, 0.3, [1, 0])
    assessment(after, 0.3, [1, 0])
    (after / FILE_NAME).unlink()
    assert cli.main(["diff", str(before), str(after), "--paired"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(after / FILE_NAME) in told
    assert "--paired" in told
