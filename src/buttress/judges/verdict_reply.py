"""A judging model's reply, read: JSON alone, in a fence, with text around it, or labelled lines.

Where a model keeps to none of these, it is asked for one word, and ``parse_word`` reads that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from buttress.answers import replies
from buttress.answers.json_objects import last_object, number, objects
from buttress.protocols.judge import Judgement

_REASON: Final = 300
_LABELS: Final = ("verdict", "score", "reason")
_AROUND_WORD: Final = " \t\n*_`\"'.!。"
_OF: Final = re.compile(
    r"(?P<score>[\d.]{1,20})\s{0,9}(?:/|out of|of)\s{0,9}(?P<most>\d{1,5})(?!\d)"
)

_LONGEST_WORDING: Final = 12  # words of a reply that is asked for in one
_BARE: Final = re.compile(
    r"\W*(?:(?P<yes>yes|true|是的?)|(?P<no>no|false|否|不是))\W*(?:$|[,.;:!。，])", re.IGNORECASE
)
_WIDE: Final = str.maketrans("“”：，｛｝", '"":,{}')
_NEGATED: Final = r"(?:\bnot|n't|\bnever|不|非|没有)(?: (?:at all|really|a|an))? ?"


def parse(text: str, verdicts: tuple[str, str]) -> Judgement | str:
    """The judgement in a reply, or what is wrong with the reply.

    ``verdicts`` are the words for failure and success. A score may be a number from 0 to 1, a
    percentage or a fraction such as 8/10. A score that contradicts the verdict makes the reply
    unusable.
    """
    reply = _object(text) or _lines(text)
    if not reply:
        return "no JSON object with a verdict"
    failure, success = verdicts
    verdict = reply["verdict"]
    verdict = verdict.strip(_AROUND_WORD).lower() if isinstance(verdict, str) else verdict
    if verdict not in (failure, success):
        return f'the verdict is neither "{failure}" nor "{success}"'
    score = _score(reply.get("score"))
    if score is None:
        return "the score is no number"
    if not 0 <= score <= 1:
        return "the score is not between 0 and 1"
    failed = verdict == failure
    if failed != (score >= 0.5):
        return "the score contradicts the verdict"
    return Judgement(float(failed), score, reason(reply))


def parse_word(text: str, verdicts: tuple[str, str]) -> Judgement | str:
    """The judgement in a reply to the question whether the verdict is that of a failure.

    It may be yes or no, one of the ``verdicts`` in a short sentence, or an object with the verdict
    alone. The score is then 1 or 0: the model gave no other.
    """
    failure, success = verdicts
    if (reply := _object(text)) is not None:
        said = str(reply["verdict"]).strip(_AROUND_WORD).lower()
    elif found := [each for each in objects(text) if failure in each or success in each]:
        flags = (found[-1].get(failure), found[-1].get(success))
        said = {(True, None): failure, (None, True): success, (True, False): failure,
                (False, True): success, (False, None): success, (None, False): failure}.get(
                    flags, "")  # fmt: skip
    elif bare := _BARE.match(text):
        said = failure if bare["yes"] else success
    else:
        said = _only_word(text.lower(), failure, success)
    if said not in verdicts:
        return f'the reply is neither "{failure}" nor "{success}", nor yes or no'
    return Judgement(float(said == failure), float(said == failure), "")


def _only_word(text: str, failure: str, success: str) -> str:
    """The verdict that a short sentence names, or the other where it denies it; "" for neither."""
    if len(text.split()) > _LONGEST_WORDING:
        return ""
    named = [word for word in (failure, success) if re.search(rf"\b{re.escape(word)}\b", text)]
    if len(named) != 1:
        return ""
    denied = re.search(rf"{_NEGATED}{re.escape(named[0])}\b", text)
    return named[0] if not denied else success if named[0] == failure else failure


def _object(text: str) -> dict[str, Any] | None:
    """The last object with a verdict, whatever the case of its fields.

    It may stand as text inside a JSON string, or have the signs of Chinese keyboards.
    """
    inner = text.strip().strip('"').replace('\\"', '"')
    for written in (text, inner, text.translate(_WIDE)):
        for name in ("verdict", "Verdict", "VERDICT"):
            if (reply := last_object(written, name)) is not None:
                return {str(key).lower(): value for key, value in reply.items()}
    return None


def _lines(text: str) -> dict[str, Any]:
    """Fields that stand as ``Verdict: …`` on lines of their own; none without a verdict."""
    fields = {name: replies.section(text, (name,), _LABELS) for name in _LABELS}
    return {} if fields["verdict"] is None else fields


def _score(value: Any) -> float | None:
    """A score from 0 to 1, also where it is written as a percentage or as a fraction.

    A number from 2 to 100 is a percentage.
    """
    if isinstance(value, str):
        value = value.strip(_AROUND_WORD)
        if match := _OF.fullmatch(value):
            score, most = number(match["score"]), number(match["most"])
            return score / most if score is not None and most else None
        if value.endswith(("%", "％")):
            score = number(value[:-1])
            return None if score is None else score / 100
    score = number(value)
    return score / 100 if score is not None and 2 <= score <= 100 else score


def reason(reply: Mapping[str, Any]) -> str:
    """The reply's reason on one line, cut where it is long."""
    said = reply.get("reason", "")
    return " ".join(said.split())[:_REASON] if isinstance(said, str) else ""
