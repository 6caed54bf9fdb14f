"""User and password in a URL, taken out of it and sent in a header (RFC 7617)."""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import unquote

from buttress.targets.secrets import Secrets

_CREDENTIALS: Final = re.compile(r"^([a-z][a-z0-9+.-]*://)([^/?#@]*)@", re.IGNORECASE)


def credentials_apart(url: str, secrets: Secrets) -> tuple[str, dict[str, str]]:
    """The URL without user and password, and the header that holds them; none where it has none.

    Args:
        url: such as "https://user:password@host/path".
        secrets: learns the password and the header's value.
    """
    match = _CREDENTIALS.match(url)
    if match is None:
        return url, {}
    user, _, password = match[2].partition(":")
    encoded = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    for secret in (password or user, unquote(password or user), encoded):
        secrets.add(secret)
    return match[1] + url[match.end() :], {"Authorization": f"Basic {encoded}"}
