"""What a model writes for itself before it answers, apart from its answer.

Servers with a reasoning parser give it in a field of its own; without one it stands in the text
between marks that depend on the model: DeepSeek, Qwen, Magistral, Kimi, gpt-oss.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from buttress.targets.base import Answer

_NAMES: Final = r"think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis"
_OPEN: Final = re.compile(rf"<({_NAMES})>|\[THINK\]|◁think▷|<\|begin_of_thought\|>", re.IGNORECASE)
_CLOSE: Final = re.compile(
    rf"</({_NAMES})>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>", re.IGNORECASE
)
_HARMONY: Final = re.compile(r"<\|channel\|>(\w+)[^<]*<\|message\|>", re.IGNORECASE)
_CONTROL: Final = re.compile(r"<\|(start|end|return|call)\|>(assistant)?", re.IGNORECASE)
_SOLUTION: Final = re.compile(r"</?(answer|solution|final_answer)>|<\|(begin|end)_of_solution\|>")


def split(text: str) -> tuple[str, str]:
    """Reasoning and answer in ``text``; the answer is "" where the reasoning doesn't end.

    Only reasoning at the start counts: what stands between marks later on is part of what the
    model says to its reader.
    """
    if not any(mark in text for mark in "<[◁"):
        return "", text
    if _HARMONY.search(text):
        return _harmony(text)
    start = text.lstrip()
    opened = _OPEN.match(start)
    closed = _CLOSE.search(start)
    if opened is None:
        # Some templates put the opening mark into the prompt: all up to the lone end is reasoning.
        before = _OPEN.search(start)
        if closed is None or (before is not None and before.start() < closed.start()):
            return "", text
        return start[: closed.start()].strip(), start[closed.end() :].strip()
    if closed is None:
        return start[opened.end() :].strip(), ""
    reasoning = start[opened.end() : closed.start()].strip()
    more, answer = split(start[closed.end() :].strip())
    answer = _SOLUTION.sub("", answer).strip()
    return "\n".join(filter(None, [reasoning, more])), answer


def _harmony(text: str) -> tuple[str, str]:
    """Reasoning and answer in gpt-oss's own form, channel by channel."""
    pieces = _HARMONY.split(text)
    reasoning: list[str] = []
    answer = [_CONTROL.sub("", pieces[0]).strip()]
    for channel, said in zip(pieces[1::2], pieces[2::2], strict=True):
        shown = _CONTROL.sub("", said).strip()
        (answer if channel.lower() == "final" else reasoning).append(shown)
    return "\n".join(filter(None, reasoning)), "\n".join(filter(None, answer))


def separated(answer: Answer) -> Answer:
    """The answer with its reasoning in ``reasoning``, wherever it stood."""
    inside, text = split(answer.text)
    if not inside and text == answer.text:
        return answer
    return replace(answer, text=text, reasoning="\n".join(filter(None, [answer.reasoning, inside])))
