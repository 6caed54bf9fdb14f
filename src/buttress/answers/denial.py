"""Phrases with which an answer says that it doesn't know, or that there is no such thing."""

from __future__ import annotations

import re
from typing import Final

from buttress.answers.choice_reading import plain

_OPENING: Final = 400  # characters; a caveat far down does not take back what was told before it
_ENGLISH: Final = (
    r"\b(?:do|did|does)(?: not|n't) (?:actually |really |currently |appear to |seem to )?"
    r"(?:know|recogni[sz]e|find|exist|recall|correspond|ring a bell"
    r"|have (?:\w+ ){0,2}(?:information|records?|knowledge|data|details|evidence|sources?))\b"
    r"|\b(?:am|'m|was|were) not (?:\w+ )?(?:aware|familiar|sure|certain|able)\b"
    r"|\b(?:is|was|are)(?: not|n't) (?:an? )?(?:real|known|actual|recogni[sz]ed|documented)\b"
    r"|\b(?:am|'m|was) (?:unaware|unfamiliar|unable|uncertain|unsure)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to) (?:\w+ ){0,2}"
    r"(?:find|verify|confirm|answer|provide|identify|locate|tell|recall|trace)\b"
    r"|\b(?:i have|i know of|i find|i see|i've found|i found) no\b"
    r"|\bthere(?:'s| is| was| are| were) (?:not (?:an?|any)|no)\b"
    r"|\bthere (?:isn't|wasn't|aren't|weren't) (?:an?|any)\b"
    r"|\bno (?:such|record|reliable|known|credible|verifiable|trace|mention)\b"
    r"|\b(?:fictional|fictitious|imaginary|made[- ]up|non-?existent|nonexistent)\b"
    r"|\b(?:(?:i have|i've|i) never heard|(?:might|may|seems to) be (?:mistaken|invented|a mix)"
    r"|misspell\w*|lack (?:any )?information|beyond my knowledge|unknown to me)\b"
)
_CHINESE: Final = (
    r"不存在|不知道|不清楚|不了解|不熟悉|不确定|不太确定"
    r"|没有(?:找到|查到|听说|听过|关于|相关|任何|这个|这样|所谓|可靠|名为|叫|一个叫|记载)"
    r"|(?:未|没|没能|未能|无法|不能|难以)(?:找到|查到|听说|听过|核实|确认|查证|证实|回答|提供|给出|得知)"
    r"|查无|查不到|找不到|从未听说|虚构|杜撰|捏造|编造|(?:并非|不是)真实"
    r"|可能有误|缺乏(?:相关)?(?:信息|资料|证据|记载)|无相关"
)
_DENIAL: Final = re.compile(f"{_ENGLISH}|{_CHINESE}")


def denies(answer: str) -> bool:
    """Whether the answer opens by saying that it doesn't know, or that there is no such thing."""
    text = plain(answer)[:_OPENING].lower().replace("’", "'")
    return _DENIAL.search(text) is not None
