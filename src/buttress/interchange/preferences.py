"""Preference data of other tools as pairs with labels.

``trl``: TRL's prompt, chosen and rejected, as text or as messages. ``hh``: Anthropic's helpful and
harmless dialogues. ``ultrafeedback``: a list of completions with scores, or the binarised form.
``pku``: PKU-SafeRLHF's response_0 and response_1. ``argilla``: records with a question on two
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.evidence.records import Preference
from buttress.interchange.fields import Fields, clean
from buttress.interchange.objects import objects_of
from buttress.labelling.preferences.pairs import Pair, imported, shuffled

Labelled = tuple[Pair, list[Preference]]
Reader = Callable[[Fields, str], Iterator[Labelled]]
_TURN: Final = "\n\nAssistant:"
_PROMPTS: Final = ("prompt", "instruction", "question", "input", "query")
_ANSWERS: Final = (
    ("response1", "response2"), ("response-1", "response-2"), ("response_1", "response_2"),
    ("response_a", "response_b"), ("response_0", "response_1"), ("generation1", "generation2"),
    ("answer1", "answer2"), ("chosen", "rejected"), ("a", "b"),
)  # fmt: skip
_FIRST: Final = {"a", "1", "first", "left"}
_SECOND: Final = {"b", "2", "second", "right"}
_TIE: Final = {"tie", "equal", "same", "both", "c"}


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
    for number, record in enumerate(objects_of(path), 1):
        for pair, labels in read(record, criterion):
            # Ids stay short and are unique in the file.
            item = f"{form}:{number}" if not pair.item else f"{form}:{number}:{pair.item}"
            kept = Pair(item, pair.prompt, pair.first, pair.second, pair.expected)
            yield kept, [imported(kept, one.choice, one.labeller) for one in labels]


def _labelled(
    prompt: str, better: str, other: str, labeller: str, *, item: str = "", tie: bool = False
) -> Labelled:
    pair, place = shuffled(item, prompt, better, other)
    return pair, [imported(pair, "tie" if tie else place, labeller)]


def _trl(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    yield _labelled(*chosen_and_rejected(record), "trl")


def chosen_and_rejected(record: Fields) -> tuple[str, str, str]:
    """Prompt, chosen and rejected answer of a record in one of TRL's forms.

    Raises:
        InputError: a field is missing, or not text or messages.
    """
    if record.get("completion") is not None and record.get("chosen") is None:
        raise record.error("chosen", "missing: labels of single answers are no pairs", "a pair")
    chosen, rejected = _turns(record, "chosen"), _turns(record, "rejected")
    if record.get("prompt") is not None:
        prompt = _joined(_turns(record, "prompt"))
        # Some data sets repeat the prompt as the first message of both.
        while len(chosen) > 1 and len(rejected) > 1 and chosen[0] == rejected[0]:
            chosen, rejected = chosen[1:], rejected[1:]
    elif len(chosen) > 1 or len(rejected) > 1:  # the prompt is what both begin with
        shared = 0
        while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
            shared += 1
        if not shared:
            raise record.error("chosen", "shares no turn with rejected", "the same prompt in both")
        prompt, chosen, rejected = _joined(chosen[:shared]), chosen[shared:], rejected[shared:]
    else:
        texts = chosen[0][1], rejected[0][1]
        end = _shared_text(*texts)
        if not end:
            raise record.error("prompt", "missing", "a prompt, or texts that begin with it")
        prompt = texts[0][:end].rstrip()
        chosen, rejected = [("", texts[0][end:])], [("", texts[1][end:])]
    return prompt, _joined(chosen), _joined(rejected)


def _hh(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    chosen, rejected = record.text("chosen"), record.text("rejected")
    end = _shared_text(chosen, rejected)
    cut = chosen.rfind(_TURN, 0, end)
    if cut < 0:
        raise record.error("chosen", "no turn of an assistant", f"text with {_TURN.strip()!r}")
    prompt = chosen[:cut].strip()
    answers = [text[cut:].removeprefix(_TURN).strip() for text in (chosen, rejected)]
    if not prompt:
        raise record.error("chosen", "no prompt", "a turn of a human before the answer")
    yield _labelled(prompt, answers[0], answers[1], "hh")


def _ultrafeedback(record: Fields, criterion: str) -> Iterator[Labelled]:
    if record.get("completions") is None:
        scores = (record.get("score_chosen"), record.get("score_rejected"))
        tie = scores[0] is not None and scores[0] == scores[1]
        for pair, labels in _trl(record, criterion):
            choice = "tie" if tie else labels[0].choice
            yield pair, [imported(pair, choice, "ultrafeedback")]
        return
    prompt = record.text("instruction")
    scored = []
    for completion in record.objects("completions"):
        name = "overall_score" if completion.get("overall_score") is not None else (
            "fine-grained_score"
        )  # fmt: skip
        if completion.get(name) is None:
            raise completion.error("overall_score", "missing", "a number")
        scored.append((completion.number(name, 0), completion.text("response")))
    for number, ((one, text), (two, other)) in enumerate(combinations(scored, 2), 1):
        if text != other:
            better, worse = (text, other) if one >= two else (other, text)
            yield _labelled(
                prompt, better, worse, "ultrafeedback", item=str(number), tie=one == two
            )


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
    yield _labelled(
        record.text("prompt"), answers[better], answers[1 - better], labeller, tie=chosen == -1
    )


def _argilla(record: Fields, criterion: str) -> Iterator[Labelled]:
    fields = record if record.get("fields") is None else record.object("fields")
    prompt = next((name for name in _PROMPTS if fields.get(name) is not None), None)
    names = next(
        (both for both in _ANSWERS if all(fields.get(name) is not None for name in both)), None
    )
    if prompt is None:
        raise fields.error("prompt", "missing", "one of " + ", ".join(_PROMPTS))
    if names is None:
        raise fields.error("response1", "missing", "two answers, such as response1 and response2")
    first, second = (_joined(_turns(fields, name)) for name in names)
    pair = Pair("", _joined(_turns(fields, prompt)), first, second)
    labels = [
        imported(pair, choice, labeller)
        for value, labeller, place in _responses(record, criterion)
        if (choice := _choice(value, names, place))
    ]
    yield pair, labels


def _responses(record: Fields, criterion: str) -> Iterator[tuple[Any, str, Fields]]:
    """Value, labeller and place of each response, nested or flattened, that was handed in."""
    nested = record.object("responses") if record.get("responses") is not None else None
    if nested is not None:
        for name, _ in nested.items():
            if criterion in ("", name):
                for response in nested.objects(name):
                    if response.text("status", "submitted") == "submitted":
                        yield response.get("value"), response.text("user_id", "unknown"), response
        return
    for name, _ in record.items():
        question, dot, rest = name.rpartition(".")
        if dot and rest == "responses" and criterion in ("", question):
            users = record.values(f"{name}.users")
            status = record.values(f"{name}.status")
            for place, value in enumerate(record.values(name)):
                if (status[place : place + 1] or ["submitted"])[0] == "submitted":
                    user = (users[place : place + 1] or ["unknown"])[0]
                    yield value, clean(str(user)), record


def _choice(value: Any, names: tuple[str, str], place: Fields) -> str:
    if isinstance(value, list):  # a ranking
        ranks: dict[str, Any] = {}
        for each in value:
            if not isinstance(each, dict) or not isinstance(each.get("value"), str):
                raise place.error("value", "not a ranking", "objects with value and rank")
            ranks[each["value"]] = each.get("rank")
        one, two = (ranks.get(name) for name in names)
        if not all(isinstance(rank, int | float) for rank in (one, two)):
            raise place.error("value", "a rank is missing", "ranks of " + " and ".join(names))
        assert one is not None
        assert two is not None
        return "tie" if one == two else "first" if one < two else "second"
    text = str(value).strip().casefold()
    if text in {names[0].casefold(), *_FIRST}:
        return "first"
    if text in {names[1].casefold(), *_SECOND}:
        return "second"
    if text in _TIE:
        return "tie"
    raise place.error(
        "value", f"'{text[:40]}' is no side", f"{names[0]}, {names[1]}, a, b, 1, 2 or tie"
    )


def _turns(record: Fields, name: str, *, optional: bool = False) -> list[tuple[str, str]]:
    """Role and text of each message; a plain text is one without a role."""
    value = record.get(name)
    if isinstance(value, list):
        if not value and not optional:
            raise record.error(name, "empty", "messages")
        return [(each.text("role", ""), each.text("content")) for each in record.objects(name)]
    if value is None and optional:
        return []
    return [("", record.text(name))]


def _joined(turns: list[tuple[str, str]]) -> str:
    if len(turns) == 1:
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" if role else text for role, text in turns)


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
    "argilla": _argilla,
}
FORMATS: Final = tuple(_READERS)
