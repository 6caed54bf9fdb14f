"""Cookies as servers set them (RFC 6265bis), and which protection they lack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

_SESSION: Final = re.compile(
    r"sess|sid\b|token|auth|jwt|login|remember|identity|user|account|^connect\.|^__Host-|^__Secure-",
    re.I,
)
_FOR_SCRIPTS: Final = re.compile(r"csrf|xsrf", re.I)  # a page's scripts have to read these


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie by its name and attributes in lower case; its value is not kept."""

    name: str
    attributes: dict[str, str]

    @property
    def of_session(self) -> bool:
        """Whether its name says that it stands for a person or a session."""
        return bool(_SESSION.search(self.name)) and not _FOR_SCRIPTS.search(self.name)

    @property
    def deleted(self) -> bool:
        """Whether the server takes it back."""
        age = self.attributes.get("max-age", "")
        if age.lstrip("-").isdigit():
            return int(age) <= 0
        try:
            return parsedate_to_datetime(self.attributes.get("expires", "")).year < 2000
        except (ValueError, TypeError, IndexError):
            return False


def read_cookies(headers: Iterable[tuple[str, str]]) -> list[Cookie]:
    """The cookies in the headers of an answer, each of its own header."""
    found = []
    for header, value in headers:
        if header.lower() != "set-cookie":
            continue
        pair, *parts = value.split(";")
        name = pair.partition("=")[0].strip()
        attributes = {}
        for part in parts:
            key, _, text = part.partition("=")
            attributes[key.strip().lower()] = text.strip()
        if name:
            found.append(Cookie(name, attributes))
    return found


def lacks(cookie: Cookie, *, tls: bool) -> list[str]:
    """The protections that a cookie lacks; none for one that is taken back.

    Browsers treat a cookie without SameSite as Lax, so only ``None`` counts, and only for a cookie
    of a session. HttpOnly is wanted for those alone: others may be meant for the page's scripts.
    """
    given = cookie.attributes
    if cookie.deleted:
        return []
    found = []
    if "secure" not in given and (tls or cookie.name.startswith(("__Host-", "__Secure-"))):
        found.append("Secure")
    if cookie.of_session and "httponly" not in given:
        found.append("HttpOnly")
    if cookie.of_session and given.get("samesite", "").lower() == "none":
        found.append("SameSite=Lax or Strict")
    if cookie.name.startswith("__Host-"):  # else browsers leave it out
        if given.get("path") != "/":
            found.append("Path=/")
        if given.get("domain"):
            found.append("host of its own (Domain)")
    return found
