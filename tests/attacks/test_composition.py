"""Attacks on attacks: associative, every part in place, errors told."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.attacks import ciphers, in_context, obfuscation, prefix_injection, role_play, unicode
from buttress.attacks.composition import compose, registered
from buttress.errors import InputError
from buttress.protocols.attack import Attack
from tests.attacks.families import FAMILIES, REQUESTS, TEXTS

BOTH = st.sampled_from([one for one in FAMILIES.values() if one.languages == ("en", "zh")])


def variant(attack: Attack, data: st.DataObject) -> str:
    return data.draw(st.sampled_from(list(attack.variants)))


@settings(max_examples=80)
@given(
    families=st.tuples(BOTH, BOTH, BOTH),
    text=TEXTS,
    language=st.sampled_from(["en", "zh", "fr"]),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_composition_is_associative(
    families: tuple[Attack, Attack, Attack],
    text: str,
    language: str,
    seed: int,
    data: st.DataObject,
) -> None:
    a, b, c = families
    x, y, z = variant(a, data), variant(b, data), variant(c, data)
    left = compose(compose(a, b, [(x, y)]), c)
    right = compose(a, compose(b, c, [(y, z)]))
    name = f"{x}+{y}+{z}"
    assert left.id == right.id == f"{a.id}+{b.id}+{c.id}"
    assert left.version == right.version
    assert left.references == right.references
    assert left.calls == right.calls == a.calls * b.calls * c.calls
    assert left.languages == right.languages
    once = left.apply(text, name, language=language, seed=seed)
    assert once == right.apply(text, name, language=language, seed=seed)
    *_, last = c.apply(text, z, language=language, seed=seed)
    *_, middle = b.apply(last.content, y, language=language, seed=seed)
    assert once[-1] == a.apply(middle.content, x, language=language, seed=seed)[-1]


@pytest.mark.parametrize(("request_", "language"), REQUESTS)
def test_the_coded_request_lies_in_the_wrapper(request_: str, language: str) -> None:
    attack = compose(prefix_injection.ATTACK, obfuscation.ATTACK)
    assert attack.variants == tuple(
        f"{above}+{below}"
        for above in prefix_injection.ATTACK.variants
        for below in obfuscation.ATTACK.variants
    )
    coded = base64.b64encode(request_.encode()).decode()
    for one in prefix_injection.ATTACK.variants:
        (message,) = attack.apply(request_, f"{one}+base64", language=language, seed=0)
        assert coded in message.content
        assert request_ not in message.content


def test_a_wrapper_can_be_coded_as_a_whole() -> None:
    attack = compose(unicode.ATTACK, role_play.ATTACK, [("bidi", "novelist")])
    messages = attack.apply("Why?", "bidi+novelist", language="en", seed=0)
    plain = role_play.ATTACK.apply("Why?", "novelist", language="en", seed=0)[-1].content
    assert unicode.ATTACK.recover(messages, "bidi", language="en") == plain


def test_earlier_turns_of_the_inner_attack_come_first() -> None:
    attack = compose(in_context.ATTACK, compose(role_play.ATTACK, in_context.ATTACK))
    messages = attack.apply("Why?", "1-turn+novelist+5-turns", language="en", seed=0)
    assert [message.role for message in messages] == ["user", "assistant"] * 6 + ["user"]
    inner = in_context.ATTACK.apply("Why?", "5-turns", language="en", seed=0)
    assert messages[:10] == inner[:10]


def test_languages_are_those_in_common() -> None:
    assert compose(role_play.ATTACK, FAMILIES["chinese"]).languages == ("zh",)
    english = role_play.ATTACK.__class__(
        id="e", version="1", title="E", references=(), templates={"x": {"en": "{request}!"}}
    )
    assert compose(english, ciphers.ATTACK).languages == ("en",)
    with pytest.raises(ValueError, match="no language in common"):
        compose(english, FAMILIES["chinese"])


@pytest.mark.parametrize(
    "pairs",
    [[], [("novelist", "none")], [("none", "hex")], [("novelist", "hex"), ("novelist", "hex")]],
)
def test_wrong_pairs_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"no variant 'none'|once, and at least one"):
        compose(role_play.ATTACK, obfuscation.ATTACK, pairs)
    with pytest.raises(KeyError):
        compose(role_play.ATTACK, obfuscation.ATTACK).apply("a", "none", language="en", seed=0)


def test_registered_names_are_composed() -> None:
    assert registered("role-play") is role_play.ATTACK
    attack = registered("injection+role-play+obfuscation")
    assert attack.id == "injection+role-play+obfuscation"
    assert "e-mail+novelist+base64" in attack.variants
    with pytest.raises(InputError, match="unknown attack 'none'"):
        registered("role-play+none")
