"""Names of hosts that are not reached over a network of other people."""

from __future__ import annotations

import re
from typing import Final

_LOCAL: Final = re.compile(
    r"(?:localhost|.*\.local|.*\.localhost|.*\.test|.*\.example|example\.(?:com|org|net)|"
    r"127\.[0-9.]+|10\.[0-9.]+|192\.168\.[0-9.]+|172\.(?:1[6-9]|2[0-9]|3[01])\.[0-9.]+|0\.0\.0\.0|::1)"
)


def is_local(host: str) -> bool:
    """Whether a host is the device itself, a private address or a name that is kept for tests."""
    return _LOCAL.fullmatch(host.strip().lower()) is not None
