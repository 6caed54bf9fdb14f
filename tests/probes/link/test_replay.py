"""Signed requests: is the signature checked, does it cover the body, is it taken only once."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.signed_request import read_signed_request
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.probes.link.probe import PROBE
from buttress.protocols.live import LiveContext
from tests.live.servers import Web, serving

KEY = b"a key of the test"
BODY = b'{"item": 7}'
NEW = {"signature-not-checked", "signature-not-covering-body", "signed-request-replayed"}


def signature(head: str, body: bytes) -> str:
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    text = f"{head.split(' HTTP', 1)[0]} {fields.get('X-Nonce', '')} ".encode() + body
    return hmac.new(KEY, text, hashlib.sha256).hexdigest()


def recorded(folder: Path, *, covered: bool = True, valid: bool = True) -> Path:
    head = "POST /orders HTTP/1.1\r\nHost: shop.example\r\nX-Nonce: n-secret-1"
    code = signature(head, BODY if covered else b"") if valid else "0" * 64
    kind = "Content-Type: application/json"
    path = folder / "request.txt"
    path.write_bytes(f"{head}\r\n{kind}\r\nX-Signature: {code}\r\n\r\n".encode() + BODY)
    return path


class Orders(Web):
    """Takes signed orders; ``flaw`` is what it does not look at."""

    def __init__(self, flaw: str) -> None:
        super().__init__({"/": "orders"})
        self.flaw = flaw
        self.nonces: set[str] = set()

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        if path != "/orders":
            return super().answer(method, path, head, body)
        lines = dict(one.split(": ", 1) for one in head.split("\r\n")[1:] if ": " in one)
        given, nonce = lines.get("X-Signature"), lines.get("X-Nonce", "")
        wanted = signature(head, b"" if self.flaw == "body" else body)
        fine = (
            self.flaw == "all"
            or (self.flaw == "wrong" and given is not None)
            or (given == wanted and (self.flaw == "replay" or nonce not in self.nonces))
        )
        if fine and self.flaw != "all":
            self.nonces.add(nonce)
        if not fine and self.flaw == "says 200":
            text = b'{"error": "no"}'
            return b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
        status = 200 if fine else 401
        return b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\n{}" % status


async def ask(web: Web, path: Path, *, active: bool = True) -> HostResult:
    context = LiveContext(signed=read_signed_request(path), active=active)
    async with serving(web) as port:
        target = Endpoint("127.0.0.1", port, "http")
        (result,) = await survey([target], [PROBE], context, Limits(timeout_s=10))
    assert not result.failed, result.failed
    listed = {request for _, _, request in dry_run([target], planned([PROBE], context))}
    assert {one.request for one in result.sent} <= listed
    return result


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("", set()),
        ("all", {"signature-not-checked"}),
        ("wrong", {"signature-not-checked"}),
        ("replay", {"signed-request-replayed"}),
        ("body", {"signature-not-covering-body"}),
        ("says 200", set()),
    ],
)
async def test_each_flaw_is_found_and_a_careful_service_is_silent(
    flaw: str, found: set[str], tmp_path: Path
) -> None:
    web = Orders(flaw)
    result = await ask(web, recorded(tmp_path, covered=flaw != "body"))
    assert {one.rule for one in result.findings} & NEW == found
    assert [path for _, path in web.seen].count("/orders") == 5
    assert "n-secret-1" not in repr(result)


async def test_a_request_that_has_expired_judges_nothing(tmp_path: Path) -> None:
    result = await ask(Orders(""), recorded(tmp_path, valid=False))
    assert not {one.rule for one in result.findings} & NEW
    (fact,) = [one for one in result.facts if one.name == "not judged"]
    assert "was refused (status 401)" in fact.values[0]


async def test_nothing_is_sent_without_active(tmp_path: Path) -> None:
    web = Orders("all")
    await ask(web, recorded(tmp_path), active=False)
    assert "/orders" not in [path for _, path in web.seen]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "no request line"),
        ("GET / HTTP/1.1\nno header\n\n", "no header"),
        ("GET / HTTP/1.1\nAccept: */*\n\n", "no signature"),
        ("GET /?X-Amz-Signature=ab HTTP/1.1\n\n", "in the address"),
        ("GET / HTTP/1.1\nX-Design: blue\nAuthorization: Bearer x\n\n", "no signature"),
    ],
)
def test_what_is_no_signed_request_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_signed_request(tmp_path / "r")
    assert "--signed" in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        "X-Signature: ab", "Signature: sig1=:YWJj:", "X-Hub-Signature-256: sha256=ab", "x-sig: ab",
        "Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=ab", "X-Request-Sign: ab",
    ],
)  # fmt: skip
def test_headers_that_hold_signatures(tmp_path: Path, header: str) -> None:
    (tmp_path / "r").write_text(f"POST /a HTTP/1.1\nHost: b\n{header}\n\nbody\n")
    made = read_signed_request(tmp_path / "r")
    assert made.signature == header.partition(":")[0]
    assert made.body == b"body\n"
    assert [name for name, _ in made.headers] == [made.signature]
