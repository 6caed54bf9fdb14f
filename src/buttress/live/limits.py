"""How much a host may answer, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds.

    ``timeout_s`` bounds a connection and each answer; a host may keep us waiting for twice as long
    in all, beyond a quarter of a second a request, and as long again in handshakes of
    ``handshake_bytes`` each. ``body_bytes`` bounds one body, as sent and as inflated,
    ``host_bytes`` all of a host. ``rate`` and ``host_rate`` are requests a second in all and to one
    host, 0 for no limit; a host is always asked one request at a time. ``hosts`` are asked at the
    same time. ``budget`` is how many requests that cost money a host may be sent.
    """

    timeout_s: float = 10.0
    header_bytes: int = 64 << 10
    handshake_bytes: int = 128 << 10
    body_bytes: int = 2 << 20
    host_bytes: int = 32 << 20
    failures: int = 3
    rate: float = 0.0
    host_rate: float = 0.0
    hosts: int = 100
    budget: int = 120

    @property
    def waiting_s(self) -> float:
        """How long a host may keep us waiting in all."""
        return 2 * self.timeout_s
