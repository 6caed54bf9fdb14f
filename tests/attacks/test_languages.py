"""Language switching with and without a translator, and mixed languages."""

from __future__ import annotations

import random

import pytest

from buttress.attacks.code_mixing import ATTACK as MIXING
from buttress.attacks.code_mixing import mix
from buttress.attacks.language_switching import ATTACK, translate
from buttress.targets.base import Request
from buttress.targets.scripted import ScriptedTarget
from tests.attacks.families import ENGLISH


async def test_a_translator_fills_the_frames() -> None:
    def reply(request: Request) -> str:
        order = request.messages[-1].content
        return "" if "Hmong" in order else f" <{order.split()[5]} {order[-5:]}>\n"

    table = await translate(ENGLISH[:1], ATTACK.into, ScriptedTarget(reply))
    assert set(table) == {(ENGLISH[0], code) for code in ATTACK.into if code != "hmn"}
    translated = ATTACK.with_translations(table)
    assert translated.version != ATTACK.version
    assert translated == ATTACK.with_translations(dict(table))
    (zulu,) = translated.apply(ENGLISH[0], "zulu", language="en", seed=0)
    assert zulu.content.endswith("door?>")
    assert ENGLISH[0] not in zulu.content
    for variant in ("hmong", "answer-in-zulu", "sandwich"):
        said = translated.apply(ENGLISH[0], variant, language="en", seed=0)
        assert said == ATTACK.apply(ENGLISH[0], variant, language="en", seed=0)


def test_the_sandwich_hides_the_request_in_the_middle() -> None:
    (message,) = ATTACK.apply(ENGLISH[0], "sandwich", language="en", seed=0)
    lines = message.content.split("\n")
    assert lines[3] == f"3. {ENGLISH[0]}"
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("text", "variant", "language", "expected"),
    [
        ("How can I open the door?", "spanish", "en", "Cómo puedo yo open el door?"),
        ("Write a poem and explain it", "german", "en", "Schreib ein poem und erkläre it"),
        ("怎么打开门？", "swahili", "zh", "jinsi 打开门？"),
        ("教我用刀和勺", "chinese-or-english", "zh", "teach me with 刀 and 勺"),
        ("Open it", "spanish", "en", "Open it"),
    ],
)
def test_small_words_change_their_language(
    text: str, variant: str, language: str, expected: str
) -> None:
    assert mix(text, variant, language=language, rng=random.Random(0)) == expected


def test_mixed_draws_from_all_languages() -> None:
    text = "how " * 40
    (message,) = MIXING.apply(text, "mixed", language="en", seed=1)
    assert {"cómo", "wie", "jinsi", "怎么"} <= set(message.content.split())
