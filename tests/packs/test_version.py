"""Versions and ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.packs.version import Version, meets

# Semantic Versioning 2.0.0, section 11.
ORDER = [
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2.0.0",
]  # fmt: skip


def test_the_order_of_the_standard() -> None:
    versions = [Version(text) for text in ORDER]
    assert all(low < high for low, high in pairwise(versions))
    assert Version("1.0.0+a") == Version("1.0.0+b")


@pytest.mark.parametrize("text", ["1", "1.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "v1.0.0", "1.0.0 "])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="not a semantic version"):
        Version(text)


@pytest.mark.parametrize(
    ("version", "wanted", "holds"),
    [
        ("0.3.1", ">=0.3, <1", True),
        ("0.2.9", ">=0.3, <1", False),
        ("1.0.0", ">=0.3, <1", False),
        ("1.0.0", "<=1", True),
        ("1.0.1", "<=1.0", False),
        ("1.0.0", "==1.0.0", True),
        ("0.3.0.dev1", ">0.2", True),
    ],
)
def test_ranges(version: str, wanted: str, holds: bool) -> None:
    assert meets(version, wanted) is holds


@given(st.text(max_size=12))
def test_any_range_is_read_or_refused(text: str) -> None:
    try:
        meets("1.0.0", text)
    except ValueError as error:
        assert "is not a bound" in str(error)  # noqa: PT017


NUMBERS = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@given(NUMBERS, NUMBERS)
def test_a_range_agrees_with_the_order(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    left, right = (".".join(map(str, each)) for each in (one, other))
    assert meets(left, f">={right}") is (Version(left) >= Version(right))
    assert meets(left, f"<{right}") is (Version(left) < Version(right))
