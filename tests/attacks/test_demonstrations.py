"""Attacks that show examples of compliance first: distinct, harmless, in the right place."""

from __future__ import annotations

import pytest

from buttress.attacks import ciphers, in_context, many_shot
from buttress.attacks.demonstrations import demonstrations
from tests.attacks.families import REQUESTS


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_64_in_each_language(language: str) -> None:
    found = demonstrations(language)
    assert len(found) == 64
    assert len({one.question for one in found}) == len({one.answer for one in found}) == 64


@pytest.mark.parametrize(("request_", "language"), REQUESTS)
@pytest.mark.parametrize("count", [4, 16, 64])
def test_many_shot_has_that_many_turns(count: int, request_: str, language: str) -> None:
    (message,) = many_shot.ATTACK.apply(request_, f"{count}-shots", language=language, seed=2)
    turns = message.content.split("\n\n")
    assert len(turns) == len(set(turns)) == count + 1
    assert request_ in turns[-1]
    shown = {one.question for one in demonstrations(language)}
    assert sum(any(question in turn for question in shown) for turn in turns) == count


@pytest.mark.parametrize(("request_", "language"), REQUESTS)
@pytest.mark.parametrize(("variant", "count"), [("1-turn", 1), ("5-turns", 5), ("10-turns", 10)])
def test_in_context_turns_are_real(variant: str, count: int, request_: str, language: str) -> None:
    messages = in_context.ATTACK.apply(request_, variant, language=language, seed=2)
    assert len(messages) == 2 * count + 1
    assert messages[-1].content == request_
    asked = [message.content for message in messages[:-1:2]]
    assert len(set(asked)) == count
    assert set(asked) <= {one.question for one in demonstrations(language)}


def test_seeds_draw_other_demonstrations() -> None:
    for attack, variant in (
        (many_shot.ATTACK, "4-shots"),
        (in_context.ATTACK, "1-turn"),
        (ciphers.ATTACK, "self"),
    ):
        said = {attack.apply("Hello?", variant, language="en", seed=seed) for seed in range(30)}
        assert len(said) > 15


def test_ciphers_show_enciphered_exchanges() -> None:
    (message,) = ciphers.ATTACK.apply("Hello?", "atbash", language="en", seed=0)
    logged = [line for line in message.content.split("\n") if line.startswith("[")]
    assert [line[:4] for line in logged] == ["[in]", "[out", "[in]", "[out", "[in]", "[out", "[in]"]
    assert logged[-1] == "[in] Svool?"
    shown = {one.question for one in demonstrations("en")}
    assert not any(question in message.content for question in shown)
