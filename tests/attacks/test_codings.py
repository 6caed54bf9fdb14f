"""Coded requests can be decoded by rule, and are what the standard of the code says."""

from __future__ import annotations

import base64
import codecs
import random
import string
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.attacks import codes
from buttress.attacks.coding import Code
from buttress.protocols.attack import Attack
from buttress.targets.base import Message
from tests.attacks.families import FAMILIES, LANGUAGES, REQUESTS, TEXTS


class Coded(Attack, Protocol):
    def recover(self, messages: tuple[Message, ...], variant: str, *, language: str) -> str: ...

    def canonical(self, request: str, variant: str, *, language: str) -> str: ...


CODED: dict[str, Coded] = {
    name: attack  # type: ignore[misc]
    for name, attack in FAMILIES.items()
    if hasattr(attack, "recover")
}
VARIANTS = [(name, variant) for name, attack in CODED.items() for variant in attack.variants]
PLAIN = st.text(string.ascii_lowercase + " ,.?", min_size=1, max_size=60).map(
    lambda text: " ".join(text.split()) or "x"
)


def test_the_families_of_codes_are_all_here() -> None:
    assert set(CODED) == {
        *("ascii-art", "chinese", "ciphers", "obfuscation", "payload-splitting", "unicode")
    }


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@settings(max_examples=60)
@given(text=TEXTS | st.sampled_from([text for text, _ in REQUESTS]), language=LANGUAGES)
def test_the_request_comes_back(name: str, variant: str, text: str, language: str) -> None:
    attack = CODED[name]
    messages = attack.apply(text, variant, language=language, seed=len(text))
    found = attack.recover(messages, variant, language=language)
    assert found == attack.canonical(text, variant, language=language)


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
@settings(max_examples=20)
@given(text=PLAIN)
def test_plain_english_survives_but_for_capitals(name: str, variant: str, text: str) -> None:
    if variant == "leetspeak":  # digits and letters share signs, plain text has no digits
        assert not any(letter.isdigit() for letter in text)
    assert CODED[name].canonical(text, variant, language="en").lower() == text


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_coded_requests_are_not_readable_as_they_were(name: str, variant: str) -> None:
    if variant == "self":
        pytest.skip("SelfCipher has no cipher")
    for text, language in REQUESTS:
        if language in CODED[name].languages:
            (message,) = CODED[name].apply(text, variant, language=language, seed=1)
            assert text not in message.content


def _encoded(code: Code, text: str) -> str:
    return code.encode(text, random.Random(0))


@given(text=TEXTS)
def test_codes_agree_with_the_library(text: str) -> None:
    assert _encoded(codes.BASE64, text) == base64.b64encode(text.encode()).decode()
    assert bytes.fromhex(_encoded(codes.HEX, text)).decode() == text
    latin = "".join(letter for letter in text if not "\u4e00" <= letter <= "\u9fff")
    assert _encoded(codes.caesar(13), latin) == codecs.encode(latin, "rot13")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (codes.caesar(3), "xyz XYZ!", "abc ABC!"),
        (codes.caesar(1), "一\u9fff", "丁一"),
        (codes.ATBASH, "Wizard", "Draziw"),
        (codes.MORSE, "sos now", "... --- ... / -. --- .--"),
        (codes.MORSE, "né", "-. <E9>"),
        (codes.LEETSPEAK, "Oatmeal is", "047m34l 15"),
        (codes.DIGIT_SOUNDS, "我爱你", "520"),
        (codes.SPACED, "to be", "t o  b e"),
        (codes.BINARY, "A", "01000001"),
        (codes.URL, "A 中", "%41%20%E4%B8%AD"),
        (codes.GB18030, "中A", "d6d0 41"),
        (codes.CODE_POINTS, "A中", "65 20013"),
    ],
)
def test_codes_as_published(code: Code, text: str, expected: str) -> None:
    assert _encoded(code, text) == expected


def test_tags_are_invisible_and_in_their_block() -> None:
    (message,) = FAMILIES["unicode"].apply("Hello", "tags", language="en", seed=0)
    line = message.content.partition("\n")[2]
    assert [ord(letter) - 0xE0000 for letter in line] == list(b"Hello")


def test_chance_depends_on_the_seed() -> None:
    attack = FAMILIES["unicode"]
    text = REQUESTS[0][0]
    said = {attack.apply(text, "zero-width", language="en", seed=seed) for seed in range(20)}
    assert len(said) == 20
