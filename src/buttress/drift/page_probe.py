"""The live probe of a watch: looks at pages, their scripts and descriptions of interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

from buttress.drift.interface_facts import interface_facts, interface_of
from buttress.drift.masking import masked_url
from buttress.drift.observed import PlaceView
from buttress.drift.page_facts import page_content, reply_facts
from buttress.drift.script_facts import script_facts, united
from buttress.evidence.findings import Finding
from buttress.protocols.live import LiveContext, LiveRequest, Observed, Reply, Session

VIEWS: Final = 5  # of a page, where the first differs from the reference or there is none
SCRIPTS: Final = "scripts"
_MOST_SCRIPTS: Final = 400
_BUSY: Final = 429
_FAILED: Final = 500
_NOT_A_PAGE: Final = frozenset(("status", "redirect"))
_HTML: Final = ("text/html", "application/xhtml+xml", "")


def page_place(path: str) -> str:
    """The name of a page's place."""
    return f"page {path}"


def interface_place(path: str) -> str:
    """The name of an interface's place."""
    return f"interface {path}"


@dataclass(slots=True)
class WatchedPaths:
    """The paths of one host.

    ``differs`` says whether facts of a place differ from its reference, or it has none: then it is
    looked at again. ``status`` is the status that a place had last, 0 for unknown.
    """

    pages: Sequence[str]
    interfaces: Sequence[str]
    differs: Callable[[str, Mapping[str, str]], bool]
    status: Callable[[str], int]
    views: list[PlaceView] = field(default_factory=list)


class PageWatchProbe:
    """Looks at the paths of each host; what it saw is in the ``views`` of its ``WatchedPaths``.

    Args:
        watched: by URL of the host, without the path's last slash.
    """

    id = "page-watch"
    version = "1"
    title = "Pages, scripts and interfaces of a watch"
    layer = "service"

    def __init__(self, watched: Mapping[str, WatchedPaths]) -> None:
        self._watched = watched

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """See ``LiveProbe``."""
        del context
        paths = dict.fromkeys(
            path for one in self._watched.values() for path in (*one.pages, *one.interfaces)
        )
        return [_view(path, number) for path in paths for number in range(VIEWS)]

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """See ``LiveProbe``."""
        del context
        watched = self._watched.get(session.url)
        if watched is None or not session.scheme:
            return []
        watched.views.clear()  # of an attempt before this one
        scripts: dict[str, str] = {}
        for path in watched.pages:
            view = await _look(session, watched, page_place(path), path, scripts)
            watched.views.append(view)
        if scripts:
            watched.views.append(await _scripts(session, scripts))
        for path in watched.interfaces:
            view = await _look(session, watched, interface_place(path), path, None)
            if (
                view.samples
                and dict(view.samples[-1]) == {"status": "404"}
                and (watched.status(view.place) in (0, 404))
            ):
                continue  # there is none, as before
            watched.views.append(view)
        return []


async def _look(
    session: Session, watched: WatchedPaths, place: str, path: str, scripts: dict[str, str] | None
) -> PlaceView:
    """A place in one view, or in several where the first is no reference."""
    view = PlaceView(place)
    for number in range(VIEWS):
        reply = await session.ask(_view(path, number))
        if problem := _problem(reply, watched.status(place)):
            return PlaceView(place, problem=problem)
        assert reply is not None
        url = session.at(path)
        if scripts is None:
            facts, whole = _interface(reply, url)
            if not whole and facts == {"status": "200"} and _was_described(watched, place):
                return PlaceView(place, problem="no description of an interface")
        else:
            facts, whole = _page(reply, url, scripts)
        view.samples.append(facts)
        if not whole:
            view.only = _NOT_A_PAGE
        if number == 0 and not watched.differs(place, facts):
            break
    return view


def _was_described(watched: WatchedPaths, place: str) -> bool:
    """Whether more is known of an interface than that there is an answer."""
    return watched.status(place) == 200 and watched.differs(place, {"status": "200"})


def _problem(reply: Reply | None, known: int) -> str:
    """Why an answer says nothing of the page: none, cut, too many requests, or out of order."""
    if reply is None:
        return "no answer"
    if reply.status != known and (reply.status >= _FAILED or reply.status == _BUSY):
        return f"status {reply.status}"
    return f"not read to its end: {reply.cut}" if reply.cut else ""


def _page(reply: Reply, url: str, scripts: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Facts, and whether it is the page itself: of an error or a redirect only these are facts."""
    facts = reply_facts(reply, url)
    if reply.status != 200:
        return {name: value for name, value in facts.items() if name in _NOT_A_PAGE}, False
    if facts.get("content-type", "") in _HTML:
        content = page_content(reply.text, url)
        facts |= content.facts
        for link in content.scripts:
            scripts[masked_url(link, url)] = urljoin(url, link)  # one of each, whatever its build
    return facts, True


def _interface(reply: Reply, url: str) -> tuple[dict[str, str], bool]:
    status = {"status": str(reply.status)}
    description = interface_of(reply.body) if reply.status == 200 else None
    if description is None:
        shown = reply_facts(reply, url)
        return {name: value for name, value in shown.items() if name in _NOT_A_PAGE}, False
    return status | interface_facts(description), True


async def _scripts(session: Session, scripts: Mapping[str, str]) -> PlaceView:
    """The scripts of all pages together: how a build splits them into files is no fact.

    Of more than are read, the first by name are, and a fact says that there are others.
    """
    facts: list[dict[str, str]] = []
    if len(scripts) > _MOST_SCRIPTS:
        facts.append({"unread-scripts": f"all but {_MOST_SCRIPTS}"})
    for _, url in sorted(scripts.items())[:_MOST_SCRIPTS]:
        reply = await session.follow(url)
        if problem := _problem(reply, 0):
            return PlaceView(SCRIPTS, problem=f"{urlsplit(url).path}: {problem}")
        assert reply is not None
        if reply.status == 200:
            facts.append(script_facts(reply.text))
        else:
            facts.append({f"missing-script {masked_url(url, url)}": f"status {reply.status}"})
    return PlaceView(SCRIPTS, [united(facts)])


def _view(path: str, number: int) -> LiveRequest:
    return LiveRequest("GET", path, once=f"view {number}" if number else "")
