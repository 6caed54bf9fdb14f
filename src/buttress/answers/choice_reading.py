"""Which option an answer in English or Chinese chose, or that nobody can tell.

In this order: a declared letter ("the answer is B", 答案是B), a letter that the answer opens with,
the text of exactly one option, a single letter that stands alone, and at last phrases that say that
nobody can know, for questions with such an option. What merely repeats
the options chooses none, and whatever is ambiguous is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from buttress.answers.reasoning import separate

LETTERS: Final = "ABCDEFGH"
MAX_ANSWER: Final = 20_000  # characters; what a long answer ends with is where it declares

MAX_OPTION: Final = 500  # characters after a letter that may repeat its option

How = Literal["declared", "leading", "text", "letter", "unknown"]


@dataclass(frozen=True, slots=True)
class ChoiceReading:
    """The place (from 0) of the chosen option as shown, and how it was read."""

    place: int
    how: How


_MARKUP: Final = re.compile(r"[*_`#$~]+")
_COMMAND: Final = re.compile(r"\\(?:boxed|text|textbf|mathrm)\{([^{}]{0,200})\}")
_LETTER: Final = r"[(\[\"'“‘]{0,2}([A-H](?![A-Za-z'’])|[a-h](?=[)\].,;:]|\s*(?:\n|$)))"
_FILLER: Final = (
    r"(?:\s|:|=|,|-|is|would be|should be|will be|must be|has to be|letter|option|choice|number|"
    r"definitely|clearly|therefore|应该|应当|应|该|就|只|能|是|为|选项|选择|选|:){0,8}"
)
_STRONG: Final = re.compile(
    r"(?:\b(?:[Aa]nswer|ANSWER|[Cc]hoose|[Pp]ick|[Ss]elect|[Gg]o with|[Gg]oing with)\b"
    r"|答案|(?<!不)选择|(?<!不)(?<!备)(?<!可)选(?!项)|正确的是|应为)" + _FILLER + _LETTER
)
_WEAK: Final = re.compile(
    r"(?:(?<!not )(?<!than )\b(?:[Oo]ption|[Cc]hoice)\b|(?<!不是)选项)" + _FILLER + _LETTER
)
_BEFORE: Final = re.compile(
    r"(?<![A-Za-z])([A-H])\s?(?:选项|项|是正确的|是对的|正确(?!吗)|is (?:the )?(?:correct|right))"
)
_ALSO: Final = re.compile(
    r"\W{0,3}(?:and|or|/|&|,|和|或|与|及|、)\W{0,3}(?:also\s)?([A-H])(?![A-Za-z'’])"
)
_LEADING: Final = re.compile(r"\W*([A-Ha-h])(?:[)\].:,;、。]|\s*(?:\n|$))")
_LISTED: Final = re.compile(r"(?:^|(?<=[\s(\[]))([A-H])[)\].:、]")
# A capital A before a lower-case word is an article.
_ALONE: Final = re.compile(r"(?<![A-Za-z'’])([B-H]|A(?!\s+(?!or\b|and\b|is\b)[a-z]))(?![A-Za-z'’])")
_UNKNOWN: Final = re.compile(
    r"(?:can(?:no|')t|cannot|could(?:n't| not)|can not|not possible to|impossible to|unable to"
    r"|no way to|no way of|hard to|difficult to|not able to) (?:be )?(?:\w+ ){0,2}"
    r"(?:determin|say|tell|know|answer|decid|infer|conclud|identif|assum)"
    r"|not (?:enough|sufficient) (?:information|info|context|evidence|detail)"
    r"|(?:insufficient|lack of) (?:information|context|evidence)|\bunknown\b|\bunclear\b"
    r"|\bundetermined\b|\bnot known\b|\bnot answerable\b"
    r"|\b(?:don't|do not|doesn't|does not) (?:know|say|state|specify|mention|tell|provide)"
    r"|\bnot (?:specified|stated|mentioned|given|clear|indicated)\b"
    r"|(?:无法|不能|没法|难以|不可能|无从)(?:直接|就此|据此|从中)?(?:确定|判断|得知|知道|回答|推断|断定|看出|说)"
    r"|不确定|不知道|不清楚|不明确|信息不足|信息不够|没有足够|未提及|没有提到|没有说明|没提|看不出|说不准|不得而知"
)
_NEGATED: Final = re.compile(
    r"(?:\bnot|n't|\bnever|\brather than|\binstead of|不是|并非|而非|不选|排除)\s*$"
)
_FOUND: Final = "\x00"


def read_choice(
    answer: str, options: Sequence[str], *, unknown: int | None = None
) -> ChoiceReading | None:
    """The chosen option.

    Args:
        answer: what the model said; anything.
        options: texts of the options in the order shown, 2 to 8.
        unknown: place of the option that says that nobody can tell, if there is one.

    Returns:
        None where no option, or more than one, was chosen.
    """
    text = plain(answer)
    for pattern in (_STRONG, _BEFORE):
        if (place := _declared(text, pattern, options)) is not None:
            return None if place < 0 else ChoiceReading(place, "declared")
    repeated = len(set(_LISTED.findall(text))) > 1  # the options, said again
    if not repeated and (match := _LEADING.match(text)):
        place = _place(match.group(1), len(options))
        if place is not None:
            clear = _clear(text, match.end(1), place, options)
            return ChoiceReading(place, "leading") if clear else None
    if (place := _declared(text, _WEAK, options)) is not None:
        return None if place < 0 else ChoiceReading(place, "declared")
    if repeated:
        text = "\n".join(line for line in text.splitlines() if not _LEADING.match(line))
    named = _named(text, options)
    if len(named) == 1:
        return ChoiceReading(named.pop(), "text")
    if not named:
        letters = set(_ALONE.findall(text))
        if len(letters) == 1 and (place := _place(letters.pop(), len(options))) is not None:
            return ChoiceReading(place, "letter")
    if unknown is not None and _UNKNOWN.search(text.lower().replace("’", "'")):
        return ChoiceReading(unknown, "unknown")
    return None


def plain(answer: str) -> str:
    """The answer without thoughts before it, markup and full-width forms."""
    text = separate(answer).text[-MAX_ANSWER:]
    text = _COMMAND.sub(r" \1 ", unicodedata.normalize("NFKC", text))
    return _MARKUP.sub("", text).strip()


def _place(letter: str, options: int) -> int | None:
    place = LETTERS.index(letter.upper())
    return place if place < options else None


def _declared(text: str, pattern: re.Pattern[str], options: Sequence[str]) -> int | None:
    """Place of the last declared letter; -1 where what follows makes it unclear."""
    found: int | None = None
    for match in pattern.finditer(text):
        place = _place(match.group(1), len(options))
        if place is not None:
            found = place if _clear(text, match.end(1), place, options) else -1
    return found


def _clear(text: str, end: int, place: int, options: Sequence[str]) -> bool:
    """Whether neither another letter nor another option's text follows the letter."""
    if _ALSO.match(text, end):
        return False
    following = _words(text[end : end + MAX_OPTION].partition("\n")[0])
    own = _words(options[place]).rstrip()
    others = [_words(option).rstrip() for option in options if _words(option).strip()]
    longest = max((each for each in others if _starts(following, each)), key=len, default=own)
    return longest == own


def _starts(words: str, option: str) -> bool:
    return words.startswith(f"{option} ") if option.isascii() else words.startswith(option)


def _named(text: str, options: Sequence[str]) -> set[int]:
    """Places of the options whose text occurs, an option within a longer one not counted."""
    words = _words(text)
    named = set()
    for place in sorted(range(len(options)), key=lambda each: -len(_words(options[each]))):
        option = _words(options[place]).strip()
        if not option:
            continue
        if _short(option):
            if _opens_with(words.lstrip(), option):
                named.add(place)
            continue
        needle = f" {option} " if option.isascii() else option
        start = words.find(needle)
        while start >= 0:
            if not _NEGATED.search(words[max(0, start - 20) : start]):
                named.add(place)
            words = words[:start] + f" {_FOUND} " + words[start + len(needle) :]
            start = words.find(needle, start)
    return named


def _words(text: str) -> str:
    """Lower-case words between single spaces, articles dropped; Chinese without spaces."""
    text = text.casefold().replace("’", "'")
    text = re.sub(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])", "", text)
    text = re.sub(r"[^\w']+", " ", text)
    return f" {re.sub(r' (?:the|a|an)(?= )', '', f' {text.strip()} ').strip()} "


def _short(option: str) -> bool:
    """Whether the option is a word like "yes" or 是, which other words may hold by chance."""
    return len(option) <= (3 if option.isascii() else 1)


def _opens_with(words: str, option: str) -> bool:
    if not words.startswith(option):
        return False
    following = words[len(option) : len(option) + 1]
    return following in {"", " "} or (not option.isascii() and following in {"的", "。"})
