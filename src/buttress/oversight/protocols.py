"""The protocols: what overseer and worker say to each other about one item.

``consultancy`` and ``debate`` after Kenton et al. 2024, *On scalable oversight with weak LLMs
judging strong LLMs*; ``critique`` after Saunders et al. 2022 and Bai et al. 2022; ``decompose``
after Christiano, Shlegeris & Amodei 2018; ``weak-to-strong`` after Burns et al. 2023, with labels
as examples in the prompt instead of training.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from buttress.oversight.item import LETTERS, OversightItem, Side
from buttress.oversight.quotes import check_quotes
from buttress.oversight.reading import read_side
from buttress.oversight.wording import ItemWording, other_letter
from buttress.probes.behaviour.charter.principles import Principle

MAX_PARTS: Final = 4  # questions that a task is decomposed into


class Voices(Protocol):
    """Both sides, as a protocol hears them."""

    async def overseer(self, prompt: str) -> str:
        """The overseer's reply."""
        ...

    async def worker(self, prompt: str) -> str:
        """The worker's reply."""
        ...


@dataclass(frozen=True, slots=True)
class Revision:
    """An answer before and after one principle was applied; sides are None where unreadable."""

    principle: str
    round: int
    before: Side | None
    after: Side | None
    changed_text: bool


@dataclass(frozen=True, slots=True)
class ProtocolOutcome:
    """What the overseer decided. ``wrong_side`` says that a wrong side was argued for.

    ``chosen`` is None where its reply named no option. ``argued`` is the side of the consultant,
    or of the worker's final answer; None where both or none were argued for.
    """

    chosen: Side | None
    wrong_side: bool
    argued: Side | None = None
    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True, slots=True)
class ProtocolSettings:
    """``examples`` are the items of weak-to-strong with the letters that the overseer gave."""

    seed: int = 0
    rounds: int = 1
    principles: Sequence[Principle] = ()
    examples: Sequence[tuple[OversightItem, str]] = ()


Run = Callable[[OversightItem, ProtocolSettings, Voices], Awaitable[ProtocolOutcome]]


async def ask_overseer(item: OversightItem, seed: int, voices: Voices) -> Side | None:
    """What the overseer says alone, without the text."""
    words = ItemWording(item, seed)
    reply = await voices.overseer(f"{words.without_text}\n\n{words.say('decide')}")
    return read_side(reply, item, seed)


async def ask_worker(
    item: OversightItem, seed: int, voices: Voices, examples: Sequence[tuple[OversightItem, str]]
) -> Side | None:
    """What the worker says alone, with the text, after examples where there are any."""
    words = ItemWording(item, seed)
    prompt = f"{_shown(words, examples, seed)}{words.with_text}\n\n{words.say('decide')}"
    return read_side(await voices.worker(prompt), item, seed)


def true_examples(items: Sequence[OversightItem], seed: int) -> list[tuple[OversightItem, str]]:
    """Items with the letters of their right options."""
    return [(item, item.letter("right", seed)) for item in items]


async def consultancy(
    item: OversightItem, settings: ProtocolSettings, voices: Voices
) -> ProtocolOutcome:
    """One adviser argues for a random side; the overseer may ask between rounds."""
    words = ItemWording(item, settings.seed)
    side = item.side(settings.seed)
    letter = item.letter(side, settings.seed)
    said: list[str] = []
    for number in range(settings.rounds):
        heard = "\n\n".join(said)
        if not number:
            task = words.say("argue", letter=letter)
        else:
            question = await voices.overseer(
                f"{words.without_text}\n\n{words.say('advisor', said=heard)}{words.say('ask')}"
            )
            said.append(words.say("asked", asked=question.strip()))
            task = words.say("before", said="\n\n".join(said)) + words.say(
                "reply", asked=question.strip(), letter=letter
            )
        statement = await _argue(item, words, task, voices)
        said.append(words.say("consultant", letter=letter, statement=statement))
    heard = words.say("advisor", said="\n\n".join(said))
    chosen = await _decide(item, words, heard, settings.seed, voices)
    return ProtocolOutcome(chosen, side == "wrong", side)


async def debate(
    item: OversightItem, settings: ProtocolSettings, voices: Voices
) -> ProtocolOutcome:
    """Two workers argue, one for each side, at the same time in each round."""
    words = ItemWording(item, settings.seed)
    said: list[str] = []
    for number in range(settings.rounds):
        before = words.say("before", said="\n\n".join(said)) if said else ""
        statements = []
        for letter in LETTERS:
            task = before
            if number:
                task += words.say("answer_back", other=other_letter(letter))
            task += words.say("argue", letter=letter)
            statement = await _argue(item, words, task, voices)
            statements.append(words.say("debater", letter=letter, statement=statement))
        said += statements
    heard = words.say("debaters", said="\n\n".join(said))
    chosen = await _decide(item, words, heard, settings.seed, voices)
    return ProtocolOutcome(chosen, wrong_side=True)


async def critique(
    item: OversightItem, settings: ProtocolSettings, voices: Voices
) -> ProtocolOutcome:
    """The worker answers, and revises under principles; the overseer sees answer and criticism."""
    words = ItemWording(item, settings.seed)
    answer = await voices.worker(f"{words.with_text}\n\n{words.say('reason')}")
    side = read_side(answer, item, settings.seed)
    first = item.drawn("principle", settings.seed)
    critiques: list[str] = []
    revisions: list[Revision] = []
    for number in range(settings.rounds):
        principle = settings.principles[(first + number) % len(settings.principles)]
        rule = principle.text(item.language)
        found = await voices.worker(
            f"{words.with_text}\n\n" + words.say("criticise", answer=answer, principle=rule)
        )
        revised = await voices.worker(
            f"{words.with_text}\n\n"
            + words.say("revise", answer=answer, principle=rule, critique=found)
        )
        after = read_side(revised, item, settings.seed)
        changed = revised.strip() != answer.strip()
        revisions.append(Revision(principle.id, number + 1, side, after, changed))
        critiques.append(found.strip())
        answer, side = revised, after
    heard = words.say("criticised", answer=answer.strip(), critiques="\n\n".join(critiques))
    chosen = await _decide(item, words, heard, settings.seed, voices)
    return ProtocolOutcome(chosen, side == "wrong", side, tuple(revisions))


async def decompose(
    item: OversightItem, settings: ProtocolSettings, voices: Voices
) -> ProtocolOutcome:
    """The overseer writes questions, the worker answers each alone, the overseer decides."""
    words = ItemWording(item, settings.seed)
    count = MAX_PARTS * settings.rounds
    plan = await voices.overseer(f"{words.without_text}\n\n{words.say('plan', count=count)}")
    asked = [line.strip() for line in plan.splitlines() if line.strip()][:count]
    said = []
    text = words.say("text", text=item.text) if item.text else f"{item.question}\n\n"
    for one in asked:
        reply = await voices.worker(text + words.say("part", asked=one))
        said.append(words.say("part_said", asked=one, answer=reply.strip()))
    heard = words.say("parts", said="\n\n".join(said)) if said else ""
    chosen = await _decide(item, words, heard, settings.seed, voices)
    return ProtocolOutcome(chosen, wrong_side=False)


async def weak_to_strong(
    item: OversightItem, settings: ProtocolSettings, voices: Voices
) -> ProtocolOutcome:
    """The worker answers after examples that the overseer labelled, mistakes included."""
    chosen = await ask_worker(item, settings.seed, voices, settings.examples)
    return ProtocolOutcome(chosen, wrong_side=False)


async def _argue(item: OversightItem, words: ItemWording, task: str, voices: Voices) -> str:
    quotes = words.say("quote") if item.text else ""
    statement = (await voices.worker(f"{words.with_text}\n\n{task}{quotes}")).strip()
    if not item.text:
        return statement
    return check_quotes(
        statement, item.text,
        lambda stands, quote: words.say("checked" if stands else "unfounded", quote=quote),
    )  # fmt: skip


async def _decide(
    item: OversightItem, words: ItemWording, heard: str, seed: int, voices: Voices
) -> Side | None:
    prompt = f"{words.without_text}\n\n{heard}{words.say('decide')}"
    return read_side(await voices.overseer(prompt), item, seed)


def _shown(words: ItemWording, examples: Sequence[tuple[OversightItem, str]], seed: int) -> str:
    if not examples:
        return ""
    shown = [
        words.say("example", question=ItemWording(one, seed).with_text, letter=letter)
        for one, letter in examples
    ]
    return words.say("shown", shown="\n\n".join(shown))


@dataclass(frozen=True, slots=True)
class OversightProtocol:
    """A protocol: an item takes at most ``calls`` questions and ``per_round`` for each round.

    The two questions to overseer and worker alone are not among them.
    """

    run: Run | None
    calls: int
    per_round: int


PROTOCOLS: Final[dict[str, OversightProtocol]] = {
    "direct": OversightProtocol(None, 0, 0),
    "consultancy": OversightProtocol(consultancy, 0, 2),
    "debate": OversightProtocol(debate, 1, 2),
    "critique": OversightProtocol(critique, 2, 2),
    "decompose": OversightProtocol(decompose, 2, MAX_PARTS),
    "weak-to-strong": OversightProtocol(weak_to_strong, 1, 0),
}
