"""Laws: nothing verified in noise, a planted key found where it is, no secret told, no crash."""

from __future__ import annotations

import base64
import hashlib
import json
import string
import tempfile
import uuid
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding, Inspection
from buttress.probes.source.secrets import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.rules.credentials.redacted import redacted
from buttress.rules.credentials.rule import CredentialRule
from buttress.rules.credentials.scanner import MAX_CANDIDATES, scan
from tests.probes.source.samples import POSITIVE, SEEDS, VERIFIED, file_name, key, sample

_PLAIN = st.text(string.ascii_letters + string.digits + " .,:=(){}[]\"'_-/+\t", max_size=60)
_HASH = st.binary(max_size=40).map(lambda data: hashlib.sha256(data).hexdigest())
_NOISE = st.one_of(
    st.text(max_size=60).map(lambda text: text.translate({13: " ", 0: " "})),  # NUL: a binary
    _PLAIN,
    st.binary(max_size=90).map(lambda data: base64.b64encode(data).decode()),
    st.uuids().map(str),
    _HASH,
    _HASH.map(lambda digest: f'    "integrity": "sha512-{digest}",'),
    _HASH.map(lambda digest: f"    --hash=sha256:{digest} \\"),
    _HASH.map(lambda digest: f'checksum = "{digest}"'),
    st.binary(min_size=20, max_size=20).map(lambda data: f"commit {data.hex()}"),
    st.uuids(version=4).map(lambda one: f'{{"id": "{one}", "etag": "{one.hex}"}}'),
)
_LINES = st.lists(_NOISE, max_size=20)
_VERIFIED_EXAMPLES = [pair for pair in POSITIVE if pair[0].verified]


def _inspect(name: str, data: bytes) -> tuple[list[Finding], Inspection]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        *findings, inspection = PROBE.inspect(InspectionContext.at("app", path))
    assert all(isinstance(one, Finding) for one in findings)
    assert isinstance(inspection, Inspection)
    return findings, inspection  # type: ignore[return-value]


@given(_LINES, st.sampled_from(["a.py", "a.env", "package-lock.json", "a.yaml"]))
@settings(max_examples=300, deadline=None)
def test_noise_gives_no_verified_finding(lines: list[str], name: str) -> None:
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    assert [hit.rule.id for hit in scan(data, name).found if hit.rule.verified] == []


@given(_LINES, _LINES, st.sampled_from(_VERIFIED_EXAMPLES), st.sampled_from(SEEDS))
@settings(max_examples=300, deadline=None)
def test_a_planted_key_is_found_on_its_line(
    before: list[str], after: list[str], example: tuple[CredentialRule, str], seed: int
) -> None:
    rule, template = example
    text = sample(template, seed)
    above = "".join(f"{line}\n" for line in before)
    whole = f"{above}{text}\n" + "\n".join(after)
    findings, _ = _inspect(file_name(rule), whole.encode("utf-8", "surrogatepass"))
    first = above.count("\n") + 1
    lines = range(first, first + text.count("\n") + 1)
    places = [int(one.location.rpartition(":")[2]) for one in findings if one.rule == rule.id]
    assert len(places) == 1
    assert places[0] in lines
    if "\n" not in template:
        assert places[0] == first


@pytest.mark.parametrize(("rule", "template"), POSITIVE, ids=lambda one: getattr(one, "id", None))
def test_no_field_of_a_finding_tells_the_secret(rule: CredentialRule, template: str) -> None:
    for seed in SEEDS:
        text = sample(template, seed)
        data = text.encode()
        (hit, *_) = [one for one in scan(data, file_name(rule)).found if one.rule.id == rule.id]
        secret = data[hit.start : hit.end].decode().strip()
        findings, inspection = _inspect(file_name(rule), data)
        told = json.dumps([asdict(one) for one in (*findings, inspection)], ensure_ascii=False)
        # Not even a third of it, wherever that begins.
        size = max(5, len(secret) // 3)
        parts = {secret[place : place + size] for place in range(len(secret) - size + 1)}
        assert [part for part in parts if part in told] == []


@given(st.text(min_size=8, max_size=400))
def test_redaction_keeps_three_quarters_back(secret: str) -> None:
    text = secret.strip()
    shown = redacted(secret).rpartition("… (")[0]
    assert len(text) < 8 or len(text[:4]) >= min(4, len(text) // 4)
    assert len(shown) <= 4 * 10  # four characters, each escaped at most
    if text.isascii() and text.isprintable():
        assert len(shown) <= len(text) / 4
        assert text.startswith(shown)


def test_a_name_that_repeats_the_secret_is_not_told() -> None:
    secret = sample("{base62:30}", 3)
    findings, _ = _inspect("app.py", f'{secret}_token = "{secret}"\n'.encode())
    assert len(findings) == 1
    assert secret not in findings[0].message


_TRIGGERS = st.sampled_from(
    [b"-----BEGIN PRIVATE KEY-----", b"-----END", b"eyJhbGciOi", b".eyJ", b"AKIA", b"ghp_",
     b"postgres://a:", b"@", b'token = "', b"password=", b"\n", b'"', b"\\n", b"sk-", b"\xff\xfe",
     b"buttress: allow secret ", b'{"cells": [', b'{"source": ["', b"]}", b"\xed\xa0\x80",
     b"Authorization: Bearer ", b"xoxb-", b"pypi-AgEI"]
)  # fmt: skip


@given(
    st.lists(st.one_of(_TRIGGERS, st.binary(max_size=80)), max_size=40).map(b"".join),
    st.sampled_from(["a.py", "a.ipynb", ".env", "Dockerfile"]),
)
@settings(max_examples=400, deadline=None)
def test_arbitrary_bytes_never_crash_it(data: bytes, name: str) -> None:
    findings, inspection = _inspect(name, data)
    orjson.dumps([asdict(one) for one in (*findings, inspection)])


_MIXED = b"".join(
    keyword.encode() for rule in VERIFIED for keyword in (*rule.keywords, rule.title, rule.id)
)


@pytest.mark.parametrize(
    "filling",
    [b"a", b"\n", b"token=", b"eyJ", b"0123456789abcdef", b'password = "', b"-----BEGIN A",
     b"https://a:", bytes(range(1, 256)), _MIXED],
    ids=lambda filling: ascii(filling[:10]),
)  # fmt: skip
def test_a_key_behind_megabytes_of_anything_is_found(filling: bytes) -> None:
    planted = f"\n{key('stripe-key')}\n".encode()
    data = filling * ((3 << 20) // len(filling)) + planted
    assert "stripe-key" in [hit.rule.id for hit in scan(data, "app.py").found]


def test_a_key_behind_megabytes_of_randomness_is_found() -> None:
    noise = b"".join(
        hashlib.sha512(uuid.UUID(int=number).bytes).digest() for number in range(40_000)
    )
    data = noise + f" {key('github-token')} ".encode()
    assert [hit.rule.id for hit in scan(data).found if hit.rule.verified] == ["github-token"]


def test_a_flood_of_candidates_is_cut_and_told() -> None:
    data = b"AKIA234567ABCDEFGHIJ " * (MAX_CANDIDATES + 10)
    assert scan(data).cut == ["aws-access-key"]
    _, inspection = _inspect("a.txt", data)
    assert any("aws-access-key" in note for note in inspection.skipped)


def test_a_piece_of_an_image_in_base64_is_no_token() -> None:
    """What looks like a token by chance inside a long run of Base64 is part of the run."""
    token = key("facebook-token")
    assert [hit.rule.id for hit in scan(f"token: {token}".encode()).found] == ["facebook-token"]
    image = base64.b64encode(hashlib.shake_256(b"image").digest(3_000)).decode()
    inside = f"icon: data:image/png;base64,{image[:1500]}/{token}+{image[1500:]}"
    assert [hit.rule.id for hit in scan(inside.encode()).found] == []
    address = f"https://a.net/v1/{token}/me"  # a few signs around it are none
    assert [hit.rule.id for hit in scan(address.encode()).found] == ["facebook-token"]


@pytest.mark.parametrize("dots", ["...", "…"])
def test_a_key_that_is_cut_short_is_low(dots: str) -> None:
    """What a page shows of a format ends in dots."""
    text = f"token: {key('pypi-token')}"
    (whole,) = scan(text.encode()).found
    (cut,) = scan((text + dots).encode()).found
    assert (whole.severity, cut.severity) == ("critical", "low")
    assert "left out" in cut.note
