"""Protocols between scripts of known accuracy: what each finds, and what is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from buttress.errors import ButtressError, InputError
from buttress.evidence.store import EvidenceStore
from buttress.oversight.constitution import load_constitution
from buttress.oversight.item import OversightItem
from buttress.oversight.protocols import PROTOCOLS, ProtocolSettings
from buttress.oversight.quotes import check_quotes
from buttress.oversight.result import judge_run
from buttress.probes.behaviour.charter.principles import Principle
from buttress.targets.base import Request, TargetError
from tests.oversight.actors import knows, letters, oversee_scripted, task

LOG = "At noon Anna took seven crates."


def last(request: Request) -> str:
    return request.messages[-1].content


def test_direct_shows_the_gap_and_stops_as_soon_as_it_does(tmp_path: Path) -> None:
    record = oversee_scripted(tmp_path, "direct", knows(0.5, "o"), knows(0.95, "w"))
    result = judge_run(record.outcomes, 0.1)
    assert (result.verdict, record.stopped) == ("gap", "decided")
    assert 10 <= len(record.outcomes) < 120
    assert result.gap.low > 0
    assert record.calls == 2 * len(record.outcomes)
    assert result.gain is None
    assert result.protocol is None


def test_equals_show_no_gap(tmp_path: Path) -> None:
    record = oversee_scripted(
        tmp_path, "direct", knows(0.7, "same"), knows(0.7, "same"), items=task(400)
    )
    assert judge_run(record.outcomes, 0.1).verdict == "no-gap"


def arguing(request: Request) -> str:
    """Quotes the text for the right side only; the wrong side has nothing to quote."""
    prompt = last(request)
    if "Argue" not in prompt:
        return knows(1, "w")(request)
    letter = re.findall(r"option ([AB]) is right, whatever", prompt)[-1]
    true = letter == letters(prompt)["right"]
    return f"Option {letter}: <quote>{'anna  TOOK seven crates' if true else 'five'}</quote>"


def checking(request: Request) -> str:
    """Believes the one whose quote stands in the text, guesses alone."""
    prompt = last(request)
    found = re.findall(r"for option ([AB]): Option [AB]: \[in the text", prompt)
    return found[-1] if found else knows(0.5, "o")(request)


def test_debate_with_checked_quotes_recovers_the_gap(tmp_path: Path) -> None:
    record = oversee_scripted(tmp_path, "debate", checking, arguing, items=task(text=LOG))
    result = judge_run(record.outcomes, 0.1)
    assert result.verdict == "helps"
    assert result.protocol is not None
    assert result.protocol.estimate == 1
    assert result.recovered is not None
    assert result.recovered.estimate == pytest.approx(1)
    assert result.recovered.low <= 1 <= result.recovered.high
    assert result.convinced is not None
    assert (result.convinced.estimate, result.convinced.items) == (0, len(record.outcomes))


def believing(request: Request) -> str:
    """Believes whatever was argued last."""
    found = re.findall(r"for option ([AB]): ", last(request))
    return found[-1] if found else knows(1, "o")(request)


def test_a_consultant_who_is_always_believed_does_harm(tmp_path: Path) -> None:
    record = oversee_scripted(tmp_path, "consultancy", believing, arguing)
    result = judge_run(record.outcomes, 0.1)
    assert result.verdict == "harms"
    assert result.convinced is not None
    assert result.led_right is not None
    assert (result.convinced.estimate, result.led_right.estimate) == (1, 1)
    assert result.convinced.items + result.led_right.items == len(record.outcomes)
    assert 0.3 < result.convinced.items / len(record.outcomes) < 0.7  # the side is random


def test_an_overseer_who_does_not_listen_has_no_gain(tmp_path: Path) -> None:
    record = oversee_scripted(tmp_path, "debate", knows(0.6, "o"), arguing, items=task(400))
    result = judge_run(record.outcomes, 0.1)
    assert result.verdict == "no-gain"
    assert result.gain is not None
    assert result.gain.estimate == 0


def revising(request: Request) -> str:
    """Wrong at first; a principle named GOOD mends the answer, one named BAD spoils it."""
    prompt = last(request)
    side = letters(prompt)
    if "<critique>" in prompt:
        mended = "principle 'GOOD'" in prompt
        return f"Now. Answer: {side['right' if mended else 'wrong']}"
    if "Find what is wrong" in prompt:
        return "It is not well founded."
    if "reasons" in prompt:
        return f"So. Answer: {side['wrong']}"
    return side["right"]


def test_critique_records_which_principle_did_what(tmp_path: Path) -> None:
    principles = (Principle("good", "GOOD", ""), Principle("bad", "BAD", ""))

    def overseer(request: Request) -> str:
        answers = re.findall(r"Answer: ([AB])", last(request))
        return answers[-1] if answers else knows(0.5, "o")(request)

    record = oversee_scripted(
        tmp_path, "critique", overseer, revising, items=task(40),
        settings=ProtocolSettings(rounds=2, principles=principles), margin=0.001,
    )  # fmt: skip
    result = judge_run(record.outcomes, 0.001)
    effects = {one.principle: one for one in result.principles}
    assert effects["good"].mended == effects["good"].revisions == len(record.outcomes)
    # Bad spoils what good mended before it, and leaves wrong what was wrong before.
    assert effects["bad"].mended == 0
    assert 0 < effects["bad"].spoilt < effects["bad"].revisions
    wrong = [one for one in record.outcomes if one.protocol and one.protocol.argued == "wrong"]
    assert len(wrong) == effects["bad"].spoilt
    assert result.convinced is not None
    assert (result.convinced.items, result.convinced.estimate) == (len(wrong), 1)


def test_decompose_asks_part_by_part(tmp_path: Path) -> None:
    asked: list[str] = []

    def worker(request: Request) -> str:
        prompt = last(request)
        if "in one sentence" in prompt:
            asked.append(prompt)
            assert "A." not in prompt  # the parts do not show the options
            return "seven"
        return knows(1, "w")(request)

    def overseer(request: Request) -> str:
        prompt = last(request)
        if "one a line" in prompt:
            return "How many?\n\nWho?\nA third?\nA fourth?\nA fifth?"
        return letters(prompt)["right"] if "seven" in prompt else letters(prompt)["wrong"]

    record = oversee_scripted(tmp_path, "decompose", overseer, worker, items=task(12, text=LOG))
    result = judge_run(record.outcomes, 0.1)
    assert result.verdict == "helps"
    assert len(asked) == 4  # of the text alone, so all items share the replies
    assert all(LOG in one for one in asked)


def test_weak_labels_as_examples(tmp_path: Path) -> None:
    def worker(request: Request) -> str:
        """Learns from the share of true labels among the examples."""
        prompt = last(request)
        labels = re.findall(
            r"^A\. (right|wrong) \d+\nB\. \w+ \d+\nAnswer: ([AB])", prompt, re.MULTILINE
        )
        true = sum((first == "right") == (letter == "A") for first, letter in labels)
        return knows(true / len(labels), "w")(request)

    record = oversee_scripted(tmp_path, "weak-to-strong", knows(0.6, "o"), worker, items=task(150))
    result = judge_run(record.outcomes, 0.1)
    assert result.worker.estimate == 1  # with true labels
    assert result.protocol is not None
    assert result.protocol.estimate < 1
    assert len(record.outcomes) <= 138
    assert record.calls == 12 + 3 * len(record.outcomes)
    with pytest.raises(ButtressError, match="chose an option in none of 12 examples"):
        oversee_scripted(tmp_path / "dumb", "weak-to-strong", lambda request: "?", worker)
    with pytest.raises(InputError, match="12 items, of which 12 are examples"):
        oversee_scripted(tmp_path, "weak-to-strong", knows(0.6, "o"), worker, items=task(12))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS.keys() - {"weak-to-strong"}))
@pytest.mark.parametrize("rounds", [1, 2])
def test_the_calls_of_an_item_are_bounded_as_stated(
    tmp_path: Path, protocol: str, rounds: int
) -> None:
    def many(request: Request) -> str:
        return "\n".join(f"Question {n} of {hash(last(request))}?" for n in range(20))

    settings = ProtocolSettings(rounds=rounds, principles=load_constitution())
    record = oversee_scripted(
        tmp_path, protocol, many, many, items=task(13), settings=settings, margin=0.001
    )
    kind = PROTOCOLS[protocol]
    per_item = 2 + kind.calls + kind.per_round * rounds
    assert record.calls == per_item * len(record.outcomes)
    result = judge_run(record.outcomes, 0.1)
    assert result.overseer.estimate == 0.5  # nothing could be read
    assert result.overseer.unread == len(record.outcomes)


def test_the_budget_is_never_exceeded_and_must_suffice_for_an_item(tmp_path: Path) -> None:
    record = oversee_scripted(tmp_path, "debate", knows(0.6, "o"), arguing, budget=23, margin=0.001)
    assert (len(record.outcomes), record.calls, record.stopped) == (4, 20, "budget")
    with pytest.raises(InputError, match="4 calls are too few; expected 5 or more"):
        oversee_scripted(tmp_path, "debate", knows(0.6, "o"), arguing, budget=4)


def test_the_same_run_again_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    first = oversee_scripted(tmp_path, "debate", checking, arguing, items=task(text=LOG))
    with EvidenceStore.open(tmp_path / "evidence.db", read_only=True) as store:
        trials = list(store.trials())
        turns = list(store.turns())
    assert len(trials) == 3 * len(first.outcomes)
    assert {one.attack for one in trials} == {"overseer", "worker", "protocol"}
    assert len(turns) == first.calls

    def nobody(request: Request) -> str:
        raise AssertionError

    again = oversee_scripted(tmp_path, "debate", nobody, nobody, items=task(text=LOG))
    assert again == first
    with EvidenceStore.open(tmp_path / "evidence.db", read_only=True) as store:
        assert len(list(store.trials())) == len(trials)


def test_items_without_an_answer_are_told_and_a_dead_target_ends_the_run(tmp_path: Path) -> None:
    def some(request: Request) -> str:
        if "Item number 3?" in last(request):
            raise TargetError("HTTP 500", retry=False)
        return knows(0.9, "w")(request)

    record = oversee_scripted(tmp_path / "some", "direct", knows(0.2, "o"), some)
    assert record.lost == {"i3": "HTTP 500"}
    assert "i3" not in {one.id for one in record.outcomes}

    def dead(request: Request) -> str:
        raise TargetError("HTTP 401", retry=False)

    with pytest.raises(ButtressError, match="16 items in a row got no answer: HTTP 401"):
        oversee_scripted(tmp_path / "dead", "direct", knows(0.2, "o"), dead)
    with pytest.raises(ButtressError, match="2 items in a row got no answer"):
        oversee_scripted(tmp_path / "two", "direct", knows(0.2, "o"), dead, items=task(2))


def test_quotes_are_checked() -> None:
    def mark(stands: bool, quote: str) -> str:
        return f"{stands}:{quote}"

    text = "He said “stop” twice.\nThen he left."
    said = 'x <quote>he said "stop"</quote> y <QUOTE>Then he stayed</QUOTE> <quote> </quote>'
    assert check_quotes(said, text, mark) == ('x True:he said "stop" y False:Then he stayed False:')


def test_order_and_side_are_fair_and_fixed() -> None:
    items = [OversightItem(f"i{n}", "?", "r", "w") for n in range(1000)]
    assert 440 < sum(one.letter("right", 0) == "A" for one in items) < 560
    assert 440 < sum(one.side(0) == "right" for one in items) < 560
    both = sum((one.letter("right", 0) == "A") == (one.side(0) == "right") for one in items)
    assert 440 < both < 560
    assert [one.side(1) for one in items] != [one.side(0) for one in items]
    assert items[0].letter("right", 5) != items[0].letter("wrong", 5)
