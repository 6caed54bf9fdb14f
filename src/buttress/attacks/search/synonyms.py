"""Words that can stand for each other in the frames: what the genetic search varies and learns.

A small table of our own, in English and Chinese. Members of a group have the same form, so that a
sentence stays one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from buttress.attacks.template import SLOT

_GROUPS: Final = (
    ("explain", "describe", "set out", "lay out"),
    ("explains", "describes", "sets out", "lays out"),
    ("exactly", "precisely"),
    ("complete", "full", "thorough"),
    ("concrete", "specific", "practical"),
    ("steps", "stages", "moves"),
    ("question", "task", "topic"),
    ("answer", "reply", "response"),
    ("answers", "replies", "responses"),
    ("begin", "start", "set off"),
    ("begins", "starts", "sets off"),
    ("write", "compose", "put down"),
    ("expert", "specialist", "insider"),
    ("retired", "former", "veteran"),
    ("detail", "depth"),
    ("text", "passage"),
    ("never", "at no point"),
    ("everything", "all of it"),
    ("reader", "audience"),
    ("chapter", "scene"),
    ("game", "exercise"),
    ("suppose", "imagine", "assume"),
    ("always", "every time"),
    ("at once", "straight away", "immediately"),
    ("old friend", "trusted friend", "close friend"),
    ("people", "folk"),
    ("tell me", "let me know"),
    ("show", "demonstrate"),
    ("clearly", "plainly"),
    ("nobody", "no one"),
    ("promised", "pledged", "vowed"),
    ("taught", "learnt", "covered"),
    ("page", "entry"),
    ("quickly", "fast"),
    ("heading", "title"),
    ("manner", "style"),
    ("warnings", "caveats"),
    ("grandpa", "granddad"),
    ("解释", "讲解", "说明", "阐述"),
    ("具体", "详细", "确切"),
    ("完整", "全面", "完完整整"),
    ("步骤", "流程", "做法"),
    ("问题", "题目", "课题"),
    ("回答", "答复", "作答"),
    ("回复", "回话", "回应"),
    ("开头", "开场", "起首"),
    ("写出", "列出", "给出"),
    ("专家", "行家", "内行"),
    ("马上", "立即", "立刻"),
    ("全部", "通通", "一概"),
    ("必须", "务必", "一定要"),
    ("从头到尾", "自始至终", "始终"),
    ("记者", "采访者", "主持人"),
    ("假设", "设想", "假如"),
    ("文字", "段落", "内容"),
    ("规范", "规矩", "要求"),
    ("老朋友", "老同学", "至交"),
    ("直接", "径直", "当即"),
    ("帮助", "帮忙", "协助"),
    ("爷爷", "祖父", "老爷子"),
    ("讲一遍", "说一遍"),
    ("清楚", "明白"),
    ("承诺", "许诺", "保证"),
    ("热情", "热心", "开朗"),
    ("提醒", "警告"),
    ("课程", "功课"),
    ("标题", "题头"),
    ("师傅", "老手", "匠人"),
)
SYNONYMS: Final[Mapping[str, Sequence[str]]] = {word: group for group in _GROUPS for word in group}
_BY_LENGTH: Final = sorted(SYNONYMS, key=len, reverse=True)
_LATIN: Final = "|".join(word for word in _BY_LENGTH if word.isascii())
_HAN: Final = "|".join(word for word in _BY_LENGTH if not word.isascii())
# The slot comes first, so that nothing in it is taken for a word.
_WORD: Final = re.compile(rf"{re.escape(SLOT)}|\b(?:{_LATIN})\b|{_HAN}", re.IGNORECASE)


def grouped(text: str) -> set[str]:
    """The words of a text that have synonyms, in small letters."""
    return {found.lower() for found in _WORD.findall(text) if found != SLOT}


def replaced(text: str, choose: Callable[[str], str]) -> str:
    """The text with each word that has synonyms put through ``choose``; capitals are kept."""

    def other(match: re.Match[str]) -> str:
        if match[0] == SLOT:
            return SLOT
        word = choose(match[0].lower())
        return word[0].upper() + word[1:] if match[0][0].isupper() else word

    return _WORD.sub(other, text)


def mutated(text: str, rate: float, rng: random.Random) -> str:
    """Each word that has synonyms becomes another of its group with chance ``rate``."""

    def choose(word: str) -> str:
        if rng.random() >= rate:
            return word
        return rng.choice([one for one in SYNONYMS[word] if one != word])

    return replaced(text, choose)


class Momentum:
    """What each word is worth: the fitness of the frames that hold it, averaged over generations.

    Liu et al. 2023, arXiv:2310.04451, section 3.3 (momentum word scoring): a word's new worth is the
    mean of its old worth and the mean fitness of the frames with it. Words without synonyms are
    left out, since nothing could be done with their worth.
    """

    def __init__(self) -> None:
        self.worth: dict[str, float] = {}

    def learn(self, fitness: Mapping[str, float]) -> None:
        """Take in a generation: fitness, from 0 to 1, of each frame."""
        held: dict[str, list[float]] = {}
        for frame, value in fitness.items():
            for word in grouped(frame):
                held.setdefault(word, []).append(value)
        for word, values in held.items():
            mean = sum(values) / len(values)
            self.worth[word] = (self.worth[word] + mean) / 2 if word in self.worth else mean

    def improved(self, text: str, rng: random.Random) -> str:
        """Each word drawn anew from its group's known words, in proportion to their worth."""

        def choose(word: str) -> str:
            known = [one for one in SYNONYMS[word] if one in self.worth]
            weights = [self.worth[one] for one in known]
            return rng.choices(known, weights)[0] if sum(weights) > 0 else word

        return replaced(text, choose)
