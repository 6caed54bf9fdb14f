"""A chat page as a person sees it, asked through a browser by Playwright.

    browser:
      url: https://shop.example/chat
      before: [{fill: "#user", value: tester}, {fill: "#pass", value: "${PASSWORD}"},
               {click: "text=Sign in"}]
      input: "#prompt"
      send: "#send"
      answer: ".message.bot"
      busy: ".typing"

Elements are named by Playwright's selectors: CSS, ``text=…`` or XPath.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from buttress.errors import InputError, MissingExtraError
from buttress.files.encodable import encodable
from buttress.files.shown_url import without_keys
from buttress.targets import completion
from buttress.targets.base import Answer, Message, Request, TargetError
from buttress.targets.connection import usable_url
from buttress.targets.http_exchange import unknown_field
from buttress.targets.secrets import Secrets
from buttress.targets.settings import seconds, unknown, whole
from buttress.targets.tokens import estimated

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

OPENING_S: Final = 60.0  # to load the page, at least
SETTINGS: Final = ("browser", "concurrency", "timeout_s", "model")
FIELDS: Final = ("url", "before", "input", "send", "answer", "busy", "quiet_s", "executable")
STEPS: Final = ("click", "fill", "value", "press", "wait_for")
TIMEOUT_S: Final = 60.0
QUIET_S: Final = 1.0  # without a change, after which an answer is whole
_POLL_S: Final = 0.1
_SYSTEM_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INPUTS: Final = "textarea, input:not([type=hidden]), [contenteditable=true], [role=textbox]"
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class ChatPage:
    """What the manifest says of a page. Texts but ``url`` are selectors of elements.

    ``before`` are steps from the page's opening to the chat; ``send`` is None where the Enter key
    sends; ``busy`` is there as long as an answer grows; ``quiet_s`` without a change also ends it.
    """

    url: str
    before: tuple[Mapping[str, str], ...]
    input: str
    send: str | None
    answer: str
    busy: str | None
    quiet_s: float


def create(
    *,
    browser: Mapping[str, Any],
    concurrency: int = 2,
    timeout_s: float = TIMEOUT_S,
    **others: Any,
) -> BrowserChat:
    """The page that ``browser`` describes; each question has a window without cookies of others.

    Raises:
        InputError: a field is missing, unknown or not usable.
        MissingExtraError: Playwright is not installed.
    """
    unknown(others, SETTINGS)
    if not isinstance(browser, Mapping):
        raise InputError("not a mapping", field="browser", expected=", ".join(FIELDS))
    unknown_field(browser, FIELDS, "browser")
    for name in ("url", "input", "answer"):
        if not isinstance(browser.get(name), str) or not browser[name]:
            expected = "http(s)://…" if name == "url" else "a selector such as '#prompt'"
            raise InputError("missing", field=f"browser.{name}", expected=expected)
    secrets = Secrets()
    page = ChatPage(
        str(usable_url(secrets.expand(browser["url"], "browser.url"), "browser.url")),
        _steps(browser.get("before", ()), secrets),
        browser["input"],
        browser.get("send"),
        browser["answer"],
        browser.get("busy"),
        seconds(browser.get("quiet_s", QUIET_S), "browser.quiet_s"),
    )
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        raise MissingExtraError("a chat page in a browser", "browser") from None
    shown = {key: value for key, value in browser.items() if key not in {"before", "executable"}}
    return BrowserChat(
        page,
        secrets,
        executable=browser.get("executable"),
        concurrency=whole(concurrency, "concurrency", 1, 64),
        timeout_s=seconds(timeout_s, "timeout_s"),
        identity="browser:" + orjson.dumps(shown, option=orjson.OPT_SORT_KEYS).decode(),
    )


def _steps(given: Any, secrets: Secrets) -> tuple[Mapping[str, str], ...]:
    """Steps before the first question.

    Raises:
        InputError: one of a form that is not known.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError("not a list", field="browser.before", expected="[{click: SELECTOR}, …]")
    found = []
    for index, step in enumerate(given):
        where = f"browser.before[{index}]"
        if not isinstance(step, Mapping) or not set(step) & {"click", "fill", "press", "wait_for"}:
            raise InputError("not a step", field=where, expected="click, fill, press or wait_for")
        unknown_field(step, STEPS, where)
        if ("fill" in step) != ("value" in step):
            raise InputError("one without the other", field=where, expected="fill and value")
        found.append({key: str(secrets.expand(text, where)) for key, text in step.items()})
    return tuple(found)


class BrowserChat:
    """Types questions into the page and reads what appears."""

    starts_slowly = True
    needs_no_timeout = True
    takes_images = False

    def __init__(
        self,
        page: ChatPage,
        secrets: Secrets,
        *,
        executable: str | None,
        concurrency: int,
        timeout_s: float,
        identity: str,
    ) -> None:
        self._page = page
        self._secrets = secrets
        self._executable = executable
        self._concurrency = concurrency
        self.timeout_s = timeout_s
        self._identity = identity
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()

    @property
    def name(self) -> str:
        """Where the page is."""
        return self._secrets.hide(without_keys(self._page.url))

    @property
    def identity(self) -> str:
        """Its settings, without secrets."""
        return self._secrets.hide(self._identity)

    @property
    def stable(self) -> bool:
        """False: what is behind a page changes without notice."""
        return False

    @property
    def concurrency(self) -> int:
        """Windows open at once at most."""
        return self._concurrency

    async def answer(self, request: Request) -> Answer:
        """Ask one question in a window of its own; earlier turns of the user are asked before it.

        Raises:
            TargetError: no answer; it says whether the page may answer later.
            InputError: there is no browser.
        """
        from playwright.async_api import Error, TimeoutError

        start = time.perf_counter()
        browser = await self._started()
        context = await browser.new_context()
        context.set_default_timeout(1000 * self.timeout_s)
        try:
            page = await context.new_page()
            opening_s = max(self.timeout_s, OPENING_S)  # the time for an answer begins later
            await page.goto(self._page.url, wait_until="domcontentloaded", timeout=1000 * opening_s)
            await self._enter(page)
            turns = _turns(request.messages)
            said = ""
            for turn in turns:
                said = await self._ask(page, turn)
        except TimeoutError as error:
            raise TargetError(self._told(error), retry=True, throttled=True) from None
        except Error as error:
            raise TargetError(self._told(error), retry=True, fatal=True, doubtful=True) from None
        finally:
            await context.close()
        text = self._secrets.hide(encodable(said.strip()))
        answer = Answer(text, latency_s=time.perf_counter() - start, estimated=True)
        return replace(
            answer,
            prompt_tokens=estimated(*(message.content for message in request.messages)),
            completion_tokens=estimated(text),
            calls=len(turns),
        )

    async def _started(self) -> Browser:
        """The browser, started at the first question.

        Raises:
            InputError: there is none.
        """
        from playwright.async_api import Error, async_playwright

        async with self._starting:
            if self._browser is None:
                self._playwright = self._playwright or await async_playwright().start()
                found = self._executable or _system_browser()
                try:
                    self._browser = await self._playwright.chromium.launch(executable_path=found)
                except Error as error:
                    raise InputError(
                        f"no browser can be started: {completion.one_line(str(error), 120)}",
                        field="browser.executable",
                        expected="Chromium's path, or `playwright install chromium`",
                    ) from None
            return self._browser

    async def _enter(self, page: Page) -> None:
        """Go from the page's opening to the chat.

        Raises:
            TargetError: there is no such field for questions.
        """
        from playwright.async_api import TimeoutError

        for step in self._page.before:
            if "fill" in step:
                await page.fill(step["fill"], step["value"])
            if "click" in step:
                await page.click(step["click"])
            if "press" in step:
                await page.keyboard.press(step["press"])
            if "wait_for" in step:
                await page.wait_for_selector(step["wait_for"])
        try:
            await page.wait_for_selector(self._page.input)
        except TimeoutError:
            there = await page.eval_on_selector_all(
                _INPUTS, "all => all.map(e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : ''))"
            )
            has = ", ".join(there[:_SHOWN]) or "no field to write in"
            raise TargetError(
                f"the page has no {self._page.input}; it has {has}",
                retry=False,
                fatal=True,
                doubtful=True,
            ) from None

    async def _ask(self, page: Page, question: str) -> str:
        """The text of the answers that appear behind a question.

        Raises:
            TargetError: none appears in time.
        """
        answers = page.locator(self._page.answer)
        before = await answers.count()
        await page.fill(self._page.input, question)
        if self._page.send is None:
            await page.press(self._page.input, "Enter")
        else:
            await page.click(self._page.send)
        ends = time.monotonic() + self.timeout_s
        text, changed = "", time.monotonic()
        while True:
            now = time.monotonic()
            seen = "\n".join((await answers.all_inner_texts())[before:])
            if seen != text:
                text, changed = seen, now
            busy = self._page.busy is not None and await page.locator(self._page.busy).count()
            if text.strip() and not busy and now - changed >= self._page.quiet_s:
                return text
            if now > ends:
                raise TargetError(
                    f"no answer within {self.timeout_s:g} s", retry=True, timed_out=True
                )
            await asyncio.sleep(_POLL_S)

    def _told(self, error: Exception) -> str:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return completion.one_line(self._secrets.hide(first), 200)

    async def aclose(self) -> None:
        """Close the browser."""
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()


def _system_browser() -> str | None:
    """A browser that is installed; None for the one that Playwright brings."""
    return next((path for name in _SYSTEM_BROWSERS if (path := shutil.which(name))), None)


def _turns(messages: tuple[Message, ...]) -> list[str]:
    """What a person types: the user's turns, with the system's text before the first."""
    system = [message.content for message in messages if message.role == "system"]
    turns = [message.content for message in messages if message.role == "user"] or [""]
    return ["\n\n".join([*system, turns[0]]), *turns[1:]]
