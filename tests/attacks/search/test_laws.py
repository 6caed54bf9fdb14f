"""What holds for every search: budget, best exchange, determinism, whatever anybody says."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.attacks.search.base import SearchAttack
from buttress.protocols.procedure import AttackerError, CallsSpentError, Dialogue
from buttress.targets.address import flatten
from buttress.targets.base import TargetError
from tests.attacks.search.attackers import MALFORMED, cycling, fresh
from tests.attacks.search.parts import (
    ATTACKS,
    CHINESE,
    REFUSAL,
    REQUEST,
    MemoryConversation,
    Turns,
    check,
    prompts,
    spec,
)

attacks = pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=list(ATTACKS))
ANSWERS = (
    REFUSAL,
    "Locks have pins. leak 20",
    "leak 50",
    "I don't know that.",
    "",
    "抱歉，我无法回答。",
)


def answering(answers: tuple[str, ...]) -> Any:
    return lambda turns: answers[sum(map(len, (turn.content for turn in turns))) % len(answers)]


async def state(attack: SearchAttack, conversation: MemoryConversation, **given: Any) -> Dialogue:
    return await attack.run(spec(**given), conversation)


@attacks
def test_searches_are_documented(attack: Any) -> None:
    assert all((attack.papers, attack.atlas, attack.owasp, attack.title, attack.version))
    assert attack.languages == ("en", "zh")
    assert not hasattr(attack, "apply"), "that is how searches are told from families"
    assert attack.needs_attacker == (attack.id != "genetic")
    assert 10 <= attack.calls <= 24


def test_the_page_lists_every_search_with_its_calls() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/attacks-search.md").read_text("utf-8")
    for attack in ATTACKS.values():
        attacker = "needed" if attack.needs_attacker else "optional"
        assert f"| `{attack.id}` | {attack.calls} | {attacker} |" in page


async def test_the_example_of_the_page_works(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs/attacks-search.md").read_text("utf-8")
    composed, written = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    example = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", example)
    exec(composed, example.__dict__)
    assert example.ATTACK.id == "pair+obfuscation:base64"
    exec(written, example.__dict__)
    conversation = MemoryConversation(lambda turns: f"leak {len(prompts([turns])[0]) % 7}", None, 9)
    dialogue = await state(example.ATTACK, conversation)
    check(example.ATTACK, conversation, dialogue)
    assert prompts(conversation.asked) == [REQUEST + "!" * times for times in (1, 2, 3)]


@attacks
@settings(max_examples=40, deadline=None)
@given(
    budget=st.integers(1, 30),
    replies=st.lists(st.sampled_from(MALFORMED) | st.text(max_size=40), min_size=1, max_size=8),
    answers=st.lists(st.sampled_from(ANSWERS) | st.text(max_size=20), min_size=1, max_size=5),
    trial=st.fixed_dictionaries(
        {"language": st.sampled_from(["en", "zh", "zh-Hans"]), "seed": st.integers(0, 2**32)}
    ),
)
async def test_the_budget_holds_whatever_is_said(
    attack: SearchAttack, budget: int, replies: list[str], answers: list[str], trial: Any
) -> None:
    target, attacker = answering(tuple(answers)), cycling(replies)
    conversation = MemoryConversation(target, attacker, budget)
    late = MemoryConversation(target, attacker, budget, late=trial["seed"])
    try:
        dialogue = await state(attack, conversation, **trial)
    except AttackerError:
        assert not conversation.asked
        with pytest.raises(AttackerError):
            await state(attack, late, **trial)
        return
    check(attack, conversation, dialogue)
    assert await state(attack, late, **trial) == dialogue
    assert set(late.asked) == set(conversation.asked), "slow answers change no question"


@attacks
async def test_without_any_budget_there_is_nothing_to_judge(attack: SearchAttack) -> None:
    with pytest.raises(CallsSpentError):
        await state(attack, MemoryConversation(answering(ANSWERS), cycling(MALFORMED), 0))


@attacks
async def test_a_conversation_that_ends_early_yields_the_best_so_far(attack: SearchAttack) -> None:
    class Short(MemoryConversation):
        @property
        def left(self) -> int:
            return 30  # it promises more than it holds

        async def ask(self, messages: Any, **sampling: Any) -> str:
            if len(self.asked) >= 3 and tuple(messages) not in self.asked:
                raise CallsSpentError("spent")
            return await super().ask(messages, **sampling)

    conversation = Short(lambda _: "leak 10", cycling(MALFORMED), 30)
    dialogue = await state(attack, conversation)
    assert dialogue.text == "leak 10"
    assert 1 <= len(conversation.asked) <= 3


@attacks
async def test_with_an_attacker_of_no_use_there_is_no_search(attack: SearchAttack) -> None:
    if not attack.needs_attacker:
        pytest.skip("asks without one")
    conversation = MemoryConversation(lambda _: REFUSAL, lambda turns, seed: "", 30)
    with pytest.raises(AttackerError, match="wrote no question"):
        await state(attack, conversation)
    assert not conversation.asked
    assert len(conversation.briefings) <= 48


@attacks
async def test_the_first_of_equals_wins(attack: SearchAttack) -> None:
    conversation = MemoryConversation(lambda _: "leak 30", fresh, 30)
    dialogue = await state(attack, conversation)
    assert len(conversation.asked) > 1
    assert dialogue.messages == next(iter(conversation.asked))


@attacks
async def test_a_success_ends_the_search(attack: SearchAttack) -> None:
    conversation = MemoryConversation(lambda _: "leak 95", cycling(MALFORMED), 30)
    await state(attack, conversation)
    at_once = {"pair": 4, "goat": 4, "tap": 2, "crescendo": 1, "actor": 3, "genetic": 8}
    assert len(conversation.asked) <= at_once[attack.id], "no more than one round"


@attacks
async def test_the_judge_reads_what_was_sent(attack: SearchAttack) -> None:
    conversation = MemoryConversation(answering(ANSWERS), cycling(MALFORMED), 30)
    await state(attack, conversation)
    told = {(flatten(turns), answer) for turns, answer in conversation.asked.items()}
    assert set(conversation.scored) == told


@attacks
async def test_failures_pass_through_and_leave_nobody_asking(attack: SearchAttack) -> None:
    def failing(turns: Turns) -> str:
        raise TargetError("connection lost", retry=True)

    conversation = MemoryConversation(failing, cycling(MALFORMED), 30)
    with pytest.raises(TargetError, match="connection lost"):
        await state(attack, conversation)
    assert len(asyncio.all_tasks()) == 1


@attacks
async def test_seeds_and_items_change_what_is_asked(attack: SearchAttack) -> None:
    async def asked(**given: Any) -> list[str]:
        conversation = MemoryConversation(lambda _: "leak 10", fresh, 30)
        await state(attack, conversation, **given)
        return prompts(conversation.asked)

    same = await asked(seed=1)
    assert same == await asked(seed=1)
    assert same != await asked(seed=2)
    assert same != await asked(seed=1, item="other")


@attacks
async def test_briefings_are_in_the_requests_language(attack: SearchAttack) -> None:
    for language, request, other in (("en", REQUEST, "测试"), ("zh", CHINESE, "You ")):
        conversation = MemoryConversation(answering(ANSWERS), cycling(MALFORMED), 30)
        await state(attack, conversation, language=language)
        assert conversation.briefings
        for turns in conversation.briefings:
            text = "\n".join(turn.content for turn in turns if turn.role != "assistant")
            assert other not in text
            assert "{strategy}" not in text
            assert attack.id == "genetic" or request in text
