"""Checks of hidden text, and of descriptions that give orders about the tools of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

from buttress.rules.governing import governed
from buttress.rules.rule_files import RuleKind
from buttress.rules.skeleton import skeleton
from buttress.rules.subject import Check, Subject, SubjectMatch
from buttress.rules.subject_rule import SUBJECT_RULES, SubjectRule
from buttress.rules.terms import Wordings

RULES: Final = RuleKind("agent-rules", SUBJECT_RULES, Path(__file__).parents[1] / "rules")
_SHOWN: Final = 200  # characters before an order that are shown
_TOOL_NAME: Final = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b")
_ABOUT_OTHER: Final = re.compile(
    r"(?i)\b(?:when|whenever|before|after|if|instead of|every time)\b.{0,60}"
    r"\b(?:us|call|invok|send|execut)\w*\b"
)
_ORDER: Final = re.compile(
    r"(?i)\b(?:must|always|never|change|replace|redirect|add|include|bcc|instead)\b"
)


def _shadowing(subject: Subject) -> Iterator[SubjectMatch]:
    """A description gives orders about the tools of others."""
    own = subject.context.get("names", frozenset())
    for sentence in re.split(r"(?<=[.!?\n])\s+", skeleton(subject.value)):
        if _ABOUT_OTHER.search(sentence) and _ORDER.search(sentence):
            for name in _TOOL_NAME.findall(sentence):
                if name not in own and _as_tool(name).search(sentence):
                    yield SubjectMatch(subject.line(()), name)
                    return


def _as_tool(name: str) -> re.Pattern[str]:
    """A name that is spoken of as a tool: "the tool NAME", "calling `NAME`"."""
    return re.compile(
        rf"\b{name}\b[`'\"]?\s+(?:tool|function)\b|"
        rf"\b(?:tool|function|call(?:s|ed|ing)?|invok\w+)\s+(?:the\s+)?[`'\"]?{name}\b"
    )


@cache
def _instructions() -> tuple[SubjectRule, ...]:
    """Rules whose patterns or terms are orders to a model."""
    return tuple(
        one for one in RULES.own.values() if "text.tool" in one.about and (one.pattern or one.terms)
    )


def _hidden_instruction(subject: Subject) -> Iterator[SubjectMatch]:
    text, how = skeleton(str(subject.value["text"])), subject.value["how"]
    wordings = Wordings(text)
    for rule in _instructions():
        acts = chain(
            (match.span() for match in rule.expression.finditer(text)),
            (one[:2] for one in wordings.combinations(rule.terms)),
        )
        for start, end in acts:
            if not (rule.act and governed(text, start, end)):
                shown = text[max(0, start - _SHOWN) :].split()
                yield SubjectMatch(subject.line(()), f"In {how} stands: {' '.join(shown)}")
                return


def _invisible(subject: Subject) -> Iterator[SubjectMatch]:
    yield SubjectMatch(subject.line(()), f"{subject.value['how']}: {subject.value['text']}")


CHECKS: Final[dict[str, Check]] = {
    "shadowing": _shadowing,
    "hidden-instruction": _hidden_instruction,
    "invisible": _invisible,
}
