"""Which hosts and ports may be contacted: those that the user named, and no other."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit

from buttress.errors import InputError

Scheme = Literal["http", "https", ""]
MAX_ENDPOINTS: Final = 65_536
_TLS_PORTS: Final = frozenset((443, 6443, 8443, 9443))
_EXPECTED: Final = "a URL, HOST:PORT, HOST with --ports, or a network such as 10.0.0.0/24"
_NAME: Final = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")
_INTERFACE: Final = re.compile(r"(?:/(?:api|mcp|sse|v\d{1,2}(?:beta|alpha)?\d?)(?=/|\?|$))+")
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+(?:%[\w.~-]+)?)\](?::(\d+))?", re.A)
_PORTS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.A)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port that were named. ``scheme`` is empty where that is to be found out.

    ``base`` is the path of the URL that was named, without the last slash: requests go below it.
    ``asset`` is the id under which findings are told, the URL where it is empty.
    """

    host: str
    port: int
    scheme: Scheme = ""
    base: str = ""
    asset: str = ""

    @property
    def shown(self) -> str:
        """``host:port``, with brackets around an address of IPv6."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def below(self, path: str) -> str:
        """The path on the host of a request to ``path``.

        What is usual in the paths of interfaces stands once: ``/v1/models`` below
        ``http://HOST/v1`` is ``/v1/models``, and ``/mcp`` below ``http://HOST/a/mcp`` is itself.
        """
        match = _INTERFACE.match(path)
        shared = match[0] if match else ""
        while shared and not self.base.endswith(shared):
            shared = shared.rpartition("/")[0]
        return self.base + path.removeprefix(shared)

    def url(self, scheme: str, path: str = "") -> str:
        """The URL that requests go below, or that of a request."""
        return f"{scheme}://{self.shown}{self.below(path)}"

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes to try, in order."""
        if self.scheme:
            return (self.scheme,)
        return ("https", "http") if self.port in _TLS_PORTS else ("http", "https")


def endpoints(targets: Iterable[str], ports: Sequence[int]) -> list[Endpoint]:
    """The endpoints that ``targets`` name, each once, in their order.

    Raises:
        InputError: a target is none, a host comes without a port, or there are too many.
    """
    found: dict[tuple[str, int, str], Endpoint] = {}
    for target in targets:
        for one in _endpoints_of(target.strip(), ports):
            key = one.host, one.port, one.base
            if key not in found or (one.scheme and not found[key].scheme):
                found[key] = one
            if len(found) > MAX_ENDPOINTS:
                raise InputError(
                    f"more than {MAX_ENDPOINTS:,} hosts and ports", field="TARGET",
                    expected="a smaller network, or fewer ports",
                )  # fmt: skip
    return list(found.values())


_ANY_PORT: Final = (1,)  # stands for those of --ports


def read_targets(path: Path) -> list[str]:
    """The targets in a file, one a line; ``#`` begins a comment.

    Raises:
        InputError: not readable, nothing in it, or a line that names no target.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(path), field="--targets", expected="a file"
        ) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8", file=str(path), field="--targets") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if target := line.partition("#")[0].strip():
            try:
                _endpoints_of(target, _ANY_PORT)
            except InputError as error:
                raise InputError(
                    error.problem, file=f"{path}:{number}", field="--targets",
                    expected=error.expected,
                ) from None  # fmt: skip
            found.append(target)
    if not found:
        raise InputError("no target in it", file=str(path), field="--targets", expected=_EXPECTED)
    return found


def port_list(text: str) -> list[int]:
    """Ports from ``80,8000-8010``.

    Raises:
        ValueError: it is none.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        match = _PORTS.fullmatch(part.strip())
        low = int(match[1]) if match else 0
        high = int(match[2] or low) if match else 0
        if not 1 <= low <= high <= 65535:
            raise ValueError(
                f"'{part.strip()[:40]}' is no port; "
                "expected ports from 1 to 65535, such as 80,8000-8010"
            )
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)


def _endpoints_of(target: str, ports: Sequence[int]) -> list[Endpoint]:
    if "://" in target:
        return [_of_url(target)]
    if "/" in target:
        return _of_network(target, ports)
    host, port = _host_and_port(target)
    _check_host(host, target)
    if port is not None:
        return [Endpoint(host, _port(port, target))]
    return [Endpoint(host, one) for one in _needed(ports, target)]


def _host_and_port(target: str) -> tuple[str, str | None]:
    if match := _BRACKETED.fullmatch(target):
        return match[1], match[2]
    if target.count(":") > 1:  # an address of IPv6 without brackets has no port
        return target, None
    host, colon, port = target.partition(":")
    return host, port if colon else None


def _of_url(target: str) -> Endpoint:
    try:
        parts: SplitResult = urlsplit(target)
        port = parts.port
    except ValueError as error:
        raise InputError(
            f"'{target}' is no URL: {error}", field="TARGET", expected=_EXPECTED
        ) from None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"'{target}' is no URL that can be surveyed", field="TARGET",
            expected="http://HOST or https://HOST",
        )  # fmt: skip
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "a target holds a user name or password", field="TARGET", expected="a URL without it"
        )
    _check_host(parts.hostname, target)
    chosen: Scheme = "https" if scheme == "https" else "http"
    number = port if port is not None else (443 if chosen == "https" else 80)
    if any(unquote(one) in (".", "..") for one in parts.path.split("/")):
        raise InputError(
            f"'{target}' has a path with dots", field="TARGET", expected="a plain path"
        )
    base = quote(parts.path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")
    return Endpoint(parts.hostname, _port(str(number), target), chosen, base)


def _of_network(target: str, ports: Sequence[int]) -> list[Endpoint]:
    try:
        network = ipaddress.ip_network(target, strict=False)
    except ValueError:
        raise InputError(f"'{target}' is no target", field="TARGET", expected=_EXPECTED) from None
    given = _needed(ports, target)
    if network.num_addresses * len(given) > MAX_ENDPOINTS:
        raise InputError(
            f"'{target}' has {network.num_addresses:,} addresses", field="TARGET",
            expected=f"at most {MAX_ENDPOINTS:,} hosts and ports",
        )  # fmt: skip
    hosts = list(network.hosts()) or [network.network_address]
    return [Endpoint(str(host), port) for host in hosts for port in given]


def _needed(ports: Sequence[int], target: str) -> Sequence[int]:
    if not ports:
        raise InputError(
            f"'{target}' names no port", field="TARGET", expected="HOST:PORT or --ports"
        )
    return ports


def _port(text: str, target: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise InputError(f"'{target}' has no valid port", field="TARGET", expected="1 to 65535")
    return int(text)


def _check_host(host: str, target: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
            expected = _EXPECTED if host.isascii() else "the name of the host in ASCII, xn--…"
            raise InputError(
                f"'{target}' is no target", field="TARGET", expected=expected
            ) from None
