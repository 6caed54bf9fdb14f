"""Errors that clients of model servers raise inside a function of the user's own.

OpenAI's, Anthropic's and LiteLLM's clients, httpx, requests and aiohttp raise what a server says
with a status. It means the same as where this package asks the server itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from buttress.targets.base import Answer, TargetError
from buttress.targets.completion import one_line
from buttress.targets.failures import failure
from buttress.targets.refusals import named
from buttress.targets.secrets import Secrets


def raised(error: BaseException) -> Answer | TargetError:
    """The refusal or the error that a raised exception is."""
    problem = one_line(f"{type(error).__name__}: {error}")
    status = _status(error)
    payload = _payload(error)
    if status is not None and status >= 400:
        outcome = failure(status, _headers(error), _encoded(payload), payload, Secrets())
        if isinstance(outcome, Answer):
            return outcome
        return TargetError(
            problem,
            retry=outcome.retry,
            throttled=outcome.throttled,
            retry_after_s=outcome.retry_after_s,
            fatal=outcome.fatal,
            refusal=outcome.refusal,
        )
    if who := named(400, payload):
        return Answer(one_line(str(error)), "content_filter", refused_by=who)
    passing = isinstance(error, TimeoutError | ConnectionError) or "Timeout" in problem[:40]
    return TargetError(problem, retry=passing, throttled=isinstance(error, TimeoutError))


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    places = (
        (error, "status_code"), (error, "status"), (error, "code"),
        (response, "status_code"), (response, "status"),
    )  # fmt: skip
    for holder, name in places:
        value = getattr(holder, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return value
    return None


def _payload(error: BaseException) -> Any:
    """What the server said, as far as the exception holds it, else the exception's own words."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping):
        return dict(body) if "error" in body else {"error": dict(body)}
    text = getattr(getattr(error, "response", None), "text", None)
    if isinstance(text, str) and text.strip():
        try:
            return orjson.loads(text)
        except ValueError:
            return text
    code = getattr(error, "code", None)
    return {"error": {"message": str(error), "type": type(error).__name__, "code": code}}


def _encoded(payload: Any) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    return orjson.dumps(payload, default=str)


def _headers(error: BaseException) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    headers = headers if headers is not None else getattr(error, "headers", None)
    return headers if isinstance(headers, Mapping) else {}
