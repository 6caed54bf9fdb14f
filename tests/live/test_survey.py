"""Scope, plan and limits: only what was named is asked, and no host can hurt the others."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.live.limits import Limits
from buttress.live.scope import Endpoint, endpoints, port_list, read_targets
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.probes.infrastructure.probe import PROBE
from buttress.protocols.live import LiveContext, LiveObservation, LiveRequest, Session
from tests.live.servers import HOSTILE, Web, hostile, serving

CONTEXT = LiveContext()
QUICK = Limits(timeout_s=1.0)
OLLAMA = {"/": "Ollama is running", "/api/version": '{"version":"0.5.7"}'}


async def ask(ports: Sequence[int], limits: Limits = QUICK) -> list[HostResult]:
    return await survey([Endpoint("127.0.0.1", port) for port in ports], [PROBE], CONTEXT, limits)


def named(result: HostResult) -> list[tuple[str, str]]:
    return [(one.product, one.version) for one in result.observations]


async def test_a_product_is_named_over_one_connection_and_every_request_recorded() -> None:
    web = Web(OLLAMA)
    async with serving(web) as port:
        (result,) = await ask([port])
    assert named(result) == [("ollama", "0.5.7")]
    assert result.observations[0].version_proof == "version = 0.5.7"
    assert web.connections == 1
    assert len(set(web.seen)) > 40
    assert [(one.request.method, one.request.path) for one in result.sent] == web.seen
    assert all(one.url.startswith(f"http://127.0.0.1:{port}/") for one in result.sent)


async def test_each_distinct_request_is_sent_once() -> None:
    async with serving(Web(OLLAMA)) as port:
        (result,) = await ask([port])
    assert len({one.request for one in result.sent}) == len(result.sent)


async def test_what_is_sent_is_a_subset_of_the_dry_run() -> None:
    web = Web({**OLLAMA, "/api/tags": '{"models":[]}'})
    async with serving(web) as port:
        target = Endpoint("127.0.0.1", port)
        listed = {
            (method, url, request)
            for method, url, request in dry_run([target], planned([PROBE], CONTEXT))
        }
        assert web.connections == 0
        (result,) = await ask([port])
    assert {(one.request.method, one.url, one.request) for one in result.sent} <= listed
    assert [one.rule for one in result.findings].count("open-model-management") == 1


async def test_a_redirect_that_leads_elsewhere_is_recorded_and_not_followed() -> None:
    other = Web(OLLAMA)
    async with serving(other) as elsewhere:
        away = f"http://127.0.0.1:{elsewhere}/x"
        async with serving(Web({"/": (302, {"Location": away}, "")})) as port:
            (result,) = await ask([port])
    assert other.connections == 0
    assert result.elsewhere == {away: "a redirect"}
    assert named(result) == []


async def test_a_probe_can_send_nothing_that_it_did_not_plan() -> None:
    class Curious:
        id, version, title, layer = "curious", "1", "asks more than it said", "infrastructure"

        def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
            return [LiveRequest("GET", "/")]

        async def examine(
            self, session: Session, context: LiveContext
        ) -> Sequence[Finding | LiveObservation]:
            await session.ask(LiveRequest("DELETE", "/"))
            return []

    web = Web({})
    async with serving(web) as port:
        (result,) = await survey([Endpoint("127.0.0.1", port)], [Curious()], CONTEXT, QUICK)
    assert web.seen == []
    assert "PermissionError" in result.failed["curious"]


async def test_tls_is_found_out(tmp_path: Path) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=other.invalid", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl program")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with serving(Web(OLLAMA), ssl=context) as port:
        (result,) = await ask([port])
    assert result.url == f"https://127.0.0.1:{port}"
    assert named(result) == [("ollama", "0.5.7")]


async def test_a_compressed_answer_is_read() -> None:
    import gzip

    packed = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"Ollama is running"))
    async with serving(Web({**OLLAMA, "/": packed})) as port:
        (result,) = await ask([port])
    assert named(result) == [("ollama", "0.5.7")]


async def test_redis_is_asked_in_its_own_words_where_http_is_not_spoken() -> None:
    async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if line == b"INFO server\r\n":
            writer.write(b"$40\r\n# Server\r\nredis_version:7.0.15\r\n\r\n")
            await writer.drain()
        writer.close()

    async with serving(redis) as port:
        (result,) = await ask([port])
    assert named(result) == [("redis", "7.0.15")]
    assert [one.rule for one in result.findings] == ["open-data-store"]
    assert result.findings[0].location == f"tcp://127.0.0.1:{port}"


async def test_a_redis_that_cuts_http_off_and_waits_for_the_rest_of_a_handshake() -> None:
    """As Redis 7 does: a line that begins with ``Host:`` ends the connection."""

    async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.lower().startswith(b"host:"):
                    break
                if line == b"INFO server\r\n":
                    writer.write(b"-NOAUTH Authentication required.\r\n")
                    await writer.drain()
        finally:
            writer.close()

    async with serving(redis) as port:
        (result,) = await ask([port])
    assert named(result) == [("redis", "")]
    assert result.findings == []
    assert "no TLS in time" in [one.note for one in result.sent]


class Debugging(Web):
    """Answers what it does not know with a page of 250 KB, as Django does in development."""

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        if path not in self.pages:
            self.pages = {**self.pages, path: (404, {"Content-Type": "text/html"}, "x" * 250_000)}
        return super().answer(method, path, head, body)


async def test_long_pages_of_errors_do_not_end_a_host() -> None:
    web = Debugging({"/version": '{"label-studio-os-package":{"version":"1.23.0"}}'})
    async with serving(web) as port:
        (result,) = await ask([port], Limits(timeout_s=10))
    assert named(result) == [("label-studio", "1.23.0")]
    assert (result.why, result.not_sent) == ("", 0)


async def test_nobody_there_is_not_reached() -> None:
    async with serving(Web({})) as port:
        pass
    (result,) = await ask([port])
    assert not result.reached
    assert "no connection" in result.why


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_host_ends_bounded_and_hurts_no_other(kind: str) -> None:
    # The good ones are given longer: what the bad one sends takes this process's time from them.
    limits = Limits(timeout_s=0.5)
    async with AsyncExitStack() as stack:
        bad = await stack.enter_async_context(serving(hostile(kind)))
        good = [await stack.enter_async_context(serving(Web(OLLAMA))) for _ in range(5)]
        (last,), results = await asyncio.gather(
            ask([bad], limits), ask(good, Limits(timeout_s=30.0))
        )
    assert all(named(one) == [("ollama", "0.5.7")] for one in results)
    assert sum(one.bytes for one in last.sent) <= limits.host_bytes + limits.body_bytes
    if kind not in ("redirect loop", "bad chunks"):  # these answer, if badly
        assert last.why
        assert last.not_sent


async def test_hostile_hosts_at_once_among_a_hundred_good_ones() -> None:
    # Those that end by themselves, so that nobody has to be quick. Those that never end would take
    # this process's time from the good servers in it; the benchmark of hosts has each of them in a
    # process of its own.
    kinds = ("gzip bomb", "redirect loop", "garbage", "bad chunks")
    limits = Limits(timeout_s=60.0)
    async with AsyncExitStack() as stack:
        bad = [await stack.enter_async_context(serving(hostile(kind))) for kind in kinds]
        good = [await stack.enter_async_context(serving(Web(OLLAMA))) for _ in range(100)]
        named_as_http = [Endpoint("127.0.0.1", port, "http") for port in bad]
        others = [Endpoint("127.0.0.1", port) for port in good]
        results = await survey([*named_as_http, *others], [PROBE], CONTEXT, limits)
    assert [named(one) for one in results[len(bad) :]] == [[("ollama", "0.5.7")]] * 100
    assert all(one.reached and not one.why for one in results[len(bad) :])


async def test_requests_keep_to_the_rate() -> None:
    async with serving(Web({})) as port:
        (result,) = await ask([port], Limits(timeout_s=5, host_rate=200))
    times = [one.time for one in result.sent]
    assert times[-1] - times[0] >= (len(times) - 2) / 200 * 0.9


@pytest.mark.parametrize(
    ("target", "ports", "expected"),
    [
        ("http://h", [], [("h", 80, "http", "")]),
        ("https://h:8443/app/", [], [("h", 8443, "https", "/app")]),
        ("h:81", [], [("h", 81, "", "")]),
        ("[::1]:81", [], [("::1", 81, "", "")]),
        ("[fe80::1%eth0]:81", [], [("fe80::1%eth0", 81, "", "")]),
        ("10.0.0.0/31", [1], [("10.0.0.0", 1, "", ""), ("10.0.0.1", 1, "", "")]),
        ("10.0.0.9/32", [1], [("10.0.0.9", 1, "", "")]),
        ("h", [1, 2], [("h", 1, "", ""), ("h", 2, "", "")]),
        ("10.0.0.0/30", [1], [("10.0.0.1", 1, "", ""), ("10.0.0.2", 1, "", "")]),
    ],
)
def test_targets(target: str, ports: list[int], expected: list[tuple[str, int, str, str]]) -> None:
    found = endpoints([target], ports)
    assert [(one.host, one.port, one.scheme, one.base) for one in found] == expected


@pytest.mark.parametrize(
    "target",
    ["h", "h:0", "h:99999", "ftp://h", "http://u:p@h", "10.0.0.0/2", "a b:1", "-:1", "1.2.3:1", ""],
)
def test_what_is_no_target_is_told(target: str) -> None:
    with pytest.raises(InputError, match="expected"):
        endpoints([target], [80] if "/2" in target else [])


def test_ports() -> None:
    assert port_list("80,8000-8002") == [80, 8000, 8001, 8002]
    for bad in ("", "0", "2-1", "x", "70000", "80,", "80-", "-80", "80;81", "0x50", "\uff18\uff10"):
        with pytest.raises(ValueError, match=r"is no port; expected ports"):
            port_list(bad)


TRITON = {
    "/v2": '{"name":"triton","version":"2.40.0","extensions":["model_repository"]}',
    "/v2/repository/index": '[{"name":"m"}]',
}


@pytest.mark.parametrize("active", [False, True])
async def test_a_list_that_is_asked_by_post_needs_active(active: bool) -> None:
    web = Web(TRITON)
    context = LiveContext(active=active)
    async with serving(web) as port:
        (result,) = await survey([Endpoint("127.0.0.1", port)], [PROBE], context, QUICK)
    assert named(result)[0][0] == "triton"
    assert (("POST", "/v2/repository/index") in web.seen) is active
    assert ("open-model-management" in {one.rule for one in result.findings}) is active
    posts = {path for method, path in web.seen if method == "POST"} - {"/v2/repository/index"}
    assert posts <= {"/mcp", "/mcp/", "/", "/api/mcp", "/gradio_api/mcp/"}


async def test_advisories_about_mcp_are_not_those_of_each_mcp_server(tmp_path: Path) -> None:
    for name, text in {
        "fingerprints/mcp.yaml": "info: {name: mcp}\nhttp: [{method: GET, path: /x, matchers: "
        "['body=\"mcp-x\"']}]\n",
        "vuln_en/mcp.yaml": "info: {name: mcp, cve: CVE-1, summary: s, severity: HIGH}\n"
        "rule: 'version < \"9\"'\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    about = '{"protocolVersion":"2025-03-26","serverInfo":{"name":"shop","version":"1.9.0"}}'
    web = Web({"/mcp": f'{{"jsonrpc":"2.0","id":1,"result":{about}}}'})
    context = LiveContext(rules=tmp_path)
    async with serving(web) as port:
        (result,) = await survey([Endpoint("127.0.0.1", port)], [PROBE], context, QUICK)
    assert ("mcp-server", "1.9.0") in {one[:2] for one in named(result)}
    assert not [one for one in result.findings if "vulnerable-version" in one.rule]


INFO = '{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"shop","version":"1.9.0"}}}'


@pytest.mark.parametrize(
    ("base", "path"),
    [("/acme/mcp", "/acme/mcp"), ("/acme", "/acme/mcp"), ("", "/"), ("", "/gradio_api/mcp/")],
)
async def test_an_mcp_server_is_found_at_its_own_url(base: str, path: str) -> None:
    web = Web({path: INFO})
    async with serving(web) as port:
        (result,) = await survey(
            [Endpoint("127.0.0.1", port, "http", base)], [PROBE], CONTEXT, QUICK
        )
    assert named(result) == [("mcp-server", "1.9.0")]
    assert result.observations[0].url == f"http://127.0.0.1:{port}{path}"
    assert all(one.startswith(base) for _, one in web.seen)
    rebinding = [one for one in result.findings if one.rule == "dns-rebinding"]
    assert [one.location for one in rebinding] == [f"http://127.0.0.1:{port}{path}"]


async def test_below_the_url_of_an_interface_its_usual_path_stands_once() -> None:
    models = '{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}'
    web = Web({"/llm/v1/models": models})
    async with serving(web) as port:
        here = Endpoint("127.0.0.1", port, "http", "/llm/v1")
        (result,) = await survey([here], [PROBE], CONTEXT, QUICK)
    assert named(result) == [("vllm", "")]
    sent = {(one.request.method, one.url) for one in result.sent}
    assert ("GET", f"http://127.0.0.1:{port}/llm/v1/models") in sent
    listed = {(method, url) for method, url, _ in dry_run([here], planned([PROBE], CONTEXT))}
    assert sent <= listed


async def test_what_any_host_shows_its_developers_is_told_once() -> None:
    metrics = "# HELP x y\n# TYPE http_requests_total counter\nhttp_requests_total 5\n"
    web = Web({"/metrics": metrics, "/debug/pprof/": "Types of profiles available:"})
    vllm = Web({"/metrics": f"vllm:num_requests_running 0\n{metrics}"})
    async with serving(web) as one, serving(vllm) as other:
        plain, known = await ask([one, other])
    assert sorted(one.rule for one in plain.findings) == ["debug-endpoint", "open-metrics"]
    assert [one.rule for one in known.findings] == ["open-metrics"]
    assert "vLLM" in known.findings[0].message


async def test_a_request_that_was_sent_twice_is_recorded_twice() -> None:
    seen: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request with keep-alive, then closes when the next one comes."""
        try:
            for number in range(2):
                line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
                seen.append(re.sub(rb"^\{.*\}(?=[A-Z])", b"", line))  # a body before it
                if number:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with serving(once) as port:
        (result,) = await ask([port], Limits(timeout_s=1.0, failures=1000))
    lines = [
        f"{one.request.method} {one.request.path} HTTP/1.1".encode()
        for one in result.sent
        if one.request.method != "TCP"
    ]
    assert lines == seen
    notes = [one.note for one in result.sent]
    assert notes.count("closed without an answer") == len(seen) - len(set(seen))


async def test_requests_at_once_are_planned_counted_and_recorded() -> None:
    asked = LiveRequest("POST", "/echo", body=b'{"q": "{word}"}', costs=True)
    root = LiveRequest("GET", "/")
    answers: list[str] = []

    class Echo(Web):
        def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    class AtOnce:
        id, version, title, layer = "at-once", "1", "t", "service"

        def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
            return [root, asked]

        async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding]:
            await session.ask(root)
            for number in (3, 2):
                replies = await session.ask_at_once(
                    [(asked, {"word": f"w{one}"}) for one in range(number)]
                )
                answers.append(
                    ",".join("-" if one is None else one.body.decode() for one in replies)
                )
            await session.ask_at_once([(LiveRequest("GET", "/other"), {})])
            return []

    web = Echo({})
    async with serving(web) as port:
        (result,) = await survey(
            [Endpoint("127.0.0.1", port)], [AtOnce()], CONTEXT, Limits(timeout_s=5, budget=4)
        )
    assert answers == ['{"q": "w0"},{"q": "w1"},{"q": "w2"}', "-,-"]
    assert result.not_sent == 2
    assert "PermissionError" in result.failed["at-once"]
    assert [one.request for one in result.sent].count(asked) == 3
    assert web.connections == 4


async def test_a_version_of_any_length_is_none() -> None:
    pages = {**OLLAMA, "/api/version": '{"version":"1.1.' + "1" * 100_000 + '"}'}
    async with serving(Web(pages)) as port:
        (result,) = await ask([port])
    assert named(result) == [("ollama", "")]


def test_a_file_of_targets_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "targets.txt"
    file.write_bytes(b"\xef\xbb\xbf127.0.0.1:1\r\n# a comment\r\n127.0.0.1:2\r\n")
    assert read_targets(file) == ["127.0.0.1:1", "127.0.0.1:2"]


def test_a_line_that_names_no_target_is_told_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "targets.txt"
    file.write_text("127.0.0.1:1\n# a comment\n10.0.0.0/33\n")
    with pytest.raises(InputError, match=r"targets\.txt:3"):
        read_targets(file)
    for path in ("/a/../b", "/a/%2e%2e/b", "/./"):
        with pytest.raises(InputError, match="a path with dots"):
            endpoints([f"http://127.0.0.1:1{path}"], [])
