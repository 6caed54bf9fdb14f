"""Opens a page in Chromium whose every request goes through the session with the host.

The browser itself has no network. What the page asks of the named host and port is asked by the
session, which bounds and records it; what it asks of others is kept, and not sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus, urljoin, urlsplit

from buttress.probes.client.live.answer_markup import AnswerMarkup
from buttress.protocols.live import Reply, Session

if TYPE_CHECKING:
    from playwright.async_api import Page, Route, WebSocketRoute

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS: Final = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--disable-background-networking",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_FIELDS: Final = (
    "textarea, input[type=text], input:not([type]), [contenteditable=true], [role=textbox]"
)
_BUTTONS: Final = "button:visible, input[type=submit]:visible"
_READING: Final = ("GET", "HEAD")
_DROPPED: Final = frozenset(
    ("content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive")
)
_HOPS: Final = 5
_SETTLE_S: Final = 0.7  # without a request, after which a page is taken to be done
_MOST_S: Final = 6.0
_MOST: Final = 300  # requests of a page


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page asked for. ``sent`` says whether it was sent, ``typed`` whether it holds the
    text that was typed, ``why`` why it was not sent.
    """

    method: str
    url: str
    kind: str
    sent: bool
    typed: bool = False
    why: str = ""

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc


@dataclass
class PageVisit:
    """What a page did. ``asked`` are its requests, ``scripts`` the addresses of its scripts with
    their integrity, ``metas`` policies in elements. ``shown`` says whether the made-up answer
    appeared; ``ran`` whether its script ran; ``elements`` whether its HTML became elements.
    """

    asked: list[PageRequest] = field(default_factory=list)
    scripts: list[tuple[str, str]] = field(default_factory=list)
    metas: list[str] = field(default_factory=list)
    has_field: bool = False
    chat: PageRequest | None = None
    shown: bool = False
    ran: bool = False
    elements: bool = False


class PageVisitor:
    """Opens the page of one host.

    ``active`` lets the question that is typed, and other requests that are no reading ones, reach
    the host.
    """

    def __init__(self, session: Session, markup: AnswerMarkup, *, active: bool) -> None:
        self._session = session
        self._markup = markup
        self._active = active
        self._typed = f"hello from a test {markup.nonce}"
        self._one_at_a_time = asyncio.Lock()
        self._last = 0.0
        self.visit = PageVisit()

    async def open(self, timeout_s: float) -> PageVisit:
        """Open the page, type a text, send it, and look at what becomes of the answer.

        Raises:
            playwright.async_api.Error: the browser does not start, or the page does not open.
        """
        from playwright.async_api import async_playwright

        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=next(filter(None, map(shutil.which, _BROWSERS)), None),
                args=list(_ARGUMENTS),
            )
            try:
                context = await browser.new_context(
                    service_workers="block", accept_downloads=False, ignore_https_errors=True
                )
                context.set_default_timeout(1000 * timeout_s)
                await context.route("**/*", self._answer)
                await context.route_web_socket("**/*", self._refuse_socket)
                page = await context.new_page()
                await page.goto(f"{self._session.url}/", wait_until="domcontentloaded")
                await self._settle()
                await self._look(page)
                if await self._type(page):
                    await self._look_at_answer(page)
            finally:
                await browser.close()
        return self.visit

    async def _settle(self) -> None:
        """Wait until the page asks for nothing more."""
        loop = asyncio.get_running_loop()
        began = self._last = loop.time()
        while loop.time() - self._last < _SETTLE_S and loop.time() - began < _MOST_S:
            await asyncio.sleep(0.05)

    async def _look(self, page: Page) -> None:
        self.visit.scripts = [
            (str(url), str(integrity))
            for url, integrity in await page.eval_on_selector_all(
                "script[src]", "all => all.slice(0, 200).map(e => [e.src, e.integrity])"
            )
        ]
        self.visit.metas = [
            str(one) for one in await page.eval_on_selector_all(
                'meta[http-equiv="Content-Security-Policy" i]', "all => all.map(e => e.content)"
            )
        ]  # fmt: skip

    async def _type(self, page: Page) -> bool:
        """Type the text into the first visible field and send it; whether there is a field."""
        fields = page.locator(_FIELDS)
        for number in range(min(await fields.count(), 10)):
            place = fields.nth(number)
            if await place.is_visible() and await place.is_editable():
                break
        else:
            return False
        self.visit.has_field = True
        await place.fill(self._typed)
        await place.press("Enter")
        await self._settle()
        buttons = page.locator(_BUTTONS)
        for number in range(min(await buttons.count(), 3)):
            if self.visit.chat is not None:
                break
            with contextlib.suppress(Exception):  # one that is covered, or gone
                await buttons.nth(number).click(timeout=1000)
            await self._settle()
        return True

    async def _look_at_answer(self, page: Page) -> None:
        visit, markup = self.visit, self._markup
        visit.shown = await page.get_by_text(markup.mark).count() > 0
        visit.elements = await page.locator(f'[data-buttress="{markup.nonce}"]').count() > 0
        for frame in page.frames:
            with contextlib.suppress(Exception):  # a frame that is gone
                visit.ran = visit.ran or bool(await frame.evaluate(f"!!window.{markup.flag}"))

    async def _answer(self, route: Route) -> None:
        """Answer a request of the page."""
        request = route.request
        self._last = asyncio.get_running_loop().time()
        body = request.post_data_buffer or b""
        typed = self._holds_typed(request.url) or self._markup.nonce.encode() in body
        async with self._one_at_a_time:
            reply, why = await self._reply(
                request.method, request.url, request.headers, body, typed
            )
        asked = PageRequest(
            request.method, request.url, request.resource_type, not why, typed=typed, why=why
        )
        if len(self.visit.asked) < _MOST:
            self.visit.asked.append(asked)
        if typed and self._is_here(request.url):
            self.visit.chat = self.visit.chat or asked
        self._last = asyncio.get_running_loop().time()
        with contextlib.suppress(Exception):  # the page went elsewhere in the meantime
            if reply is None:
                await route.abort("blockedbyclient")
            else:
                headers = {k: v for k, v in reply.headers if k.lower() not in _DROPPED}
                await route.fulfill(status=reply.status, headers=headers, body=reply.body)

    async def _reply(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, typed: bool
    ) -> tuple[Reply | None, str]:
        """The answer to a request of the page, and why it was not sent, if it was not."""
        if not self._is_here(url):
            return None, "another host or port"
        if len(self.visit.asked) >= _MOST:
            return None, f"more than {_MOST} requests"
        if typed or method not in _READING:
            if not self._active:
                if not typed:
                    return None, "it may change something, which needs --active"
                return self._made_up(headers, body), "the question is answered in place of the host"
            reply = await self._session.relay(method, url, self._kept(headers), body)
            if reply is not None and typed:
                kind = reply.header("content-type")
                reply = Reply(reply.status, reply.headers, self._markup.put_into(kind, reply.body))
            return reply, "" if reply is not None else "no answer"
        reply = await self._session.follow(url)
        for _ in range(_HOPS):
            location = reply.header("location") if reply is not None else ""
            if reply is None or not 300 <= reply.status < 400 or not location:
                break
            url = urljoin(url, location)
            reply = await self._session.follow(url)
        return reply, "" if reply is not None else "no answer, or not below the URL that was named"

    def _made_up(self, headers: Mapping[str, str], body: bytes) -> Reply:
        stream = "event-stream" in headers.get("accept", "") or b'"stream":true' in body.replace(
            b" ", b""
        )
        kind, content = self._markup.made_up(stream=stream)
        return Reply(200, (("content-type", kind),), content)

    def _refuse_socket(self, socket: WebSocketRoute) -> None:
        """Keep WebSockets of the page; those of the host are looked at by the link layer."""
        here = "WebSockets are not opened" if self._is_here(socket.url) else "another host or port"

        def note(message: str | bytes) -> None:
            data = message if isinstance(message, bytes) else message.encode()
            typed = self._markup.nonce.encode() in data
            if typed and len(self.visit.asked) < _MOST:
                self.visit.asked.append(
                    PageRequest("SEND", socket.url, "websocket", sent=False, typed=True, why=here)
                )

        socket.on_message(note)
        self.visit.asked.append(PageRequest("GET", socket.url, "websocket", sent=False, why=here))

    def _holds_typed(self, url: str) -> bool:
        return self._markup.nonce in unquote_plus(url) and not url.startswith(
            "https://buttress.invalid/"
        )

    def _is_here(self, url: str) -> bool:
        own, given = urlsplit(self._session.url), urlsplit(url)
        secure = own.scheme == "https"
        same = {"http": "http", "ws": "http", "https": "https", "wss": "https"}.get(given.scheme)
        usual = 443 if secure else 80
        return (
            same == own.scheme
            and given.hostname == own.hostname
            and (given.port or usual) == (own.port or usual)
        )

    @staticmethod
    def _kept(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        kept: dict[str, Any] = {k: headers[k] for k in ("content-type", "accept") if k in headers}
        return tuple(kept.items())
