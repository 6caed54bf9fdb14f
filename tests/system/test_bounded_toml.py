"""TOML from untrusted hands costs no more than its size allows."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files import bounded_toml

PARTS = st.sampled_from(["a", "-1", '"b.c"', '"\\""', "'d\u2028'", '"\\u0041"', "''"])
DOTS = st.sampled_from([".", " . ", "\t.", ". "])


@given(part=PARTS, dot=DOTS, form=st.sampled_from(["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}"]))
def test_a_key_of_very_many_parts_is_refused_at_once(part: str, dot: str, form: str) -> None:
    text = form.format(dot.join([part] * 200_000))
    with pytest.raises(ValueError, match="more than 100 parts"):
        bounded_toml.loads(text)


@given(parts=st.lists(PARTS, min_size=1, max_size=90), dot=DOTS)
def test_keys_that_people_write_are_read(parts: list[str], dot: str) -> None:
    text = dot.join(parts) + " = 1\n"
    assert bounded_toml.loads(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    ["x = '" + "." * 100_000 + "'", "x = [" + "1.5, " * 1_000 + "]", "x = 1 # " + ". " * 500],
)
def test_other_dots_do_no_harm(text: str) -> None:
    assert bounded_toml.loads(text) == tomllib.loads(text)


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000 + "]" * 5_000, "a = " + "{ a = " * 5_000])
def test_deep_nesting_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        bounded_toml.loads(text)
