"""Signing requests to an application by a function of the user's own: ``sign: FILE.py:FUNCTION``.

Some providers want a signature over what is sent: Tencent Cloud (TC3-HMAC-SHA256), AWS (Signature
Version 4), Volcengine. Others want it in the URL, as iFlytek does for WebSocket. The function takes
``method``, ``url``, ``headers`` and ``body`` (bytes, empty for a GET) and returns the headers to
send beside those, or the URL to ask instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yarl import URL

from buttress.errors import InputError
from buttress.targets.base import TargetError
from buttress.targets.completion import one_line
from buttress.targets.connection import usable_url
from buttress.targets.endpoint import checked_headers
from buttress.targets.python_function import named_function
from buttress.targets.secrets import Secrets


@dataclass(frozen=True, slots=True)
class RequestSigning:
    """Asks the function for each request."""

    function: Callable[..., Any]
    secrets: Secrets

    @classmethod
    def read(cls, given: Any, base: Path | None, secrets: Secrets) -> RequestSigning:
        """From the name of a function; a file is looked for in the folder ``base``.

        Raises:
            InputError: there is no such function.
        """
        return cls(named_function(str(given), base, "http.sign"), secrets)

    def signed(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[URL, dict[str, str]]:
        """URL and headers of a request with its signature.

        Raises:
            TargetError: the function fails, or returns neither headers nor a URL.
        """
        try:
            given = self.function(method, str(url), dict(headers), body or b"")
        except (Exception, SystemExit) as error:  # whatever the user's function does
            problem = self.secrets.hide(one_line(f"{type(error).__name__}: {error}"))
            raise TargetError(f"http.sign failed: {problem}", retry=False, fatal=True) from None
        try:
            if isinstance(given, str):
                usable_url(given, "http.sign")
                return URL(given, encoded=True), dict(headers)
            added = checked_headers(given, "http.sign")
        except InputError as error:
            raise TargetError(self.secrets.hide(str(error)), retry=False, fatal=True) from None
        for name, value in added.items():
            if name.lower() == "authorization":
                self.secrets.add_session(value)
        replaced = {name.lower() for name in added}
        kept = {name: value for name, value in headers.items() if name.lower() not in replaced}
        return url, kept | added
