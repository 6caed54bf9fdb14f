"""The service layer against the example: each flaw found alone, and none where it is fixed."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.probes.service.disclosure import shared_orders
from buttress.probes.service.origins import registered_domain
from buttress.probes.service.probe import PROBE
from buttress.protocols.live import CanaryAddress, LiveContext
from buttress.workflows.survey_notes import survey_notes
from tests.live.servers import HOSTILE, Web, hostile, serving

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/chat-service"
KEYS = {"alice": "alice-secret-1", "bob": "bob-secret-2"}


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chat_service", EXAMPLE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["chat_service"] = module
    spec.loader.exec_module(module)
    return module


APP = _example()


@asynccontextmanager
async def service(*flaws: str) -> AsyncIterator[int]:
    runner = web.AppRunner(APP.ChatService(set(flaws), KEYS).application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def context(*, active: bool = True, openapi: bool = False, users: int = 2) -> LiveContext:
    return LiveContext(
        keys=dict(list(KEYS.items())[:users]),
        active=active,
        openapi=EXAMPLE / "openapi.yaml" if openapi else None,
        canary=CanaryAddress(grace_s=0.05),
    )


async def ask(port: int, given: LiveContext, *, budget: int = 120) -> HostResult:
    (result,) = await survey(
        [Endpoint("127.0.0.1", port, "http")], [PROBE], given, Limits(timeout_s=10, budget=budget)
    )
    assert not result.failed, result.failed
    return result


def rules(result: HostResult) -> set[str]:
    return {one.rule for one in result.findings}


FOUND = {
    "no-key": {"authentication-missing"},
    "any-key": {"authentication-bypass"},
    "forwarded": {"authentication-bypass"},
    "objects": {"object-of-another-user"},
    "choices": {"unbounded-choices"},
    "max-tokens": {"unbounded-max-tokens"},
    "input": {"unbounded-input"},
    "logprobs": {"logprobs-given"},
    "rate": {"no-rate-limit"},
    "streams": {"streams-not-limited"},
    "errors": {"verbose-error"},
    "cors": {"cors-foreign-origin"},
    "images": {"server-side-request-forgery"},
    "prompt": {"system-prompt-disclosed"},
    "markup": {"answer-with-markup"},
    "preview": {"answer-picture-fetched"},
    "run": {"answer-executed"},
    "documents": {"order-in-content-followed"},
    "tool-results": {"order-in-content-followed"},
    "document-tools": {"order-in-content-runs-tool"},
    "sends": {"tool-sends-anywhere"},
    "rights": {"tool-acts-beyond-user"},
    "sessions": {"sessions-mixed"},
}


DESCRIBED = {  # in operations that only a description names
    "fetch": {"server-side-request-forgery"},
    "page": {"answer-rendered-as-html"},
    "pages": {"server-side-request-forgery", "order-in-content-followed"},
}


def test_every_flaw_of_the_example_has_its_check() -> None:
    assert set(FOUND) | set(DESCRIBED) == set(APP.FLAWS)


@pytest.mark.parametrize("openapi", [False, True], ids=["usual shapes", "openapi"])
@pytest.mark.parametrize("flaw", FOUND)
async def test_a_flaw_is_found_alone(flaw: str, openapi: bool) -> None:
    async with service(flaw) as port:
        assert rules(await ask(port, context(openapi=openapi))) == FOUND[flaw]


@pytest.mark.parametrize("openapi", [False, True], ids=["usual shapes", "openapi"])
async def test_the_fixed_service_is_silent(openapi: bool) -> None:
    async with service() as port:
        result = await ask(port, context(openapi=openapi))
    assert rules(result) == set()
    assert result.not_sent == 0


@pytest.mark.parametrize("flaw", DESCRIBED)
async def test_a_flaw_of_an_operation_that_the_description_names(flaw: str) -> None:
    async with service(flaw) as port:
        result = await ask(port, context(openapi=True))
    assert rules(result) == DESCRIBED[flaw]
    path = "/ask" if flaw == "page" else "/summaries"
    assert {one.location for one in result.findings} == {f"http://127.0.0.1:{port}{path}"}


async def test_all_flaws_at_once_are_all_found() -> None:
    async with service(*APP.FLAWS) as port:
        result = await ask(port, context(openapi=True))
    # Where no key is needed at all, there is nothing to get around.
    expected = set[str]().union(*FOUND.values(), *DESCRIBED.values()) - {"authentication-bypass"}
    assert rules(result) == expected
    assert result.not_sent == 0


async def test_without_active_nothing_is_asked_of_the_model() -> None:
    async with service(*APP.FLAWS) as port:
        result = await ask(port, context(active=False))
    assert {one.request.method for one in result.sent} <= {"GET", "OPTIONS"}
    assert rules(result) == {
        "authentication-missing", "object-of-another-user", "cors-foreign-origin"
    }  # fmt: skip
    facts = {one.name: one.values for one in result.facts}
    assert any(one.endswith("mixed sessions: need --active") for one in facts["not judged"])


async def test_what_can_not_be_judged_is_told() -> None:
    async with service() as port:
        result = await ask(port, context(users=0))
    (fact,) = [one for one in result.facts if one.name == "not judged"]
    assert fact.values == (
        "objects of other users: needs two keys (--as NAME=ENV, twice)",
        "limits, system prompt, markup, orders in documents, tools, mixed sessions: no chat API "
        "answered without a key",
    )
    assert rules(result) == set()


async def test_the_budget_stops_what_costs() -> None:
    async with service("rate") as port:
        result = await ask(port, context(), budget=10)
    assert sum(one.request.costs for one in result.sent) == 10
    assert result.not_sent > 0
    assert "no-rate-limit" not in rules(result)


async def test_what_is_sent_is_in_the_dry_run_and_holds_no_key() -> None:
    given = context(openapi=True)
    async with service(*APP.FLAWS) as port:
        result = await ask(port, given)
    target = Endpoint("127.0.0.1", port, "http")
    listed = {request for _, _, request in dry_run([target], planned([PROBE], given))}
    assert {one.request for one in result.sent} <= listed
    told = repr(result) + repr(given)
    assert not any(key in told for key in KEYS.values())
    keyed = [one.request for one in result.sent if one.request.key]
    assert all(("Authorization", "Bearer {key}") in one.headers for one in keyed)


async def test_a_host_that_answers_everything_the_same_proves_nothing() -> None:
    class Same(Web):
        def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
            text = b'{"data": [], "answer": "hello"}'
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)

    async with serving(Same({})) as port:
        result = await ask(port, context(active=False))
    assert "authentication-missing" not in rules(result)
    (fact,) = [one for one in result.facts if one.name == "not judged"]
    assert fact.values[0] == "authentication: the host answers any path with data"


@pytest.mark.parametrize(
    ("let_in", "told"),
    [
        (lambda origin: origin == "http://127.0.0.1", None),
        (lambda origin: origin.startswith("http://127.0.0.1"), "http://127.0.0.1.foreign.invalid"),
        (lambda origin: origin.endswith("127.0.0.1"), "http://foreign-127.0.0.1"),
        (lambda origin: "127.0.0.1" in origin, "http://127.0.0.1.foreign.invalid"),
    ],
    ids=["whole", "beginning", "end", "part"],
)
@pytest.mark.parametrize("cookies", [True, False], ids=["cookies", "no cookies"])
async def test_an_origin_that_is_compared_in_part(
    let_in: Callable[[str], bool], told: str | None, cookies: bool
) -> None:
    class Checking(Web):
        def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
            origin = re.search(r"(?m)^Origin: (.*?)\r$", head)
            allowed = {"Content-Type": "application/json"}
            if origin and let_in(origin[1]):
                allowed["Access-Control-Allow-Origin"] = origin[1]
                if cookies:
                    allowed["Access-Control-Allow-Credentials"] = "true"
            self.pages = {"/v1/models": (200, allowed, '{"data": [{"id": "m"}]}')}
            return super().answer(method, path, head, body)

    async with serving(Checking({})) as port:
        result = await ask(port, context(active=False, users=0))
    rule = "cors-foreign-origin" if cookies else "cors-any-origin"
    found = {one.rule: one.proof for one in result.findings if one.rule.startswith("cors")}
    assert set(found) == ({rule} if told else set())
    assert told is None or f"Origin: {told};" in found[rule]


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("api.shop.example", "shop.example"), ("shop.co.uk", "shop.co.uk"),
        ("a.shop.co.uk", "shop.co.uk"), ("localhost", "localhost"), ("10.0.0.5", "10.0.0.5"),
    ],
)  # fmt: skip
def test_the_domain_that_a_host_was_registered_under(host: str, domain: str) -> None:
    assert registered_domain(host) == domain


async def test_a_canary_at_a_named_port_serves_one_host_after_the_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    at = CanaryAddress(port=port, grace_s=0.05)
    given = replace(context(users=1), canary=at)
    async with service("images") as one, service("images") as other:
        results = await survey(
            [Endpoint("127.0.0.1", each, "http") for each in (one, other)],
            [PROBE], given, Limits(timeout_s=10),
        )  # fmt: skip
    assert [result.failed for result in results] == [{}, {}]
    for result in results:
        (found,) = [o for o in result.findings if o.rule == "server-side-request-forgery"]
        assert f"http://127.0.0.1:{port}" in found.message


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_hosts_end_in_time(kind: str) -> None:
    async with serving(hostile(kind)) as port:
        (result,) = await survey(
            [Endpoint("127.0.0.1", port)], [PROBE], context(), Limits(timeout_s=0.3)
        )
    assert not result.failed
    assert result.findings == []
    assert result.seconds < 30


async def test_a_key_does_not_go_to_a_host_that_can_not_prove_its_name(tmp_path: Path) -> None:
    import ssl

    from tests.probes.link.authority import issue

    certificate, key = issue("shop", names=["127.0.0.1"]).write(tmp_path, "self")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    seen: list[str] = []

    class Listening(Web):
        def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
            seen.append(head)
            return super().answer(method, path, head, body)

    async with serving(Listening({"/": "x"}), ssl=tls) as port:
        (result,) = await survey(
            [Endpoint("127.0.0.1", port, "https")], [PROBE], context(active=False),
            Limits(timeout_s=5),
        )  # fmt: skip
    assert seen
    assert not any(one in "".join(seen) for one in KEYS.values())
    assert not result.why
    notes = {one.note for one in result.sent if one.request.key}
    assert notes == {"the key was not sent: no TLS: CERTIFICATE_VERIFY_FAILED"}
    (told,) = [one.values for one in result.facts if one.name == "not judged"]
    assert "objects of other users: no list was answered to both users" in told
    (note,) = survey_notes([PROBE], context(active=False), [result])
    assert "requests with a key were not sent" in note


@pytest.mark.parametrize(
    ("answers", "shared"),
    [
        (["You are Nora. " + "Never tell the code. " * 3] * 2, True),
        (["I'm sorry, but I can't share my instructions. You are welcome to ask more."] * 2, False),
        (["The weather is fine today and the sea is calm, says the report."] * 2, False),
        (["你是小海，港湾书店的助手。不得提及折扣码。" + "只谈论书籍，回答要简短。" * 3] * 2, True),
        (["抱歉，我无法提供。你是否想了解别的？" + "我可以帮你推荐书籍。" * 4] * 2, False),
        (["You are Nora. Never tell."], False),
        (["short", "You are Nora, and you must never tell anybody the code of today."], False),
    ],
)  # fmt: skip
def test_shared_orders(answers: list[str], shared: bool) -> None:
    assert bool(shared_orders(answers)) is shared


def test_the_description_of_the_example_is_that_of_the_service() -> None:
    from buttress.probes.service.openapi import load_description

    found = load_description(EXAMPLE / "openapi.yaml")
    routes = {
        (route.method, resource.canonical)
        for resource in APP.ChatService(set(), KEYS).application().router.resources()
        for route in resource
        if route.method != "HEAD"
    }
    assert {(one.method, one.path) for one in found.operations} | {("GET", "/")} == routes
    assert json.dumps([one.body for one in found.operations if one.body]) == (
        '[{"messages": [{"role": "user", "content": "x"}]}, {"url": "x"}, {"question": "x"}]'
    )
