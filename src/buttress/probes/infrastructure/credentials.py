"""Signs in with credentials that the user named, or with those that products start with.

Only on request: failed attempts are noted by the host, and may lock an account.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

from buttress.evidence.findings import Finding
from buttress.files.yaml_loader import load_yaml
from buttress.probes.infrastructure.answers import AnswerCondition, HostAnswer, condition
from buttress.probes.infrastructure.reports import finding
from buttress.protocols.live import (
    Credential,
    LiveContext,
    LiveFact,
    LiveRequest,
    Observed,
    Reply,
    Session,
)

MAX_TRIED: Final = 50  # pairs at one login
_ROOT: Final = LiveRequest("GET", "/")
_BASIC: Final = LiveRequest("GET", "/", (("authorization", "Basic {basic}"),))
_OWNER: Final = "credentials"
_REFUSED: Final = 401
_SILENT: Final = "no answer, or a certificate that does not prove its name"
_NO_MORE: Final = {423: "the account is locked", 429: "too many attempts"}


@dataclass(frozen=True, slots=True)
class Login:
    """How a product signs in; ``allowed`` holds for an answer that let somebody in."""

    product: str
    allowed: AnswerCondition
    defaults: tuple[Credential, ...]


def pair(text: str, product: str = "") -> Credential:
    """A credential from ``USER:PASSWORD``; only the first colon parts the two.

    Raises:
        ValueError: there is no colon.
    """
    user, colon, password = text.partition(":")
    if not colon:
        raise ValueError("no colon between user and password")
    return Credential(user, password, product)


@cache
def logins() -> tuple[Login, ...]:
    """The logins that are known, in the order of their products."""
    return tuple(map(_login, _data()["logins"]))


def plan(context: LiveContext) -> list[LiveRequest]:
    """The requests that sign in; none unless the user asked for it."""
    if not (context.credentials or context.default_credentials):
        return []
    plain = list(dict.fromkeys((_BASIC, *(one.allowed.request for one in logins()))))
    own = map(_guarded, plain) if context.credentials else ()
    return [_ROOT, *plain, *own]


async def sign_in(
    session: Session, context: LiveContext, seen: Mapping[str, str]
) -> list[Finding | Observed]:
    """Which credentials are let in by products, and by what asks for HTTP Basic authentication.

    Args:
        session: with the host.
        context: has the credentials.
        seen: names of the products at the host, by their ids.
    """
    found: list[Finding | Observed] = []
    if not plan(context):
        return found
    for login in logins():
        if login.product in seen:
            found += await _try(session, context, login, seen[login.product])
    if (reply := await session.ask(_ROOT)) is not None and _asks_basic(reply):
        found += await _try(session, context, _basic_login(), "HTTP Basic authentication")
    return found


async def _try(
    session: Session, context: LiveContext, login: Login, name: str
) -> list[Finding | Observed]:
    """Try one pair after the other until one is let in."""
    request = login.allowed.request
    url = session.at(request.path)
    trials = list(dict.fromkeys(_wanted(context, login)))
    if not trials:
        return []
    made_up = Credential(f"nobody-{secrets.token_hex(4)}", secrets.token_hex(12))
    tried = 0
    told: list[Finding | Observed] = []
    for one in (made_up, *trials[:MAX_TRIED]):
        public = one is made_up or one in login.defaults
        reply = await session.ask(request if public else _guarded(request), _values(one))
        if reply is None or reply.status in _NO_MORE:
            why = _SILENT if reply is None else _NO_MORE[reply.status]
            told.append(_count(login, tried, f"then stopped: {why}"))
            return told
        if login.allowed.proof(HostAnswer(reply)) is not None:
            rule, what = _judged(one, login, made_up, request.path)
            told.append(finding(rule, url, product=name, what=what, proof=f"status {reply.status}"))
            break
        tried += one is not made_up
    left = len(trials) - MAX_TRIED
    told.append(_count(login, tried, f"{left} more were not tried" if left > 0 else ""))
    return told


def _judged(one: Credential, login: Login, made_up: Credential, path: str) -> tuple[str, str]:
    """The rule and what it says of a pair that was let in."""
    if one is made_up:
        return "login-accepts-anything", f"a user and password that were made up ({path})"
    who = f"user '{one.user}'" if one.user else "a token"
    if Credential(one.user, one.password) in login.defaults:
        return "default-credentials", f"{who} with the password that it starts with ({path})"
    return "known-credentials", f"{who} with a password of the list ({path})"


def _guarded(request: LiveRequest) -> LiveRequest:
    """The request with a password of the user, which goes only to a host that proves its name."""
    return replace(request, key=_OWNER)


def _count(login: Login, tried: int, note: str) -> LiveFact:
    name = login.product or "HTTP Basic"
    text = f"{name}: {tried} refused at {login.allowed.request.path}"
    return LiveFact("credentials", (f"{text}, {note}" if note else text,))


def _wanted(context: LiveContext, login: Login) -> Iterator[Credential]:
    """Pairs for a login: those for its product first."""
    for one in sorted(context.credentials, key=lambda each: not each.product):
        if one.product in ("", login.product):
            yield Credential(one.user, one.password)
    if context.default_credentials:
        yield from login.defaults


def _values(one: Credential) -> Mapping[str, str]:
    basic = base64.b64encode(f"{one.user}:{one.password}".encode()).decode()
    return {
        "user": one.user,
        "password": one.password,
        "user_form": quote_plus(one.user),
        "password_form": quote_plus(one.password),
        "basic": basic,
    }


def _asks_basic(reply: Reply) -> bool:
    asked = reply.header("www-authenticate").lower()
    return reply.status == _REFUSED and asked.startswith("basic")


@cache
def _basic_login() -> Login:
    allowed = AnswerCondition(_BASIC, status=(200, 204, 301, 302, 303, 307, 308))
    return Login("", allowed, tuple(map(pair, _data()["basic"]["defaults"])))


def _login(data: Mapping[str, Any]) -> Login:
    fields = {name: value for name, value in data.items() if name not in ("product", "defaults")}
    return Login(data["product"], condition(fields), tuple(map(pair, data.get("defaults", ()))))


@cache
def _data() -> Mapping[str, Any]:
    made: Mapping[str, Any] = load_yaml(Path(__file__).parent / "data" / "logins.yaml")
    return made
