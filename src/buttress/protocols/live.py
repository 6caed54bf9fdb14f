"""What a live probe is: it talks to a host that the user named, and says what it sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from buttress.evidence.findings import Finding, Inspection
    from buttress.system.model import Asset


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: an HTTP status, headers by lower-case name, and the body read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(Protocol):
    """The only way of a live probe to a host.

    It contacts no host and no port but those that the manifest names, follows no redirect to
    another, bounds rate, time and the bytes that are read, and records each request.
    """

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Send a request below the asset's URL.

        Raises:
            InputError: the path leads to another host or port.
            OSError: no connection, or no answer in time.
        """
        ...

    @property
    def sent(self) -> tuple[str, ...]:
        """All that was sent so far, a line each, for the record of the inspection."""
        ...


@runtime_checkable
class LiveProbe(Protocol):
    """Talks to a running host and yields findings, and at last one ``Inspection``.

    None is run yet: an asset with a ``url`` and no files is told as not covered.
    """

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
    def kinds(self) -> tuple[str, ...]:
        """Asset kinds that it examines."""
        ...

    def examine(self, asset: Asset, session: Session) -> Iterator[Finding | Inspection]:
        """Examine the host of ``asset.location``; safe by default: it changes nothing there."""
        ...
