"""The addresses of a host, looked up once and kept."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Final

from buttress.live.connection import ExchangeError

_MOST: Final = 8


def is_address(host: str) -> bool:
    """Whether ``host`` is an address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def look_up(host: str, timeout_s: float) -> tuple[str, ...]:
    """The addresses of a name, at most eight, in the order in which they are to be tried.

    Raises:
        ExchangeError: the name has none, or there was no answer in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
    except TimeoutError:
        raise ExchangeError("the name was not looked up in time", timed_out=True) from None
    except (OSError, UnicodeError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise ExchangeError(f"no address: {told}") from None
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))[:_MOST]
