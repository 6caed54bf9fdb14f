"""What an HTTP status other than 200 means for a question, and a reply of 200 that tells of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from buttress.targets import refusals
from buttress.targets.base import Answer, TargetError
from buttress.targets.completion import error_field, error_text, is_error, one_line
from buttress.targets.retry_after import retry_after, wait_in_body
from buttress.targets.secrets import Secrets

OVERLOADED: Final = frozenset({429, 503, 529})
SOON_S: Final = 300.0
# That a server may take to load its model, or a gateway's upstream to start.
STARTING_S: Final = {502: 45.0, 503: 180.0, 504: 45.0}
AGAIN: Final = frozenset({408, 409, 425})
ABOUT_QUESTION: Final = frozenset({400, 413, 414, 422})  # the next may fare better
_MAY_BE_BUSY: Final = frozenset({400, 403, 500, 502})  # said by words instead of 429
HOPELESS: Final = frozenset({401, 402, 404, 405, 410})
BUSY: Final = re.compile(
    r"too_?many_?requests|too many (concurrent |parallel |simultaneous )?requests"
    r"|concurren\w+[ _](limit|requests)"
    r"|rate.?limit|slow down|overloaded|(server|model|service) (is )?(currently )?busy|throttl"
    r"|at capacity|queue is full|limit_?exceeded",
    re.IGNORECASE,
)
_FAILED_CODE: Final = re.compile(
    r"too_?many|throttl|rate_?limit|exceeded|busy|overload|unavailable|time_?out|internal"
    r"|error|fail|exception",
    re.IGNORECASE,
)
_QUOTA: Final = re.compile(
    r"insufficient[_ ](quota|balance|funds|credit)|exceeded your current quota|credit balance"
    r"|billing|quota[^.]{0,20}(exhausted|used up)|out of credits|payment required|arrearage"
    r"|\b(daily|weekly|monthly) (\w+ ){0,2}(limit|quota)|欠费|余额不足"
    r"|quota exceeded[^.]{0,120}(limit: 0\b|per ?day)|out of call volume quota",
    re.IGNORECASE,
)
_CALLER: Final = re.compile(
    r"api[ _-]?key|authenticat|unauthorized|not authorized|authoriz|credential|permission|token"
    r"|subscription|region|country|organization|project|access to (the )?model|no access"
    r"|signature|login|log in|ip address",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(
    r"model[^.]{0,60}(not (be )?found|does not exist|doesn't exist|not exist|unknown|invalid"
    r"|not (loaded|available|supported|served)|no longer)"
    r"|(no such|unknown|invalid|unsupported) model|model_not_found|deploymentnotfound"
    r"|deployment[^.]{0,40}(not exist|not found)",
    re.IGNORECASE,
)


def failure(
    status: int, headers: Mapping[str, str], body: bytes, payload: Any, secrets: Secrets
) -> Answer | TargetError:
    """The refusal or the error that a reply is.

    Args:
        status: not 200.
        headers: of the reply.
        body: of the reply.
        payload: the body as JSON value, or its text.
        secrets: kept out of the message.
    """
    page = refusals.is_page(body)
    text = refusals.page_text(body) if page else error_text(payload)
    said = secrets.hide(one_line(text, 300))
    message = one_line(f"HTTP {status}" + (f": {said}" if said else ""))
    if 300 <= status < 400:
        place = secrets.hide(headers.get("Location", "nowhere"))
        moved = one_line(f"HTTP {status}: redirects to {place}")
        refused = Answer(moved, "content_filter", refused_by=refusals.FIREWALL)
        return TargetError(
            f"{moved}, which is not followed; name that URL",
            retry=False,
            fatal=True,
            doubtful=True,
            refusal=refused if refusals.block_page(place) else None,
        )
    everything = " ".join([said, error_field(payload, "code"), error_field(payload, "type")])
    if status in _MAY_BE_BUSY and BUSY.search(said):
        return TargetError(message, retry=True, throttled=True, retry_after_s=retry_after(headers))
    if not page and (who := refusals.named(status, payload)):
        return Answer(said, finish_reason="content_filter", refused_by=who)
    wait = retry_after(headers)
    if wait is None and status in OVERLOADED:
        wait = wait_in_body(payload, text)
    passes = status == 429 and wait is not None and wait <= SOON_S  # a quota by the minute
    if _QUOTA.search(everything) and status in {400, 402, 403, 429} and not passes:
        return TargetError(message, retry=False, fatal=True)
    if status in OVERLOADED:
        return TargetError(
            message,
            retry=True,
            throttled=True,
            retry_after_s=wait,
            starting_s=STARTING_S.get(status, 0.0),
        )
    if who := refusals.by_headers(headers):
        refused = Answer(said, finish_reason="content_filter", refused_by=who)
        return TargetError(message, retry=False, fatal=True, refusal=refused)
    who = refusals.doubtful(status, body)
    hopeless = status in HOPELESS and not who
    if hopeless or (status in {400, 403, 422} and _MODEL.search(everything)):
        return TargetError(message, retry=False, fatal=True)
    if who and not (status == 403 and not page and _CALLER.search(said)):
        refused = Answer(said, finish_reason="content_filter", refused_by=who)
        return TargetError(message, retry=False, fatal=True, refusal=refused)
    again = status >= 500 or status in AGAIN
    fatal = not again and status not in ABOUT_QUESTION
    return TargetError(
        message,
        retry=again,
        retry_after_s=wait,
        fatal=fatal,
        doubtful=True,
        starting_s=STARTING_S.get(status, 0.0),
    )


def tells_failure(payload: Any) -> bool:
    """Whether a reply says that the application has failed, in one of the usual forms."""
    if not isinstance(payload, Mapping):
        return False
    if isinstance(payload.get("Response"), Mapping):  # Tencent Cloud's wrapper
        return tells_failure(payload["Response"])
    errors = ("error", "Error", "errors", "detail", "error_msg", "exception")
    if any(is_error(payload.get(field)) for field in errors):
        return True
    if any(payload.get(field) is False for field in ("success", "ok")):
        return True
    for field in ("code", "statusCode", "status_code", "status"):
        code = payload.get(field)
        if isinstance(code, int) and 400 <= code < 600:
            return True
        if isinstance(code, str) and _FAILED_CODE.search(code):
            return True
    return any(
        str(payload.get(field)).lower() in {"error", "fail", "failed", "failure", "cancelled"}
        for field in ("status", "type", "state", "event")
    )
