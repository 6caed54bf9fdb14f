"""Preference data of other tools as pairs with labels.

``trl``: TRL's prompt, chosen and rejected, as text or as messages. ``hh``: Anthropic's helpful and
harmless dialogues. ``ultrafeedback``: a list of completions with scores, or the binarised form.
``pku``: PKU-SafeRLHF's response_0 and response_1. ``argilla``: records with a question on two or
more answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.records import Preference
from buttress.interchange.argilla import argilla_pairs
from buttress.interchange.fields import Fields
from buttress.interchange.objects import objects_of
from buttress.interchange.turns import conversation, dialogue, said_in
from buttress.labelling.preferences.messages import Message, Said, as_messages, same
from buttress.labelling.preferences.pairs import Pair, label_of, shuffled

Labelled = tuple[Pair, list[Preference]]
Parts = tuple[Said, Said, Said]
"""The prompt, the better and the other answer."""
Reader = Callable[[Fields, str], Iterator[Labelled]]
_TURN: Final = "\n\nAssistant:"
# The prompt's names; the others are ShareGPT's and OpenRLHF's.
_ASKED: Final = ("prompt", "conversations", "context_messages")
_SCORES: Final = (
    ("score_chosen", "score_rejected"),
    ("chosen-rating", "rejected-rating"),
    ("chosen_avg_rating", "rejected_avg_rating"),
)
_WITH_CRITERIA: Final = ("pku", "argilla")
_NOT_RATED: Final = ("n/a", "na", "none")
_PROMPTS: Final = ("instruction", "question", "input", "query")


def read_preferences(path: Path, form: str, criterion: str = "") -> Iterator[Labelled]:
    """Pairs with their labels, read as they are asked for.

    Args:
        path: JSON Lines, a JSON list of objects, or Parquet; packed with gzip or not.
        form: one of ``FORMATS``.
        criterion: for ``pku``, ``better`` or ``safer``; for ``argilla``, the question's name.

    Raises:
        InputError: not such a file; names file, line and field.
    """
    read = _READERS.get(form)
    if read is None:
        raise InputError(
            f"unknown format '{form}'", field="--from", expected="one of " + ", ".join(FORMATS)
        )
    if criterion and form not in _WITH_CRITERIA:
        raise InputError(
            f"'{form}' has none", field="--criterion", expected=" or ".join(_WITH_CRITERIA)
        )
    for number, record in enumerate(objects_of(path), 1):
        for pair, labels in read(record, criterion):
            # Ids stay short and are unique in the file.
            item = f"{form}:{number}" if not pair.item else f"{form}:{number}:{pair.item}"
            kept = Pair(item, pair.prompt, pair.first, pair.second, pair.expected)
            yield kept, [label_of(kept, one.choice, one.labeller) for one in labels]


def _labelled(parts: Parts, labeller: str, *, item: str = "", tie: bool = False) -> Labelled:
    """A pair of its prompt, the better and the other answer, with that label."""
    pair, place = shuffled(item, *parts)
    return pair, [label_of(pair, "tie" if tie else place, labeller)]


def _trl(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    yield _labelled(chosen_and_rejected(record), "trl")


def chosen_and_rejected(record: Fields) -> Parts:
    """Prompt, chosen and rejected answer of a record in one of TRL's forms.

    Raises:
        InputError: a field is missing, or not text or messages.
    """
    if record.get("completion") is not None and record.get("chosen") is None:
        raise record.error("chosen", "missing: labels of single answers are no pairs", "a pair")
    asked = next((name for name in _ASKED if record.get(name) is not None), None)
    chosen, rejected = said_in(record, "chosen"), said_in(record, "rejected")
    if isinstance(chosen, str) and isinstance(rejected, str):
        if asked is None:
            return _whole(record, *_without_prompt(record))
        return _whole(record, said_in(record, asked), chosen, rejected)
    better, other = (as_messages(one, "assistant") for one in (chosen, rejected))
    shared = 0
    while shared < min(len(better), len(other)) - 1 and same(better[shared], other[shared]):
        shared += 1
    before = better[:shared]
    if asked is not None and (record.get(asked) != "" or not shared):
        prompt = as_messages(said_in(record, asked), "user")
        before = _continued(prompt, before)
    elif not shared:
        raise record.error("chosen", "shares no turn with rejected", "the same prompt in both")
    return _whole(record, before, better[shared:], other[shared:])


def _continued(prompt: Sequence[Message], turns: Sequence[Message]) -> tuple[Message, ...]:
    """The prompt and the turns that both answers begin with.

    Some data sets repeat in these turns the prompt, or its last question; it then stands once.
    """
    system = [one for one in prompt if one["role"] == "system"]
    asked, said = ([one for one in both if one["role"] != "system"] for both in (prompt, turns))
    begins = len(said) >= len(asked) > 0 and all(map(same, said, asked))
    asks = bool(said) and said[0]["role"] == "user"  # else an answer, which goes on
    if not begins and not (asks and len(asked) == 1 and same(said[-1], asked[0])):
        return (*prompt, *turns)
    return (*system, *turns) if len(said) == len(turns) else tuple(turns)


def _whole(record: Fields, prompt: Said, better: Said, other: Said) -> Parts:
    """All three in one form, the prompt behind the record's system text where it has none."""
    system = record.get("system")
    if isinstance(system, str) and system.strip():
        turns = as_messages(prompt, "user")
        if turns[0]["role"] != "system":
            prompt = ({"role": "system", "content": record.text("system")}, *turns)
    prompt, better, other = conversation(prompt, better, other)
    return prompt, better, other


def _without_prompt(record: Fields) -> Parts:
    """Two texts that begin with the same prompt: cut where they part, before a turn or a word."""
    named = next((name for name in _PROMPTS if record.get(name) is not None), None)
    if named is not None:
        raise record.error("prompt", "missing", f"the prompt under this name, not as '{named}'")
    if (cut := _cut_dialogues(record)) is not None:
        return cut
    chosen, rejected = record.text("chosen"), record.text("rejected")
    end = _shared_text(chosen, rejected)
    while end and chosen[end - 1 : end].isalnum() and chosen[end : end + 1].isalnum():
        end -= 1
    prompt = chosen[:end].strip()
    if not prompt:
        raise record.error("prompt", "missing", "a prompt, or texts that begin with it")
    return prompt, chosen[end:].strip(), rejected[end:].strip()


def _cut_dialogues(record: Fields) -> Parts | None:
    """Two dialogues of HH-RLHF, cut before the answer in which they part; None for other texts."""
    chosen, rejected = (record.text(name).replace("\r\n", "\n") for name in ("chosen", "rejected"))
    cut = chosen.rfind(_TURN, 0, _shared_text(chosen, rejected))
    if cut < 0 or not chosen[:cut].strip():
        return None
    better, other = (text[cut + len(_TURN) :] for text in (chosen, rejected))
    return (
        dialogue(chosen[:cut], "user"),
        dialogue(better, "assistant"),
        dialogue(other, "assistant"),
    )


def _hh(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    if record.get("prompt") is None and isinstance(record.get("chosen"), str):
        cut = _cut_dialogues(record)
        if cut is None:
            raise record.error(
                "chosen", "no turn of a human and of an assistant that both share",
                f"text with {_TURN.strip()!r}",
            )  # fmt: skip
        parts = cut
    else:  # cut already
        roles = ("user", "assistant", "assistant")
        prompt, better, other = (
            dialogue(one, role) if isinstance(one, str) else one
            for one, role in zip(chosen_and_rejected(record), roles, strict=True)
        )
        parts = (prompt, better, other)
    yield _labelled(parts, "hh")


def _ultrafeedback(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    if record.get("completions") is None:
        yield _binarised(record)
        return
    prompt = record.text("instruction")
    scored = [
        (_overall_score(completion), completion.text("response"))
        for completion in record.objects("completions")
    ]
    for number, ((one, text), (two, other)) in enumerate(combinations(scored, 2), 1):
        if one is None or two is None:  # a pair that nobody compared
            yield shuffled(str(number), prompt, text, other)[0], []
            continue
        better, worse = (text, other) if one >= two else (other, text)
        yield _labelled((prompt, better, worse), "ultrafeedback", item=str(number), tie=one == two)


def _overall_score(completion: Fields) -> float | None:
    """The score of a completion, also as text; None where it says that there is none."""
    name = "overall_score" if completion.get("overall_score") is not None else "fine-grained_score"
    value = completion.get(name)
    if value is None:
        raise completion.error("overall_score", "missing", "a number")
    if isinstance(value, str):
        if value.strip().casefold() in _NOT_RATED:
            return None
        try:
            return float(value)
        except ValueError:
            raise completion.error(name, "not a number", "a number, or N/A") from None
    return completion.number(name, 0)


def _binarised(record: Fields) -> Labelled:
    """A chosen and a rejected answer, with their scores where these are told."""
    tie = any(
        record.get(chosen) is not None and record.get(chosen) == record.get(rejected)
        for chosen, rejected in _SCORES
    )
    if record.get("chosen_response") is not None:
        answers: Parts = (
            record.text("instruction"), record.text("chosen_response"),
            record.text("rejected_response"),
        )  # fmt: skip
    else:
        answers = chosen_and_rejected(record)
    return _labelled(answers, "ultrafeedback", tie=tie)


def _pku(record: Fields, criterion: str) -> Iterator[Labelled]:
    field = f"{criterion or 'better'}_response_id"
    if field not in ("better_response_id", "safer_response_id"):
        raise InputError(
            f"unknown criterion '{criterion}'", field="--criterion", expected="better or safer"
        )
    chosen = record.get(field)
    if isinstance(chosen, bool) or chosen not in (0, 1, -1):
        raise record.error(field, "missing" if chosen is None else "not a side", "0, 1, or -1")
    answers = [record.text("response_0"), record.text("response_1")]
    better = 0 if chosen == -1 else int(chosen)
    labeller = f"pku {criterion or 'better'}"
    parts = record.text("prompt"), answers[better], answers[1 - better]
    yield _labelled(parts, labeller, tie=chosen == -1)


def _shared_text(one: str, other: str) -> int:
    """Length of what both begin with."""
    size = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        size += 1
    return size


_READERS: Final[dict[str, Reader]] = {
    "trl": _trl,
    "hh": _hh,
    "ultrafeedback": _ultrafeedback,
    "pku": _pku,
    "argilla": argilla_pairs,
}
FORMATS: Final = tuple(_READERS)
