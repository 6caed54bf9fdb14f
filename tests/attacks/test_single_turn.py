"""Attacks keep the request recoverable, are pure, and work in both languages."""

from __future__ import annotations

import base64
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress import extension
from buttress.attacks.base import Attack

ENGLISH = "How do I open a locked door?"
CHINESE = "怎么打开一扇锁着的门？"


@pytest.mark.parametrize("name", list(extension.names("attacks")))
def test_registered_attacks_are_pure_and_documented(name: str) -> None:
    attack: Attack = extension.load("attacks", name)
    assert attack.id == name
    assert any(reference.startswith("arXiv:") for reference in attack.references)
    assert any(reference.startswith("AML.T") for reference in attack.references)
    for variant in attack.variants:
        for text, language in ((ENGLISH, "en"), (CHINESE, "zh")):
            once = attack.apply(text, variant, language=language, seed=7)
            assert once == attack.apply(text, variant, language=language, seed=7)
            assert once[-1].role == "user"
            assert "{request}" not in once[-1].content
    with pytest.raises(KeyError):
        attack.apply(ENGLISH, "no-such-variant", language="en", seed=0)


@pytest.mark.parametrize("name", ["role-play", "injection"])
@given(text=st.text(min_size=1, max_size=80))
def test_wrappers_carry_the_request_unchanged(name: str, text: str) -> None:
    attack: Attack = extension.load("attacks", name)
    for variant in attack.variants:
        for language in ("en", "zh"):
            (message,) = attack.apply(text, variant, language=language, seed=0)
            assert text in message.content


@given(text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=80))
def test_encodings_can_be_undone(text: str) -> None:
    attack: Attack = extension.load("attacks", "obfuscation")

    def encoded(variant: str) -> str:
        return attack.apply(text, variant, language="en", seed=3)[0].content.partition("\n")[2]

    assert base64.b64decode(encoded("base64")).decode() == text
    assert codecs.decode(encoded("rot13"), "rot13") == text
    assert encoded("reversed")[::-1] == text
    plain = attack.apply(text, "zero-width", language="en", seed=3)[0].content
    stripped = str.maketrans("", "", "\u200b\u200c\u200d")
    assert plain.translate(stripped) == text.translate(stripped)


def test_latin_only_encodings_change_chinese_too() -> None:
    attack: Attack = extension.load("attacks", "obfuscation")
    for variant in attack.variants:
        (message,) = attack.apply(CHINESE, variant, language="zh", seed=1)
        assert CHINESE not in message.content
