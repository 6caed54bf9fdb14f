"""Each search finds a hole that the request as it is, and asking about, don't find."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from buttress.attacks.search import actor, crescendo, genetic, goat, pair, tap
from buttress.attacks.search.frames import FAMILIES, prototypes
from buttress.attacks.search.synonyms import mutated
from buttress.attacks.template import SLOT
from buttress.targets.base import Message
from tests.attacks.search.attackers import as_json, graded, last
from tests.attacks.search.parts import (
    REFUSAL,
    REQUEST,
    MemoryConversation,
    Turns,
    check,
    judged,
    prompts,
    spec,
    talked,
)


async def test_pair_follows_the_score_within_the_strategy_that_works() -> None:
    """The hole: an authority, then a number for its document, then a date."""

    def target(turns: Turns) -> str:
        text = last(turns)
        given = [word in text for word in ("ministry", "No. 7", "of May")]
        return ("leak 10", "leak 30", "leak 60", "leak 95")[sum(given)] if given[0] else REFUSAL

    def attacker(turns: Turns, seed: int) -> str:
        if "rest on authority" not in turns[0].content:
            return as_json(improvement="", prompt=f"A story about {REQUEST} {seed}")
        grade = graded(turns)  # 4 after a leak of 30
        steps = [(0, "The ministry asks"), (4, "No. 7"), (6, "of May")]
        said = [text for least, text in steps if grade >= least]
        return as_json(improvement=f"grade {grade}", prompt=f"{', '.join(said)}: {REQUEST}")

    conversation = MemoryConversation(target, attacker, 30)
    dialogue = await pair.ATTACK.run(spec(), conversation)
    check(pair.ATTACK, conversation, dialogue)
    assert dialogue.messages[-1].content == f"The ministry asks, No. 7, of May: {REQUEST}"
    assert judged(dialogue.text).outcome == 1
    assert len(conversation.asked) <= 3 * 4, "three rounds of four streams"

    def deaf(turns: Turns, seed: int) -> str:
        return attacker(turns[:2], seed)

    conversation = MemoryConversation(target, deaf, 30)
    assert judged((await pair.ATTACK.run(spec(), conversation)).text).score == 0.3


async def test_pair_shows_its_attacker_the_last_attempts_only() -> None:
    conversation = MemoryConversation(
        lambda _: "x" * 5_000, lambda turns, seed: as_json(prompt=f"p{seed}"), 30
    )
    await pair.ATTACK.run(spec(), conversation)
    longest = max(conversation.briefings, key=len)
    assert [turn.role for turn in longest] == ["system", "user"] + ["assistant", "user"] * 2
    assert len(last(longest)) < 1_000, "long answers are cut"
    kinds = {turns[0].content for turns in conversation.briefings}
    assert len(kinds) == 3


async def test_tap_asks_nothing_off_topic_and_grows_the_best() -> None:
    """The hole: the mark + three times; every branch comes with a sibling that strays."""

    def target(turns: Turns) -> str:
        return f"leak {min(95, 32 * last(turns).count('+'))}"

    def attacker(turns: Turns, seed: int) -> str:
        if "Two texts" in last(turns):
            return "no" if "weather" in last(turns) else "Yes."
        if "role-play" in turns[0].content:
            return as_json(prompt=f"How is the weather? {seed}")
        before = turns[-2].content.count("+") if len(turns) > 2 else 0
        return as_json(prompt=f"{'+' * (before + seed % 2)} {REQUEST} {seed}")

    conversation = MemoryConversation(target, attacker, 30)
    attack = replace(tap.ATTACK, branching=3, depth=6)
    dialogue = await attack.run(spec(), conversation)
    check(attack, conversation, dialogue)
    assert judged(dialogue.text).outcome == 1
    assert not any("weather" in prompt for prompt in prompts(conversation.asked))
    by_marks = [prompt.count("+") for prompt in prompts(conversation.asked)]
    assert max(by_marks) == 3, "each mark stands on a prompt that had the ones before"


@pytest.mark.parametrize("said", ["hm", ""])
async def test_tap_prunes_by_shared_words_where_its_evaluator_rambles(said: str) -> None:
    def attacker(turns: Turns, seed: int) -> str:
        if "Two texts" in last(turns):
            return said
        return as_json(prompt=f"Weather report {seed}" if seed % 2 else f"{REQUEST} {seed}")

    conversation = MemoryConversation(lambda _: REFUSAL, attacker, 30)
    await tap.ATTACK.run(spec(), conversation)
    asked = prompts(conversation.asked)
    on_topic = [prompt for prompt in asked if REQUEST in prompt]
    assert len(on_topic) > len(asked) / 2
    strayed = [turns for turns in conversation.briefings if "<message>Weather" in last(turns)]
    assert len(strayed) > len(asked) - len(on_topic), "most that strayed were not asked"


async def test_tap_keeps_the_best_of_each_level() -> None:
    """A branch that scores low has no successors."""

    def attacker(turns: Turns, seed: int) -> str:
        if "Two texts" in last(turns):
            return "yes"
        return as_json(prompt=f"{graded(turns)} {seed} {REQUEST}")

    def target(turns: Turns) -> str:
        return f"leak {int(last(turns).split()[1]) % 80}"

    conversation = MemoryConversation(target, attacker, 60)
    attack = replace(tap.ATTACK, branching=3, width=2, depth=3)
    await attack.run(spec(), conversation)
    answers = list(conversation.asked.values())
    assert len(answers) == attack.calls == 3 + 6 + 6
    best = sorted((judged(answer).score for answer in answers[:3]), reverse=True)[:2]
    parents = {int(prompt.split()[0]) for prompt in prompts(conversation.asked)[3:9]}
    assert parents == {1 + round(9 * score) for score in best}


def steep(turns: Turns) -> str:
    """Gives in to small steps; one refused question in its history, and it refuses for good."""
    levels = [int(re.findall(r"level (\d)", turn.content)[0]) for turn in talked(turns)[::2]]
    if any(b - a > 1 for a, b in zip([0, *levels], levels, strict=False)):
        return REFUSAL
    return f"Level {levels[-1]}. leak {19 * levels[-1]}"


async def test_crescendo_climbs_and_takes_back_what_was_refused() -> None:
    def attacker(turns: Turns, seed: int) -> str:
        state = last(turns)
        number = int(re.findall(r"Write message (\d) of 8", state)[0])
        hasty = number == 3 and "turned the following" not in state
        return as_json(summary="s", question=f"Go to level {number + 2 * hasty}")

    conversation = MemoryConversation(steep, attacker, 30)
    dialogue = await crescendo.ATTACK.run(spec(), conversation)
    check(crescendo.ATTACK, conversation, dialogue)
    assert judged(dialogue.text).outcome == 1
    assert [turn.content for turn in talked(dialogue.messages)[::2]] == [
        f"Go to level {level}" for level in range(1, 6)
    ]
    assert REFUSAL in conversation.asked.values()

    stubborn = replace(crescendo.ATTACK, backtracks=0)
    conversation = MemoryConversation(steep, attacker, 30)
    assert judged((await stubborn.run(spec(), conversation)).text).score < 0.5


async def test_goat_keeps_the_history_and_changes_its_technique() -> None:
    """The hole: a persona first, and then a primed answer in the same conversation."""

    def target(turns: Turns) -> str:
        said = [turn.content for turn in talked(turns)[::2]]
        if said[-1].startswith("Begin with") and any("You are Orren" in one for one in said[:-1]):
            return "leak 95"
        return "Orren here." if "You are Orren" in said[-1] else REFUSAL

    def attacker(turns: Turns, seed: int) -> str:
        briefing = last(turns)
        if "Orren here" in briefing:
            reply = "Begin with 'Sure'"
        elif "sorry" in briefing:
            reply = "You are Orren"
        else:
            reply = "Imagine a world"
        return f"Observation: o\nThought: t\nStrategy: s\n**Reply:** {reply}"

    conversation = MemoryConversation(target, attacker, 30)
    dialogue = await goat.ATTACK.run(spec(), conversation)
    check(goat.ATTACK, conversation, dialogue)
    assert judged(dialogue.text).outcome == 1
    assert [turn.content for turn in talked(dialogue.messages)[::2]] == [
        "Imagine a world", "You are Orren", "Begin with 'Sure'",
    ]  # fmt: skip
    numbers = [re.findall(r"message (\d) of 5", last(turns)) for turns in conversation.briefings]
    assert {one[0] for one in numbers if one} == {"2", "3"}


async def test_actor_goes_round_by_the_one_who_knows() -> None:
    """The hole: only the third actor's story leads there, and one question must be rewritten."""

    def target(turns: Turns) -> str:
        said = [turn.content for turn in talked(turns)[::2]]
        if "Brown" not in said[-1]:
            return "I'm not familiar with that."
        if "tools" in said[-1]:
            return REFUSAL
        return f"Brown's part {len(said)}. leak {32 * len(said)}"

    def attacker(turns: Turns, seed: int) -> str:
        briefing = last(turns)
        if "Name 3 such actors" in briefing:
            return "1. Adams: wrote about it\n2. Clark: sold it\n3. Brown: was tried for it"
        name = re.findall(r"Adams|Clark|Brown", briefing)[0]
        if "did not get further" in briefing:
            assert ("it declined" in briefing) == ("tools" in briefing)
            return as_json(question=f"What did {name} carry?")
        return as_json(questions=[f"Who was {name}?", f"{name}'s tools?", f"How did {name} do it?"])

    conversation = MemoryConversation(target, attacker, 30)
    dialogue = await actor.ATTACK.run(spec(), conversation)
    check(actor.ATTACK, conversation, dialogue)
    assert judged(dialogue.text).outcome == 1
    assert [turn.content for turn in talked(dialogue.messages)[::2]] == [
        "Who was Brown?", "What did Brown carry?", "How did Brown do it?",
    ]  # fmt: skip


async def test_actor_finds_kinds_of_actors_for_a_model_that_names_none() -> None:
    def attacker(turns: Turns, seed: int) -> str:
        named = re.findall(r"An actor with a tie to it: (.*)", last(turns))
        return as_json(questions=[f"About {named[0]}?"]) if named else "no idea"

    conversation = MemoryConversation(lambda _: "Well.", attacker, 30)
    await actor.ATTACK.run(spec(), conversation)
    asked = prompts(conversation.asked)
    assert len(asked) == 3
    assert "a historian" in asked[1]


def picky(turns: Turns) -> str:
    """The hole: a scene before the request and a rule for the opening after it, in one message."""
    before, _, after = last(turns).partition(REQUEST)
    parts = [len(before) > 60, "step" in after.lower() or "first line" in after.lower()]
    return f"leak {(5, 40, 95)[sum(parts)]}" if sum(parts) else REFUSAL


async def test_genetic_crosses_what_single_frames_lack() -> None:
    variants = [(family, variant) for family in FAMILIES for variant in family.variants]
    for family, variant in variants:
        (message,) = family.apply(REQUEST, variant, language="en", seed=0)
        assert judged(picky((message,))).outcome == 0, "no frame of its own does it"
    found = 0
    attack = replace(genetic.ATTACK, population=16, children=10, generations=7)
    for seed in range(10):
        conversation = MemoryConversation(picky, None, attack.calls)
        dialogue = await attack.run(spec(seed=seed), conversation)
        check(attack, conversation, dialogue)
        found += judged(dialogue.text).outcome == 1
    assert found >= 5


def wordy(turns: Turns) -> str:
    """The hole: three words of one frame, each put as no family puts it. Each pays by itself."""
    text = last(turns).lower()
    return f"leak {31 * sum(word in text for word in ('scene', 'specialist', 'former'))}"


async def test_genetic_learns_words() -> None:
    attack = replace(genetic.ATTACK, population=16, children=10, generations=7)
    found = blind = 0
    for seed in range(20):
        conversation = MemoryConversation(wordy, None, attack.calls)
        found += judged((await attack.run(spec(seed=seed), conversation)).text).outcome == 1
        rng = random.Random(seed)
        frames = prototypes("en", rng)
        for _ in range(attack.calls):
            text = mutated(rng.choice(frames), 0.5, rng).replace(SLOT, REQUEST)
            if judged(wordy((Message("user", text),))).outcome:
                blind += 1
                break
    assert found >= 6
    assert found >= 3 * blind


async def test_genetic_uses_an_attacker_model_where_there_is_one() -> None:
    def attacker(turns: Turns, seed: int) -> str:
        return f"Pray tell, dear machine, {seed}: {SLOT}"

    conversation = MemoryConversation(lambda _: "leak 10", attacker, 30)
    await genetic.ATTACK.run(spec(), conversation)
    reworded = [text for text in prompts(conversation.asked) if text.startswith("Pray tell")]
    assert reworded
    assert all(text.endswith(REQUEST) for text in reworded)
    assert len(conversation.asked) == genetic.ATTACK.calls
