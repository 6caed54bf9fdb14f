"""Ranges of npm: the examples of node-semver's documentation, and what each sign means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.provenance.dependencies.npm_ranges import satisfies


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=1.2.7", ["1.2.7", "2.5.3"], ["1.2.6", "1.1.0"]),
        (">=1.2.7 <1.3.0", ["1.2.7", "1.2.99"], ["1.2.6", "1.3.0"]),
        ("1.2.7 || >=1.2.9 <2.0.0", ["1.2.7", "1.2.9", "1.4.6"], ["1.2.8", "2.0.0"]),
        (">1.2.3-alpha.3", ["1.2.3-alpha.7", "3.4.5"], ["3.4.5-alpha.9", "1.2.3-alpha.3"]),
        ("1.2.3 - 2.3.4", ["1.2.3", "2.3.4"], ["1.2.2", "2.3.5"]),
        ("1.2 - 2.3.4", ["1.2.0"], ["1.1.9"]),
        ("1.2.3 - 2.3", ["2.3.9"], ["2.4.0", "2.4.0-0"]),
        ("1.2.3 - 2", ["2.9.9"], ["3.0.0"]),
        ("*", ["0.0.0", "9.9.9"], ["1.0.0-rc.1"]),
        ("", ["1.0.0"], []),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9"]),
        ("1.2.x", ["1.2.0"], ["1.3.0"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1.2", ["1.2.0"], ["1.3.0"]),
        ("~1", ["1.9.0"], ["2.0.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2", "2.0.0-0"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^1.2.3-beta.2", ["1.2.3-beta.4", "1.2.3"], ["1.2.4-beta.2", "1.2.3-beta.1"]),
        ("^0.0.3-beta", ["0.0.3-pr.2", "0.0.3"], ["0.0.3-alpha"]),
        ("^1.2.x", ["1.2.0", "1.9.9"], ["2.0.0"]),
        ("^0.0.x", ["0.0.9"], ["0.1.0"]),
        ("^0.x", ["0.9.9"], ["1.0.0"]),
        ("> 1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9"], ["1.3.0"]),
        ("<1.2", ["1.1.9"], ["1.2.0", "1.2.0-0"]),
        (">*", [], ["0.0.0"]),
        ("=v1.2.3", ["1.2.3", "1.2.3+build"], ["1.2.4"]),
    ],
)
def test_ranges(text: str, inside: list[str], outside: list[str]) -> None:
    assert [satisfies(one, text) for one in inside] == [True] * len(inside)
    assert [satisfies(one, text) for one in outside] == [False] * len(outside)


@pytest.mark.parametrize("text", ["latest", "git+https://a/b", "1.2.3.4", "=>1", "1 2 x!", "^"])
def test_what_is_no_range(text: str) -> None:
    assert satisfies("1.0.0", text) is None


NUMBERS = st.tuples(*[st.integers(0, 3)] * 3)


@given(low=NUMBERS, own=NUMBERS)
@settings(max_examples=300, deadline=None)
def test_a_caret_keeps_the_first_number_that_is_not_zero(
    low: tuple[int, ...], own: tuple[int, ...]
) -> None:
    first = next((place for place, one in enumerate(low) if one), 2)
    meant = own >= low and own[: first + 1] == low[: first + 1]
    assert satisfies(dotted(own), f"^{dotted(low)}") is meant
    assert satisfies(dotted(own), f"~{dotted(low)}") is (own >= low and own[:2] == low[:2])


@given(low=NUMBERS, high=NUMBERS, own=NUMBERS)
@settings(max_examples=300, deadline=None)
def test_two_bounds_hold_together_and_alternatives_each(
    low: tuple[int, ...], high: tuple[int, ...], own: tuple[int, ...]
) -> None:
    both = f">={dotted(low)} <{dotted(high)}"
    assert satisfies(dotted(own), both) is (low <= own < high)
    assert satisfies(dotted(own), f"{both} || {dotted(low)}") is (low <= own < high or own == low)


def dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


@given(st.text("0123456789.xX*^~<>=|- v+ab", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_as_a_range(text: str) -> None:
    assert satisfies("1.2.3", text) in (True, False, None)
