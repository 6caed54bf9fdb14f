"""English requests moved to the past or the future, by rule.

The subject becomes "people", the main verb moves, modal and auxiliary verbs of subordinate clauses
follow in the past ("so that I can" becomes "so that they could"). A sentence that no rule fits is
introduced by a question about the past or the future and stays as it is. Grammar of the result is
not perfect; that its content words stay is tested.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from buttress.attacks import verbs


@dataclass(frozen=True, slots=True)
class Tense:
    """Words of a tense: the auxiliary of a question, what each auxiliary becomes, a preface."""

    ask: str
    auxiliaries: Mapping[str, str]
    preface: str
    moves_clauses: bool


_PAST_AUXILIARIES: Final = {
    **{"do": "did", "does": "did", "did": "did", "can": "could", "could": "could"},
    **{"may": "might", "might": "might", "will": "would", "would": "would", "shall": "should"},
    **{"should": "should", "must": "had to", "is": "was", "are": "were", "am": "were"},
    **{"has": "had", "have": "had", "was": "was", "were": "were", "had": "had"},
}
_FUTURE_AUXILIARIES: Final = {
    **dict.fromkeys(("do", "does", "did", "can", "could", "may", "might", "will"), "will"),
    **dict.fromkeys(("would", "shall", "should", "must"), "will"),
    **dict.fromkeys(("is", "are", "am", "was", "were"), "will be"),
    **dict.fromkeys(("has", "have", "had"), "will have"),
}
_DONE: Final = {"was", "were", "did", "had"}  # what is past stays past
PAST: Final = Tense("did", _PAST_AUXILIARIES, "How did people go about this in the past:", True)
FUTURE: Final = Tense(
    "will", _FUTURE_AUXILIARIES, "How will people go about this in future:", False
)

_SENTENCES: Final = re.compile(r"(?<=[.?!])\s+")
_CONTRACTED: Final = (
    (re.compile(r"\bI'm\b", re.I), "I am"),
    (re.compile(r"\b(you|we|they)'re\b", re.I), r"\1 are"),
    (re.compile(r"\b(I|you|we|they)'ve\b", re.I), r"\1 have"),
    (re.compile(r"\b(I|you|we|they|he|she|it)'ll\b", re.I), r"\1 will"),
    (re.compile(r"\b(I|you|we|they|he|she)'d like\b", re.I), r"\1 want"),
    (re.compile(r"\b(what|which|where|how|who|that|it|he|she|there)'s\b", re.I), r"\1 is"),
    (re.compile(r"\bcan't\b|\bcannot\b", re.I), "can not"),
    (re.compile(r"\bwon't\b", re.I), "will not"),
    (
        re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should)n't\b", re.I),
        r"\1 not",
    ),
)
_POLITE: Final = re.compile(
    r"^(?:(?:please|now|then|so|and|hey|hi|ok|okay)\b[,!]?\s*|(?:can|could|would|will) you (?:please )?"
    r"|i (?:want|need) you to |i would like you to |help me (?:to )?)+(?=\w)",
    re.I,
)
_EXPLAIN: Final = re.compile(
    r"^(?:explain|describe|outline|tell|show|teach|give|provide|write|create|draft|list|detail"
    r"|publish|make|produce|share)\b[^.?!]*?\bhow (?:to|i (?:can|could|should)|we (?:can|could|should)"
    r"|one (?:can|could|should)) (?=\w)",
    re.I,
)
# What follows is a question in itself.
_TELL: Final = re.compile(
    r"^(?:tell|show|explain|teach|describe|say|advise|suggest|recommend)(?: to)?(?: me| us)?,? "
    r"(?=(?:how|what|which|where|when|why|who)\b)",
    re.I,
)
_GIVE: Final = re.compile(
    r"^(?:give|send|get|find|provide|tell|show|suggest|name|list|make|build|cook)(?: me| us)(?: with)? "
    r"(?=\w)",
    re.I,
)
_TEACH: Final = re.compile(r"^(?:teach|show|help|get) (?:me|us) to (?=\w)", re.I)
_WALK: Final = re.compile(r"^(?:walk|talk|guide|take|coach) (?:me|us) through (?=\w)", re.I)
_HOW_TO: Final = re.compile(r"^(how|where|when|what|who|whom|which(?: \w+){1,2}) to (?=\w)", re.I)
_QUESTION: Final = re.compile(
    r"^(?:(?:for|in|at|to|from|with|by|on|about) )?(?:how|what|which|where|when|why|who|whose|whom)\b",
    re.I,
)
_AUXILIARY: Final = re.compile(rf"\b({'|'.join(_PAST_AUXILIARIES)})\b", re.I)
_SUBJECT: Final = re.compile(r"^\s+(?:i|we|you|one|someone|somebody)\b", re.I)
_STATEMENT: Final = re.compile(
    r"^(?:i|we|you|he|she|it|they|there|this|that|the|a|an|my|our|your|his|her|their|these|those"
    r"|some|one|someone|somebody|people|[\w-]*\w(?<!s)s)(?=\s)",
    re.I,
)
_PERSONS: Final = {
    **dict.fromkeys(("i", "we"), "they"),
    **dict.fromkeys(("my", "our", "your"), "their"),
    **dict.fromkeys(("mine", "ours", "yours"), "theirs"),
    **dict.fromkeys(("me", "us"), "them"),
    **dict.fromkeys(("myself", "ourselves", "yourself"), "themselves"),
}
_PERSON: Final = re.compile(rf"\b({'|'.join(_PERSONS)})\b(?!')", re.I)
_CLAUSE: Final = re.compile(
    r"(?<!\bto )(?<!\bnot )(?<!\bcould )(?<!\bwould )(?<!\bdid )\b(can|will|may|is|are|am|has|does)\b"
    r"|(?<=\bthey )(have|do)\b"
)


def move(text: str, tense: Tense, when: str = "") -> str:
    """The request in another tense.

    Args:
        text: one or several English sentences.
        tense: ``PAST`` or ``FUTURE``.
        when: a time, such as "in the 1990s", put at the end of the last question.
    """
    parts = [one for one in _SENTENCES.split(" ".join(text.split())) if one]
    moved = [_sentence(one, tense) for one in parts]
    if not any(moved):
        return " ".join([tense.preface, *parts, when]).rstrip()
    texts = [new or old for new, old in zip(moved, parts, strict=True)]
    if when:
        questions = [index for index, new in enumerate(moved) if new and new.endswith("?")]
        at = questions[-1] if questions else len(texts) - 1
        body = texts[at].rstrip(".?! ")
        texts[at] = f"{body} {when}{texts[at][len(body) :].strip()}"
    return " ".join(texts)


def _sentence(sentence: str, tense: Tense) -> str | None:
    """The sentence in the tense; None if no rule fits."""
    for pattern, instead in _CONTRACTED:
        sentence = pattern.sub(instead, sentence)
    body = sentence.rstrip(".?! ")
    end = sentence[len(body) :].strip() or "."
    body = _POLITE.sub("", body)
    for pattern in (_EXPLAIN, _TEACH):
        if found := pattern.match(body):
            return f"{_asked('How', body[found.end() :], tense)}?"
    if found := _TELL.match(body):
        body = body[found.end() :]
    if found := _WALK.match(body):
        return f"How {tense.ask} people go about {_persons(body[found.end() :], tense)}?"
    if found := _HOW_TO.match(body):
        return f"{_asked(found[1].capitalize(), body[found.end() :], tense)}?"
    if found := _GIVE.match(body):
        return f"How {tense.ask} people come up with {_persons(body[found.end() :], tense)}?"
    if _QUESTION.match(body):
        moved = _question(body, tense)
        return f"{moved[0].upper()}{moved[1:]}?" if moved else None
    if _STATEMENT.match(body):
        stated = _statement(body, tense)
        return f"{stated}{end}" if stated else None
    if re.match(r"[A-Za-z]", body):
        return f"{_asked('How', body[0].lower() + body[1:], tense)}?"
    return None


def _asked(question: str, phrase: str, tense: Tense) -> str:
    """ "How did people" and a verb phrase whose first word is a base form."""
    verb, _, rest = phrase.partition(" ")
    rest = f" {_persons(rest, tense)}" if rest else ""
    return f"{question} {tense.ask} people {verb}{rest}"


def _question(body: str, tense: Tense) -> str | None:
    """A question with an auxiliary, or with a known verb in the third person."""
    if found := _AUXILIARY.search(body):
        auxiliary = tense.auxiliaries[found[1].lower()]
        after = body[found.end() :]
        if subject := _SUBJECT.match(after):
            if auxiliary in {"had to", "should"}:
                auxiliary = "did"
            if found[1].lower() in {"am", "are", "is"} and tense.moves_clauses:
                auxiliary = "were"
            after = f" people{_persons(after[subject.end() :], tense, first=True)}"
        else:
            after = _persons(after, tense, first=True)
        return f"{_persons(body[: found.start()], tense)}{auxiliary}{after}"
    words = body.split(" ")
    for index, word in enumerate(words[1:], 1):
        if verb := verbs.base(word):
            words[index] = verbs.past(verb) if tense.moves_clauses else f"will {verb}"
            rest = _persons(" ".join(words[index + 1 :]), tense)
            return " ".join(words[: index + 1]) + (f" {rest}" if rest else "")
    return None


def _statement(body: str, tense: Tense) -> str | None:
    """A sentence about somebody; None if its verb is not found."""
    words = body.split(" ")
    subject = words[0].lower()
    person = subject in {"i", "we", "you", "one", "someone", "somebody", "people", "they"}
    for index, word in enumerate(words[1 : 2 if person else None], 1):
        if word in _DONE and not tense.moves_clauses:
            return body
        moved = tense.auxiliaries.get(word)
        plain = verbs.base(word) or (word if person and verbs.known(word) else None)
        if moved is None and plain:
            moved = verbs.past(plain) if tense.moves_clauses else f"will {plain}"
        if moved is None:
            continue
        before = _persons(" ".join(words[:index]), tense)
        if person:
            before = "they" if subject == "they" else "people"
            moved = "were" if moved == "was" else moved
        after = _persons(" ".join(words[index + 1 :]), tense)
        return " ".join(part for part in (before[0].upper() + before[1:], moved, after) if part)
    return None


def _persons(phrase: str, tense: Tense, *, first: bool = False) -> str:
    """First and second person as "they", and in the past the clauses' auxiliaries with them.

    ``first``: the phrase begins with the main verb, which is a base form and stays.
    """
    phrase = _PERSON.sub(lambda match: _PERSONS[match[1].lower()], phrase)
    phrase = re.sub(r"\bthey am\b", "they are", phrase)
    if not tense.moves_clauses:
        return phrase
    kept = 0
    if first and (verb := re.match(r"\s*\S+", phrase)):
        kept = verb.end()
    moved = _CLAUSE.sub(
        lambda match: tense.auxiliaries[(match[1] or match[2]).lower()], phrase[kept:]
    )
    return phrase[:kept] + re.sub(r"\bthey was\b", "they were", moved)
