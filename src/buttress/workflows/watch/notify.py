"""Tells people and programs of events: a signed webhook and e-mail, each event once a channel.

The webhook is signed as the Standard Webhooks specification 1.0 has it: HMAC-SHA256 over
``id.timestamp.body``, in Base64, in the header ``webhook-signature`` with ``v1,`` before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

import orjson

from buttress.evidence.base import RecordStore
from buttress.evidence.findings import SEVERITIES
from buttress.evidence.records import MonitoringEvent, WatchCheckpoint
from buttress.files.shown_url import without_keys
from buttress.files.visible import visible
from buttress.trials.loop import run_async
from buttress.workflows.watch.settings import Email, WatchSettings, Webhook
from buttress.workflows.watch.state import DELIVERY, WatchState

SCHEMA: Final = "buttress-watch-events/1"
_TIMEOUT_S: Final = 20.0
_PREFIX: Final = "whsec_"
_MOST: Final = 200  # events of a message


class DeliveryError(Exception):
    """A message was not delivered; the message says why, without secrets."""


def deliver(
    settings: WatchSettings, store: RecordStore, state: WatchState, last: int, time: float
) -> list[str]:
    """Tell each channel the events that it has not been told; what failed is told next time.

    Args:
        settings: with the channels.
        store: where it is noted what was delivered.
        state: with the events.
        last: number of the last event before this round: a new channel begins after it.
        time: Unix seconds.

    Returns:
        Why a channel was not told, for each that was not.
    """
    problems = []
    for name, told in (("webhook", settings.webhook), ("email", settings.email)):
        if told is None:
            continue
        through = state.delivered.get(name, last)
        pending = [one for one in state.events if one.number > through]
        wanted = to_tell(settings, state, through)
        try:
            if isinstance(told, Webhook) and wanted:
                post(told, settings.name, wanted, time)
            elif isinstance(told, Email) and wanted:
                mail(told, settings.name, wanted)
        except DeliveryError as error:
            number = len(wanted)
            events = "1 event is" if number == 1 else f"{number:,} events are"
            problems.append(f"{name}: {error}; {events} told next time")
            continue
        if pending or name not in state.delivered:
            state.delivered[name] = pending[-1].number if pending else through
            done = {"through": state.delivered[name]}
            store.append([WatchCheckpoint(f"{DELIVERY} {name}", done, time)])
    return problems


def to_tell(settings: WatchSettings, state: WatchState, through: int) -> list[MonitoringEvent]:
    """The events after number ``through`` that are grave enough for a channel."""
    grave = SEVERITIES.index(settings.tell_at_least)
    return [
        one
        for one in state.events
        if one.number > through and SEVERITIES.index(one.severity) >= grave
    ]


def payload(name: str, events: Sequence[MonitoringEvent]) -> dict[str, Any]:
    """The events as they are posted."""
    return {
        "schema": SCHEMA,
        "watch": name,
        "left_out": max(0, len(events) - _MOST),
        "events": [event_row(one) for one in events[:_MOST]],
    }


def event_row(one: MonitoringEvent) -> dict[str, Any]:
    """An event as data."""
    return {
        "number": one.number,
        "kind": one.kind,
        "severity": one.severity,
        "asset": one.asset,
        "place": one.place,
        "message": one.message,
        "time": one.time,
        "about": one.about,
        "probe": one.probe,
        "details": one.details,
    }


def signed_headers(secret: str, identifier: str, time: float, body: bytes) -> dict[str, str]:
    """The headers of a message: its id, its time and its signature."""
    stamp = str(int(time))
    message = f"{identifier}.{stamp}.".encode() + body
    digest = hmac.new(_key(secret), message, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def post(webhook: Webhook, name: str, events: Sequence[MonitoringEvent], time: float) -> None:
    """Post events.

    Raises:
        DeliveryError: the secret is not set, or the answer is not a success.
    """
    secret = _secret(webhook.secret_env)
    body = orjson.dumps(payload(name, events))
    identifier = f"buttress-{events[0].number}-{events[-1].number}-{int(events[-1].time)}"
    headers = signed_headers(secret, identifier, time, body)
    status = run_async(_post(webhook.url, body, headers))
    if not 200 <= status < 300:
        raise DeliveryError(f"{without_keys(webhook.url)} answered with status {status}")


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    import aiohttp

    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise DeliveryError(
            f"{without_keys(url)} can't be reached ({type(error).__name__})"
        ) from None


def mail(email: Email, name: str, events: Sequence[MonitoringEvent]) -> None:
    """Mail events.

    Raises:
        DeliveryError: a password is not set, or the server refuses.
    """
    password = _secret(email.password_env) if email.password_env else ""
    try:
        with _server(email) as server:
            if email.username:
                server.login(email.username, password)
            server.send_message(message(email, name, events))
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(
            f"{email.host}: its certificate is not trusted ({error.verify_message})"
        ) from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(f"{email.host}: {type(error).__name__}") from None


def message(email: Email, name: str, events: Sequence[MonitoringEvent]) -> EmailMessage:
    """The mail that tells events."""
    worst = max((one.severity for one in events), key=SEVERITIES.index)
    made = EmailMessage()
    count = "1 event" if len(events) == 1 else f"{len(events)} events"
    made["Subject"] = visible(f"[{worst}] {name}: {count}")
    made["From"], made["To"] = email.sender, ", ".join(email.to)
    made["Date"] = formatdate(events[-1].time)
    lines = [
        f"{one.number}. [{one.severity}] {one.kind} · {one.asset} · {one.message}"
        for one in events[:_MOST]
    ]
    if len(events) > _MOST:
        lines.append(f"and {len(events) - _MOST} more")
    made.set_content("\n".join(visible(line) for line in lines) + "\n")
    return made


def _server(email: Email) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if email.security == "tls":
        return smtplib.SMTP_SSL(email.host, email.port, timeout=_TIMEOUT_S, context=context)
    server = smtplib.SMTP(email.host, email.port, timeout=_TIMEOUT_S)
    if email.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise DeliveryError(f"the environment variable {variable} is not set")
    return value
