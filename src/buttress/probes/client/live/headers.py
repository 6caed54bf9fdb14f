"""What the headers of a page forbid a browser: scripts, framing, guessing of types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from buttress.evidence.findings import Finding
from buttress.files.visible import shortened
from buttress.probes.client.live.reports import finding
from buttress.protocols.live import Reply

_ANYWHERE: Final = ("*", "http:", "https:", "data:", "blob:")
_PROVES: Final = ("'nonce-", "'sha256-", "'sha384-", "'sha512-")


def findings(url: str, page: Reply, metas: Sequence[str]) -> Iterator[Finding]:
    """Findings about a page; ``metas`` are policies in elements of the page."""
    header = page.header("content-security-policy")
    policies = [directives(one) for one in (*header.split(","), *metas) if one.strip()]
    if not policies:
        yield finding(
            "page-without-csp", url, what="there is no Content-Security-Policy",
            proof="neither a header nor a meta element",
        )  # fmt: skip
    else:
        weak = [script_weaknesses(one) for one in policies]
        if all(weak):  # each of several policies holds: one that is strict is enough
            yield finding(
                "page-weak-csp", url, what=", ".join(dict.fromkeys(weak[0])),
                proof=shortened(header or metas[0]),
            )  # fmt: skip
    framed = any("frame-ancestors" in directives(one) for one in header.split(","))
    if not framed and not page.header("x-frame-options"):
        yield finding(
            "page-can-be-framed", url, what="neither frame-ancestors nor X-Frame-Options",
            proof=f"status {page.status} without these headers",
        )  # fmt: skip
    if page.header("x-content-type-options").strip().lower() != "nosniff":
        yield finding(
            "page-type-guessed", url, what="no X-Content-Type-Options: nosniff",
            proof=f"status {page.status} without the header",
        )  # fmt: skip


def directives(policy: str) -> dict[str, list[str]]:
    """The directives of a Content-Security-Policy (Level 3); the first of a name counts."""
    found: dict[str, list[str]] = {}
    for part in policy.split(";"):
        words = part.split()
        if words:
            found.setdefault(words[0].lower(), words[1:])
    return found


def script_weaknesses(policy: dict[str, list[str]]) -> list[str]:
    """Why a policy lets injected scripts run; empty where it does not."""
    name = next((one for one in ("script-src", "default-src") if one in policy), "")
    if not name:
        return ["neither script-src nor default-src"]
    sources = [one.lower() for one in policy[name]]
    proved = any(one.startswith(_PROVES) for one in sources)
    found = []
    if "'unsafe-inline'" in sources and not proved and "'strict-dynamic'" not in sources:
        found.append(f"{name} 'unsafe-inline'")
    if "'strict-dynamic'" not in sources:
        found += [f"{name} {one}" for one in sources if one in _ANYWHERE]
    return found
