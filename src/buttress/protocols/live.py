"""What a live probe is: it talks to a host that the user named, and says what it sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from buttress.files.charset import decoded_text
from buttress.packs.knowledge import OWN, Knowledge

if TYPE_CHECKING:
    from pathlib import Path

    from buttress.evidence.findings import Finding, Severity

NO_VALUES: Mapping[str, str] = {}
ANY_PATH: Final = "/*"  # in a plan: any path of the host that an answer of it names


class WireTalk(Protocol):
    """One conversation over a connection of its own, as ``WireScript`` leads it."""

    @property
    def opening(self) -> bytes:
        """What is sent first."""
        ...

    @property
    def done(self) -> bool:
        """Whether no more is wanted from the host."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Take what the host sent; returns what to send next, often nothing."""
        ...


class WireScript(Protocol):
    """What is said to a host beside HTTP, such as a TLS handshake. Hashable, and without state."""

    @property
    def title(self) -> str:
        """For people and the record: what is sent."""
        ...

    def begin(self, host: str) -> WireTalk:
        """A conversation with a host of that name or address."""
        ...

    def covers(self, other: WireScript) -> bool:
        """Whether ``other`` asks for a part of what this one asks for, so it is planned too."""
        ...


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """An HTTP request to a host; ``path`` begins with a slash and may hold a query.

    A ``{name}`` in its path, its body or the value of a header stands for what an earlier answer
    gave. ``once`` keeps requests apart that are alike and yet must each be sent, such as those of
    different sessions. ``script`` is what is said where the method is none of HTTP; ``certificate``
    asks over a TLS connection of its own, with a client certificate that was made for the occasion.
    ``key`` names the user whose key stands for ``{key}`` in its headers; it goes only where the
    host proves its name, if over TLS. ``costs`` counts it against the budget of a host.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    once: str = ""
    script: WireScript | None = None
    certificate: bool = False
    key: str = ""
    costs: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers as they came, the body as far as it was read, decompressed.

    ``cut`` says which limit ended the reading, empty where all was read.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: str = ""
    _lowered: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def header(self, name: str) -> str:
        """The values of a header, joined by a comma; empty where there is none."""
        if not self._lowered and self.headers:
            for given, value in self.headers:
                key = given.lower()
                before = self._lowered.get(key)
                self._lowered[key] = value if before is None else f"{before}, {value}"
        return self._lowered.get(name.lower(), "")

    @property
    def text(self) -> str:
        """The body as text, in the encoding that it names or shows; decoded anew each time."""
        return decoded_text(self.body, self.header("content-type"))


class Session(Protocol):
    """The only way of a live probe to a host.

    It contacts no host and no port but the one that the user named, follows no redirect, sends
    nothing that the probe did not plan, bounds rate, time and the bytes that are read, sends each
    distinct request once for all probes, and records it.
    """

    @property
    def url(self) -> str:
        """``http://host:port`` or ``https://host:port``, with the path that the user named."""
        ...

    def at(self, path: str) -> str:
        """The URL of a request to ``path``."""
        ...

    @property
    def host(self) -> str:
        """The name or address that the user named."""
        ...

    @property
    def scheme(self) -> str:
        """``http`` or ``https``; empty as long as no answer showed which, or none was HTTP."""
        ...

    @property
    def answers(self) -> Mapping[LiveRequest, Reply]:
        """Every answer of the host so far, those to other probes' requests too."""
        ...

    async def ask(
        self, request: LiveRequest, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """Send a request that was planned, or give the answer that it already had.

        Args:
            request: one of the probe's ``plan``.
            values: what stands for ``{name}`` in its path, headers and body.

        Returns:
            None where there was no answer in time, or none that is HTTP.

        Raises:
            PermissionError: the request was not planned.
        """
        ...

    async def hold_open(self, request: LiveRequest, values: Mapping[str, str], count: int) -> int:
        """Send a request ``count`` times at once, and leave every answer unread until all began.

        Returns:
            How many were answered with status 200; 0 where the budget has no room for all.

        Raises:
            PermissionError: the request was not planned.
        """
        ...

    async def ask_at_once(
        self, asked: Sequence[tuple[LiveRequest, Mapping[str, str]]]
    ) -> list[Reply | None]:
        """Send requests at the same time, each over a connection of its own.

        Args:
            asked: requests with the values for their places, as in ``ask``.

        Returns:
            The answers in their order; None for each where the budget has no room for all.

        Raises:
            PermissionError: a request was not planned.
        """
        ...

    async def ask_following(self, request: LiveRequest) -> Reply | None:
        """As ``ask``; redirects on the same host and port are followed where the user allows it."""
        ...

    async def follow(self, path: str) -> Reply | None:
        """The answer to a path on this host that an answer named, such as that of an icon.

        Paths that were planned are always allowed; others only where the user allowed it.
        """
        ...

    async def ask_at(
        self, request: LiveRequest, link: str, values: Mapping[str, str] = NO_VALUES
    ) -> Reply | None:
        """Send a request that was planned for any path to one that an answer of the host named.

        Args:
            request: one of the probe's ``plan`` whose path is ``ANY_PATH``.
            link: an absolute address, also of a WebSocket, or one below the URL of the host.
            values: as in ``ask``.

        Returns:
            None where there was no answer, or the link leads elsewhere, which is recorded.

        Raises:
            PermissionError: the request was not planned.
        """
        ...

    async def ask_over_events(
        self, opening: LiveRequest, asked: Sequence[tuple[LiveRequest, bool]]
    ) -> Reply | None:
        """Send requests to the address that the first event of a stream names.

        Meanwhile the stream is open, over a connection of its own.

        Args:
            opening: what opens the stream.
            asked: requests of the ``plan`` whose path is ``ANY_PATH``, in their order; with each,
                whether an event answers it, which is awaited.

        Returns:
            The stream as far as it was read; None where there was none.

        Raises:
            PermissionError: a request was not planned.
        """
        ...

    async def relay(
        self, method: str, link: str, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> Reply | None:
        """Send what a page asks of this host, which may change something or cost money.

        None where the user did not allow links, the link leads elsewhere, or the budget is spent.
        """
        ...


@dataclass(frozen=True, slots=True)
class LiveObservation:
    """A fact about a host that is no defect: a product and what proves it.

    ``proof`` is the part of an answer that names the product; ``version_proof`` the part that
    gives its version.
    """

    product: str
    name: str
    version: str = ""
    url: str = ""
    proof: str = ""
    version_url: str = ""
    version_proof: str = ""
    source: str = ""
    not_affected: int = 0


@dataclass(frozen=True, slots=True)
class LiveFact:
    """A fact about a host that is neither defect nor product, such as a TLS version with suites."""

    name: str
    values: tuple[str, ...]


Observed = LiveObservation | LiveFact


@dataclass(frozen=True, slots=True)
class Flaw:
    """A vulnerability of a package, as a database of advisories tells it.

    ``affected`` is None where the version is not known.
    """

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: Severity
    affected: bool | None
    fixed: str = ""


class Credential(NamedTuple):
    """A user's name and password, or with an empty name a token; for one product, or for any."""

    user: str
    password: str
    product: str = ""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that was signed and recorded. ``signature`` names the header that holds it.

    ``headers`` are those that a session does not set itself; their values are secrets.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    signature: str


class AdvisoryLookup(Protocol):
    """A database of advisories about packages."""

    def about(self, package: str, version: str) -> Sequence[Flaw]:
        """Flaws of a package, ``PyPI/name`` or ``npm/name``; ``version`` may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class CanaryAddress:
    """Where this machine listens for services that fetch an address that they were given.

    ``host`` is an address of this machine, ``port`` 0 for any that is free. After the last question
    a fetch is awaited for ``grace_s`` seconds. ``turn`` is held while a named port is in use.
    """

    host: str = "127.0.0.1"
    port: int = 0
    grace_s: float = 0.5
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether only services on this machine can reach it."""
        return ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True)
class LiveContext:
    """What a live probe may draw on.

    ``rules`` is a folder of AI-Infra-Guard's rules, those of installed packs where it is None;
    ``as_written`` reads them with every quirk, and leaves Buttress's own out. ``active`` allows
    requests that may change something; ``follow`` redirects and links within the host and port.
    ``keys`` are keys of users by name; ``openapi`` is a description of the API. ``credentials`` are
    tried where something signs in, and with ``default_credentials`` those that products start with.
    ``links`` allows what pages name on the same host and port. ``signed`` is a recorded request
    that is sent again. ``canary`` says where this machine listens for fetches by services.
    """

    knowledge: Knowledge = OWN
    rules: Path | None = None
    as_written: bool = False
    active: bool = False
    advisories: AdvisoryLookup | None = None
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    openapi: Path | None = None
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    default_credentials: bool = False
    links: bool = False
    signed: RecordedRequest | None = None
    canary: CanaryAddress = CanaryAddress()

    @property
    def follow(self) -> bool:
        """Whether redirects and links within the host and port are followed."""
        return self.as_written or self.links


@runtime_checkable
class LiveProbe(Protocol):
    """Talks to a running host, and yields observations and findings."""

    @property
    def id(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may change."""
        ...

    @property
    def title(self) -> str:
        """For people, in a few words."""
        ...

    @property
    def layer(self) -> str:
        """infrastructure, link, service or client."""
        ...

    def plan(self, context: LiveContext) -> Sequence[LiveRequest]:
        """Every request that it may send to a host.

        Raises:
            InputError: what the user gave for it can't be used.
        """
        ...

    async def examine(self, session: Session, context: LiveContext) -> Sequence[Finding | Observed]:
        """Examine a host; safe by default: it changes nothing there.

        The asset and the time of findings are filled in by the caller.
        """
        ...
