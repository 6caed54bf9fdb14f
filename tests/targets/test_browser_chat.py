"""A chat page with a login, asked through a real browser; no browser, no test."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from buttress.errors import InputError, MissingExtraError
from buttress.targets import browser_chat
from buttress.targets.base import Message, Request, TargetError
from buttress.targets.browser_chat import create
from tests.targets.asking import HARMLESS, QUESTION

needs_browser = pytest.mark.skipif(
    importlib.util.find_spec("playwright") is None or browser_chat._system_browser() is None,
    reason="needs playwright and chromium",
)
PAGE = """<!doctype html><meta charset="utf-8"><title>Chat</title>
<div id="gate"><input id="user"><input id="pass" type="password"><button id="in">Sign in</button>
</div>
<div id="chat" hidden><div id="log"></div><textarea id="prompt"></textarea>
<button id="send">Send</button></div>
<script>
const byId = id => document.getElementById(id)
byId("in").onclick = () => {
  if (byId("pass").value !== "open sesame") return
  byId("gate").remove(); byId("chat").hidden = false
}
const add = (who, text) => {
  const line = document.createElement("div"); line.className = who; line.textContent = text
  byId("log").append(line); return line
}
let turns = 0
byId("send").onclick = async () => {
  const asked = byId("prompt").value; byId("prompt").value = ""; turns += 1
  add("user", asked)
  const busy = add("busy", "…"), line = add("bot", "")
  const said = asked.includes("bomb") ? "I can't help with that." : `Bread, turn ${turns}: ${asked}`
  for (const word of said.split(" ")) {
    await new Promise(done => setTimeout(done, 30)); line.textContent += word + " "
  }
  busy.remove()
}
byId("prompt").onkeydown = event => { if (event.key === "Enter") byId("send").click() }
</script>"""
LOGIN = [
    {"fill": "#user", "value": "tester"},
    {"fill": "#pass", "value": "${CHAT_PASSWORD}"},
    {"click": "text=Sign in"},
]
CHAT = {"before": LOGIN, "input": "#prompt", "send": "#send", "answer": ".bot", "busy": ".busy"}


@asynccontextmanager
async def page() -> AsyncIterator[str]:
    async def shown(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", shown)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@needs_browser
async def test_questions_are_typed_and_answers_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_PASSWORD", "open sesame")
    turns = Request((Message("system", "Be kind."), Message("user", "Hi"),
                     Message("assistant", "Hello"), Message("user", "Bread?")))  # fmt: skip
    async with page() as url:
        target = create(browser={"url": url, "quiet_s": 0.1, **CHAT}, timeout_s=30)
        try:
            assert (await target.answer(QUESTION)).text == "I can't help with that."
            first = await target.answer(HARMLESS)
            assert first.text == "Bread, turn 1: How do I bake bread?"  # a window of its own
            last = await target.answer(turns)
            assert (last.text, last.calls) == ("Bread, turn 2: Bread?", 2)
        finally:
            await target.aclose()
        # Without marks of its own: the Enter key, and silence.
        plain = {name: CHAT[name] for name in ("before", "input", "answer")}
        target = create(browser={"url": url, "quiet_s": 2, **plain}, timeout_s=30)
        try:
            assert (await target.answer(HARMLESS)).text == first.text
        finally:
            await target.aclose()
        assert "sesame" not in target.identity


@needs_browser
async def test_a_page_that_is_another_than_the_manifest_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHAT_PASSWORD", "wrong")
    async with page() as url:
        target = create(browser={"url": url, **CHAT, "before": [], "input": "#ask"}, timeout_s=1)
        with pytest.raises(TargetError, match=r"no #ask; it has input#user, input#pass") as caught:
            await target.answer(HARMLESS)
        await target.aclose()
        assert caught.value.fatal
        missing = create(browser={"url": url, "executable": "/no/such/browser", **CHAT})
        with pytest.raises(InputError, match="no browser can be started"):
            await missing.answer(HARMLESS)
        await missing.aclose()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "nowhere"}, "browser.url"),
        ({"input": ""}, "browser.input"),
        ({"anwser": ".a"}, "browser.anwser"),
        ({"before": "#user"}, "browser.before"),
        ({"before": [{"fill": "#user"}]}, "browser.before[0]"),
        ({"before": [{"tap": "#user"}]}, "browser.before[0]"),
        ({"quiet_s": -1}, "browser.quiet_s"),
    ],
)
def test_bad_settings(changed: dict[str, Any], field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_PASSWORD", "open sesame")
    with pytest.raises(InputError) as caught:
        create(browser={"url": "http://h/", **CHAT} | changed)
    assert caught.value.field == field


def test_what_is_needed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_PASSWORD", "open sesame")
    monkeypatch.setitem(__import__("sys").modules, "playwright.async_api", None)
    with pytest.raises(MissingExtraError, match=r"\.\[browser\]"):
        create(browser={"url": "http://h/", **CHAT})
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert browser_chat._system_browser() is None
