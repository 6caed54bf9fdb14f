"""What applications reply in ways of their own: nested texts, streams, errors with 200, jobs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aiohttp import web

from buttress.answers.own_refusals import OwnRefusals
from buttress.targets.base import Message, Request, TargetError
from buttress.targets.http_application import create
from buttress.targets.json_path import ReplyCondition
from buttress.targets.retrying import OWN_MESSAGE
from tests.targets.asking import BODY, HARMLESS, QUESTION, Server, error, running
from tests.targets.asking import ask_application as ask


def text(body: str, kind: str = "application/json", status: int = 200) -> web.Response:
    return web.Response(text=body, content_type=kind, status=status)


def events(*data: Any, name: str = "") -> str:
    start = f"event: {name}\n" if name else ""
    return "".join(
        f"{start}data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in data
    )


@pytest.mark.parametrize(
    ("reply", "path"),
    [
        (text(json.dumps({"statusCode": 200, "body": '{"reply": "Bread"}'})), "$.body.reply"),
        (text(")]}',\n" + '{"reply": "Bread"}'), "$.reply"),
        (text('[{"generated_text": "Bread"}]'), "$[0].generated_text"),
        (text('{"t": "Br"}\n{"t": "ead"}\n'), "$.t"),
        (text(events({"t": "Bre"}, {"t": "ad"}), "text/event-stream"), "$.t"),
        # Each event may hold all that was said before it, or the last one all of it.
        (text(events({"t": "B"}, {"t": "Bre"}, {"t": "Bread"}), "text/event-stream"), "$.t"),
        (text(events({"t": "Br"}, {"t": "ead"}, {"t": "Bread"}), "text/event-stream"), "$.t"),
        (text('f:{"messageId":"m"}\n0:"Br"\n0:"ead"\nd:{"finishReason":"stop"}\n'), None),
        (
            text(
                events(
                    {"type": "start"},
                    {"type": "reasoning-delta", "delta": "Hm"},
                    {"type": "text-delta", "delta": "Br"},
                    {"type": "text-delta", "delta": "ead"},
                ),
                "text/event-stream",
            ),
            None,
        ),
        (
            text(
                events(
                    {"type": "RUN_STARTED", "runId": "1"},
                    {"type": "TEXT_MESSAGE_START", "role": "assistant"},
                    {"type": "TEXT_MESSAGE_CONTENT", "delta": "Br"},
                    {"type": "TEXT_MESSAGE_CONTENT", "delta": "ead"},
                    {"type": "RUN_FINISHED"},
                ),
                "text/event-stream",
            ),
            None,
        ),
        (
            text(
                events(*({"choices": [{"delta": {"content": part}}]} for part in ("Br", "ead"))),
                "text/event-stream",
            ),
            None,
        ),
    ],
)
async def test_the_answer_is_found(reply: web.Response, path: str | None) -> None:
    body, kind = reply.text or "", reply.content_type
    assert (await ask(lambda *_: text(body, kind), answer=path))[0].text == "Bread"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"errors": [{"message": "Message blocked by content policy"}], "data": None}, ""),
        ({"error": "Your prompt was flagged as harmful content"}, ""),
        (events({"message": "blocked by our content policy"}, name="error"), "text/event-stream"),
        ({"reply": None, "status": "blocked"}, ""),
    ],
)
async def test_a_filter_that_tells_itself_with_status_200_refuses(body: Any, kind: str) -> None:
    def app(*_: Any) -> Any:
        return text(body, kind) if isinstance(body, str) else body

    (answer,) = await ask(app, QUESTION)
    assert (answer.refused_by, answer.finish_reason) == ("content filter", "content_filter")


async def test_what_a_filter_leaves_of_a_stream_is_for_the_judge() -> None:
    cut = events({"reply": "First, take"}) + events({"message": "content filter"}, name="error")
    (answer,) = await ask(lambda *_: text(cut, "text/event-stream"), QUESTION)
    assert (answer.text, answer.refused_by) == ("First, take", "")
    assert answer.finish_reason == "content_filter"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"error": "the retriever failed"}, "it has $.error: 'the retriever failed'"),
        (events({"reply": "Br"}) + events({"message": "lost"}, name="error"), "an error: lost"),
        ("", "the reply is empty"),
        ("<html><body>Please sign in</body></html>", "a page, not JSON: 'Please sign in'"),
    ],
)
async def test_an_error_with_status_200_is_no_answer_and_may_pass(reply: Any, says: str) -> None:
    asked: list[str] = []

    def app(*_: Any) -> Any:
        asked.append("")
        return text(reply) if isinstance(reply, str) else reply

    with pytest.raises(TargetError, match=re.escape(says)) as caught:
        await ask(app)
    assert len(asked) == 5  # the question twice, then something harmless thrice
    assert caught.value.retry


async def test_an_application_that_is_busy_with_status_200_is_asked_again() -> None:
    replies = [{"error": "Too many requests"}] * 3 + [{"reply": "Bread"}]
    assert (await ask(lambda *_: replies.pop(0)))[0].text == "Bread"


async def test_a_firewalls_page_with_status_200_is_a_refusal_where_others_are_answered() -> None:
    page = "<html><title>Request Rejected</title><body>Your support ID is: 7</body></html>"

    def app(body: dict[str, Any], _: web.Request) -> Any:
        return text(page, "text/html") if "bomb" in body["q"] else {"reply": "Bread"}

    answers = await ask(app, HARMLESS, QUESTION)
    assert [answer.refused_by for answer in answers] == ["", "firewall"]


async def test_an_error_that_the_manifest_names_is_a_refusal() -> None:
    (answer,) = await ask(
        lambda *_: error(400, {"message": "bad request"}),
        QUESTION,
        own_refusals=OwnRefusals(("HTTP 400: bad request",)),
    )
    assert answer.refused_by == OWN_MESSAGE


async def test_the_conversation_that_a_reply_names_goes_on() -> None:
    turns = Request((Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Go")))
    known: list[Any] = []

    def app(body: dict[str, Any], _: web.Request) -> Any:
        known.append(body["conversation"])
        return {"reply": "ok", "conversation": f"c{len(known)}"}

    http = {
        "body": BODY | {"conversation": "{{session}}"},
        "session": {"token": "$.conversation"},
    }
    await ask(app, turns, HARMLESS, **http)
    assert known == [None, "c1", None]


@pytest.mark.parametrize(
    "token", ["cookie:csrftoken", "header:X-Token", 'regex:name="csrf" value="([^"]+)"']
)
async def test_a_token_in_a_cookie_a_header_or_a_page(token: str) -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/page":
            page = text('<input name="csrf" value="t-123456">', "text/html")
            page.set_cookie("csrftoken", "t-123456")
            page.headers["X-Token"] = "t-123456"
            return page
        same = request.headers.get("X-CSRFToken") == request.cookies.get("csrftoken")
        return {"reply": "Bread"} if same else error(403, {"error": "CSRF"})

    http = {"session": {"url": "@/page", "token": token}, "headers": {"X-CSRFToken": "{{session}}"}}
    assert (await ask(app, **http))[0].text == "Bread"


@pytest.mark.parametrize("until", [None, "$.status == done"])
async def test_an_answer_that_is_fetched_later(until: str | None) -> None:
    steps = iter(["queued", "running", "done"])

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.method == "POST":
            return web.json_response({"id": 7}, status=202)
        assert request.path == "/jobs/7"
        status = next(steps)
        return {"status": status} | ({"reply": "Bread"} if status == "done" else {})

    poll = {"url": "@/jobs/{{job}}", "job": "$.id", "every_s": 0.01}
    poll |= {"until": until} if until else {}
    assert (await ask(app, poll=poll))[0].text == "Bread"


@pytest.mark.parametrize("relative", [True, False])
async def test_the_place_of_a_job_in_a_header(relative: bool) -> None:
    """RFC 9110, section 15.3.3: 202 with a Location, and no body."""
    places = []

    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.method == "POST":
            root = "" if relative else f"http://{request.host}"
            return web.Response(status=202, headers={"Location": f"{root}/jobs/a%2Fb?v=1"})
        places.append(request.raw_path)
        return {"reply": "Bread"} if len(places) > 1 else web.Response(status=202)

    poll = {"job": "header:Location", "every_s": 0.01}
    assert (await ask(app, poll=poll))[0].text == "Bread"
    assert places == ["/jobs/a%2Fb?v=1"] * 2


async def test_a_job_on_another_host_is_not_fetched() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        return {"next": "http://elsewhere.example/jobs/7"}

    with pytest.raises(TargetError, match=r"elsewhere.example/jobs/7.*http\.poll\.url"):
        await ask(app, poll={"job": "$.next"})


async def test_a_job_that_fails_is_told() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        return {"id": 7} if request.method == "POST" else {"status": "failed", "error": "no GPU"}

    poll = {"url": "@/jobs/{{job}}", "job": "$.id", "every_s": 0.01}
    with pytest.raises(TargetError, match="no GPU"):
        await ask(app, poll=poll)


@pytest.mark.parametrize(
    "reply",
    [
        {"code": "TooManyRequests", "message": "later"},
        {"code": "Throttling.RateQuota", "message": "later"},
        {"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "later"}}},
        {"code": "ServiceUnavailable", "msg": "later"},
    ],
    ids=str,
)
async def test_a_failure_that_is_named_in_a_reply_of_200_is_asked_again(
    reply: dict[str, Any],
) -> None:
    calls = 0

    def app(body: dict[str, Any], request: web.Request) -> Any:
        nonlocal calls
        calls += 1
        return reply if calls % 2 else {"code": "OK", "reply": "Bread"}

    answer, *_ = await ask(app)
    assert (answer.text, calls) == ("Bread", 2)


async def test_forms_in_parts_and_xml_hold_any_prompt() -> None:
    prompt = 'a <b> & "c"\r\nd'
    request = Request((Message("user", prompt),))
    raw: list[tuple[str, dict[str, Any]]] = []

    def app(body: dict[str, Any], request: web.Request) -> Any:
        raw.append((request.content_type, body))
        return {"reply": "ok"}

    form = {"form": BODY, "body": None, "headers": {"Content-Type": "multipart/form-data"}}
    form.pop("body")
    async with running(Server(app)) as url:
        for http in (
            form,
            {"body": "<q>{{prompt}}</q>", "headers": {"Content-Type": "text/xml"}},
        ):
            target = create(http={"url": f"{url}/chat", "answer": "$.reply", **http})
            await target.answer(request)
            await target.aclose()
    (kind, parts), (_, xml) = raw
    assert kind == "multipart/form-data"
    assert f'name="q"\r\n\r\n{prompt}\r\n--' in parts["raw"]
    assert xml["raw"] == "<q>a &lt;b&gt; &amp; &quot;c&quot;\r\nd</q>"


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ('{"q": "{{prompt}}", "n": 1}', '{"q": "a \\"b\\"\\n{c}", "n": 1}'),
        ('[{"turns": "{{turns}}"}]',
         '[{"turns": [{"role": "user", "content": "a \\"b\\"\\n{c}"}]}]'),
        ('{ ask(text: "{{prompt}}") { reply } }', '{ ask(text: "a \\"b\\"\\n{c}") { reply } }'),
        ('mutation M($id: ID!) { ask(text: "{{prompt}}") }',
         'mutation M($id: ID!) { ask(text: "a \\"b\\"\\n{c}") }'),
        ("[INST] {{prompt}} [/INST]", '[INST] a "b"\n{c} [/INST]'),
        ("query this: {{prompt}}", 'query this: a "b"\n{c}'),
        ("{{prompt}}", 'a "b"\n{c}'),
    ],
)  # fmt: skip
async def test_json_and_graphql_in_a_field_hold_any_prompt(field: str, kept: str) -> None:
    request = Request((Message("user", 'a "b"\n{c}'),))
    server = Server(lambda body, request: {"reply": "ok"})
    async with running(server) as url:
        http = {"url": f"{url}/chat", "body": {"payload": field}, "answer": "$.reply"}
        target = create(http=http)
        await target.answer(request)
        await target.aclose()
    assert server.bodies == [{"payload": kept}]


@pytest.mark.parametrize(
    "said",
    ["<![CDATA[Bread & <b>butter</b>]]>", "Bread &amp; &lt;b&gt;butter&lt;/b&gt;"],
)
async def test_xml_says_text_as_it_is_or_escaped(said: str) -> None:
    page = f"<Envelope><reply>{said}</reply></Envelope>"
    server = Server(lambda body, request: web.Response(text=page, content_type="text/xml"))
    async with running(server) as url:
        http = {"url": f"{url}/soap", "body": {"q": "{{prompt}}"}}
        for answer in ({"answer": "regex:<reply>(.*)</reply>"}, {}):
            target = create(http=http | answer)
            told = await target.answer(Request((Message("user", "Hi"),)))
            assert told.text == "Bread & <b>butter</b>"
            await target.aclose()


async def test_a_redirect_to_a_slash_is_followed_and_others_are_told() -> None:
    def app(body: dict[str, Any], request: web.Request) -> Any:
        if request.path == "/chat":
            return web.Response(status=307, headers={"Location": "/chat/"})
        return {"reply": "Bread"}

    assert (await ask(app))[0].text == "Bread"
    elsewhere = web.Response(status=307, headers={"Location": "http://elsewhere.invalid/chat/"})
    with pytest.raises(TargetError, match="redirects to http://elsewhere"):
        await ask(lambda *_: elsewhere)


@pytest.mark.parametrize(
    ("written", "payload", "holds"),
    [
        ("$.blocked", {"blocked": True}, True),
        ("$.blocked", {"blocked": False}, False),
        ("$.blocked", {}, False),
        ("$.type == end", {"type": "end"}, True),
        ("$.type == 'end'", {"type": "end"}, True),
        ("$.type == end", {"type": "token"}, False),
        ("$.n == 3", {"n": 3}, True),
        ("$.items[?(@.a == 1)].b", {"items": [{"a": 1, "b": "x"}]}, True),
    ],
)
def test_conditions(written: str, payload: Any, holds: bool) -> None:
    assert ReplyCondition(written, "http.done").holds(payload) is holds
