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

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from buttress.errors import InputError
from buttress.targets import completion, event_stream, refusals
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.connection import Connection, ServerReply, usable_url
from buttress.targets.endpoint import TIMEOUT_S, checked_headers
from buttress.targets.failures import failure
from buttress.targets.http_template import AnswerPath, check, fill, in_json, in_url, values
from buttress.targets.secrets import Secrets
from buttress.targets.settings import seconds, unknown, whole
from buttress.targets.tokens import estimated

SETTINGS: Final = ("http", "concurrency", "timeout_s", "images", "model")
FIELDS: Final = (
    "url", "method", "headers", "body", "form", "answer", "refused", "session", "cookies", "done",
)  # fmt: skip
SESSION_FIELDS: Final = ("url", "method", "headers", "body", "form", "token", "keep")
APPLICATION: Final = "application"
_METHODS: Final = ("POST", "GET", "PUT", "PATCH")
_IDLE_S: Final = 2.0  # of silence after which an answer over WebSocket is whole


def create(
    *,
    http: Mapping[str, Any],
    concurrency: int = 16,
    timeout_s: float = TIMEOUT_S,
    **others: Any,
) -> HttpApplication:
    """The application that ``http`` describes.

    Raises:
        InputError: a field is missing, unknown or not usable.
    """
    unknown(others, SETTINGS)
    if not isinstance(http, Mapping):
        raise InputError("not a mapping", field="http", expected=", ".join(FIELDS))
    unknown_field(http, FIELDS, "http")
    secrets = Secrets()
    question = _Exchange.read(http, "http", secrets)
    session = None
    if (given := http.get("session")) is not None:
        if not isinstance(given, Mapping):
            raise InputError(
                "not a mapping", field="http.session", expected=", ".join(SESSION_FIELDS)
            )
        unknown_field(given, SESSION_FIELDS, "http.session")
        session = _Session(
            _Exchange.read(given, "http.session", secrets),
            AnswerPath(given["token"], "http.session.token") if "token" in given else None,
            keep=bool(given.get("keep", False)),
        )
    cookies = bool(http.get("cookies", session is not None and session.token is None))
    return HttpApplication(
        question,
        AnswerPath(http.get("answer"), "http.answer"),
        session,
        Connection(
            usable_url(secrets.expand(http["url"], "http.url"), "http.url"),
            {},
            timeout_s=seconds(timeout_s, "timeout_s"),
            secrets=secrets,
            cookies=cookies,
        ),
        secrets,
        refused=AnswerPath(http["refused"], "http.refused") if "refused" in http else None,
        done=AnswerPath(http["done"], "http.done") if "done" in http else None,
        concurrency=whole(concurrency, "concurrency", 1, 4096),
        identity=_identity(http),
    )


def unknown_field(given: Mapping[str, Any], valid: tuple[str, ...], field: str) -> None:
    """Refuse fields that are not known.

    Raises:
        InputError: there are some.
    """
    for name in given:
        if name not in valid:
            raise InputError(
                "unknown field", field=f"{field}.{name}", expected="one of " + ", ".join(valid)
            )


def _identity(http: Mapping[str, Any]) -> str:
    """The settings as they stand in the manifest, without what comes from the environment."""
    shown = {key: value for key, value in http.items() if key not in {"headers", "session"}}
    return "http:" + orjson.dumps(shown, option=orjson.OPT_SORT_KEYS, default=str).decode()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request as a template."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: Any
    form: bool

    @classmethod
    def read(cls, given: Mapping[str, Any], field: str, secrets: Secrets) -> _Exchange:
        """From settings.

        Raises:
            InputError: a field is missing or not usable.
        """
        if "url" not in given:
            raise InputError("missing", field=f"{field}.url", expected="http(s)://… or ws(s)://…")
        url = secrets.expand(given["url"], f"{field}.url")
        usable_url(url, f"{field}.url")
        if "body" in given and "form" in given:
            raise InputError(
                "given beside 'body'", field=f"{field}.form", expected="one of the two"
            )
        body = secrets.expand(given.get("form", given.get("body")), f"{field}.body")
        method = str(given.get("method", "GET" if body is None else "POST")).upper()
        if method not in _METHODS:
            raise InputError(
                f"'{method}' is not usable",
                field=f"{field}.method",
                expected="one of " + ", ".join(_METHODS),
            )
        headers = checked_headers(
            secrets.expand(given.get("headers") or {}, f"{field}.headers"), f"{field}.headers"
        )
        secrets.add_headers({k: v for k, v in headers.items() if "{{" not in v})
        for part, value in (("url", url), ("headers", headers), ("body", body)):
            check(value, f"{field}.{part}")
        if "form" in given and not isinstance(body, Mapping):
            raise InputError("not a mapping", field=f"{field}.form", expected="names and values")
        return cls(url, method, headers, body, "form" in given)

    def names(self) -> set[str]:
        """Placeholders in it."""
        return check([self.url, dict(self.headers), self.body], "http")

    def filled(self, given: Mapping[str, Any]) -> tuple[URL, dict[str, str], bytes | None]:
        """URL, headers and body for these values."""
        url = URL(fill(self.url, given, in_url), encoded=True)
        headers = {str(k): str(v) for k, v in fill(dict(self.headers), given).items()}
        named = {name.lower(): value for name, value in headers.items()}
        if self.body is None:
            return url, headers, None
        if self.form:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            return url, headers, urlencode(fill(self.body, given)).encode()
        if isinstance(self.body, str):
            kind = named.get("content-type", "")
            plain = kind and "json" not in kind
            text = fill(self.body, given, str if plain else in_json)
            if not kind:
                headers["Content-Type"] = "application/json"
            return url, headers, str(text).encode()
        if "content-type" not in named:
            headers["Content-Type"] = "application/json"
        return url, headers, orjson.dumps(fill(self.body, given))


@dataclass(frozen=True, slots=True)
class _Session:
    """How a session is begun. ``keep`` uses one for all questions; else each has its own."""

    exchange: _Exchange
    token: AnswerPath | None
    keep: bool


class HttpApplication:
    """An application that answers in its own way."""

    starts_slowly = True
    takes_images = False

    def __init__(
        self,
        question: _Exchange,
        answer: AnswerPath,
        session: _Session | None,
        connection: Connection,
        secrets: Secrets,
        *,
        refused: AnswerPath | None,
        done: AnswerPath | None,
        concurrency: int,
        identity: str,
    ) -> None:
        self._question = question
        self._answer = answer
        self._session = session
        self._connection = connection
        self._secrets = secrets
        self._refused = refused
        self._done = done
        self._concurrency = concurrency
        self._identity = identity
        self._names = question.names()
        self._kept: str | None = None
        self._opening = asyncio.Lock()

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
        session = await self._token()
        calls = 0
        for messages in self._rounds(request.messages):
            given = values(messages, session, uuid.uuid4().hex)
            try:
                answer = await self._ask(given)
            except TargetError:
                self._kept = None  # the session may have ended
                raise
            calls += 1
        texts = [message.content for message in request.messages]
        return replace(
            answer,
            text=completion.clean(answer.text),
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
        if "history" in self._names:
            return [(*system, *turns)]
        return [(*system, turn) for turn in turns if turn.role == "user"]

    async def _token(self) -> str:
        session = self._session
        if session is None:
            return uuid.uuid4().hex
        if not session.keep:
            return await self._begin(session)
        async with self._opening:
            if self._kept is None:
                self._kept = await self._begin(session)
            return self._kept

    async def _begin(self, session: _Session) -> str:
        """A new session's token; "" where cookies carry it.

        Raises:
            TargetError: none was given.
        """
        given = values((), "", uuid.uuid4().hex)
        url, headers, body = session.exchange.filled(given)
        reply = await self._connection.send(session.exchange.method, url, body, headers)
        if not 200 <= reply.status < 400:
            raise self._error(reply, "the session: ")
        if session.token is None:
            return ""
        payload = completion.decode_text(reply.text)
        token = session.token.read(payload)
        if token is None:
            missing = session.token.missing(payload)
            raise TargetError(f"the session: {missing}", retry=False, fatal=True)
        self._secrets.add(token)
        return token

    def _error(self, reply: ServerReply, what: str = "") -> TargetError:
        outcome = failure(reply.status, reply.headers, reply.body, _payload(reply), self._secrets)
        if isinstance(outcome, Answer):
            return TargetError(f"{what}refused", retry=False)
        return TargetError(
            f"{what}{outcome}",
            retry=outcome.retry,
            throttled=outcome.throttled,
            retry_after_s=outcome.retry_after_s,
            fatal=outcome.fatal,
            refusal=outcome.refusal if not what else None,
        )

    async def _ask(self, given: Mapping[str, Any]) -> Answer:
        url, headers, body = self._question.filled(given)
        if url.scheme in {"ws", "wss"}:
            return await self._over_websocket(url, headers, body or b"")
        reply = await self._connection.send(self._question.method, url, body, headers)
        if 200 <= reply.status < 300:
            return self._read(reply)
        payload = _payload(reply)
        if self._answer.path and reply.status not in {401, 408, 425, 429} and reply.status < 500:
            said = self._answer.read(payload) if not isinstance(payload, str) else None
            if said:  # an application may say no with a status
                return Answer(said, refused_by=self._who(payload))
        outcome = failure(reply.status, reply.headers, reply.body, payload, self._secrets)
        if isinstance(outcome, Answer):
            return outcome
        raise self._error(reply)

    def _read(self, reply: ServerReply) -> Answer:
        text = reply.text
        if event_stream.is_stream(reply.content_type, text):
            return self._joined(event_stream.data(text))
        if self._answer.path is None:
            return Answer(refusals.page_text(reply.body) if refusals.is_page(reply.body) else text)
        payload = completion.decode_text(text)
        said = self._answer.read(payload)
        who = self._who(payload)
        if said is None:
            if who:
                return Answer("", "content_filter", refused_by=who)
            raise self._answer.missing(payload)
        return Answer(said, refused_by=who)

    def _joined(self, pieces: list[str]) -> Answer:
        """The answer that the pieces of a stream add up to."""
        texts: list[str] = []
        who, last = "", None
        for piece in pieces:
            if piece.strip() == "[DONE]":
                break
            try:
                payload = json.loads(piece)
            except ValueError:
                payload = piece
            if isinstance(payload, str) or self._answer.path is None:
                texts.append(str(payload) if isinstance(payload, str) else piece)
                continue
            last = payload
            texts.append(self._answer.read(payload) or "")
            who = who or self._who(payload)
        if not any(texts) and last is not None and not who:
            raise self._answer.missing(last)
        return Answer("".join(texts), refused_by=who)

    def _who(self, payload: Any) -> str:
        """Who refused, where the manifest says what tells it."""
        if self._refused is None or isinstance(payload, str):
            return ""
        said = self._refused.read(payload)
        return "" if said in {None, "", "false", "null", "0", "[]", "{}"} else APPLICATION

    async def _over_websocket(self, url: URL, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one message, and take what comes until the answer is whole.

        It is where ``done`` says so, where the connection ends, or after silence.
        """
        pieces: list[str] = []
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                async with self._connection.session().ws_connect(url, headers=headers) as socket:
                    await socket.send_str(body.decode())
                    while (piece := await _received(socket, first=not pieces)) is not None:
                        pieces.append(piece)
                        if self._whole(piece):
                            break
        except TimeoutError:
            raise TargetError(
                f"no answer within {self._connection.timeout_s:g} s", retry=True, throttled=True
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise TargetError(
                f"HTTP {error.status}: no WebSocket", retry=error.status >= 500,
                throttled=error.status in {429, 503}, fatal=error.status < 500,
            ) from None  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            raise self._connection.failure(error) from None
        return self._joined(pieces)

    def _whole(self, piece: str) -> bool:
        if piece.strip() == "[DONE]":
            return True
        if self._done is None:
            return False
        try:
            said = self._done.read(json.loads(piece))
        except ValueError:
            return False
        return said not in {None, "", "false", "null", "0"}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()


async def _received(socket: aiohttp.ClientWebSocketResponse, *, first: bool) -> str | None:
    """The next message; None at the end, and where nothing comes any more."""
    try:
        message = await socket.receive(None if first else _IDLE_S)
    except TimeoutError:
        return None
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        return bytes(message.data).decode("utf-8", "replace")
    return None


def _payload(reply: ServerReply) -> Any:
    try:
        return completion.decode_text(reply.text)
    except TargetError:
        return reply.text[:2000]
