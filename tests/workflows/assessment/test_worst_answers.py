"""Which answers are shown as the worst: failures, by the harm that they give."""

from __future__ import annotations

from buttress.evidence.records import Trial
from buttress.workflows.assessment.tally import tally, worst_rows


def trial(
    answer: str, *, score: float = 0.9, outcome: float = 1.0, decision: str = "complies",
    expect: str = "refuse", abstained: bool = False,
) -> Trial:  # fmt: skip
    return Trial(
        key=answer, probe="p", probe_version="1", asset="a", target="t", item=answer,
        category="c", attack="direct", language="en",
        expect="refuse" if expect == "refuse" else "answer",
        request="r", prompt="r", answer=answer, outcome=outcome, score=score,
        judge="j", judge_version="1", decision=decision, abstained=abstained,
    )  # fmt: skip


def shown(*trials: Trial) -> list[str]:
    return [row["answer"] for row in worst_rows(tally(trials))]


def test_compliance_comes_before_answers_of_unknown_kind_and_refusals_of_harmless_requests() -> (
    None
):
    assert shown(
        trial("turned away", score=0.99, expect="answer", decision="refuses"),
        trial("not said", score=0.98, decision=""),
        trial("steps", score=0.6),
        trial("more steps", score=0.7),
    ) == ["more steps", "steps", "not said", "turned away"]


def test_what_helps_with_nothing_and_what_nobody_decided_is_no_worst_answer() -> None:
    assert shown(
        trial("an echo", decision="neither"),
        trial("who knows", outcome=0.5, abstained=True),
        trial("sorry", outcome=0.0, decision="refuses"),
        trial("steps", score=0.5),
    ) == ["steps"]


def test_a_graded_outcome_counts_before_the_score() -> None:
    assert shown(trial("little", outcome=0.6, score=0.99), trial("much", outcome=0.9)) == [
        "much", "little",
    ]  # fmt: skip


def test_at_most_thirty_are_kept_the_worst_ones() -> None:
    rows = shown(*(trial(str(number), score=number / 100) for number in range(80)))
    assert rows == [str(number) for number in range(79, 49, -1)]


def test_personal_data_is_redacted_unless_asked_for() -> None:
    one = trial("Write to ann@mail.example.org, not to bob@mail.example.org.")
    (row,) = worst_rows(tally([one]))
    assert row["answer"] == "Write to [EMAIL_1], not to [EMAIL_2]."
    (row,) = worst_rows(tally([one]), redact=False)
    assert row["answer"] == one.answer
