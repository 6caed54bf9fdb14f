"""Versions in the order of their ecosystems, and bounds on what is known of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from buttress.probes.infrastructure.versions import (
    Scheme,
    VersionRange,
    holds,
    is_version,
    order,
)


@pytest.mark.parametrize(
    ("scheme", "ascending"),
    [
        ("pep440", ["0.5a1", "0.5b3.dev92", "0.5b3", "0.5rc1", "0.5", "0.5.post1", "0.5.1"]),
        ("semver", ["1.0.0-alpha", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.17", "1.0.0"]),
        ("semver", ["1.0.0-2", "1.0.0", "1.0.1"]),
        ("calendar", ["2026.2.9", "2026.2.21", "2026.2.21-2", "2026.10.1"]),
        ("build", ["b999", "b8585", "b8586"]),
        ("debian", ["6.0~rc1", "6.0", "6.0-1", "6.0-1+deb12u2", "6.0-1+deb12u10", "1:1.0"]),
    ],
)  # fmt: skip
def test_order(scheme: Scheme, ascending: list[str]) -> None:
    for low, high in pairwise(ascending):
        assert order(low, high, scheme) == -1, (low, high)
        assert order(high, low, scheme) == 1, (low, high)
        assert order(low, low, scheme) == 0


@pytest.mark.parametrize(
    ("one", "other"), [("1.83.7-stable", "1.83.7"), ("v1.0", "1.0.0"), ("1.2+cu118", "1.2")]
)
def test_the_same(one: str, other: str) -> None:
    assert order(one, other, "pep440") == 0


@pytest.mark.parametrize("text", ["main", "unknown", "latest", "", "fb2323b3deb3", "79778fa"])
def test_what_is_no_version(text: str) -> None:
    assert not is_version(text, "pep440")


@pytest.mark.parametrize(
    ("operator", "bound", "value"),
    [
        ("<", "2.0.0", True),  # up to, and without, 2.0.0
        ("<=", "2.0.0", True),
        ("<", "1.6", None),
        ("<", "1.5.0", False),
        ("<=", "1.5.0", None),
        (">=", "1.5.0", True),
        (">", "1.5.0", None),
        (">=", "2.0.0", False),
        (">=", "1.6", None),
        ("<", "0.1", False),
        ("==", "1.7", None),
        ("==", "2.0.0", False),
        ("!=", "3", True),
        ("<", "main", None),
    ],
)
def test_a_range_decides_what_it_can(operator: str, bound: str, value: bool | None) -> None:
    known = VersionRange("1.5.0", "2.0.0", high_open=True)
    assert holds(known, operator, bound, "pep440") is value


def test_an_unknown_version_decides_nothing() -> None:
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        assert holds(VersionRange(), operator, "1.0", "pep440") is None
