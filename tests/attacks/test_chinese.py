"""Readings, parts and forms of Chinese characters, and the wordplay made of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.attacks import hanzi
from buttress.attacks.best_of_n import augmented
from buttress.attacks.chinese import ATTACK
from buttress.prompts.pack import load_pack
from tests.attacks.families import CHINESE

LEVEL_ONE = [
    bytes((row, cell)).decode("gb2312")
    for row in range(0xB0, 0xD8)
    for cell in range(0xA1, 0xFA if row == 0xD7 else 0xFF)
]


def said(text: str, variant: str, seed: int = 0) -> str:
    (message,) = ATTACK.apply(text, variant, language="zh", seed=seed)
    return message.content.partition("\n")[2]


def test_every_common_character_and_the_pack_have_readings() -> None:
    assert len(LEVEL_ONE) == 3755
    pack = {letter for prompt in load_pack(["zh"]) for letter in prompt.text}
    ideographs = {letter for letter in pack if "\u4e00" <= letter <= "\u9fff"}
    unread = {letter for letter in ideographs | {*LEVEL_ONE} if not hanzi.pinyin(letter, tone=True)}
    assert not set(LEVEL_ONE) & unread
    assert len(unread) <= len(ideographs) // 50  # characters that later prompts bring


@pytest.mark.parametrize(
    ("character", "toned"),
    [
        *(("好", "hǎo"), ("学", "xué"), ("女", "nǚ"), ("六", "liù"), ("贵", "guì")),
        *(("狗", "gǒu"), ("月", "yuè"), ("吗", "ma"), ("雄", "xióng"), ("略", "lüè")),
    ],
)
def test_tone_marks_sit_on_the_right_vowel(character: str, toned: str) -> None:
    assert hanzi.pinyin(character, tone=True) == toned


def test_unknown_characters_have_no_reading() -> None:
    assert hanzi.pinyin("龘", tone=False) is None
    assert hanzi.homophones("A") == ""
    assert hanzi.parts("一") is None
    assert hanzi.whole("一一") is None


@given(character=st.sampled_from(LEVEL_ONE))
def test_homophones_sound_alike(character: str) -> None:
    syllable = hanzi.pinyin(character, tone=False)
    others = hanzi.homophones(character)
    assert character not in others
    assert {hanzi.pinyin(other, tone=False) for other in others} <= {syllable}


@given(character=st.sampled_from(LEVEL_ONE))
def test_parts_and_forms_are_unambiguous(character: str) -> None:
    pair = hanzi.parts(character)
    assert pair is None or hanzi.whole(pair) == character
    assert hanzi.to_simplified(hanzi.to_traditional(character)) == character


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("pinyin", "zen me da kai men ？"),
        ("pinyin-toned", "zěn me dǎ kāi mén ？"),
        ("split", "怎么〔扌丁〕开门？"),
        ("traditional", "怎麼打開門？"),
    ],
)
def test_wordplay(variant: str, expected: str) -> None:
    assert said("怎么打开门？", variant) == expected


def test_columns_are_read_from_right_to_left() -> None:
    assert said("甲乙丙丁戊己庚", "columns") == "庚戊丙甲\n\u3000己丁乙"


def test_symbols_come_between_every_two_characters() -> None:
    found = said("打开A门吧", "symbols", seed=4)
    assert len(found) == 7
    assert (found[0], found[2:5], found[6]) == ("打", "开A门", "吧")


@given(seed=st.integers(0, 1000), text=st.sampled_from(CHINESE))
def test_some_character_is_always_misheard(seed: int, text: str) -> None:
    found = said(text, "homophones", seed)
    assert len(found) == len(text)
    assert found != text


@given(seed=st.integers(0, 200), text=st.sampled_from(CHINESE))
def test_misspellings_of_chinese_keep_their_sounds(seed: int, text: str) -> None:
    found = augmented(text, 0.4, random.Random(seed))

    def sounds(written: str) -> list[str]:
        return sorted(filter(None, (hanzi.pinyin(letter, tone=False) for letter in written)))

    assert sounds(found) == sounds(text)
