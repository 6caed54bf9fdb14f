"""Preference data of other tools as pairs with labels.

``trl``: TRL's prompt, chosen and rejected, as text or as messages. ``hh``: Anthropic's helpful and
harmless dialogues. ``ultrafeedback``: a list of completions with scores, or the binarised form.
``pku``: PKU-SafeRLHF's response_0 and response_1. ``argilla``: records with a question on two or
more answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.evidence.records import Preference
from buttress.interchange.argilla import argilla_pairs
from buttress.interchange.fields import Fields
from buttress.interchange.objects import objects_of
from buttress.interchange.turns import Turn, joined, turns
from buttress.labelling.preferences.pairs import Pair, imported, shuffled

Labelled = tuple[Pair, list[Preference]]
Reader = Callable[[Fields, str], Iterator[Labelled]]
_TURN: Final = "\n\nAssistant:"
_DIALOGUE: Final = "conversations"  # the prompt in ShareGPT's form
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
    chosen, rejected = turns(record, "chosen"), turns(record, "rejected")
    asked = next((name for name in ("prompt", _DIALOGUE) if record.get(name) is not None), None)
    if asked is not None:
        prompt = joined(_asked(record, asked))
        # Some data sets repeat the prompt as the first message of both.
        while len(chosen) > 1 and len(rejected) > 1 and chosen[0] == rejected[0]:
            chosen, rejected = chosen[1:], rejected[1:]
    elif len(chosen) > 1 or len(rejected) > 1:  # the prompt is what both begin with
        shared = 0
        while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
            shared += 1
        if not shared:
            raise record.error("chosen", "shares no turn with rejected", "the same prompt in both")
        prompt, chosen, rejected = joined(chosen[:shared]), chosen[shared:], rejected[shared:]
    else:
        return _without_prompt(record)
    return prompt, joined(chosen), joined(rejected)


def _asked(record: Fields, name: str) -> list[Turn]:
    """The prompt's turns, behind the record's system text where there is one."""
    asked = turns(record, name)
    system = record.get("system")
    if not isinstance(system, str) or not system.strip() or asked[0][0] == "system":
        return asked
    return [("system", record.text("system")), *((role or "user", text) for role, text in asked)]


def _without_prompt(record: Fields) -> tuple[str, str, str]:
    """Two texts that begin with the same prompt: cut where they part, before a turn or a word."""
    named = next((name for name in _PROMPTS if record.get(name) is not None), None)
    if named is not None:
        raise record.error("prompt", "missing", f"the prompt under this name, not as '{named}'")
    chosen, rejected = record.text("chosen"), record.text("rejected")
    end = _shared_text(chosen, rejected)
    cut = chosen.rfind(_TURN, 0, end)
    if cut >= 0:
        end = cut + len(_TURN)
        prompt = chosen[:cut]
    else:
        while end and chosen[end - 1 : end].isalnum() and chosen[end : end + 1].isalnum():
            end -= 1
        prompt = chosen[:end]
    if not prompt.strip():
        raise record.error("prompt", "missing", "a prompt, or texts that begin with it")
    return prompt.strip(), chosen[end:].strip(), rejected[end:].strip()


def _hh(record: Fields, criterion: str) -> Iterator[Labelled]:
    del criterion
    if record.get("prompt") is not None or not isinstance(record.get("chosen"), str):
        prompt, *answers = chosen_and_rejected(record)  # cut already
        prompt = prompt.strip().removesuffix(_TURN.strip()).strip()
        yield _labelled(prompt, answers[0].strip(), answers[1].strip(), "hh")
        return
    chosen, rejected = (record.text(name).replace("\r\n", "\n") for name in ("chosen", "rejected"))
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
        yield _labelled(prompt, better, worse, "ultrafeedback", item=str(number), tie=one == two)


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
        answers = (
            record.text("instruction"), record.text("chosen_response"),
            record.text("rejected_response"),
        )  # fmt: skip
    else:
        answers = chosen_and_rejected(record)
    return _labelled(*answers, "ultrafeedback", tie=tie)


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
