"""A request that was signed and recorded: a survey sends it again, as it is and changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from buttress.errors import InputError
from buttress.protocols.live import RecordedRequest

_MAX_BYTES: Final = 1 << 20
_LINE: Final = re.compile(r"([A-Z]{3,10}) (/[\x21-\x7e]*) HTTP/1\.[01]")
_HEADER: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e\t]*)")
_NAME: Final = re.compile(r"(?:^|[-_])(?:signature|sig|sign|hmac)(?:$|[-_])|signature$", re.I)
_SCHEME: Final = re.compile(r"(?:Signature|HMAC|AWS4-HMAC|[\w-]*HMAC)[\w-]*[ ,:]", re.I)
_OWN: Final = frozenset(("host", "content-length", "connection", "user-agent", "accept-encoding",
                         "transfer-encoding"))  # fmt: skip
_EXPECTED: Final = "a request line, headers, an empty line and the body, as HTTP/1.1 sends them"


def read_signed_request(path: Path) -> RecordedRequest:
    """The request in a file.

    Raises:
        InputError: not readable, no request, or no header in it holds a signature.
    """

    def problem(what: str, line: int | None = None, expected: str = _EXPECTED) -> InputError:
        return InputError(what, file=str(path), line=line, field="--signed", expected=expected)

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise problem(error.strerror or str(error), expected="a file") from None
    if len(data) > _MAX_BYTES:
        raise problem("over 1 MiB", expected="a smaller request")
    head, _, body = data.partition(b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n")
    lines = head.decode("latin-1").rstrip("\r\n").split("\n")
    first = _LINE.fullmatch(lines[0].strip())
    if first is None:
        raise problem("no request line", 1, "such as POST /v1/chat HTTP/1.1")
    headers: list[tuple[str, str]] = []
    for number, line in enumerate(lines[1:], 2):
        match = _HEADER.fullmatch(line.rstrip())
        if match is None:
            raise problem("no header", number)
        if match[1].lower() not in _OWN:
            headers.append((match[1], match[2].strip()))
    signature = _signature(headers)
    if not signature:
        in_query = any(_NAME.search(name) for name, _ in parse_qsl(urlsplit(first[2]).query))
        raise problem(
            "the signature is in the address, not in a header" if in_query else "no signature",
            expected="a header such as X-Signature, Signature, or Authorization with HMAC",
        )
    return RecordedRequest(first[1], first[2], tuple(headers), body, signature)


def _signature(headers: list[tuple[str, str]]) -> str:
    for name, value in headers:
        if name.lower() == "signature" or (
            _NAME.search(name) and name.lower() != "signature-input"
        ):
            return name
        if name.lower() == "authorization" and _SCHEME.match(value):
            return name
    return ""
