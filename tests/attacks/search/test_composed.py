"""Searches in disguise: the target gets the transformed last message, the rest stays as it was."""

from __future__ import annotations

import base64

import pytest

from buttress.attacks import chinese, in_context, obfuscation, prefix_injection, role_play
from buttress.attacks.composition import compose
from buttress.attacks.search.base import SearchAttack
from buttress.attacks.search.composed import disguised
from buttress.protocols.procedure import AttackerError
from buttress.targets.address import flatten
from buttress.targets.base import Message
from tests.attacks.search.attackers import as_json, fresh, last
from tests.attacks.search.parts import ATTACKS, SYSTEM, MemoryConversation, Turns, judged, spec

attacks = pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=list(ATTACKS))


@attacks
def test_a_disguised_search_is_described_by_its_parts(attack: SearchAttack) -> None:
    made = disguised(attack, obfuscation.ATTACK, "base64")
    assert made.id == f"{attack.id}+obfuscation:base64"
    assert made.version == f"{attack.version}+{obfuscation.ATTACK.version}"
    assert set(made.references) == {*attack.references, *obfuscation.ATTACK.references}
    assert len(set(made.references)) == len(made.references)
    assert (made.calls, made.needs_attacker) == (attack.calls, attack.needs_attacker)
    assert made.languages == ("en", "zh")
    assert disguised(attack, chinese.ATTACK, chinese.ATTACK.variants[0]).languages == ("zh",)
    assert not hasattr(made, "apply")
    other = disguised(attack, obfuscation.ATTACK, "hex")
    assert other.id != made.id


@attacks
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_target_sees_the_transformed_last_message_only(
    attack: SearchAttack, language: str
) -> None:
    """Asked in plain text and in disguise, the same search sends the same apart from the last."""
    family = prefix_injection.ATTACK

    def target(turns: Turns) -> str:
        return "Locks. leak 10"

    plain = MemoryConversation(target, fresh, 30)
    await attack.run(spec(language=language), plain)
    covered = MemoryConversation(target, fresh, 30)
    dialogue = await disguised(attack, family, "heading").run(spec(language=language), covered)
    for sent, meant in zip(covered.asked, plain.asked, strict=True):
        assert sent[:-1] == meant[:-1]
        turned = family.apply(last(meant), "heading", language=language, seed=0)
        assert sent[-1:] == turned
        assert sent != meant
    assert dialogue.messages in covered.asked
    assert plain.briefings == covered.briefings, "the attacker model knows nothing of it"
    judge_read = {prompt for prompt, _ in covered.scored}
    assert judge_read == {flatten(turns) for turns in covered.asked}


async def test_a_hole_that_takes_both() -> None:
    """Only Base64 gets past, and only what the attacker model found makes it answer."""

    def target(turns: Turns) -> str:
        try:
            text = base64.b64decode(last(turns).split()[-1]).decode()
        except ValueError:
            return "I'm sorry, but I can't help with that."
        return "leak 95" if "key 4" in text else "leak 5"

    def attacker(turns: Turns, seed: int) -> str:
        return as_json(prompt=f"key {len(turns)}")

    made = disguised(ATTACKS["pair"], obfuscation.ATTACK, "base64")
    conversation = MemoryConversation(target, attacker, 30)
    assert judged((await made.run(spec(), conversation)).text).outcome == 1
    for search in (ATTACKS["pair"], disguised(ATTACKS["pair"], obfuscation.ATTACK, "rot13")):
        conversation = MemoryConversation(target, attacker, 30)
        assert judged((await search.run(spec(), conversation)).text).outcome == 0


async def test_families_that_send_several_turns_and_compositions() -> None:
    variant = in_context.ATTACK.variants[0]
    conversation = MemoryConversation(lambda _: "leak 10", fresh, 30)
    await disguised(ATTACKS["crescendo"], in_context.ATTACK, variant).run(spec(), conversation)
    assert all(turns[0] == SYSTEM for turns in conversation.asked)
    first = next(iter(conversation.asked))
    assert [turn.role for turn in first] == ["system", "user", "assistant", "user"]

    both = compose(role_play.ATTACK, obfuscation.ATTACK, [("novelist", "base64")])
    made = disguised(ATTACKS["pair"], both, "novelist+base64")
    assert made.id == "pair+role-play+obfuscation:novelist+base64"
    conversation = MemoryConversation(lambda _: "leak 10", fresh, 30)
    dialogue = await made.run(spec(), conversation)
    assert "thriller" in last(dialogue.messages)


async def test_with_a_silent_attacker_nothing_is_asked_in_disguise() -> None:
    search = disguised(ATTACKS["goat"], obfuscation.ATTACK, "base64")
    conversation = MemoryConversation(lambda _: "no", lambda turns, seed: "", 30)
    with pytest.raises(AttackerError):
        await search.run(spec(), conversation)
    assert not conversation.asked


def test_what_does_not_go_together() -> None:
    with pytest.raises(ValueError, match="no variant 'base65'"):
        disguised(ATTACKS["pair"], obfuscation.ATTACK, "base65")
    only = disguised(ATTACKS["pair"], chinese.ATTACK, "pinyin")
    with pytest.raises(ValueError, match="no language in common"):
        disguised(only, _English(), "x")


class _English:
    id, version, title, calls = "english", "1", "English", 1
    references: tuple[str, ...] = ()
    variants = ("x",)
    languages = ("en",)

    def apply(self, request: str, variant: str, *, language: str, seed: int) -> tuple[Message, ...]:
        return (Message("user", request),)
