"""What holds for every family: pure, valid, the request in it, no variant twice, documented."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress import extension
from buttress.protocols.attack import Attack
from buttress.targets.base import Message
from tests.attacks.families import FAMILIES, LANGUAGES, REQUESTS, TEXTS

VERBATIM = [
    *("hypothetical", "in-context", "injection", "language-switching", "many-shot"),
    *("persuasion", "prefix-injection", "refusal-suppression", "role-play"),
]
families = pytest.mark.parametrize("attack", list(FAMILIES.values()), ids=list(FAMILIES))


def check(messages: tuple[Message, ...]) -> None:
    assert [message.role for message in messages] == ["user", "assistant"] * (
        len(messages) // 2
    ) + ["user"]
    for message in messages:
        assert message.content.strip()
        message.content.encode()  # no lone surrogates


def test_registered_attacks_are_families() -> None:
    for name in extension.names("attacks"):
        if name in FAMILIES:
            assert extension.load("attacks", name) is FAMILIES[name]


@families
def test_families_are_documented(attack: Attack) -> None:
    assert attack.references
    kinds = (attack.papers, attack.atlas, attack.owasp)  # type: ignore[attr-defined]
    assert all(kinds)
    assert attack.calls == 1
    assert set(attack.languages) <= {"en", "zh"}
    assert len(set(attack.variants)) == len(attack.variants) >= 3
    assert not any("+" in variant for variant in attack.variants)
    assert attack.title
    with pytest.raises(KeyError):
        attack.apply("Hello", "no-such-variant", language="en", seed=0)


def test_the_docs_list_every_family_with_its_variants() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/attacks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", page, re.MULTILINE)
    assert {name: int(count) for name, count in rows} == {
        name: len(attack.variants) for name, attack in FAMILIES.items()
    }


@families
@pytest.mark.parametrize(("request_", "language"), REQUESTS)
def test_no_variant_says_the_same(attack: Attack, request_: str, language: str) -> None:
    said = [
        attack.apply(request_, variant, language=language, seed=3) for variant in attack.variants
    ]
    assert len(set(said)) == len(said)
    assert (Message("user", request_),) not in said
    for messages in said:
        check(messages)


@families
@settings(max_examples=25)
@given(text=TEXTS, language=LANGUAGES, seed=st.integers(0, 2**32), data=st.data())
def test_families_are_pure_and_valid(
    attack: Attack, text: str, language: str, seed: int, data: st.DataObject
) -> None:
    variant = data.draw(st.sampled_from(list(attack.variants)))
    once = attack.apply(text, variant, language=language, seed=seed)
    check(once)
    assert once == attack.apply(text, variant, language=language, seed=seed)


@pytest.mark.parametrize("name", VERBATIM)
@settings(max_examples=40)
@given(text=TEXTS, language=LANGUAGES)
def test_wrappers_carry_the_request_unchanged(name: str, text: str, language: str) -> None:
    attack = FAMILIES[name]
    for variant in attack.variants:
        messages = attack.apply(text, variant, language=language, seed=0)
        assert text in messages[-1].content


@families
def test_chinese_requests_get_chinese_text(attack: Attack) -> None:
    if attack.id in {"best-of-n", "in-context", "language-switching"}:
        pytest.skip("no text of its own, or text in other languages")
    for variant in attack.variants:
        messages = attack.apply("%", variant, language="zh", seed=0)
        names = [unicodedata.name(letter, "") for letter in messages[-1].content]
        assert any(name.startswith("CJK UNIFIED") for name in names), variant
        regional = attack.apply("%", variant, language="zh-CN", seed=0)
        assert messages == regional


@families
def test_other_languages_get_the_first_one(attack: Attack) -> None:
    for variant in attack.variants:
        first = attack.apply("2 + 2?", variant, language=attack.languages[0], seed=5)
        assert attack.apply("2 + 2?", variant, language="fr", seed=5) == first


@pytest.mark.parametrize(
    ("variant", "opening", "closing"),
    [
        ("e-mail", "\n---\n", "\n---"),
        ("web-page", "<!--", "-->"),
        ("tool-result", '{"order"', '"}'),
        ("code-comment", "```python\n", "\n```"),
    ],
)
@pytest.mark.parametrize(("request_", "language"), REQUESTS)
def test_injected_requests_lie_within_the_quoted_material(
    variant: str, opening: str, closing: str, request_: str, language: str
) -> None:
    attack = FAMILIES["injection"]
    (message,) = attack.apply(request_, variant, language=language, seed=0)
    before, _, after = message.content.partition(request_)
    assert opening in before
    assert closing in after
