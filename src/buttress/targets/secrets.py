"""Values from the environment in settings, and keeping them out of what is shown and stored."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import chain
from typing import Any, Final
from urllib.parse import quote, quote_plus

from buttress.errors import InputError

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")
_SHORTEST: Final = 6  # characters of a value that is kept out of texts
_SESSIONS: Final = 64  # tokens of the latest sessions that are known
_PUBLIC: Final = frozenset(
    {"content-type", "accept", "user-agent", "anthropic-version", "accept-language"}
)


class Secrets:
    """Values that must not be shown. ``hide`` puts a mark in their place."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: list[str] = []
        self._sessions: deque[str] = deque(maxlen=_SESSIONS)
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Keep this value out; short ones are not, since they would be found everywhere.

        It is kept out as it is written in JSON, HTML, a URL or base64, too.
        """
        if len(value) < _SHORTEST:
            return
        self._values += [form for form in dict.fromkeys(_forms(value)) if form not in self._values]
        self._values.sort(key=len, reverse=True)

    def add_session(self, token: str) -> None:
        """Keep the token of a session out, for as long as others do not follow it."""
        if len(token) >= _SHORTEST:
            self._sessions.append(token)

    def hide(self, text: str) -> str:
        """``text`` without the values."""
        for value in chain(self._values, self._sessions):
            if value in text:
                text = text.replace(value, "[key]")
        return text

    def expand(self, value: Any, field: str) -> Any:
        """``value`` with each ``${NAME}`` or ``${NAME:-default}`` taken from the environment.

        Mappings and lists are gone through. What came from the environment counts as secret.

        Raises:
            InputError: a variable that is not set.
        """
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: self._variable(match, field), value)
        if isinstance(value, Mapping):
            return {key: self.expand(each, f"{field}.{key}") for key, each in value.items()}
        if isinstance(value, list):
            return [self.expand(each, f"{field}[{place}]") for place, each in enumerate(value)]
        return value

    def _variable(self, match: re.Match[str], field: str) -> str:
        name, default = match.group(1), match.group(3)
        value = os.environ.get(name, "").strip()
        if value:
            self.add(value)
            return value
        if default is not None:
            return default
        raise InputError(
            f"environment variable {name} is not set",
            field=field,
            expected=f"export {name}=…, or a default: ${{{name}:-…}}",
        )

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Keep the values of headers out: keys stand in headers of any name."""
        for name, value in headers.items():
            if name.lower() not in _PUBLIC:
                self.add(value)
                self.add(value.partition(" ")[2])  # "Bearer KEY"


def _forms(value: str) -> Iterator[str]:
    """The value as different texts hold it."""
    yield value
    yield json.dumps(value)[1:-1]
    yield escape(value)
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    yield base64.b64encode(value.encode("utf-8", "surrogateescape")).decode().rstrip("=")
