"""Preference data of Argilla: records with two or more answers and a choice or a ranking.

Records of version 2 hold responses by question, nested or flattened; those of version 1 a list of
responses with values, or one column for each question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

from buttress.errors import InputError
from buttress.evidence.records import Preference
from buttress.files.encodable import encodable
from buttress.interchange.fields import Fields
from buttress.interchange.turns import conversation, said_in
from buttress.labelling.preferences.pairs import Pair, label_of

_PROMPTS: Final = (
    "prompt", "instruction", "question", "input", "query", "context", "messages", "chat",
    "conversation",
)  # fmt: skip
_NAMED: Final = (("chosen", "rejected"), ("a", "b"))
_STEMS: Final = ("response", "generation", "completion", "answer", "output", "candidate", "text")
_MEMBER: Final = re.compile(r"(?P<stem>.*?)(?:[-_ ]?(?P<number>\d{1,2})|[-_ ](?P<letter>[a-hA-H]))")
_ORDINALS: Final = (("1", "a", "first", "left"), ("2", "b", "second", "right"))
_TIES: Final = frozenset({"tie", "equal", "same", "both", "neither", "draw", "c"})

Ranks = Mapping[str, float]
"""Rank of each answer by name, 1 the best. Infinite: another was chosen, no more is known."""


class _Response(NamedTuple):
    value: Any
    labeller: str
    place: Fields


def argilla_pairs(record: Fields, criterion: str) -> Iterator[tuple[Pair, list[Preference]]]:
    """Each two answers of a record, with the labels that were handed in.

    Args:
        record: one record.
        criterion: name of the question; may be empty where one question alone has choices.

    Raises:
        InputError: no prompt, no two answers, several questions and none named, or a response
            that is no choice.
    """
    fields = record if record.get("fields") is None else record.object("fields")
    prompt = next((name for name in _PROMPTS if fields.get(name) is not None), None)
    if prompt is None:
        raise fields.error("prompt", "missing", "one of " + ", ".join(_PROMPTS))
    names = _answers(fields)
    asked, *answers = conversation(*(said_in(fields, name) for name in (prompt, *names)))
    said = dict(zip(names, answers, strict=True))
    given = _given(record, names, criterion)
    for number, (one, other) in enumerate(combinations(names, 2), 1):
        pair = Pair(str(number) if len(names) > 2 else "", asked, said[one], said[other])
        yield (
            pair,
            [
                label_of(pair, _choice(ranks[one], ranks[other]), labeller)
                for ranks, labeller in given
                if not ranks[one] == ranks[other] == math.inf
            ],
        )


def _choice(one: float, other: float) -> str:
    return "tie" if one == other else "first" if one < other else "second"


def _answers(fields: Fields) -> tuple[str, ...]:
    """Names of the answers, in the order of their numbers or letters."""
    present = [name for name, value in fields.items() if isinstance(value, str | list) and value]
    for named in _NAMED:
        if set(named) <= set(present):
            return named
    families: dict[str, list[str]] = {}
    for name in present:
        if (member := _MEMBER.fullmatch(name)) and member["stem"]:
            families.setdefault(member["stem"].casefold(), []).append(name)
    several = {stem: sorted(found, key=_place) for stem, found in families.items() if found[1:]}
    stem = next((stem for stem in (*_STEMS, *several) if stem in several), None)
    if stem is None:
        raise fields.error("response1", "missing", "two answers, such as response1 and response2")
    return tuple(several[stem])


def _place(name: str) -> int:
    member = _MEMBER.fullmatch(name)
    assert member is not None
    return int(member["number"]) if member["number"] else ord(member["letter"].casefold())


def _given(record: Fields, names: tuple[str, ...], criterion: str) -> list[tuple[Ranks, str]]:
    """Ranks and labeller of each response to the question that is named or alone has choices."""
    by_question: dict[str, list[_Response]] = {}
    for question, response in _responses(record):
        if criterion in ("", question) and response.value is not None:
            by_question.setdefault(question, []).append(response)
    read: dict[str, list[tuple[Ranks, str]]] = {}
    failed: InputError | None = None
    for question, responses in by_question.items():
        try:
            read[question] = [(_ranks(one, names), one.labeller) for one in responses]
        except InputError as error:  # a comment, or a rating
            failed = failed or error
    if len(read) > 1:
        raise record.error("responses", "several questions with choices",
                           "--criterion " + " or ".join(sorted(read)))  # fmt: skip
    if failed and not read:
        raise failed
    return [each for labels in read.values() for each in labels]


def _responses(record: Fields) -> Iterator[tuple[str, _Response]]:
    """Question and response, of those that were handed in."""
    held = record.get("responses")
    if isinstance(held, list):  # version 1
        for response in record.objects("responses"):
            if _submitted(response):
                values = response.object("values")
                for question, _ in values.items():
                    value = values.object(question)
                    yield question, _Response(value.get("value"), _labeller(response), value)
        return
    if held is not None:  # version 2
        nested = record.object("responses")
        for question, _ in nested.items():
            for response in nested.objects(question):
                if _submitted(response):
                    yield (
                        question,
                        _Response(response.get("value"), _labeller(response), response),
                    )
        return
    for name, column in record.items():
        question, dot, rest = name.rpartition(".")
        if dot and rest == "responses":  # version 2, flattened
            users, states = record.values(f"{name}.users"), record.values(f"{name}.status")
            for place, value in enumerate(record.values(name)):
                if (states[place : place + 1] or ["submitted"])[0] in (None, "submitted"):
                    user = (users[place : place + 1] or ["unknown"])[0]
                    yield question, _Response(value, encodable(str(user)), record)
        elif isinstance(column, list) and column and _is_column(column):  # version 1, as columns
            for response in record.objects(name):
                if _submitted(response):
                    yield name, _Response(response.get("value"), _labeller(response), response)


def _is_column(values: list[Any]) -> bool:
    return all(isinstance(each, dict) and {"value", "user_id"} <= each.keys() for each in values)


def _submitted(response: Fields) -> bool:
    return response.text("status", "submitted") == "submitted"


def _labeller(response: Fields) -> str:
    return response.text("user_id", "unknown")


def _ranks(response: _Response, names: tuple[str, ...]) -> Ranks:
    value = response.value
    if isinstance(value, list):
        if all(isinstance(each, str) for each in value):  # names, the best first
            return _checked({name: at for at, name in enumerate(value, 1)}, names, response)
        ranks: dict[str, Any] = {}
        for each in value:
            if not isinstance(each, dict) or not isinstance(each.get("value"), str):
                raise _wrong(response, "not a ranking", "objects with value and rank, or names")
            ranks[each["value"]] = each.get("rank")
        return _checked(ranks, names, response)
    if isinstance(value, dict):  # two lists side by side
        places, ranked = value.get("rank"), value.get("value")
        if not isinstance(places, list) or not isinstance(ranked, list):
            raise _wrong(response, "not a ranking", "value and rank, two lists")
        return _checked(dict(zip(map(str, ranked), places, strict=False)), names, response)
    return _chosen(response, names)


def _checked(ranks: dict[str, Any], names: tuple[str, ...], response: _Response) -> Ranks:
    for name in names:
        rank = ranks.get(name)
        if isinstance(rank, bool) or not isinstance(rank, int | float):
            raise _wrong(response, f"no rank of {name}", "ranks of " + ", ".join(names))
    return {name: float(ranks[name]) for name in names}


def _chosen(response: _Response, names: tuple[str, ...]) -> Ranks:
    if not isinstance(response.value, str):
        raise _wrong(response, "not text", f"{', '.join(names)}, or tie")
    text = _plain(response.value)
    called = {_plain(name): name for name in names}
    for name in names:
        if member := _MEMBER.fullmatch(name):
            called.setdefault((member["number"] or member["letter"]).casefold(), name)
    if not any(key.isdigit() for key in called):
        for ordinals, name in zip(_ORDINALS, names, strict=False):
            for ordinal in ordinals:
                called.setdefault(ordinal, name)
    else:  # "1" is the answer that is numbered so, be it the first or the second
        for ordinals, name in zip(_ORDINALS, names, strict=False):
            for ordinal in ordinals[1:]:
                called.setdefault(ordinal, name)
    if text in called:
        return {name: 1.0 if name == called[text] else math.inf for name in names}
    if text in _TIES:
        return dict.fromkeys(names, 1.0)
    raise _wrong(response, f"'{response.value[:40]}' is no answer", f"{', '.join(names)}, or tie")


def _plain(text: str) -> str:
    return re.sub(r"[-_\s]+", "", text).casefold()


def _wrong(response: _Response, problem: str, expected: str) -> InputError:
    return response.place.error("value", problem, expected)
