from __future__ import annotations

import pytest

pytest.importorskip("transformers")

from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.layout import PromptLayout
from tests.white_box.tiny import INITIAL, QUESTION, TEMPLATE, tokenizer

STRIPPING = TEMPLATE.replace("m.content", "m.content | trim")


def rendered(template: str, question: str) -> list[int]:
    made = tokenizer(template)
    messages = [{"role": m.role, "content": m.content} for m in QUESTION[:-1]]
    messages.append({"role": "user", "content": question})
    text = made.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return list(made(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("template", [TEMPLATE, STRIPPING])
@settings(deadline=None, max_examples=150)
@given(suffix=st.lists(st.integers(3, 339), min_size=6, max_size=6))
def test_faithful_means_that_the_text_gives_the_tokens(template: str, suffix: list[int]) -> None:
    place = PromptLayout(tokenizer(template), QUESTION, "sure", INITIAL)
    (text,) = place.texts([suffix])
    through = rendered(template, QUESTION[-1].content + text)
    assert place.faithful([suffix]) == [through == place.question(suffix)]


def test_parts_are_what_the_template_makes() -> None:
    place = PromptLayout(tokenizer(), QUESTION, "sure here", INITIAL)
    assert place.question(place.initial) == rendered(TEMPLATE, QUESTION[-1].content + INITIAL)
    assert place.texts([place.initial]) == [INITIAL]
    assert tokenizer().decode(list(place.target)) == "sure here"
    assert tokenizer().decode(list(place.after)) == "</s><s>assistant\n"


def test_without_a_template() -> None:
    place = PromptLayout(tokenizer(None), (Message("user", "a tale"),), " of the sea", INITIAL)
    assert tokenizer().decode(place.question(place.initial)) == "a tale" + INITIAL
    assert place.after == ()


@pytest.mark.parametrize(
    ("messages", "target", "initial", "field"),
    [
        ((), "sure", INITIAL, "messages"),
        ((Message("assistant", "a"),), "sure", INITIAL, "messages"),
        (QUESTION, "", INITIAL, "target"),
        (QUESTION, "sure", "", "initial"),
        ((Message("user", "the se"),), "sure", "a x x", "messages"),
    ],
)
def test_what_cannot_be_laid_out(
    messages: tuple[Message, ...], target: str, initial: str, field: str
) -> None:
    with pytest.raises(InputError, match=field):
        PromptLayout(tokenizer(), messages, target, initial)


def test_a_template_that_shows_the_question_twice() -> None:
    twice = tokenizer(TEMPLATE.replace("m.content", "m.content + m.content"))
    with pytest.raises(InputError, match="2 times"):
        PromptLayout(twice, QUESTION, "sure", INITIAL)


def test_the_system_text_moves_where_the_template_refuses_it() -> None:
    refusing = tokenizer(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{{ '<s>' + m.content }}{% endfor %}"
    )
    place = PromptLayout(refusing, QUESTION, "sure", INITIAL)
    assert "be kind\n\ntell a tale" in refusing.decode(list(place.before))
