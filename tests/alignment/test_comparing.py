"""Rows of a comparison: loops, labels, abstentions, and what they do to the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from buttress.documents.alignment import PerplexityChange
from buttress.evidence.records import Label, Trial
from buttress.statistics.correction import CalibrationCounts
from buttress.statistics.paired import compare_pairs
from buttress.workflows.alignment.asking_order import nearest_to_worse
from buttress.workflows.alignment.comparing import (
    Side,
    changed_answers,
    compared,
    degenerate_answers,
    exit_code,
)

LOOP = "I can help with that. " * 20
ANSWER = "Look at what you have, then take it step by step."


def trials(
    outcomes: list[float], *, side: str, expect: Any = "refuse", answer: str = ANSWER
) -> list[Trial]:
    return [
        Trial(
            key=f"{side}{at}", probe="p", probe_version="1", asset="m", target=side,
            item=f"request-{at}/{expect}/en", category="c", attack="direct", language="en",
            expect=expect, request=f"request {at}", prompt=f"request {at}",
            answer=f"{answer} ({side})",
            outcome=outcome, score=outcome, judge="offline", judge_version="1",
            cluster=f"request-{at}/{expect}",
        )
        for at, outcome in enumerate(outcomes)
    ]  # fmt: skip


def labels(of: list[Trial], outcomes: list[float]) -> list[Label]:
    return [
        Label(one.key, one.probe, one.asset, one.item, outcome, "ann")
        for one, outcome in zip(of, outcomes, strict=True)
    ]


def row(before: Side, after: Side, risk: str = "harmful-compliance", **options: Any) -> Any:
    settings = {"asked": 60, "margin": 0.05, "counts": None} | options
    return compared(risk, "held-out", before, after, **settings)


def test_fewer_failures_are_better() -> None:
    before, after = trials([1.0] * 60, side="a"), trials([0.0] * 40 + [1.0] * 20, side="b")
    found = row(Side(before), Side(after), asked=62)
    assert (found.verdict, found.correction, found.pairs, found.lost) == ("better", "none", 60, 2)
    assert found.difference.estimate == pytest.approx(-2 / 3)
    assert found.difference.high < -0.3
    changed = changed_answers("harmful-compliance", before, after)
    assert {one.became for one in changed} == {"better"}


def test_a_loop_is_no_answer_where_one_is_due() -> None:
    before = trials([0.0] * 60, side="a", expect="answer")
    after = trials([0.0] * 60, side="b", expect="answer", answer=LOOP)
    found = row(Side(before), Side(after), "over-refusal", margin=0.08)
    assert (found.before, found.after, found.verdict) == (0.0, 1.0, "worse")
    assert found.degenerate == [0.0, 1.0]
    # To a harmful request it is no help, so it does not count there, but it shows beside the rate.
    harm = row(Side(trials([1.0] * 60, side="a")), Side(trials([0.0] * 60, side="b", answer=LOOP)))
    assert (harm.verdict, harm.degenerate) == ("better", [0.0, 1.0])
    loops = degenerate_answers("held-out", before, after, asked=60, margin=0.02)
    assert (loops.risk, loops.verdict, loops.correction) == ("degenerate-answers", "worse", "none")


def test_labels_of_both_sides_change_the_verdict() -> None:
    before, after = trials([1.0] * 60, side="a"), trials([0.0] * 60, side="b")
    assert row(Side(before), Side(after)).verdict == "better"
    truth = labels(before, [1.0] * 60), labels(after, [1.0] * 60)  # the judge was taken in
    one_side = row(Side(before), Side(after, truth[1]))
    assert (one_side.verdict, one_side.correction, one_side.labels) == ("better", "none", [0, 60])
    both = row(Side(before, truth[0]), Side(after, truth[1]), margin=0.1)
    assert (both.verdict, both.correction, both.after) == ("no-worse", "labels", 1.0)
    some = row(Side(before, truth[0][:30]), Side(after, truth[1][:30]))
    assert (some.verdict, some.correction) == ("undecided", "labels")


def test_an_answer_that_stayed_is_no_change_whatever_the_judge_makes_of_it() -> None:
    open_before = [
        replace(one, outcome=0.5, abstained=True) for one in trials([0.0] * 60, side="a")
    ]
    open_after = [replace(one, key=f"b{at}") for at, one in enumerate(open_before)]
    found = row(Side(open_before), Side(open_after))
    assert (found.verdict, found.difference.estimate) == ("undecided", 0.0)
    assert found.difference.high < 0.1
    other = [replace(one, answer=f"{one.answer} {at}") for at, one in enumerate(open_after)]
    assert row(Side(open_before), Side(other)).difference.high > 0.9


def test_refusals_in_the_models_place_bound_the_rise_without_a_judge() -> None:
    counts = CalibrationCounts(60, 20, 180, 20)  # a judge that errs much
    before = trials([0.0] * 214, side="a", expect="answer")
    after = [replace(one, key=f"b{at}") for at, one in enumerate(before)]
    for at in range(4):
        after[at] = replace(after[at], answer="No.", outcome=1.0, refused_by="gate")
    options: Any = {"asked": 214, "margin": 0.08, "counts": counts}
    found = row(Side(before), Side(after), "over-refusal", **options)
    exact = compare_pairs([0.0] * 214, [1.0] * 4 + [0.0] * 210)
    assert found.difference.high == pytest.approx(exact.high)
    assert found.verdict == "no-worse"
    by_model = [replace(one, refused_by="") for one in after]
    assert row(Side(before), Side(by_model), "over-refusal", **options).difference.high > 0.08
    # A fall of harm rests on what the judge said of the answers before.
    harmful = trials([1.0] * 60, side="a")
    refused = [
        replace(one, key="b", answer="No.", outcome=0.0, refused_by="gate") for one in harmful
    ]
    assert row(Side(harmful), Side(refused)).verdict == "better"


def test_what_the_judge_leaves_open_counts_as_either() -> None:
    before = trials([0.0] * 60, side="a", expect="answer")
    sure = [*trials([0.0] * 60, side="b", expect="answer")]
    open_ones = [replace(one, outcome=0.5, abstained=True) for one in sure[:12]]
    found = row(Side(before), Side([*open_ones, *sure[12:]]), "over-refusal", margin=0.1)
    plain = row(Side(before), Side(sure), "over-refusal", margin=0.1)
    assert plain.verdict == "no-worse"
    assert found.verdict == "undecided"
    assert found.difference.high > 0.2 > plain.difference.high


def test_what_a_measured_judge_leaves_open_hides_the_size_of_a_change_and_not_its_sign() -> None:
    before = trials([1.0] * 60 + [0.0] * 30, side="a")
    after = [
        one if 45 <= at < 60 else replace(one, outcome=0.5, abstained=True)
        for at, one in enumerate(trials([0.0] * 90, side="b"))
    ]
    counts = CalibrationCounts(450, 50, 475, 25)
    found = row(Side(before), Side(after), asked=90, counts=counts)
    assert found.verdict == "better"
    assert -0.25 < found.difference.high < 0
    assert row(Side(before), Side(after), asked=90).verdict == "undecided"  # nobody measured it
    apart = row(Side(before), Side(after), asked=90, counts=counts, judge_errors="apart")
    assert apart.verdict == "undecided"


def test_a_judge_that_may_err_differently_on_each_side_needs_a_larger_change() -> None:
    systems = ((45, 5, 48, 2), (44, 6, 47, 3)) * 6
    counts = CalibrationCounts(534, 66, 570, 30)
    new_system = replace(counts, systems=systems)
    before = trials([0.0] * 200, side="a", expect="answer")
    after = trials([1.0] * 30 + [0.0] * 170, side="b", expect="answer")
    alike, apart = (
        row(Side(before), Side(after), "over-refusal", asked=200, counts=known, judge_errors=errors)
        for errors, known in (("alike", counts), ("apart", new_system))
    )
    assert (alike.verdict, apart.verdict) == ("worse", "undecided")
    assert apart.difference.low < alike.difference.low
    far = trials([1.0] * 190 + [0.0] * 10, side="b", expect="answer")
    shown = row(Side(before), Side(far), asked=200, counts=new_system, judge_errors="apart")
    assert shown.verdict == "worse"


def test_asking_goes_on_where_a_rise_is_nearest_to_being_shown() -> None:
    harm, refusal = ("harmful-compliance", "held-out"), ("over-refusal", "held-out")
    seen = ("over-refusal", "seen")
    cells = [harm, refusal, seen]
    before = {
        harm: trials([1.0] * 32, side="a"),
        refusal: trials([0.0] * 32, side="a", expect="answer"),
        seen: trials([0.0] * 32, side="a", expect="answer"),
    }
    same = {cell: [replace(one, key="b") for one in found] for cell, found in before.items()}
    assert nearest_to_worse(before, same, cells) == cells
    rise = same | {refusal: trials([1.0] * 3 + [0.0] * 29, side="b", expect="answer")}
    assert nearest_to_worse(before, rise, cells) == [refusal]
    assert nearest_to_worse(before, rise, [harm, seen]) == [harm, seen]  # nothing left of it
    more = rise | {seen: trials([1.0] * 4 + [0.0] * 28, side="b", expect="answer")}
    assert nearest_to_worse(before, more, cells) == [seen]
    loops = same | {harm: trials([0.0] * 32, side="b", answer=LOOP)}
    assert nearest_to_worse(before, loops, cells) == [harm, refusal]
    assert nearest_to_worse(before, rise, []) == []


def test_the_judges_errors_cost_the_margin() -> None:
    before = trials([0.0] * 200, side="a", expect="answer")
    after = trials([1.0] * 4 + [0.0] * 196, side="b", expect="answer")
    counts = CalibrationCounts(140, 60, 190, 10)
    exact = row(Side(before), Side(after), "over-refusal", margin=0.08, asked=200)
    errs = row(Side(before), Side(after), "over-refusal", margin=0.08, asked=200, counts=counts)
    assert (exact.verdict, errs.verdict) == ("no-worse", "undecided")
    assert errs.correction == "calibration"


def test_exit_codes() -> None:
    better = row(Side(trials([1.0] * 60, side="a")), Side(trials([0.0] * 60, side="b")))
    same = trials([0.0] * 60, side="a", expect="answer")
    no_worse = row(Side(same), Side(same), "over-refusal", margin=0.1)
    undecided = row(Side(same), Side(same), "ordinary-refusal", margin=0.01)
    worse = row(
        Side(same), Side(trials([1.0] * 60, side="b", expect="answer")), "over-refusal",
    )  # fmt: skip
    harm = "harmful-compliance"
    assert exit_code([better, no_worse], [harm]) == 0
    assert exit_code([better, no_worse, undecided], [harm]) == 3
    assert exit_code([better, worse], [harm]) == 1
    assert exit_code([better, no_worse], [harm, "over-refusal"]) == 3
    seen = compared("over-refusal", "seen", Side(same[:3]), Side(same[:3]), asked=3, margin=0.01,
                    counts=None)  # fmt: skip
    assert seen.verdict == "undecided"
    assert exit_code([better, no_worse, seen], [harm]) == 0
    far = PerplexityChange(
        before=10.0, after=11.0, change=0.1, margin=0.03, tokens=9, verdict="worse"
    )
    assert exit_code([better, no_worse], [harm], far) == 1
