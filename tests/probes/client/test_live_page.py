"""Live pages in Chromium: what they may load, what they send where, what answers do in them."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from buttress.live.limits import Limits
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.probes.client.live.answer_markup import AnswerMarkup
from buttress.probes.client.live.headers import directives, findings, script_weaknesses
from buttress.probes.client.live.probe import PROBE
from buttress.protocols.live import LiveContext, Reply
from tests.live.servers import Web, serving

pytest.importorskip("playwright")
needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    reason="no browser",
)
STRICT = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
LOOSE = {"Content-Type": "text/html"}
PAGE = (
    '<!doctype html><div id="log"></div><form id="f"><textarea id="q"></textarea>'
    '<button>Send</button></form><script src="/app.js"></script>'
)
SEND = """
const q = document.getElementById('q'), log = document.getElementById('log');
document.getElementById('f').addEventListener('submit', async event => {
  event.preventDefault();
  const text = q.value;
  %s
  const reply = await fetch('/chat', {method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({message: text})});
  const answer = (await reply.json()).answer;
  const line = document.createElement('p');
  line.%s = answer;
  log.append(line);
});
"""


class Chat(Web):
    """A chat page; ``told`` are the bodies that its API was sent."""

    def __init__(self, headers: dict[str, str], how: str, extra: str = "", page: str = PAGE):
        script = {"Content-Type": "text/javascript"}
        super().__init__({"/": (200, headers, page), "/app.js": (200, script, SEND % (extra, how))})
        self.told: list[Any] = []

    def answer(self, method: str, path: str, head: str, body: bytes) -> bytes:
        if (method, path) == ("POST", "/chat"):
            self.told.append(json.loads(body))
            text = json.dumps({"answer": "Good day to you."}).encode()
            kind = b"Content-Type: application/json\r\n"
            return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (kind, len(text), text)
        return super().answer(method, path, head, body)


async def ask(web: Web, *, active: bool = False) -> HostResult:
    context = LiveContext(active=active, links=True)
    async with serving(web) as port:
        target = Endpoint("127.0.0.1", port, "http")
        (result,) = await survey([target], [PROBE], context, Limits(timeout_s=10))
        listed = {url for _, url, _ in dry_run([target], planned([PROBE], context))}
    assert not result.failed, result.failed
    assert listed == {f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/*"}
    assert all(one.url.startswith(f"http://127.0.0.1:{port}/") for one in result.sent)
    return result


def rules(result: HostResult) -> set[str]:
    return {one.rule for one in result.findings}


def facts(result: HostResult) -> dict[str, tuple[str, ...]]:
    return {one.name: one.values for one in result.facts}


@needs_browser
async def test_a_careful_page_is_silent_and_nothing_is_sent_to_its_api() -> None:
    web = Chat(STRICT, "textContent")
    result = await ask(web)
    assert rules(result) == set()
    assert web.told == []
    assert {one.request.method for one in result.sent} == {"GET"}
    assert "not judged" not in facts(result)
    assert "in place of the host" in facts(result)["what the page sends"][0]


@needs_browser
async def test_a_page_that_shows_answers_as_html_runs_their_scripts() -> None:
    web = Chat(LOOSE, "innerHTML")
    result = await ask(web)
    assert rules(result) == {
        "answer-runs-in-page", "answer-loads-picture", "page-without-csp", "page-can-be-framed",
        "page-type-guessed",
    }  # fmt: skip
    assert web.told == []


@needs_browser
async def test_with_a_policy_the_markup_is_there_and_runs_nothing() -> None:
    result = await ask(Chat(STRICT, "innerHTML"))
    assert rules(result) == {"answer-becomes-markup"}


@needs_browser
async def test_active_lets_the_question_through_and_marks_the_real_answer() -> None:
    web = Chat(LOOSE, "innerHTML")
    result = await ask(web, active=True)
    assert "answer-runs-in-page" in rules(result)
    (told,) = web.told
    assert told["message"].startswith("hello from a test ")
    assert [one.request.method for one in result.sent].count("POST") == 1


@needs_browser
async def test_what_leads_elsewhere_is_recorded_and_not_sent() -> None:
    other = Web({"/t.js": "window.third = 1", "/collect": "ok"})
    async with serving(other) as port:
        foreign = f"http://127.0.0.1:{port}"
        extra = (
            f"fetch('{foreign}/collect', {{method: 'POST', body: text}}).catch(() => 0);"
            "await fetch('/log?text=' + encodeURIComponent(text)).catch(() => 0);"
        )
        page = PAGE + f'<script src="{foreign}/t.js"></script><img src="http://a.invalid/p.png">'
        result = await ask(Chat(LOOSE, "textContent", extra, page))
        assert other.seen == []
    found = rules(result)
    assert {"third-party-script", "prompt-sent-elsewhere", "prompt-in-address"} <= found
    assert "answer-runs-in-page" not in found
    third = facts(result)["third parties of the page"]
    assert f"127.0.0.1:{port}: fetch, script" in third
    assert "a.invalid: image" in third


@needs_browser
async def test_a_page_without_a_field_and_what_is_no_page_are_told() -> None:
    result = await ask(Web({"/": (200, STRICT, "<p>hello")}))
    assert rules(result) == set()
    assert facts(result)["not judged"] == ("markup in answers: the page has no field to write in",)
    plain = await ask(Web({"/": (200, {"Content-Type": "application/json"}, "{}")}))
    assert facts(plain)["not judged"] == ("page in a browser: / is no page",)


@pytest.mark.parametrize(
    ("policy", "weak"),
    [
        ("default-src 'self'", []),
        ("script-src 'self' 'unsafe-inline'", ["script-src 'unsafe-inline'"]),
        ("script-src 'nonce-abc' 'unsafe-inline'", []),
        ("script-src 'strict-dynamic' 'nonce-a' https: 'unsafe-inline'", []),
        ("default-src *", ["default-src *"]),
        ("script-src https: data:", ["script-src https:", "script-src data:"]),
        ("img-src 'self'", ["neither script-src nor default-src"]),
        ("script-src 'none'; script-src *", []),
    ],
)
def test_weaknesses_of_policies(policy: str, weak: list[str]) -> None:
    assert script_weaknesses(directives(policy)) == weak


def test_one_strict_policy_of_two_is_enough() -> None:
    strict = (("Content-Security-Policy", "script-src 'self'"), ("X-Frame-Options", "DENY"),
              ("X-Content-Type-Options", "nosniff"))  # fmt: skip
    assert not list(findings("u", Reply(200, strict, b""), ["script-src *"]))
    (weak,) = findings("u", Reply(200, strict[1:], b""), ["script-src *"])
    assert weak.rule == "page-weak-csp"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"choices": [{"message": {"content": "hi there"}}], "id": "x"}'),
        ("application/json", b'{"data": [{"answer": "hi"}]}'),
        ("text/event-stream", b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\ndata: [DONE]'),
        ("text/event-stream", b"event: x\ndata: hi\n\n"),
        ("text/plain", b"hi"),
    ],
)
def test_markup_is_put_into_answers(kind: str, body: bytes) -> None:
    markup = AnswerMarkup("abc123")
    made = markup.put_into(kind, body)
    assert b"markabc123" in made
    assert b"hi" in made
    assert made.count(b"markabc123") == 1


def test_what_is_no_answer_stays_as_it_is() -> None:
    markup = AnswerMarkup("abc123")
    for kind, body in (("application/json", b'{"id": 3}'), ("text/html", b"<p>"),
                       ("text/event-stream", b"data: [DONE]\n")):  # fmt: skip
        assert markup.put_into(kind, body) == body
