"""Makes whole examples from the templates of rules, so that no file holds a real-looking key.

A template is text with places like ``{hex:32}``: a kind of random text and its length, or what else
the kind needs. ``{cut}`` is empty: it breaks up a literal.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import uuid
import zlib
from collections.abc import Callable
from typing import Final

from buttress.rules.credentials.checks import checksums
from buttress.rules.credentials.checks.structures import PYPI

_PLACE: Final = re.compile(r"\{([A-Za-z0-9]+)(?::([^{}]*))?\}")
_ALPHABETS: Final = {
    "base62": string.digits + string.ascii_letters,
    "letters": string.ascii_letters,
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "base32": string.ascii_uppercase + "234567",
    "bech32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "b64": string.ascii_letters + string.digits + "+/",
    "b64url": string.ascii_letters + string.digits + "-_",
    "lower36": string.digits + string.ascii_lowercase,
    "upper36": string.digits + string.ascii_uppercase,
}
_SEED_WORDS: Final = (  # of BIP-39
    "gravity", "machine", "north", "sort", "system", "female", "filter", "attitude", "volume",
    "fold", "club", "stay", "ladder", "obtain", "pencil", "quantum", "rocket", "salmon", "tunnel",
    "umbrella", "velvet", "window", "yellow", "zebra", "hammer", "island",
)  # fmt: skip
_WORDS: Final = ("order", "service", "customer", "lantern", "support", "returns", "catalogue")


def fill(template: str, source: random.Random) -> str:
    """The template with all places filled from ``source``.

    Raises:
        KeyError: a place of an unknown kind, unless it is in capitals and so part of the text.
    """

    def one(match: re.Match[str]) -> str:
        kind, argument = match[1], match[2] or ""
        if kind in _ALPHABETS:
            return _draw(kind, int(argument), source)
        if kind.isupper():
            return match[0]
        return _KINDS[kind](argument, source)

    return _PLACE.sub(one, template)


def _draw(kind: str, length: int, source: random.Random) -> str:
    return "".join(source.choices(_ALPHABETS[kind], k=length))


def _b64(data: bytes, *, url: bool = False) -> str:
    coded = base64.urlsafe_b64encode(data) if url else base64.b64encode(data)
    return coded.decode().rstrip("=") if url else coded.decode()


def _crc62(argument: str, source: random.Random) -> str:
    body = _draw("base62", int(argument), source).encode()
    return (body + checksums.base62(zlib.crc32(body))).decode()


def _grafana(_: str, source: random.Random) -> str:
    key = f"glsa_{_draw('base62', 32, source)}".encode()
    return (key + b"_" + checksums.grafana_checksum(key)).decode()


def _age(_: str, source: random.Random) -> str:
    prefix, body = "AGE-SECRET-KEY-", _draw("bech32", 52, source)
    checksum = checksums.bech32_checksum(prefix.encode(), body.encode())
    return f"{prefix}1{body}{checksum.decode()}"


def _pypi(_: str, source: random.Random) -> str:
    identity = str(uuid.UUID(int=source.getrandbits(128), version=4)).encode()
    macaroon = (
        b"\x02\x01\x08" + PYPI + b"\x02\x24" + identity + b"\0\0\x06\x20" + source.randbytes(32)
    )
    return f"pypi-{_b64(macaroon, url=True)}"


def _jwt(subject: str, source: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": subject, "exp": 1893456000})
    coded = [_b64(json.dumps(part, separators=(",", ":")).encode(), url=True) for part in parts]
    return ".".join([*coded, _b64(source.randbytes(32), url=True)])


def _body(label: str, source: random.Random) -> list[str]:
    head = b"openssh-key-v1\0" if label.startswith("OPENSSH") else b"\x30\x82\x04\xa2"
    text = _b64(head + source.randbytes(600))
    return [text[place : place + 64] for place in range(0, len(text), 64)]


def _pem(label: str, source: random.Random) -> str:
    return "\n".join([f"-----BEGIN {label}-----", *_body(label, source), f"-----END {label}-----"])


def _b64of(template: str, source: random.Random) -> str:
    """Base64 of a template whose places are in square brackets."""
    return _b64(fill(template.replace("[", "{").replace("]", "}"), source).encode())


def _account(_: str, source: random.Random) -> str:
    account = {"type": "service_account", "private_key": _pem("PRIVATE KEY", source) + "\n"}
    return base64.b64encode(json.dumps(account).encode()).decode()


def _login(_: str, source: random.Random) -> str:
    return base64.b64encode(f"ci:{_draw('base62', 20, source)}".encode()).decode()


def _docker(_: str, source: random.Random) -> str:
    settings = {"auths": {"registry.internal": {"auth": _login("", source)}}}
    return base64.b64encode(json.dumps(settings).encode()).decode()


_KINDS: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "cut": lambda _, source: "",  # noqa: ARG005
    "run": lambda length, source: "x" * int(length),  # noqa: ARG005
    "seed": lambda count, source: " ".join(source.sample(_SEED_WORDS, int(count))),
    "words": lambda _, source: "-".join(source.sample(_WORDS, 3)),
    "uuid": lambda _, source: str(uuid.UUID(int=source.getrandbits(128), version=4)),
    "azure": lambda _, source: _b64(source.randbytes(64)),
    "discord": lambda _, source: _b64(str(source.randrange(10**17, 10**18)).encode(), url=True),
    "b64account": _account,
    "b64of": _b64of,
    "b64pem": lambda label, source: base64.b64encode(_pem(label, source).encode()).decode(),
    "crc62": _crc62,
    "dockerconfig": _docker,
    "userpass": _login,
    "grafana": _grafana,
    "age": _age,
    "pypi": _pypi,
    "jwt": _jwt,
    "pem": _pem,
    "pemline": lambda label, source: _pem(label, source).replace("\n", "\\n"),
}
