"""How figures are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.report import numbers


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"), (1, "100%"), (0.5, "50%"), (0.05, "5%"), (0.0518, "5.2%"), (0.0999, "10%"),
        (0.0031, "0.31%"), (0.00001, "<0.01%"), (0.9995, "99.95%"), (0.99999, ">99.99%"),
        (0.978, "97.8%"), (0.634, "63%"),
    ],
)  # fmt: skip
def test_percent(share: float, text: str) -> None:
    assert numbers.percent(share) == text


@given(st.floats(0, 1))
def test_a_percentage_is_close_and_only_the_ends_read_as_such(share: float) -> None:
    text = numbers.percent(share)
    value = float(text.strip("<>%")) / 100
    assert abs(value - share) <= 0.005 + 1e-12
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "€0"), (0.004, "€<0.01"), (3, "€3"), (47.25, "€47.2"), (999.7, "€1k"),
        (48_213, "€48.2k"), (1_089_911, "€1.09M"), (2.5e9, "€2.5bn"), (7e12, "€7tn"),
        (1e20, "€1.0e+20"),
    ],
)  # fmt: skip
def test_money(amount: float, text: str) -> None:
    assert numbers.money(amount, "EUR") == text


def test_a_currency_without_a_sign_keeps_its_code() -> None:
    assert numbers.money(1200, "CHF") == "CHF 1.2k"


def test_words() -> None:
    assert numbers.listing([]) == ""
    assert numbers.listing(["a"]) == "a"
    assert numbers.listing(["a", "b", "c"]) == "a, b and c"
    assert numbers.listing(["a", "b", "c"], 1) == "a and 2 more"
    assert numbers.plural(1, "risk") == "1 risk"
    assert numbers.plural(1200, "category", "categories") == "1,200 categories"
    assert numbers.span(0.05, 0.1) == "5–10%"
    assert numbers.span(0.05, 0.05) == "5%"
