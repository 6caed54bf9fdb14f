"""How personal data is looked for: which lines are read, and many texts at once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.rules.personal import detectors
from buttress.rules.personal.detectors import DETECTORS, KINDS, Detector, find, find_all

PIECES = (
    "ann@mail.example.org", "4111 1111 1111 1111", "SSN 536-90-4399", "536 90 4399", "203.0.113.7",
    "2001:db8::ff00:42:8329", "NHS", "943 476 5919", "Tel. ", "030 1234567", "手机", "13812345678",
    "中文", "é", "DE89 3704 0044 0532 0130 00", "RCCMNL83S18D969H", "AKIAIOSFODNN7EXAMPLE", "12",
    "\n", " ", "\r\n", "-", ".", "::", "word",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=5))
def test_many_texts_at_once_are_as_one_by_one(texts: list[str]) -> None:
    assert list(find_all(texts, KINDS)) == [find(text, KINDS) for text in texts]


def test_groups_of_texts_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"mail a{number}@mail.example.org" for number in range(20)] + ["", "none"]
    whole = list(find_all(texts, KINDS))
    monkeypatch.setattr("buttress.rules.personal.detectors._GROUP", 40)
    assert list(find_all(texts, KINDS)) == whole
    assert [len(one) for one in whole] == [1] * 20 + [0, 0]


def test_a_name_in_another_text_names_nothing() -> None:
    assert list(find_all(["Tel.", "030 1234567"], KINDS)) == [[], []]
    assert [one.kind for one in find("Tel.\n030 1234567", KINDS)] == ["PHONE"]


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.kind)
def test_what_a_pattern_matches_stands_in_lines_that_are_read(detector: Detector) -> None:
    """Of IP alone some have no such line: those that are no address."""
    pattern = re.compile(detector.pattern, re.A)

    @settings(max_examples=40, database=None)
    @given(st.from_regex(pattern))
    def check(text: str) -> None:
        match = pattern.search(text)
        assert match is not None
        written = match.group(pattern.groups and 1)
        if detector.kind != "IP" or detector.check(written):
            assert re.search(detector.lines, f"\n{written}\n")

    check()


@pytest.mark.parametrize("address", ["1.2.3.4", "fe80::1", "2001:db8::", "1::2:3", "::1:2:3"])
def test_each_form_of_address_is_found(address: str) -> None:
    assert [one.value for one in find(f"from {address} on", ["IP"])] == [address]


@pytest.mark.parametrize(
    "text",
    [
        "icon@2x.png", "logo@3x.min.css", "git@code.example.org:group/project.git",
        "0.4111111111111111", "a loss of 12.4111111111111111 nats", "pkg@1.2.3",
        "0.13812345678901234", "ratio 3.30569309025904",
    ],
)  # fmt: skip
def test_names_of_files_and_fractions_are_nobodys(text: str) -> None:
    assert find(text, KINDS) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SSN 536-90-4399 with order 476236178", ["536904399"]),
        ("SSNs: 536904399, 536904398 and 536904397", ["536904399", "536904398", "536904397"]),
        ("NHS 943 476 5919, on 1998-01-01 stamp 9434765870", ["9434765919"]),
        ("Phone (mobile): 030 1234567", ["0301234567"]),
        ("+33 6 98 63 86 23 (mobile) with stamp 1647309559", ["+33698638623"]),
        ("주민등록번호 460105-1774983", ["4601051774983"]),  # Luhn's check digit fits as well
    ],
)
def test_a_name_belongs_to_its_own_number(text: str, wanted: list[str]) -> None:
    found = find(text, KINDS)
    assert [one.value for one in found] == wanted
    assert "CARD" not in {one.kind for one in found}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("邮箱：ａｎｎ＠mail．example．org。", "EMAIL", "ann@mail.example.org"),
        ("电话：１３８１２３４５６７８", "CN_MOBILE", "13812345678"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ号", "CN_RESIDENT_ID", "11010519491231002X"),
        ("卡号 ４１１１ １１１１ １１１１ １１１１", "CARD", "4111111111111111"),
    ],
)
def test_full_width_signs_are_read_in_their_place(text: str, kind: str, value: str) -> None:
    (span,) = find(f"é{text}", KINDS)
    assert (span.kind, span.value) == (kind, value)
    assert text[span.start - 1 : span.end - 1].translate(detectors._NARROW) in (
        value, "4111 1111 1111 1111",
    )  # fmt: skip


@pytest.mark.parametrize("word", ["reinitialization", "inaspettatamente", "RCCMNL83S99D969B"])
def test_words_of_sixteen_letters_are_no_fiscal_codes(word: str) -> None:
    assert find(f"the {word} of 2024", KINDS) == []
