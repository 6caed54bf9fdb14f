"""Do answers to questions that are asked at the same time get mixed up (CWE-362, CWE-488)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.service.api import ServiceApi, is_limited
from buttress.probes.service.chat import ChatShape
from buttress.probes.service.reports import finding
from buttress.protocols.live import LiveRequest, Session

AT_ONCE: Final = 8
_QUESTION: Final = "My code word is {nonce}. Repeat my code word, and write nothing else."


def plan(api: ServiceApi) -> Iterator[LiveRequest]:
    """The same question as each user, with ``active`` alone; the code word differs each time."""
    if api.active:
        for shape in api.shapes:
            yield from (_ask(shape, user) for user in api.users or ("",))


async def findings(session: Session, api: ServiceApi, shape: ChatShape) -> AsyncIterator[Finding]:
    """Answers that hold the code word of another question of the same moment."""
    users = api.users or ("",)
    words = [f"word{secrets.token_hex(5)}" for _ in range(AT_ONCE)]
    asked = [users[number % len(users)] for number in range(AT_ONCE)]
    replies = await session.ask_at_once(
        [
            (_ask(shape, user), {**api.values, "nonce": word})
            for user, word in zip(asked, words, strict=True)
        ]
    )
    answers = [shape.answer(one) for one in replies]
    if any(is_limited(one) for one in replies) or not any(answers):
        api.not_judged.append("mixed sessions: not all questions of one moment were answered")
    for number, answer in enumerate(answers):
        for other, word in enumerate(words):
            if other != number and word in answer:
                across = asked[other] != asked[number]
                yield finding(
                    "sessions-mixed", session.at(shape.path),
                    what=f"of {AT_ONCE} questions at the same time, the answer to one holds what "
                    + ("another user said" if across else "another question said"),
                    proof=f"the answer to question {number + 1} holds the word of question "
                    f"{other + 1}",
                )  # fmt: skip
                return


def _ask(shape: ChatShape, user: str) -> LiveRequest:
    if shape.name in ("OpenAI", "Anthropic"):
        return shape.ask(_QUESTION, user, max_tokens=40)
    return shape.ask(_QUESTION, user)
