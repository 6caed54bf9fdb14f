"""The live probe of the client layer: a page as a browser sees it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from buttress.errors import MissingExtraError
from buttress.evidence.findings import Finding
from buttress.files.shown_url import without_keys
from buttress.files.visible import shortened
from buttress.probes.client.live import headers
from buttress.probes.client.live.answer_markup import NOWHERE, AnswerMarkup
from buttress.probes.client.live.reports import PROBE as NAME
from buttress.probes.client.live.reports import VERSION, finding
from buttress.probes.client.live.visit import PageVisit, PageVisitor
from buttress.protocols.live import LiveContext, LiveFact, LiveRequest, Observed, Session

_ROOT: Final = LiveRequest("GET", "/")
_AT_ONCE: Final = 2  # browsers
_TIMEOUT_S: Final = 15.0
_SHOWN: Final = 30


class PageProbe:
    """Headers, third parties, what is sent where, and what a page does with an answer."""

    id = NAME
    version = VERSION
    title = "Pages in a browser: policies, third parties, what is sent where, markup in answers"
    layer = "client"

    def __init__(self) -> None:
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """The page, and ``/*`` for what it names on the same host and port.

        Raises:
            MissingExtraError: Playwright is not installed.
        """
        try:
            import playwright.async_api  # noqa: F401
        except ImportError:
            raise MissingExtraError("a page in a browser (--layer client)", "browser") from None
        rest = [LiveRequest("GET", "/*")]
        if context.active:
            rest.append(LiveRequest("POST", "/*", costs=True))
        return [_ROOT, *rest]

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """See ``LiveProbe``."""
        page = await session.ask_following(_ROOT)
        if page is None or "html" not in page.header("content-type").lower():
            return [LiveFact("not judged", ("page in a browser: / is no page",))] if page else []
        markup = AnswerMarkup(secrets.token_hex(5))
        slots = self._slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))
        async with slots:
            visit = await PageVisitor(session, markup, active=context.active).open(_TIMEOUT_S)
        url = session.at("/")
        return [
            *headers.findings(url, page, visit.metas),
            *_scripts(url, visit, session),
            *_typed(url, visit, session),
            *_answer(url, visit, markup),
            *_facts(visit, session),
        ]


def _scripts(url: str, visit: PageVisit, session: Session) -> Iterator[Finding]:
    own = session.url.partition("://")[2].partition("/")[0]
    for address, integrity in visit.scripts:
        host = address.partition("://")[2].partition("/")[0]
        if host and host != own and not integrity:
            yield finding(
                "third-party-script", url, what=shortened(without_keys(address)),
                proof="a script element of another host without the attribute integrity",
            )  # fmt: skip


def _typed(url: str, visit: PageVisit, session: Session) -> Iterator[Finding]:
    own = session.url.partition("://")[2].partition("/")[0]
    told: set[tuple[str, str]] = set()
    for one in visit.asked:
        where = without_keys(one.url.partition("?")[0])
        if not one.typed or (one.host, where) in told:
            continue
        told.add((one.host, where))
        if one.host != own:
            yield finding(
                "prompt-sent-elsewhere", url, what=f"{one.method} {shortened(where)}",
                proof="the request held what was typed into the page; it was not let through",
            )  # fmt: skip
        elif one.method == "GET" and "?" in one.url:
            yield finding(
                "prompt-in-address", url, what=f"{one.method} {shortened(where)}",
                proof=f"the address holds what was typed, at {shortened(where)}?…",
            )  # fmt: skip


def _answer(url: str, visit: PageVisit, markup: AnswerMarkup) -> Iterator[Finding]:
    if visit.ran:
        yield finding(
            "answer-runs-in-page", url, what="the handler of an element in it was run",
            proof=f"window.{markup.flag} was set by the answer",
        )  # fmt: skip
    elif visit.elements:
        yield finding(
            "answer-becomes-markup", url, what="an element of it is in the page, and no script ran",
            proof=f'an element with data-buttress="{markup.nonce}"',
        )  # fmt: skip
    kinds = ("html", "markdown")
    loaded = [
        kind for kind in kinds
        if any(one.url == f"{NOWHERE}/{kind}-{markup.nonce}" for one in visit.asked)
    ]  # fmt: skip
    if loaded:
        names = {"html": "as HTML", "markdown": "as Markdown"}
        yield finding(
            "answer-loads-picture", url, what=" and ".join(names[one] for one in loaded),
            proof=f"the page asked for {NOWHERE}/{loaded[0]}-…, which was not let through",
        )  # fmt: skip


def _facts(visit: PageVisit, session: Session) -> Iterator[LiveFact]:
    own = session.url.partition("://")[2].partition("/")[0]
    third: dict[str, set[str]] = {}
    for one in visit.asked:
        if one.host != own and not one.url.startswith(NOWHERE):
            third.setdefault(one.host, set()).add(one.kind)
    if third:
        yield LiveFact(
            "third parties of the page",
            tuple(f"{host}: {', '.join(sorted(kinds))}" for host, kinds in sorted(third.items())),
        )
    sent = dict.fromkeys(
        f"{one.method} {shortened(without_keys(one.url.partition('?')[0]))}"
        + (" (what was typed)" if one.typed else "")
        + (f": {one.why}" if one.why else "")
        for one in visit.asked
        if one.method != "GET" or one.typed
    )
    if sent:
        yield LiveFact("what the page sends", tuple(sent)[:_SHOWN])
    if not visit.has_field:
        yield LiveFact("not judged", ("markup in answers: the page has no field to write in",))
    elif visit.chat is None:
        yield LiveFact(
            "not judged", ("markup in answers: what was typed was not sent to this host",)
        )
    elif not visit.shown:
        yield LiveFact(
            "not judged",
            (
                "markup in answers: the page did not show the made-up answer"
                + ("" if visit.chat.sent else "; --active puts it into a real one"),
            ),
        )


PROBE: Final = PageProbe()
