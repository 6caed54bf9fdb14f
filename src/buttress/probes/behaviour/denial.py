"""Phrases with which an answer says that it doesn't know, or that there is no such thing."""

from __future__ import annotations

import re
from typing import Final

from buttress.probes.behaviour.choice_reading import plain

_ENGLISH: Final = (
    r"\b(?:do not|don't|did not|didn't|does not|doesn't) (?:actually |really |appear to |seem to )?"
    r"(?:know|have|recogni[sz]e|find|exist|recall|see|correspond|match|ring)\b"
    r"|\b(?:am|'m|was|is) not (?:\w+ )?(?:aware|familiar|sure|certain|able|a real|real|a known|known"
    r"|an actual|something i)\b"
    r"|\b(?:am|'m|was) (?:unaware|unfamiliar|unable|uncertain|unsure)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to) (?:\w+ ){0,2}"
    r"(?:find|verify|confirm|answer|provide|identify|locate|tell|recall|trace|point)"
    r"|\b(?:there is|there's|there was|there are|i have|i know of|i find|i see|i've found|found) no\b"
    r"|\b(?:there is|there's|there was|there are) not (?:a|an|any)\b|\bthere (?:isn't|wasn't|aren't)\b"
    r"|\bno (?:such|record|reliable|known|credible|evidence|information|results|mention|trace|studies"
    r"|study|source)\b"
    r"|\b(?:fictional|fictitious|imaginary|made[- ]up|invented|hypothetical|non-?existent)\b"
    r"|\b(?:never heard|not exist|unknown to me|might be mistaken|may be mistaken|misspell\w*"
    r"|isn't real|isn't a real|lack (?:any )?information|beyond my knowledge)\b"
)
_CHINESE: Final = (
    r"不存在|并不存在|不知道|不清楚|不了解|不熟悉|不确定|没有(?:找到|查到|听说|听过|关于|相关|任何|这|该|所谓|可靠|名为|叫)"
    r"|未(?:找到|查到|听说|能找到|能查到|见)|没(?:听说|听过|找到|查到)|查无|查不到|找不到|无(?:法|从)(?:确认|找到|核实|提供|回答|查证|确定|得知|查到|给出)"
    r"|虚构|杜撰|捏造|编造|并非真实|不是真实|不属实|可能有误|缺乏(?:相关)?(?:信息|资料|证据)|无相关|没有证据"
)
_DENIAL: Final = re.compile(f"{_ENGLISH}|{_CHINESE}")


def denies(answer: str) -> bool:
    """Whether the answer says that it doesn't know, or that there is no such thing."""
    return _DENIAL.search(plain(answer).lower().replace("’", "'")) is not None
