"""A request to an application as a template: URL, headers and body with placeholders."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from yarl import URL

from buttress.errors import InputError
from buttress.targets.basic_auth import credentials_apart
from buttress.targets.connection import usable_url
from buttress.targets.endpoint import checked_headers
from buttress.targets.http_template import check, fill, in_json, in_url, in_xml
from buttress.targets.secrets import Secrets

_METHODS: Final = ("POST", "GET", "PUT", "PATCH")


def unknown_field(given: Mapping[str, Any], valid: tuple[str, ...], field: str) -> None:
    """Refuse fields that are not known.

    Raises:
        InputError: there are some.
    """
    for name in given:
        if name not in valid:
            raise InputError(
                "unknown field", field=f"{field}.{name}", expected="one of " + ", ".join(valid)
            )


@dataclass(frozen=True, slots=True)
class HttpExchange:
    """A request as a template."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: Any
    form: bool

    @classmethod
    def read(cls, given: Mapping[str, Any], field: str, secrets: Secrets) -> HttpExchange:
        """From settings.

        Raises:
            InputError: a field is missing or not usable.
        """
        if "url" not in given:
            raise InputError("missing", field=f"{field}.url", expected="http(s)://… or ws(s)://…")
        url, sent = credentials_apart(str(secrets.expand(given["url"], f"{field}.url")), secrets)
        usable_url(url, f"{field}.url")
        if "body" in given and "form" in given:
            raise InputError(
                "given beside 'body'", field=f"{field}.form", expected="one of the two"
            )
        body = secrets.expand(given.get("form", given.get("body")), f"{field}.body")
        method = str(given.get("method", "GET" if body is None else "POST")).upper()
        if method not in _METHODS:
            raise InputError(
                f"'{method}' is not usable",
                field=f"{field}.method",
                expected="one of " + ", ".join(_METHODS),
            )
        headers = sent | checked_headers(
            secrets.expand(given.get("headers") or {}, f"{field}.headers"), f"{field}.headers"
        )
        secrets.add_headers({k: v for k, v in headers.items() if "{{" not in v})
        for part, value in (("url", url), ("headers", headers), ("body", body)):
            check(value, f"{field}.{part}")
        if "form" in given and not isinstance(body, Mapping):
            raise InputError("not a mapping", field=f"{field}.form", expected="names and values")
        return cls(url, method, headers, body, "form" in given)

    def names(self) -> set[str]:
        """Placeholders in it."""
        return check([self.url, dict(self.headers), self.body], "http")

    def filled(self, given: Mapping[str, Any]) -> tuple[URL, dict[str, str], bytes | None]:
        """URL, headers and body for these values."""
        url = URL(fill(self.url, given, in_url), encoded=True)
        headers = {str(k): str(v) for k, v in fill(dict(self.headers), given).items()}
        named = {name.lower(): value for name, value in headers.items()}
        if self.body is None:
            return url, headers, None
        kind = named.get("content-type", "").lower()
        if self.form:
            fields = {str(k): _written(v) for k, v in fill(self.body, given).items()}
            if kind.startswith("multipart/"):
                headers, body = _multipart(headers, fields)
                return url, headers, body
            if not kind:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            return url, headers, urlencode(fields).encode()
        if isinstance(self.body, str):
            quoted = in_json if not kind or "json" in kind else in_xml if "xml" in kind else str
            text = fill(self.body, given, quoted)
            if not kind:
                headers["Content-Type"] = "application/json"
            return url, headers, str(text).encode()
        if "content-type" not in named:
            headers["Content-Type"] = "application/json"
        return url, headers, orjson.dumps(fill(self.body, given))


def _written(value: Any) -> str:
    """A value as a field of a form."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _multipart(
    headers: Mapping[str, str], fields: Mapping[str, str]
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form in parts (RFC 7578)."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields.items():
        quoted = name.replace('"', "%22")
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{quoted}"', "", value]
    body = "\r\n".join([*lines, f"--{boundary}--", ""]).encode()
    kept = {k: v for k, v in headers.items() if k.lower() != "content-type"}
    return kept | {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body
