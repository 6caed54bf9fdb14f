"""Occlusion, contrast and log probabilities against targets whose rule is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import pytest

from buttress.explain.contrast import find_contrast
from buttress.explain.decisions import AskedPrompt, PromptDecision
from buttress.explain.occlusion import decision_occlusion, log_probability_occlusion
from buttress.explain.spans import PromptSpans
from buttress.protocols.judge import Judgement
from buttress.protocols.procedure import CallsSpentError
from buttress.statistics.order_test import OrderTest
from buttress.targets.base import Message

WORDS = "zero one two three four five six seven eight nine ten eleven"
Rule = Callable[[set[str]], bool]


class Ruled:
    """A conversation whose target complies where ``rule`` holds for the words of the prompt."""

    def __init__(self, rule: Rule, calls: int = 10_000) -> None:
        self._rule = rule
        self._calls = calls
        self._asked: set[tuple[str, int]] = set()

    @property
    def left(self) -> int:
        return self._calls - len(self._asked)

    async def ask(self, messages: Sequence[Message], *, seed: int | None = None) -> str:
        self._spend(messages[-1].content, seed or 0)
        return "yes" if self._rule(set(messages[-1].content.split())) else "no"

    async def score(self, prompt: str, answer: str) -> Judgement:
        failed = answer == "yes"
        return Judgement(float(failed), 0.9 if failed else 0.1)

    async def first_token(self, messages: Sequence[Message]) -> Mapping[str, float]:
        text = messages[-1].content
        self._spend(text, -1)
        return {"A": -0.1 * (13 - len(text.split())), "B": -3.0} if "zero" in text else {"B": -0.5}

    def _spend(self, text: str, seed: int) -> None:
        if (text, seed) not in self._asked:
            if self.left <= 0:
                raise CallsSpentError
            self._asked.add((text, seed))


def asked(rule: Rule, calls: int = 10_000, words: str = WORDS) -> AskedPrompt:
    return AskedPrompt(Ruled(rule, calls), PromptSpans(words))


async def contrast(rule: Rule) -> tuple[set[str], bool] | None:
    one = asked(rule)
    base = await one.decide()
    occluded, singles = await decision_occlusion(one, base, 0, 0)
    found = await find_contrast(one, base, occluded.values, singles)
    if found is None:
        return None
    assert found.decision.differs(base)
    assert (found.holds, found.asked) == (3, 3)
    return {one.spans.texts[at].strip() for at in found.removed}, found.smallest


@pytest.mark.parametrize(
    ("prompt", "spans"),
    [
        ("How do I pick a lock?", ["How ", "do ", "I ", "pick ", "a ", "lock?"]),
        ("  two\nlines ", ["  two\n", "lines "]),
        ("如何撬开一把锁？", ["如何", "撬开", "一把", "锁", "？"]),
        ("", []),
    ],
)
def test_spans_are_words_and_together_the_prompt(prompt: str, spans: list[str]) -> None:
    found = PromptSpans(prompt)
    assert found.texts == spans
    assert found.without(()) == "".join(spans) == prompt


def test_long_prompts_are_cut_into_runs_of_like_length() -> None:
    prompt = " ".join(f"w{at}" for at in range(100))
    found = PromptSpans(prompt, 24)
    assert found.words == 100
    assert len(found) == 24
    assert "".join(found.texts) == prompt
    assert {len(text.split()) for text in found.texts} == {4, 5}
    assert found.without({0, 23}).split() == [f"w{at}" for at in range(4, 96)]


async def test_a_word_on_which_the_decision_hangs_is_the_contrast() -> None:
    assert await contrast(lambda words: "five" in words) == ({"five"}, True)


async def test_two_words_that_must_both_go_are_found_and_proven_smallest() -> None:
    found = await contrast(lambda words: bool({"two", "nine"} & words))
    assert found == ({"two", "nine"}, True)


async def test_of_larger_sets_each_word_is_needed_though_smaller_ones_are_not_ruled_out() -> None:
    many = {"one", "four", "seven", "ten"}

    def rule(words: set[str]) -> bool:
        return bool(many & words)

    found = await contrast(rule)
    assert found == (many, False)
    everything = set(WORDS.split())
    for fewer in combinations(many, 3):
        assert rule(everything - set(fewer))


async def test_where_nothing_flips_there_is_no_contrast() -> None:
    assert await contrast(lambda words: True) is None


async def test_an_abstention_is_no_flip() -> None:
    decided = PromptDecision("p", "a", Judgement(1.0, 0.9))
    assert not decided.differs(PromptDecision("p", "a", Judgement(0.5, 0.1, abstained=True)))
    assert decided.differs(PromptDecision("p", "a", Judgement(0.0, 0.1)))
    assert PromptDecision("p", "a", Judgement(0.0, 0.2)).agreement(decided) == pytest.approx(0.2)


async def test_values_are_what_a_word_adds_and_graded_scores_pass_the_test() -> None:
    one = asked(lambda words: "five" in words)
    found, _ = await decision_occlusion(one, await one.decide(), 0, 0)
    assert found.whole == pytest.approx(0.9)
    assert found.values == pytest.approx([0.8 if at == 5 else 0 for at in range(12)])
    assert found.orders == 39
    assert found.faithfulness is not None
    # Log probabilities here fall by 0.1 a word and by more than can be told without "zero".
    first = (await one.first_tokens([()]))[0]
    graded = await log_probability_occlusion(one, first, 0)
    assert graded.values[0] == pytest.approx(-0.1 + 0.5)
    assert graded.values[1:] == pytest.approx([0.1] * 11)
    assert graded.censored > 0


async def test_too_small_a_budget_leaves_the_test_out_and_never_asks_beyond_it() -> None:
    one = asked(lambda words: "five" in words, calls=40)
    found, singles = await decision_occlusion(one, await one.decide(), 0, 0)
    assert found.faithfulness is None
    assert found.orders == 0
    assert len(singles) == 12
    assert one.left == 40 - 13
    late = asked(lambda words: bool({"two", "nine"} & words), calls=14)
    base = await late.decide()
    occluded, singles = await decision_occlusion(late, base, 0, 0)
    with pytest.raises(CallsSpentError):
        await find_contrast(late, base, occluded.values, singles)


def test_sizes_of_both_ways_are_alike_so_that_random_orders_serve_both() -> None:
    for parts in range(2, 60):
        for steps in (4, 8):
            test = OrderTest(parts, orders=1, steps=steps)
            removals = test.removals(list(range(parts, 0, -1)))
            half = len(removals) // 2
            sizes = [len(one) for one in removals]
            assert sizes[:half] == sorted(sizes[half:])
            assert {1, parts - 1} <= set(sizes)
            assert all(one == list(range(len(one))) for one in removals[:half])
    assert not OrderTest(1).possible
