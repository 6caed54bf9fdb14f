"""Strangers' YAML: plain data or an error, whatever its depth."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.files.located_yaml import parse
from buttress.files.yaml_loader import MAX_DEPTH, BoundedLoader, parse_plain

DEEP = {
    "brackets": "[" * 30_000,
    "dashes": "- " * 30_000,
    "mappings": "{a: " * 30_000,
    "indented": "".join(" " * level + "-\n" for level in range(2_000)),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_an_error_and_does_not_end_the_process(text: str) -> None:
    # In a process of its own: an overflow of the stack would end the whole test run.
    code = (
        "import sys\n"
        "from buttress.files.yaml_loader import parse_plain\n"
        "text = sys.stdin.read()\n"
        "for scalars in (True, False):\n"
        "    try:\n"
        "        parse_plain(text, scalars=scalars)\n"
        "    except ValueError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, capture_output=True, text=True, check=False,
        env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nested too deeply") == 2


def test_what_is_nested_no_deeper_than_the_limit_is_read() -> None:
    data = parse_plain("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        assert len(data) == 1
        data = data[0]
    assert data == []
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_plain("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        "2026-99-99", "!!int x", "!!bool x", "!!timestamp x", "!!python/object:os.system x",
        "? [a]\n: b", "!!omap 3", "<<: 3", "\x00", "\ud800", "a: !!binary é", "a: [", "%", "= ",
    ],
)  # fmt: skip
def test_what_is_no_data_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_plain(text)


def test_scalars_are_text_if_asked() -> None:
    text = "{a: 1, b: 2026-01-01, c: yes, d: null, e: x}"
    assert parse_plain(text, scalars=False) == {
        "a": "1", "b": "2026-01-01", "c": "yes", "d": "null", "e": "x",
    }  # fmt: skip
    assert parse_plain(text)["a"] == 1


def test_the_same_data_as_the_safe_loader_of_the_library() -> None:
    text = (
        "base: &base {a: 1, b: [x, 2.5, true, ~]}\n"
        "more: {<<: *base, c: 'it''s', d: \"\\u4f60\"}\n"
        "text: |\n  two\n  lines\nfolded: >-\n  one\n  line\nday: 2026-11-29\n0x1f: .inf\n"
    )
    assert yaml.load(text, Loader=BoundedLoader) == yaml.safe_load(text)  # type: ignore[arg-type]


def test_an_error_at_the_end_of_a_file_names_its_last_line() -> None:
    with pytest.raises(InputError) as caught:
        parse("a: 1\nb: [2,\n", "some.yaml")
    assert caught.value.file == "some.yaml"
    assert caught.value.line in (2, 3)
    with pytest.raises(InputError) as caught:
        parse("a: 1\nb: [2", "some.yaml")
    assert caught.value.line == 2


# Without the line breaks that YAML alone knows, and the merge key.
_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Zl", "Zp"), exclude_characters="\x85"), max_size=20
).filter(lambda text: text != "<<")


@given(st.dictionaries(_TEXTS, _TEXTS, max_size=4), st.booleans())
def test_json_is_read_as_json_readers_read_it(data: dict[str, str], ascii_only: bool) -> None:
    # An emoji of a package.json is two escapes, which libyaml takes for an error.
    text = json.dumps(data, ensure_ascii=ascii_only, indent="\t")
    wanted = json.loads(_CONTROL.sub("\ufffd", text)) if not ascii_only else data
    assert parse(text, "a.json", duplicates=True).data == wanted
    assert parse_plain(text) == wanted


_CONTROL = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'{"a": "\ud83d\ude00"}', "\U0001f600"),
        (r'{"a": "x\ud83d"}', "x\ufffd"),
        (r'{"a": "\ude00\ud83d"}', "\ufffd\ufffd"),
        (r'{"a": "\\ud83d\\ude00 \ud83d"}', r"\ud83d\ude00 " + "\ufffd"),
        ('{"a": "x\x7f"}', "x\ufffd"),
    ],
)
def test_escapes_of_json_that_yaml_does_not_know(text: str, value: str) -> None:
    assert parse(text, "a.json").data == {"a": value}
    assert parse_plain(text) == {"a": value}


def test_single_quotes_keep_what_looks_like_an_escape() -> None:
    assert parse_plain(r"a: '\ud83d\ude00'") == {"a": r"\ud83d\ude00"}


def test_values_with_tags_of_tools_are_text_in_foreign_files_and_errors_in_ours() -> None:
    text = "a: !Ref x\nb: !Join ['', [y, !Sub z]]\n"
    assert parse(text, "f", duplicates=True).data == {"a": "x", "b": ["", ["y", "z"]]}
    with pytest.raises(InputError, match="tag"):
        parse(text, "f")
    with pytest.raises(InputError, match="tag"):
        parse("a: !!python/name:os.system x", "f", duplicates=True)
