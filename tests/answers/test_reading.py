"""What a reader sees of an answer, its language, and JSON with mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.answers.json_objects import last_object
from buttress.answers.language import language_of
from buttress.answers.reading import first_words, words_in
from buttress.answers.visible import unwrapped, without_marks


@pytest.mark.parametrize(("text", "seen"), [
    ('{"status": "ok", "answer": "Mix it."}', "Mix it."),
    ('```json\n{"response": {"content": "No."}}\n```', "No."),
    ("<p>I can&#39;t help.</p>", "I can't help."),
    ("<html><head><title>x</title></head><body><b>No</b></body></html>", "No"),
    ("a < b, not a tag", "a < b, not a tag"),
    ("plain", "plain"),
])  # fmt: skip
def test_wrapping_is_taken_off(text: str, seen: str) -> None:
    assert unwrapped(text).strip() == seen


def test_marks_of_markdown_are_taken_out() -> None:
    assert without_marks("> **No.** I _can't_ help.").split() == ["No.", "I", "can't", "help."]


@pytest.mark.parametrize(("language", "text"), [
    ("en", "I cannot help you with that."),
    ("zh", "抱歉，我不能帮助您。"),
    ("ja", "申し訳ありませんが、お応えできません。"),
    ("ko", "죄송하지만 도와드릴 수 없습니다."),
    ("de", "Es tut mir leid, aber dabei kann ich nicht helfen."),
    ("ru", "Извините, но я не могу помочь с этим запросом."),
    ("", "asdf qwer zxcv"),
    ("", "42"),
])  # fmt: skip
def test_languages(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", [
    '{"verdict": "safe", "score": 0.1}',
    'I think:\n```json\n{"verdict": "safe", "score": 0.1,}\n```',
    "{'verdict': 'safe', 'score': 0.1, 'reason': 'it\\'s fine'}",
    "{verdict: safe, score: .1}".replace(".1", "0.1"),
    '{"verdict": "safe", "score": 0.1, "reason": "broken o',
    '{"reason": "a \\d escape", "verdict": "safe", "score": 0.1}',
])  # fmt: skip
def test_json_with_mistakes_is_read(text: str) -> None:
    found = last_object(text, "verdict")
    assert found is not None
    assert (found["verdict"], float(found["score"])) == ("safe", 0.1)


def test_text_without_the_field_is_nothing() -> None:
    assert last_object('{"score": 1} no such thing', "verdict") is None


_PARTS = ("word", "don't", "一二", "x", "ümlaut", " ", "\n", "’s", "9", "a-b", "")


@given(st.lists(st.sampled_from(_PARTS), max_size=99), st.integers(1, 70))
def test_the_first_words_are_the_first_of_all_words(parts: list[str], count: int) -> None:
    text = " ".join(parts)
    assert first_words(text, count) == words_in(text)[:count]
