"""Is a signed request checked, and taken once alone (CWE-294, CWE-347)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from buttress.evidence.findings import Finding
from buttress.probes.link.reports import finding
from buttress.protocols.live import (
    LiveContext,
    LiveFact,
    LiveRequest,
    RecordedRequest,
    Reply,
    Session,
)

_TAKEN: Final = range(200, 300)
_CODE: Final = re.compile(r"[A-Za-z0-9+/]{6,}")
_ADDED: Final = "buttress"


def plan(context: LiveContext) -> Iterator[LiveRequest]:
    """The recorded request, changed and twice as it is; it may change something."""
    if context.signed is not None and context.active:
        yield from _variants(context.signed).values()


async def findings(session: Session, context: LiveContext) -> AsyncIterator[Finding | LiveFact]:
    """Send the request without its signature, with a wrong one, changed, and twice.

    The changed ones come first: a service that looks at the signature before anything else keeps
    no note of them.
    """
    signed = context.signed
    if signed is None or not context.active:
        return
    values = _values(signed)
    replies = {
        name: await session.ask(request, values) for name, request in _variants(signed).items()
    }
    statuses = {name: reply.status if reply else 0 for name, reply in replies.items()}
    usual = replies["first"] if statuses["first"] in _TAKEN else None
    taken = {
        name
        for name, reply in replies.items()
        if reply is not None and reply.status in _TAKEN and _alike(reply, usual)
    }
    url = session.at(signed.path.partition("?")[0])
    loose = [(name, what) for name, what in _UNCHECKED if name in taken]
    if loose:
        yield finding(
            "signature-not-checked", url, what=" and ".join(what for _, what in loose),
            proof=f"status {statuses[loose[0][0]]}, and {statuses['first']} as it was recorded",
        )  # fmt: skip
        return
    if "changed" in taken:
        yield finding(
            "signature-not-covering-body", url, what="a field was added to the body",
            proof=f"status {statuses['changed']} with the signature of another body",
        )  # fmt: skip
    if {"first", "second"} <= taken:
        yield finding(
            "signed-request-replayed", url, what=f"{signed.method} {signed.path.partition('?')[0]}",
            proof=f"status {statuses['first']}, then {statuses['second']} for the same bytes",
        )  # fmt: skip
    elif "first" not in taken:
        yield LiveFact(
            "not judged",
            (
                f"replay of the signed request: the recorded one was refused (status "
                f"{statuses['first']}); it may have expired",
            ),
        )


def _alike(reply: Reply, usual: Reply | None) -> bool:
    """Whether an answer has the fields of the usual one: some services tell errors with 200."""
    if usual is None or reply is usual:
        return True
    try:
        one, other = json.loads(reply.body), json.loads(usual.body)
    except (ValueError, RecursionError):
        return True
    return not (isinstance(one, dict) and isinstance(other, dict)) or one.keys() == other.keys()


_UNCHECKED: Final = (
    ("unsigned", "it is taken without a signature"),
    ("wrong", "it is taken with a wrong one"),
)


def _variants(signed: RecordedRequest) -> Mapping[str, LiveRequest]:
    """The requests by name, in the order in which they are sent; no secret is in them."""
    places = [
        (name, value if name.lower() == "content-type" else f"{{signed-{number}}}")
        for number, (name, value) in enumerate(signed.headers)
    ]

    def request(headers: list[tuple[str, str]], body: bytes, once: str) -> LiveRequest:
        return LiveRequest(signed.method, signed.path, tuple(headers), body, once=once, costs=True)

    unsigned = [one for one in places if one[0] != signed.signature]
    wrong = [(n, "{signed-wrong}" if n == signed.signature else v) for n, v in places]
    found = {
        "unsigned": request(unsigned, signed.body, "unsigned"),
        "wrong": request(wrong, signed.body, "wrong"),
    }
    if (changed := _changed(signed.body)) is not None:
        found["changed"] = request(places, changed, "changed")
    found["first"] = request(places, signed.body, "first")
    found["second"] = request(places, signed.body, "second")
    return found


def _values(signed: RecordedRequest) -> dict[str, str]:
    values = {f"signed-{number}": value for number, (_, value) in enumerate(signed.headers)}
    value = dict(signed.headers)[signed.signature]
    codes = list(_CODE.finditer(value))
    if codes:  # the code itself, which is the longest run of letters and digits
        code = max(codes, key=lambda one: (len(one[0]), one.start()))
        value = value[: code.start()] + _other(code[0]) + value[code.end() :]
    else:
        value = _other(value)
    return {**values, "signed-wrong": value}


def _other(code: str) -> str:
    """A code of the same length and letters that differs in its first half."""
    swaps = str.maketrans("0123456789abcdefABCDEF", "123456789abcdef0BCDEFA")
    half = max(1, len(code) // 2)
    changed = code[:half].translate(swaps)
    return (changed if changed != code[:half] else "0" * half) + code[half:]


def _changed(body: bytes) -> bytes | None:
    """The body with one more field; None where it is no object of JSON."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return json.dumps({**data, _ADDED: 1}).encode() if isinstance(data, dict) else None
