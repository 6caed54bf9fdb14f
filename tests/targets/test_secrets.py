"""Values that must not be shown are hidden in whatever way a text writes them."""

from __future__ import annotations

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.targets.secrets import Secrets

WAYS = (
    str,
    json.dumps,
    escape,
    quote,
    quote_plus,
    lambda value: quote(value, safe=""),
    lambda value: base64.b64encode(value.encode()).decode(),
)


@pytest.mark.parametrize("write", WAYS)
@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=40))
def test_no_form_of_a_value_is_left(write, value: str) -> None:  # type: ignore[no-untyped-def]
    written = write(value)
    hidden = Secrets([value]).hide(f"the key {written} is wrong")
    assert hidden.startswith("the key ")
    assert written.strip('"=') not in hidden or written.strip('"=') in "the key [key] is wrong"


def test_short_values_are_everywhere_and_stay() -> None:
    assert Secrets(["a1", ""]).hide("a1 dGVzdA") == "a1 dGVzdA"
