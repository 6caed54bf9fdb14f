"""What a model wrote for itself, told apart from its answer.

Reasoning models write before they answer. Servers that know the model's format hand it over in a
field of its own; others leave it in the text, in the model's own marks. The marks known here are
those of the open formats: think tags of many names, closed, left open, or with the opening one
swallowed by the chat template; marks of special tokens; channels of the Harmony format; and
headings in words. What a judge reads is the answer, and the reasoning is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# Names that stand for nothing but reasoning, wherever they stand, and names that are also used for
# parts of an answer, which count only at its beginning.
_CERTAIN: Final = r"think|thinking|seed:think|inner_monologue|scratchpad"
_LIKELY: Final = r"reasoning|reason|thoughts?|analysis|reflection|internal|planning"
_PAIRS: Final = (
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|assistant_thought|>", "<|assistant_answer|>"),
    ("<unused94>thought", "<unused95>"),
)
_OPEN: Final = re.compile(
    rf"<(?P<name>{_CERTAIN})(?:\s[^<>]{{0,200}})?>"
    r"|(?P<details><details(?=[^<>]{0,200}\btype=[\"']reasoning[\"'])[^<>]{0,300}>)"
    + "".join(rf"|(?P<pair{i}>{re.escape(start)})" for i, (start, _) in enumerate(_PAIRS)),
    re.IGNORECASE,
)
_CLOSE: Final = re.compile(
    rf"</(?:{_CERTAIN})\s{{0,9}}>" + "".join(f"|{re.escape(end)}" for _, end in _PAIRS),
    re.IGNORECASE,
)
_LEADING: Final = re.compile(
    rf"\s{{0,99}}<(?P<name>{_LIKELY})(?:\s[^<>]{{0,200}})?>", re.IGNORECASE
)
_ESCAPED: Final = re.compile(rf"&lt;(/?(?:{_CERTAIN}))&gt;", re.IGNORECASE)
_CHANNEL: Final = re.compile(
    r"(?:<\|start\|>\s{0,9}\w{1,20}\s{0,9})?<\|channel\|>\s{0,9}(?P<channel>\w{1,20})[^<]{0,99}"
    r"<\|message\|>"
)
_CHANNEL_END: Final = re.compile(r"<\|(?:end|return|call)\|>")
# Harmony whose special tokens were dropped in decoding.
_BARE_CHANNEL: Final = re.compile(r"\A\s{0,9}analysis(?=[A-Z\s])")
_BARE_FINAL: Final = re.compile(r"(?:assistant)?\s{0,9}final(?=[A-Z\s*#\"'`\d])")
_HEADINGS: Final = re.compile(
    r"\A\W{0,9}(?:(?:here is|here's)? ?my|the)? ?(?:internal |inner |private )?"
    r"(?:(?:thought|thinking|reasoning)s?(?: process| steps?| trace| log)?|chain of thought"
    r"|monologue|scratchpad|思考过程|推理过程|思考|推理)\W{0,6}[:：\n]"
    r"(?P<reasoning>.*?)\n\W{0,9}(?:(?:(?:here is|here's)? ?my|the)? ?(?:final |actual )?"
    r"(?:response|answer|output|reply)(?: to (?:the )?user)?|(?:最终|正式)?"
    r"(?:回答|答案|回复|答复|输出))\W{0,6}[:：\n](?P<answer>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_WRAPPER: Final = re.compile(
    r"\A\s{0,99}(?:<(?P<name>answer|response|output|final|final_answer|solution)>"
    r"|<\|(?:begin_of_solution|START_RESPONSE)\|>)",
    re.IGNORECASE,
)
_WRAPPER_END: Final = re.compile(
    r"(?:</(?:answer|response|output|final|final_answer|solution)>"
    r"|<\|(?:end_of_solution|END_RESPONSE)\|>)\s{0,99}\Z",
    re.IGNORECASE,
)
_SPECIAL: Final = re.compile(
    r"\s{0,99}(?:</s>|<\|(?:im_end|im_start|eot_id|end_of_text|endoftext|return|end|eom_id|user)\|>"
    r"|<(?:end_of_turn|eos|pad)>|\[/?INST\])\s{0,99}\Z"
)
_SPECIAL_ENDS: Final = (">", "]")  # how each of them ends
_MARKS: Final = ("<", "[", "◁", "&lt;")  # one begins each mark but headings and bare channels
MOST_BLOCKS: Final = 64


@dataclass(frozen=True, slots=True)
class Separated:
    """``text`` is the answer, ``reasoning`` what stood before or between.

    ``unfinished`` says that the reasoning never came to its end, so that nothing was answered.
    """

    text: str
    reasoning: str = ""
    unfinished: bool = False


@lru_cache(maxsize=256)  # target, judge and repetition ask about the same answer
def separate(text: str) -> Separated:
    """The answer apart from reasoning in the text. Takes any string; never raises."""
    parts: list[str] = []
    unfinished = False
    readings: tuple[Callable[[str, list[str]], tuple[str, bool]], ...] = (
        _channels, _bare_channels, _blocks, _leading, _headings,
    )  # fmt: skip
    if any(mark in text for mark in _MARKS):
        text = _ESCAPED.sub(r"<\1>", text)
    else:
        readings = (_bare_channels, _headings)
    for reading in readings:
        text, open_ended = reading(text, parts)
        unfinished |= open_ended
    answer = _unwrapped(text, apart=bool(parts))
    reasoning = "\n\n".join(part for part in (part.strip() for part in parts) if part)
    return Separated(answer, reasoning, unfinished and not answer)


def _channels(text: str, parts: list[str]) -> tuple[str, bool]:
    """Harmony: messages in channels, of which only ``final`` is for the user."""
    found = list(_CHANNEL.finditer(text))
    if not found:
        return text, False
    answer = [text[: found[0].start()]]
    for place, match in enumerate(found):
        stop = found[place + 1].start() if place + 1 < len(found) else len(text)
        body = text[match.end() : stop]
        end = _CHANNEL_END.search(body)
        if end:
            body = body[: end.start()]
        if match["channel"].lower() == "final":
            answer.append(body)
        else:
            parts.append(body)
    return "".join(answer), found[-1]["channel"].lower() != "final"


def _bare_channels(text: str, parts: list[str]) -> tuple[str, bool]:
    start = _BARE_CHANNEL.match(text)
    if not start:
        return text, False
    finals = list(_BARE_FINAL.finditer(text, start.end()))
    marked = [each for each in finals if each.group().startswith("assistant")]
    if not marked:
        return text, False
    parts.append(text[start.end() : marked[-1].start()])
    return text[marked[-1].end() :], False


def _blocks(text: str, parts: list[str]) -> tuple[str, bool]:
    """Blocks between marks; up to a closing mark that nothing opened; from one left open."""
    kept: list[str] = []
    place = 0
    for _ in range(MOST_BLOCKS):
        opening = _OPEN.search(text, place)
        closing = _CLOSE.search(text, place)
        if closing and (opening is None or closing.start() < opening.start()):
            # The chat template swallowed the opening mark.
            parts.append("".join(kept) + text[place : closing.start()])
            kept, place = [], closing.end()
            continue
        if opening is None:
            break
        kept.append(text[place : opening.start()])
        end = _end_of(opening).search(text, opening.end())
        if end is None:
            parts.append(text[opening.end() :])
            return "".join(kept), True
        parts.append(text[opening.end() : end.start()])
        place = end.end()
    return "".join(kept) + text[place:], False


def _end_of(opening: re.Match[str]) -> re.Pattern[str]:
    if opening["name"]:
        return re.compile(rf"</{re.escape(opening['name'])}\s{{0,9}}>", re.IGNORECASE)
    if opening["details"]:
        return re.compile(r"</details\s{0,9}>", re.IGNORECASE)
    which = next(i for i in range(len(_PAIRS)) if opening[f"pair{i}"])
    return re.compile(re.escape(_PAIRS[which][1]), re.IGNORECASE)


def _leading(text: str, parts: list[str]) -> tuple[str, bool]:
    for _ in range(MOST_BLOCKS):
        opening = _LEADING.match(text)
        if opening is None:
            break
        name = re.escape(opening["name"])
        end = re.compile(rf"</{name}\s{{0,9}}>", re.IGNORECASE).search(text, opening.end())
        if end is None:
            parts.append(text[opening.end() :])
            return "", True
        parts.append(text[opening.end() : end.start()])
        text = text[end.end() :]
    return text, False


def _headings(text: str, parts: list[str]) -> tuple[str, bool]:
    match = _HEADINGS.match(text)
    if match is None:
        return text, False
    parts.append(match["reasoning"])
    return match["answer"], False


def _unwrapped(text: str, *, apart: bool) -> str:
    """Without marks around the answer and special tokens after it; else as it is."""
    before = text
    for _ in range(MOST_BLOCKS):
        if not text.rstrip().endswith(_SPECIAL_ENDS):
            break
        shorter = _SPECIAL.sub("", text)
        if shorter == text:
            break
        text = shorter
    opening = _WRAPPER.match(text)
    if opening:
        return _WRAPPER_END.sub("", text[opening.end() :]).strip()
    return text.strip() if apart or text != before else text
