"""Templates of the user's: read from files, slots found, mistakes told, any bytes survived."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buttress.attacks.composition import compose
from buttress.attacks.obfuscation import ATTACK as OBFUSCATION
from buttress.attacks.template_library import load, with_slot
from buttress.errors import InputError
from tests.shared import DATA, needs_data


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Be X. [INSERT PROMPT HERE]", "Be X. <R>"),
        ("Be X. {{prompt}} Go!", "Be X. <R> Go!"),
        ("Be X: {{ .Prompt }}", "Be X: <R>"),
        (
            "I write [PROMPT] and you answer. First: [PROMPT]",
            "I write [PROMPT] and you answer. First: <R>",
        ),
        ("Q: <your question>", "Q: <R>"),
        ("Q: {request}", "Q: <R>"),
        ("{request} or {{query}}", "{request } or <R>"),
        ("Q: (enter your question here) A:", "Q: <R> A:"),
        ("扮演X。【】问题：{你的问题}", "扮演X。【】问题：<R>"),
        ("Be X.  ", "Be X.\n\n<R>"),
        ("Use f{x} and [y].", "Use f{x} and [y].\n\n<R>"),
    ],
)
def test_slots(template: str, filled: str) -> None:
    assert with_slot(template).replace("{request}", "<R>") == filled


@given(template=st.text(max_size=80))
def test_there_is_always_exactly_one_slot(template: str) -> None:
    assert with_slot(template).count("{request}") == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '["One [PROMPT]", {"name": "two", "text": "Two"}, "One [PROMPT]"]'),
        ("a.jsonl", '"One [PROMPT]"\n\n{"name": "two", "prompt": "Two"}\n'),
        ("a.csv", 'name,template\n,"One [PROMPT]"\ntwo,Two\n'),
    ],
)
def test_formats(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    attack = load(path)
    assert attack.id == "library-a"
    assert attack.variants == ("template-1", "two")
    assert attack.languages == ("en", "zh")
    assert attack.apply("Why?", "template-1", language="zh", seed=0)[0].content == "One Why?"
    assert attack.apply("Why?", "two", language="en", seed=0)[0].content == "Two\n\nWhy?"
    version = attack.version
    path.write_text(content.replace("Two", "Three"), encoding="utf-8")
    assert load(path).version != version


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.exe", b"x", "unknown kind of file"),
        ("a.json", b"[]", "no template"),
        ("a.json", b'["ok", 7]', r"\[1\].*not a row"),
        ("a.json", b'[{"text": " "}]', r"\[0\].*no text"),
        ("a.json", b"[1", "not JSON"),
        ("a.jsonl", b'"ok"\n{', ":2: not JSON"),
        ("a.jsonl", b'{"text": "a", "name": "x+y"}', ":1: name: unusable name"),
        (
            "a.jsonl",
            b'{"text": "a", "name": "x"}\n{"text": "b", "name": "x"}',
            ":2: name: name 'x' twice",
        ),
        ("a.txt", b"\xff\xfe", "not UTF-8"),
        ("a.csv", b"name,other\nx,y\n", ":2: no text"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json"):
        load(tmp_path / "none.json")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["text", "name", "prompt"]), inner, max_size=3)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    ending=st.sampled_from([".json", ".jsonl", ".csv", ".txt"]),
)
def test_any_bytes_give_templates_or_one_line(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"fuzz{ending}"
    path.write_bytes(data)
    try:
        attack = load(path)
    except InputError as error:
        told = str(error)
        attack = None
    if attack is None:
        assert "\n" not in told
        return
    for variant in attack.variants:
        (message,) = attack.apply("REQUEST", variant, language="en", seed=0)
        assert "REQUEST" in message.content


@needs_data
def test_templates_seen_in_the_wild() -> None:
    assert DATA is not None
    path = DATA / "prompts/in_the_wild_jailbreaks.json"
    attack = load(path)
    held = json.loads(path.read_text(encoding="utf-8"))
    assert len(attack.variants) == len(set(held))
    marked = 0
    for variant in attack.variants:
        (message,) = attack.apply("REQUEST-7", variant, language="en", seed=0)
        assert message.content.count("REQUEST-7") == 1
        marked += not message.content.endswith("\n\nREQUEST-7")
    assert marked > len(attack.variants) // 10
    both = compose(attack, OBFUSCATION, [(attack.variants[0], "base64")])
    assert both.id == "library-in-the-wild-jailbreaks+obfuscation"
