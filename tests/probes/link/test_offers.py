"""What is asked over TLS, against a scripted server: old versions, weak suites, bad manners."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

import pytest

from buttress.live.limits import Limits
from buttress.live.pace import Pace
from buttress.live.scope import Endpoint
from buttress.live.session import HostSession
from buttress.probes.link import tls_findings
from buttress.probes.link.tls import offers
from buttress.probes.link.tls.client_hello import ClientHello, read_answer
from buttress.probes.link.tls.offers import TlsAnswers
from buttress.probes.link.tls.suites import (
    SSL2,
    SSL3,
    TLS10,
    TLS12,
    TLS13,
    named,
    suites,
)
from buttress.probes.link.tls.suites import offers as parts
from tests.live.servers import HOSTILE, hostile, serving
from tests.probes.link.scripted_tls import ScriptedTls

GCM = (0xC02F, 0xC030)


async def ask(server: object, *, timeout_s: float = 2.0) -> tuple[TlsAnswers | None, HostSession]:
    async with serving(server) as port:  # type: ignore[arg-type]
        session = HostSession(
            Endpoint("127.0.0.1", port), Limits(timeout_s=timeout_s),
            frozenset(offers.plan()), Pace(0),
        )  # fmt: skip
        return await offers.ask(session), session


async def accepted(server: ScriptedTls) -> tuple[Mapping[int, list[int]], TlsAnswers]:
    answers, _ = await ask(server)
    assert answers is not None
    return {version: found for version, found in answers.suites.items() if found}, answers


def rules(answers: TlsAnswers) -> set[str]:
    return {one.rule for one in tls_findings.findings("https://h", answers)}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (ScriptedTls({TLS12: GCM}), {"no-tls-1-3"}),
        (ScriptedTls({TLS12: GCM}, ssl2=True), {"no-tls-1-3", "obsolete-protocol"}),
        (
            ScriptedTls({SSL3: [0x0004, 0x000A], TLS12: GCM}),
            {"no-tls-1-3", "obsolete-protocol", "rc4-suite", "block-64-suite"},
        ),
        (ScriptedTls({TLS12: [0x0003]}), {"no-tls-1-3", "export-suite", "rc4-suite"}),
        (ScriptedTls({TLS12: [0x0009]}), {"no-tls-1-3", "des-suite"}),
        (ScriptedTls({TLS12: [0x0014]}), {"no-tls-1-3", "export-suite", "des-suite"}),
        (ScriptedTls({TLS12: [0x0007]}), {"no-tls-1-3", "block-64-suite"}),
        (ScriptedTls({TLS12: [0x003B]}), {"no-tls-1-3", "no-encryption"}),
        (ScriptedTls({TLS12: [0x00A6]}), {"no-tls-1-3", "anonymous-key-exchange"}),
        (ScriptedTls({TLS12: [0x009C]}), {"no-tls-1-3", "no-forward-secrecy"}),
        (ScriptedTls({TLS12: GCM}, compression=True), {"no-tls-1-3", "tls-compression"}),
        (
            ScriptedTls({TLS12: GCM}, renegotiation_info=False),
            {"no-tls-1-3", "insecure-renegotiation"},
        ),
        (
            ScriptedTls({TLS10: [0xC013], TLS12: GCM}, guards_fallback=False),
            {"no-tls-1-3", "obsolete-protocol", "no-downgrade-protection"},
        ),
        (
            ScriptedTls({TLS12: GCM}, key_exchange=b"\x03\x00\x13\x01\x04"),
            {"no-tls-1-3", "weak-ephemeral-key"},
        ),
        (
            ScriptedTls({TLS12: [0x009E]}, key_exchange=b"\x00\x60" + b"\xff" * 96),
            {"no-tls-1-3", "weak-ephemeral-key"},
        ),
        (ScriptedTls({TLS12: [0x009E]}, key_exchange=b"\x01\x00" + b"\xff" * 256), {"no-tls-1-3"}),
    ],
)
async def test_findings(server: ScriptedTls, expected: set[str]) -> None:
    _, answers = await accepted(server)
    assert rules(answers) == expected


async def test_every_suite_of_every_version_is_found() -> None:
    everything = ScriptedTls(
        {
            version: [one for part in parts(version) for one in part]
            for version in (SSL3, TLS10, TLS12, TLS13)
        }
    )
    found, answers = await accepted(everything)
    assert {version: set(numbers) for version, numbers in found.items()} == {
        version: set(numbers) for version, numbers in everything.suites.items()
    }
    assert answers.unanswered == [  # it can encrypt nothing
        "certificate in TLS 1.3 (ECDSA): no certificate in the answer",
        "certificate in TLS 1.3 (RSA): no certificate in the answer",
    ]
    assert len(found[TLS12]) == len(suites()) - 7


async def test_one_suite_alone_is_found_whatever_it_is() -> None:
    numbers = random.Random(1).sample([one for part in parts(TLS12) for one in part], 12)
    for number in numbers:
        found, _ = await accepted(ScriptedTls({TLS12: [number]}))
        assert found == {TLS12: [number]}


async def test_a_warning_before_the_answer_is_no_answer() -> None:
    found, _ = await accepted(ScriptedTls({TLS12: GCM}, warns=True))
    assert found == {TLS12: list(GCM)}


async def test_a_suite_that_was_not_offered_is_a_refusal() -> None:
    answers, session = await ask(ScriptedTls({TLS12: GCM}, answers_with=0x0005))
    assert answers is not None
    assert answers.suites[TLS12] == [5]  # once: where it was offered
    assert len(session.sent) < 80


async def test_a_hello_counts_though_an_alert_follows() -> None:
    found, _ = await accepted(ScriptedTls({TLS12: GCM}, alert_after=True))
    assert found == {TLS12: list(GCM)}


async def test_a_message_in_many_records_is_read() -> None:
    found, _ = await accepted(ScriptedTls({TLS12: GCM}, record=3))
    assert found == {TLS12: list(GCM)}


async def test_a_server_that_can_not_read_long_offers() -> None:
    found, answers = await accepted(ScriptedTls({TLS12: GCM}, most_suites=127))
    assert found == {TLS12: list(GCM)}
    assert answers.unanswered == []


@pytest.mark.parametrize(
    "refusal", [b"", b"\x15\x03\x01\x00\x02\x02\x46", b"\x15\x03\x01\x00\x02\x01\x28"]
)
async def test_ways_to_refuse(refusal: bytes) -> None:
    found, _ = await accepted(ScriptedTls({TLS12: GCM}, refusal=refusal))
    assert found == {TLS12: list(GCM)}


async def test_lengths_that_servers_choke_on_are_avoided() -> None:
    server = ScriptedTls({TLS12: GCM})
    await ask(server)
    for hello in server.seen:
        if not hello[0] & 0x80:
            assert len(hello) not in range(256, 512)
            assert len(hello) < 512 or len(hello) % 256 not in (10, 14)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_host_that_does_not_speak_tls_is_left_soon(kind: str) -> None:
    answers, session = await asyncio.wait_for(ask(hostile(kind), timeout_s=0.3), 20)
    assert answers is None
    assert len(session.sent) <= 4
    assert sum(one.seconds for one in session.sent) < 2


async def test_a_host_that_drips_tls_ends_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"\x16\x03\x03\x40\x00\x02")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    answers, session = await asyncio.wait_for(ask(drip, timeout_s=0.3), 20)
    assert answers is None
    assert len(session.sent) <= 4


def test_any_bytes_are_read_without_an_error() -> None:
    rng = random.Random(5)
    whole = ClientHello(TLS13, parts(TLS13)[0], whole=True)
    good = ScriptedTls({TLS13: [0x1301], TLS12: GCM}).answer(whole.encode("h")[5:])
    for _ in range(3_000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        cut = data[: rng.randint(0, len(data))]
        extra = bytes(rng.randrange(256) for _ in range(rng.randint(0, 40)))
        for version in (SSL2, SSL3, TLS12):
            offer = ClientHello(version, GCM, whole=True)
            read_answer(offer, "h", bytes(cut) + extra)
        read_answer(whole, "h", bytes(cut) + b"\x17\x03\x03\x00\x20" + bytes(32) + extra)


def test_an_offer_with_fewer_suites_is_covered_and_no_other() -> None:
    offer = ClientHello(TLS12, GCM)
    assert offer.covers(ClientHello(TLS12, GCM[:1]))
    for other in (
        ClientHello(TLS12, (0xC02F, 5)), ClientHello(TLS10, GCM[:1]),
        ClientHello(TLS12, GCM, whole=True), ClientHello(TLS12, GCM, deflate=True),
    ):  # fmt: skip
        assert not offer.covers(other)


def test_names_of_suites_and_what_is_weak() -> None:
    (one,) = named([0xC02F])
    assert (one.name, one.exchange, one.weaknesses) == (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE_RSA", ()
    )  # fmt: skip
    (other,) = named([0xFAFA])
    assert other.name == "0xfafa_WITH_unknown"
    assert named([0x0017])[0].weaknesses == ("anonymous", "export", "rc4")
    assert named([0x1301])[0].weaknesses == ()
