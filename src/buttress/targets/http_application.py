"""Any application behind HTTP or WebSocket, by a few lines of manifest.

    http:
      url: https://shop.example/api/chat
      headers: {Authorization: "Bearer {{session}}"}
      body: {question: "{{prompt}}"}
      answer: $.data.reply
      session: {url: https://shop.example/api/login, body: {user: u, password: "${PASSWORD}"},
                token: $.token}

See docs/targets.md for all fields and ``http_template`` for the placeholders.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson
from yarl import URL

from buttress.errors import InputError
from buttress.files.encodable import encodable
from buttress.files.shown_url import without_keys
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.connection import (
    Connection,
    ServerReply,
    slash_or_scheme,
    usable_url,
)
from buttress.targets.http_exchange import HttpExchange, unknown_field
from buttress.targets.http_poll import HttpPoll
from buttress.targets.http_reply import ReplyReader
from buttress.targets.http_session import HttpSession, HttpSessions
from buttress.targets.http_signing import RequestSigning
from buttress.targets.http_template import check, values
from buttress.targets.http_websocket import WebSocketExchange
from buttress.targets.json_path import AnswerPath, ReplyCondition
from buttress.targets.secrets import Secrets
from buttress.targets.settings import TIMEOUT_S, seconds, unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("http", "concurrency", "timeout_s", "images", "model")
FIELDS: Final = (
    "url", "method", "headers", "body", "form", "answer", "refused", "session", "cookies", "done",
    "pieces", "poll", "sign",
)  # fmt: skip


def create(
    *,
    http: Mapping[str, Any],
    base: Path | None = None,
    concurrency: int = 16,
    timeout_s: float = TIMEOUT_S,
    **others: Any,
) -> HttpApplication:
    """The application that ``http`` describes; a file that it names lies in the folder ``base``.

    Raises:
        InputError: a field is missing, unknown or not usable.
    """
    unknown(others, SETTINGS)
    if not isinstance(http, Mapping):
        raise InputError("not a mapping", field="http", expected=", ".join(FIELDS))
    unknown_field(http, FIELDS, "http")
    secrets = Secrets()
    question = HttpExchange.read(http, "http", secrets)
    connection = Connection(
        usable_url(question.url, "http.url"),
        {},
        timeout_s=seconds(timeout_s, "timeout_s"),
        secrets=secrets,
    )
    answer = AnswerPath(http.get("answer"), "http.answer")
    refused = ReplyCondition(http["refused"], "http.refused") if "refused" in http else None
    pieces = ReplyCondition(http["pieces"], "http.pieces") if "pieces" in http else None
    application = HttpApplication(
        question,
        ReplyReader(answer, refused, secrets, pieces),
        HttpSessions.read(http.get("session"), http.get("cookies"), connection, secrets),
        connection,
        secrets,
        poll=HttpPoll.read(http["poll"], question.url, answer, secrets) if "poll" in http else None,
        done=ReplyCondition(http["done"], "http.done") if "done" in http else None,
        signing=RequestSigning.read(http["sign"], base, secrets) if "sign" in http else None,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
        identity=_identity(http),
    )
    if not question.names() & {"prompt", "turns", "messages"}:
        raise InputError(
            "the question has no place in url, headers or body", field="http", expected="{{prompt}}"
        )
    return application


def _identity(http: Mapping[str, Any]) -> str:
    """The settings as they stand in the manifest, without what comes from the environment."""
    shown = {key: value for key, value in http.items() if key not in {"headers", "session"}}
    written = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS, default=str).decode()
    return "http:" + without_keys(written)


class HttpApplication:
    """An application that answers in its own way."""

    starts_slowly = True
    needs_no_timeout = True
    takes_images = False

    def __init__(
        self,
        question: HttpExchange,
        reader: ReplyReader,
        sessions: HttpSessions,
        connection: Connection,
        secrets: Secrets,
        *,
        poll: HttpPoll | None,
        done: ReplyCondition | None,
        signing: RequestSigning | None,
        concurrency: int,
        identity: str,
    ) -> None:
        self.timeout_s = connection.timeout_s
        self._question = question
        self._reader = reader
        self._sessions = sessions
        self._connection = connection
        self._secrets = secrets
        self._poll = poll
        self._signing = signing
        self._concurrency = concurrency
        self._identity = identity
        self._names = question.names()
        by_url = check(question.url, "http.url") & {"prompt", "turns", "messages"}
        self._websocket = WebSocketExchange(reader, connection, done, may_greet=not by_url)

    @property
    def name(self) -> str:
        """Where it is."""
        return self._question.url.partition("{{")[0].partition("?")[0]

    @property
    def identity(self) -> str:
        """Its settings, without secrets."""
        return self._secrets.hide(self._identity)

    @property
    def stable(self) -> bool:
        """False: what is behind a URL changes without notice."""
        return False

    @property
    def concurrency(self) -> int:
        """Questions in flight at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """Ask one question, in a session of its own where the application has sessions.

        Earlier turns go where the placeholders say. Where there is no place for them, the user's
        turns are sent one after another in the same session, and the last answer counts.

        Raises:
            TargetError: no answer; it says whether the application may answer later.
        """
        start = time.perf_counter()
        session = await self._sessions.session()
        calls = 0
        for messages in self._rounds(request.messages):
            given = values(messages, session.token, uuid.uuid4().hex)
            answer = await self._ask(given, session)
            calls += 1
        session.answered = True
        texts = [message.content for message in request.messages]
        return replace(
            answer,
            text=self._secrets.hide(encodable(answer.text)),
            latency_s=time.perf_counter() - start,
            prompt_tokens=estimated(*texts),
            completion_tokens=estimated(answer.text),
            estimated=True,
            calls=calls,
        )

    def _rounds(self, messages: tuple[Message, ...]) -> list[tuple[Message, ...]]:
        """The messages of each question to the application that a request takes."""
        system = [m for m in messages if m.role == "system"]
        turns = [m for m in messages if m.role != "system"]
        if self._names & {"messages"}:
            return [messages]
        if system and "system" not in self._names:
            text = "\n\n".join([*(m.content for m in system), turns[0].content if turns else ""])
            turns = [Message("user", text), *turns[1:]]
            system = []
        if self._names & {"history", "turns"}:
            return [(*system, *turns)]
        return [(*system, turn) for turn in turns if turn.role == "user"]

    async def _ask(self, given: Mapping[str, Any], session: HttpSession) -> Answer:
        """The answer to one question in a session.

        Raises:
            TargetError: none; where only the session was over, it says to ask again.
        """
        url, headers, body = self._question.filled(given)
        headers = session.headers(headers)
        status = None
        try:
            if self._signing is not None:
                url, headers = self._signing.signed(self._question.method, url, headers, body)
            if url.scheme in {"ws", "wss"}:
                return await self._websocket.answer(url, headers, (body or b"").decode())
            reply = await self._send(url, body, headers)
            status = reply.status
            session.take(reply)
            if not 200 <= status < 300:
                return self._reader.declined(reply)
            if self._poll is not None:
                reply = await self._poll.fetch(reply, given, session, self._connection)
                if not 200 <= reply.status < 300:
                    return self._reader.declined(reply)
            return self._reader.read(reply)
        except TargetError as error:
            raise self._sessions.failed(session, error, status) from None

    async def _send(self, url: URL, body: bytes | None, headers: Mapping[str, str]) -> ServerReply:
        """A question's reply, behind a redirect where only a slash or the scheme was amiss."""
        reply = await self._connection.send(self._question.method, url, body, headers)
        if reply.status not in {301, 302, 307, 308}:
            return reply
        place = slash_or_scheme(url, reply.headers.get("Location", ""))
        if place is None:
            return reply
        return await self._connection.send(self._question.method, place, body, headers)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()
