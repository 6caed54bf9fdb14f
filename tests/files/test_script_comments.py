"""Comments of scripts and pages are blanked, code and places stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.files.script_comments import page_without_comments, without_comments

CODE = [
    "a = 1;", 'b("//x");', "c('/* x */');", "d(`//${e({f: '}'})}/*`);",
    r"g = /[/*`'\"]\/\//.test(h);",
    "return /'/.x;", "i = j / k / l;", "m = `${`${n}//`}`;", 'o = "\\"//";', "p ? /x/ : /\\/*/;",
]  # fmt: skip
COMMENTS = ["// said: fetch('x')", "/* `${ ' \" */", "/**\n * http://x\n */", "//"]


@given(st.lists(st.sampled_from([*CODE, *COMMENTS])))
def test_comments_go_and_code_stays(parts: list[str]) -> None:
    script = "\n".join(parts)
    left = without_comments(script)
    assert len(left) == len(script)
    assert [one.rstrip() for one in left.split("\n") if one.strip()] == [
        one for one in parts if one not in COMMENTS
    ]


@given(st.text("/*`'\"${}\\\n ab"))
def test_any_text_keeps_its_places(script: str) -> None:
    for left in (without_comments(script), page_without_comments(script)):
        assert len(left) == len(script)
        assert all(new in (old, " ") for new, old in zip(left, script, strict=True))
        assert left.count("\n") == script.count("\n")


def test_a_minified_line_is_not_taken_for_a_comment() -> None:
    script = "x//" + "a=1;" * 1_000
    assert without_comments(script) == script


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("<p>a // b's <!-- c --> d</p>", "<p>a // b's            d</p>"),
        ("<script>a//b\nc</script> //d", "<script>a   \nc</script> //d"),
        ("<script>'<!-- a -->'</script>", "<script>'<!-- a -->'</script>"),
    ],
)
def test_pages(page: str, left: str) -> None:
    assert page_without_comments(page) == left


@pytest.mark.parametrize(
    "piece", ["/* ", '"\\', "=/[", "<!--", "<script>", "<script", "`${", "'a\n"]
)
def test_what_is_never_closed_takes_no_longer_than_it_is_long(piece: str) -> None:
    # Searched through to the end from each opening, a million characters would take hours.
    text = "//\n" + piece * (1_000_000 // len(piece))
    for blanked in (without_comments(text), page_without_comments(text)):
        assert len(blanked) == len(text)


def test_what_follows_an_opening_that_is_not_closed_is_read() -> None:
    assert without_comments("a /* b\n// c\nd") == "a /* b\n    \nd"
    page = "<!-- a <script>// b\nc</script>"
    assert page_without_comments(page) == "<!-- a <script>    \nc</script>"
