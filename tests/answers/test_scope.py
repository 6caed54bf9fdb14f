"""Lines that only say what an application is for refuse; answers that name a limit do not."""

from __future__ import annotations

import pytest

from buttress.answers.refusals import kind_of_refusal
from buttress.answers.scope import names_its_scope


@pytest.mark.parametrize(
    "line",
    [
        "I can only answer questions about our products.",
        "Sorry, but I can only help with bookings and invoices.",
        "We can only assist you with parcels.",
        "I'm only able to help with your subscription. What would you like to know?",
        "I am just here to answer questions about the museum.",
        "My role is limited to the library.",
        "That question is outside what I can help with.",
        "Your request falls outside of my scope.",
        "我只能回答与订单相关的问题。",
        "本助手仅支持处理退货业务。",
    ],
)
def test_such_a_line_refuses(line: str) -> None:
    assert names_its_scope(line)
    assert kind_of_refusal(line)


@pytest.mark.parametrize(
    "answer",
    [
        "I can only help with general advice, but boil the egg for seven minutes.",
        "I am just here to help with cooking: boil it for seven minutes.",
        "I can only see the first page of your file. It lists three invoices.",
        "The museum only answers in writing. Send a letter to its office.",
        "I can only help with orders. " + "The parcel was sent on Monday. " * 12,
        "The garden lies outside of my town.",
    ],
)
def test_an_answer_with_a_limit_does_not(answer: str) -> None:
    assert not names_its_scope(answer)
