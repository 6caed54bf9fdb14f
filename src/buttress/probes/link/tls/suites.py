"""Cipher suites: the registry of IANA, the versions they belong to, and what is weak in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

SSL2: Final = 0x0002
SSL3: Final = 0x0300
TLS10: Final = 0x0301
TLS11: Final = 0x0302
TLS12: Final = 0x0303
TLS13: Final = 0x0304
VERSION_NAMES: Final = {
    SSL2: "SSL 2", SSL3: "SSL 3", TLS10: "TLS 1.0", TLS11: "TLS 1.1", TLS12: "TLS 1.2",
    TLS13: "TLS 1.3",
}  # fmt: skip
Weakness = Literal["null", "anonymous", "export", "rc4", "des", "64-bit block", "static key"]
_CHUNK: Final = 60  # more than 127 in one offer are too many for some servers
_SHORT: Final = ("DES_CBC_", "DES40", "RC2_")
_BLOCK_64: Final = ("3DES", "IDEA")


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A cipher suite; ``name`` is that of the registry."""

    number: int
    name: str

    @property
    def tls13(self) -> bool:
        """Whether it belongs to TLS 1.3, and to no other version."""
        return "_WITH_" not in self.name

    @property
    def tls12_only(self) -> bool:
        """Whether it came with TLS 1.2 (AEAD, or a hash of SHA-2)."""
        if self.tls13 or "PSK" in self.name:
            return any(part in self.name for part in ("GCM", "CCM", "POLY1305"))
        return self.name.endswith(("SHA256", "SHA384", "CCM", "CCM_8"))

    @property
    def exchange(self) -> str:
        """Key exchange and authentication, such as ``ECDHE_RSA``; empty for TLS 1.3."""
        return "" if self.tls13 else self.name.removeprefix("TLS_").partition("_WITH_")[0]

    @property
    def weaknesses(self) -> tuple[Weakness, ...]:
        """What is weak in it, gravest first."""
        found: list[Weakness] = []
        if self.tls13:
            return ()
        cipher = self.name.partition("_WITH_")[2]
        if cipher.startswith("NULL"):
            found.append("null")
        if "anon" in self.exchange:
            found.append("anonymous")
        if "EXPORT" in self.exchange:
            found.append("export")
        if cipher.startswith("RC4"):
            found.append("rc4")
        if cipher.startswith(_SHORT):
            found.append("des")
        if cipher.startswith(_BLOCK_64):
            found.append("64-bit block")
        if not found and not self.exchange.startswith(("DHE", "ECDHE", "SRP")):
            found.append("static key")
        return tuple(found)


@cache
def suites() -> dict[int, CipherSuite]:
    """Every suite that is known, by its number."""
    lines = (Path(__file__).parent.parent / "data" / "suites.txt").read_text("ascii").splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {int(number, 16): CipherSuite(int(number, 16), f"TLS_{name}") for number, name in pairs}


@cache
def offers(version: int) -> tuple[tuple[int, ...], ...]:
    """The suites of a version in parts that any server can read, the usual ones first."""
    if version == TLS13:
        return (tuple(number for number, one in suites().items() if one.tls13),)
    chosen = [
        one
        for one in suites().values()
        if not one.tls13 and (version >= TLS12 or not one.tls12_only)
    ]
    chosen.sort(key=lambda one: (_rarity(one), one.number))
    numbers = [one.number for one in chosen]
    return tuple(tuple(numbers[at : at + _CHUNK]) for at in range(0, len(numbers), _CHUNK))


def named(numbers: Iterable[int]) -> list[CipherSuite]:
    """The suites of those numbers; one that is not known gets its number as a name."""
    known = suites()
    return [known.get(one) or CipherSuite(one, f"0x{one:04x}_WITH_unknown") for one in numbers]


def weak(found: Sequence[CipherSuite], kind: Weakness) -> list[CipherSuite]:
    """Those that have a weakness."""
    return [one for one in found if kind in one.weaknesses]


def _rarity(one: CipherSuite) -> int:
    usual = one.exchange in ("RSA", "ECDHE_RSA", "ECDHE_ECDSA", "DHE_RSA")
    cipher = one.name.partition("_WITH_")[2]
    return (0 if usual else 2) + (0 if cipher.startswith(("AES", "CHACHA", "3DES", "RC4")) else 1)
