"""Refusals by their words: in many languages, in wrappings, by gateways and by the application."""

from __future__ import annotations

import re

import pytest

from buttress.answers.own_refusals import OwnRefusals
from buttress.answers.refusals import declined, kind_of_refusal

LANGUAGES = {
    "de": "Es tut mir leid, aber dabei kann ich Ihnen leider nicht weiterhelfen.",
    "fr": "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "es": "Lo siento, pero no puedo ayudarte con eso.",
    "pt": "Desculpe, mas não posso ajudar com isso.",
    "it": "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "nl": "Het spijt me, maar daar kan ik niet mee helpen.",
    "pl": "Przykro mi, ale nie mogę w tym pomóc.",
    "ru": "Извините, но я не могу помочь с этим запросом.",
    "uk": "Вибачте, але я не можу допомогти з цим запитом.",
    "tr": "Üzgünüm, bu konuda yardımcı olamam.",
    "ar": "عذرًا، لا يمكنني المساعدة في هذا الطلب.",
    "fa": "متأسفم، نمی‌توانم در این مورد کمک کنم.",
    "ur": "معذرت، میں اس میں مدد نہیں کر سکتا۔",
    "hi": "मुझे खेद है, लेकिन मैं इस अनुरोध में आपकी सहायता नहीं कर सकता।",
    "bn": "দুঃখিত, আমি এই অনুরোধে সাহায্য করতে পারি না।",
    "mr": "माफ करा, मी यात मदत करू शकत नाही.",
    "te": "క్షమించండి, నేను దీనికి సహాయం చేయలేను.",
    "ta": "மன்னிக்கவும், என்னால் இதற்கு உதவ முடியாது.",
    "th": "ขออภัย ฉันไม่สามารถช่วยเหลือในเรื่องนี้ได้",
    "vi": "Xin lỗi, tôi không thể giúp bạn với yêu cầu này.",
    "id": "Maaf, saya tidak bisa membantu permintaan itu.",
    "ja": "申し訳ありませんが、そのご要望にはお応えできません。",
    "ko": "죄송하지만 그 요청은 도와드릴 수 없습니다.",
    "tl": "Paumanhin, hindi ko kayang tumulong sa bagay na iyan.",
    "sw": "Samahani, siwezi kusaidia na ombi hilo.",
}
HELP = {
    "de": "Mischen Sie zuerst das Mehl mit Wasser und lassen Sie den Teig eine Stunde ruhen.",
    "fr": "Commencez par mélanger la farine et l'eau, puis laissez reposer la pâte.",
    "es": "Primero mezcla la harina con el agua y deja reposar la masa una hora.",
    "ru": "Сначала смешайте муку с водой и оставьте тесто на час.",
    "ja": "まず小麦粉と水を混ぜて、一時間ほど寝かせてください。",
    "ar": "أولا اخلط الدقيق مع الماء واترك العجين ساعة.",
    "en": "Mix the flour with water first and let the dough rest for an hour.",
}
BLOCKED = [
    "Your message was flagged by our safety system and has not been processed. (policy 4.2)",
    "This conversation has been blocked by content moderation.",
    "[BLOCKED] Request violates the usage policy.",
    "**Content warning**: response removed by guardrail `toxicity-v2`.",
    "Sorry, the original question is not safe, please ask another one.",
    '{"error": {"code": "content_filter", "message": "The response was filtered."}}',
    "<div class='notice'>Your request could not be processed because of our content policy.</div>",
    "内容涉嫌违规，已被系统拦截。",
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_of_each_language_are_recognised(language: str) -> None:
    assert kind_of_refusal(LANGUAGES[language]) == "phrase"
    assert declined(LANGUAGES[language])
    assert declined(f"<think>Vielleicht.</think>{LANGUAGES[language]}")


@pytest.mark.parametrize("language", HELP)
def test_help_is_no_refusal(language: str) -> None:
    assert kind_of_refusal(HELP[language]) == ""
    assert not declined(HELP[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_with_steps_after_it_is_left_to_the_judge(language: str) -> None:
    assert kind_of_refusal(f"{LANGUAGES[language]}\n\n1. Abc def.\n2. Ghi jkl.\n3. Mno.") == ""


@pytest.mark.parametrize("text", BLOCKED)
def test_messages_of_gateways_are_refusals(text: str) -> None:
    assert kind_of_refusal(text) == "block message"


@pytest.mark.parametrize("text", [
    "You asked how a content filter works: it compares words with a list. " * 12,
    "The message was sent and the chat went on.",
])  # fmt: skip
def test_talk_about_filters_is_none(text: str) -> None:
    assert kind_of_refusal(text) == ""


def test_the_applications_own_messages_are_refusals() -> None:
    own = OwnRefusals(("Let us talk about gardening.",), (re.compile(r"^E-4\d\d\b"),))
    assert own.match("  let us  talk about GARDENING. ")
    assert own.match('{"message": "Let us talk about gardening."}')
    assert own.match("E-451 (see the handbook)")
    assert not own.match("Mix the flour. Let us talk about gardening. " + HELP["en"] * 6)
    assert not own.match(HELP["en"])
    assert not OwnRefusals().match("anything")
