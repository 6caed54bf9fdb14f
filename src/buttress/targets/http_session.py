"""Sessions of an application: how one is begun, what carries it, and when it is begun anew.

A session is carried by a token, by cookies, or by both. Each question has a session of its own,
with cookies of its own, so that no question knows of another; or one session is kept for all, and
begun anew when the application has ended it.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets import completion
from buttress.targets.base import Answer, TargetError
from buttress.targets.connection import Connection, ServerReply
from buttress.targets.failures import failure
from buttress.targets.http_exchange import HttpExchange, unknown_field
from buttress.targets.http_template import values
from buttress.targets.json_path import AnswerPath, one_group
from buttress.targets.secrets import Secrets

SESSION_FIELDS: Final = ("url", "method", "headers", "body", "form", "token", "keep")
ENDED: Final = frozenset({302, 303, 307, 401, 419, 440, 498})  # what says that a session is over
_ENDED: Final = re.compile(
    r"(session|token|log-?in|jwt|cookie)\b[^.]{0,40}\b(expired|timed out|ended|invalid|not found"
    r"|unknown|no longer|revoked)|(expired|invalid|unknown)[^.]{0,20}\b(session|token|jwt)\b"
    r"|(log|sign) ?in again|未登录|(登录|会话|令牌|身份).{0,6}(过期|失效|超时)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class HttpSession:
    """A session that has begun. ``answered`` says whether it has served a question.

    ``token`` is None until a reply gives it, where ``later`` says where replies to questions do.
    """

    token: str | None
    keeps_cookies: bool
    later: TokenSource | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    answered: bool = False

    def take(self, reply: ServerReply) -> None:
        """Keep what a reply sets: cookies by name, and the token where replies give it."""
        if self.later is not None and (token := self.later.read(reply)):
            self.token = token
        if not self.keeps_cookies:
            return
        for name, value in _cookies(reply).items():
            if value is None:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def headers(self, given: Mapping[str, str]) -> dict[str, str]:
        """``given`` with the cookies."""
        if not self.cookies:
            return dict(given)
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**given, "Cookie": pairs}


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a reply holds a token.

    ``header:NAME``, ``cookie:NAME``, ``regex:PATTERN`` with one group, or a JSONPath.
    """

    kind: str
    name: str
    path: AnswerPath | None = None
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, written: Any, field: str) -> TokenSource:
        """From the manifest.

        Raises:
            InputError: none of the forms.
        """
        kind, _, name = str(written).partition(":")
        if kind in {"header", "cookie"} and name:
            return cls(kind, name.strip())
        if kind == "regex":
            return cls(kind, name, pattern=one_group(name, field))
        return cls("json", str(written), path=AnswerPath(written, field))

    def read(self, reply: ServerReply) -> str | None:
        """The token; None where the reply holds none."""
        if self.kind == "header":
            return reply.headers.get(self.name)
        if self.kind == "cookie":
            return _cookies(reply).get(self.name)
        if self.pattern is not None:
            match = self.pattern.search(reply.text)
            return match.group(1) if match else None
        assert self.path is not None
        payload = completion.payload(reply.text)
        return None if isinstance(payload, str) else self.path.read(payload)

    def missing(self, reply: ServerReply) -> TargetError:
        """That a reply lacks it."""
        if self.path is not None:
            return self.path.missing(completion.decode_text(reply.text))
        return TargetError(f"the reply has no {self.kind} {self.name}", retry=False, fatal=True)


@dataclass(frozen=True, slots=True)
class SessionStep:
    """A request on the way to a session, and where its reply holds the token, if it does."""

    exchange: HttpExchange
    token: TokenSource | None


class HttpSessions:
    """Begins sessions as the manifest says.

    Args:
        steps: the requests that begin one, in order; none where nothing does. Each may hold the
            token of the one before it as ``{{session}}``.
        token: where replies to questions hold the token, if they do.
        keep: use one session for all questions.
        cookies: whether cookies are sent back.
        connection: to the application.
        secrets: learns the tokens.
    """

    def __init__(
        self,
        steps: Sequence[SessionStep],
        token: TokenSource | None,
        *,
        keep: bool,
        cookies: bool,
        connection: Connection,
        secrets: Secrets,
    ) -> None:
        self._steps = steps
        self._token = token
        self._keep = keep
        self._cookies = cookies
        self._connection = connection
        self._secrets = secrets
        self._kept: HttpSession | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def read(
        cls, given: Any, cookies: Any, connection: Connection, secrets: Secrets
    ) -> HttpSessions:
        """From the manifest's ``session``, a request or a list of them, and its ``cookies``.

        Raises:
            InputError: a field is missing, unknown or not usable.
        """
        where = "http.session"
        written = given if isinstance(given, list) else [] if given is None else [given]
        if isinstance(given, list) and not given:
            raise InputError("empty", field=where, expected="one request or several")
        steps: list[SessionStep] = []
        later: TokenSource | None = None  # of the replies to questions
        for place, step in enumerate(written):
            field = f"{where}[{place}]" if isinstance(given, list) else where
            if not isinstance(step, Mapping):
                raise InputError("not a mapping", field=field, expected=", ".join(SESSION_FIELDS))
            unknown_field(step, SESSION_FIELDS, field)
            token = TokenSource.parse(step["token"], f"{field}.token") if "token" in step else None
            if "url" in step:
                steps.append(SessionStep(HttpExchange.read(step, field, secrets), token))
            elif token is None or len(step) > 1 or len(written) > 1:
                raise InputError("missing", field=f"{field}.url", expected="http(s)://…")
            else:
                later = token
        tokens = [later] if later else [step.token for step in steps]
        by_cookies = len(steps) > 1 or any(t is None or t.kind != "json" for t in tokens)
        return cls(
            steps,
            later,
            keep=any(bool(step.get("keep", False)) for step in written),
            cookies=by_cookies if cookies is None else bool(cookies),
            connection=connection,
            secrets=secrets,
        )

    async def session(self) -> HttpSession:
        """The session for a question.

        Raises:
            TargetError: none could be begun.
        """
        if not self._keep:
            return await self._begin()
        async with self._opening:
            if self._kept is None:
                self._kept = await self._begin()
            return self._kept

    def failed(self, session: HttpSession, error: TargetError, status: int | None) -> TargetError:
        """What a failed question means: that it is asked again where only its session was over.

        Args:
            session: in which it was asked.
            error: why it failed.
            status: of HTTP, where there was a reply.
        """
        if self._kept is session:
            self._kept = None
        over = status in ENDED or bool(_ENDED.search(str(error)))
        if self._keep and over and session.answered:
            return TargetError(str(error), retry=True, adapted=True)
        return error

    async def _begin(self) -> HttpSession:
        """A new session.

        Raises:
            TargetError: the application gives none.
        """
        begun = HttpSession(uuid.uuid4().hex, self._cookies)
        if not self._steps and self._token is not None:  # replies to questions give it
            begun.token, begun.later = None, self._token
        tokens = False
        for step in self._steps:
            token = await self._take_step(step, begun)
            if token is not None:
                begun.token, tokens = token, True
        if self._steps and not tokens:
            begun.token = ""
        return begun

    async def _take_step(self, step: SessionStep, begun: HttpSession) -> str | None:
        """The token in the reply to a request on the way to a session, which keeps its cookies.

        Raises:
            TargetError: the application refuses, or its reply lacks the token.
        """
        exchange = step.exchange
        url, headers, body = exchange.filled(values((), begun.token, uuid.uuid4().hex))
        reply = await self._connection.send(exchange.method, url, body, begun.headers(headers))
        if not 200 <= reply.status < 400:
            payload = completion.payload(reply.text)
            outcome = failure(reply.status, reply.headers, reply.body, payload, self._secrets)
            if isinstance(outcome, Answer):
                raise TargetError("the session: refused", retry=False)
            raise TargetError(
                f"the session: {outcome}",
                retry=outcome.retry,
                throttled=outcome.throttled,
                retry_after_s=outcome.retry_after_s,
                fatal=outcome.fatal,
            )
        begun.take(reply)
        for value in begun.cookies.values():
            self._secrets.add_session(value)
        if step.token is None:
            return None
        token = step.token.read(reply)
        if token is None:
            missing = step.token.missing(reply)
            raise TargetError(f"the session: {missing}", retry=False, fatal=True)
        self._secrets.add_session(token)
        return token


def _cookies(reply: ServerReply) -> dict[str, str | None]:
    """The cookies that a reply sets, by name; None for those that it takes back."""
    found: dict[str, str | None] = {}
    for line in reply.headers.getall("Set-Cookie", []):
        try:
            read = SimpleCookie(line)
        except CookieError:
            continue
        for name, morsel in read.items():
            found[name] = None if morsel["max-age"] == "0" else morsel.coded_value
    return found
