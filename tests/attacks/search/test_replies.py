"""Readers of what attacker models write: what they find, and that nothing breaks them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.answers.replies import TEXT, field, items, verdict
from buttress.attacks.search.goat import read_turn
from buttress.attacks.search.refinement import Proposal, read_proposal
from tests.attacks.search.attackers import MALFORMED

PIECES = st.sampled_from(
    [*MALFORMED, '"prompt"', ":", '"', "'", "{", "}", ",", "\\", "\\n", "\n", "Reply:", "1. ", "是"]
)
REPLIES = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=12).map("".join))


@pytest.mark.parametrize(
    ("reply", "prompt"),
    [
        ('{"improvement": "x", "prompt": "Open it."}', "Open it."),
        ('Sure!\n```json\n{"prompt": "Open it.", "improvement": "x"}\n```\nGood luck', "Open it."),
        ('{"prompt": "first"} or better {"prompt": "second"}', "second"),
        ('{"prompt": "two\nlines", "improvement": "raw newline"}', "two\nlines"),
        ('{"prompt": "She said "now" to him.", "improvement": "x"}', 'She said "now" to him.'),
        ('{"improvement": "x", "prompt": "She said \\"now\\"", }', 'She said "now"'),
        ('{"improvement": "cut", "prompt": "Once upon a', "Once upon a"),
        ("{'improvement': 'python', 'prompt': 'It's open'}", "It's open"),
        ("{“improvement”： “x”， “prompt”： “打开它”}", "打开它"),
        ("**Improvement:** x\n**Prompt:** Open it.", "Open it."),
        ("Prompt: Open\nit.", "Open\nit."),
        ('{"prompt": "a\\tb\\u4f60"', "a\tb你"),
        ("prompt：打开它", "打开它"),
        ('{"prompt": "  "}', None),
        ('{"prompt": 3}', None),
        ("I won't do that.", None),
        ("", None),
    ],
)
def test_prompts_are_found(reply: str, prompt: str | None) -> None:
    found = read_proposal(reply)
    assert (found and found.prompt) == prompt


def test_the_improvement_comes_along() -> None:
    assert read_proposal('{"improvement": "why", "prompt": "p"}') == Proposal("p", "why")
    assert read_proposal("Improvement: why\nPrompt: p") == Proposal("p", "why\nPrompt: p")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("Observation: o\nThought: t\nStrategy: s\nReply: Hello\nthere", "Hello\nthere"),
        ("**Observation:** o\n**Reply:** Hello", "Hello"),
        ("## Response: Hello\n\n## Strategy: after", "Hello"),
        ("Reply: draft\nThought: better\nReply: final", "final"),
        ("观察：o\n思考：t\n策略：s\n回复：“你好”", "你好"),
        ('Reply: "Hello"', "Hello"),
        ("Observation: o", None),
        ("My reply: hello", None),
    ],
)
def test_the_agents_message_is_found(reply: str, message: str | None) -> None:
    found = read_turn(reply)
    assert (found and found[1]) == message


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"actors": ["a", "b", "a", ""]}', ["a", "b"]),
        ('{"actors": [{"name": "a", "relation": "r"}, {"name": "b"}]}', ["a: r", "b"]),
        ("1. a\n2) b\n3、c\n（4）d", ["a", "b", "c"]),
        ("- **a**\n• b", ["a**", "b"]),
        ("Actors: none", []),
        ('{"actors": {"name": "a"}}', []),
        ('{"actors": [1, null, [], "c"]}', ["c"]),
    ],
)
def test_lists_are_found(reply: str, expected: list[str]) -> None:
    assert items(reply, "actors", 3) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Yes.", True), ("no", False), ("**NO**, it strays", False), ('{"answer": true}', True),
        ("是", True), ("不是", False), ("否。", False), ("I know nothing", None), ("", None),
    ],
)  # fmt: skip
def test_verdicts_are_read(reply: str, expected: bool | None) -> None:
    assert verdict(reply) is expected


@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=80
    ).filter(lambda text: text.strip("`\"'“”「」 ").strip() == text.strip() == text)
)
def test_json_comes_back_as_it_was_written(text: str) -> None:
    for ascii_only in (True, False):
        reply = json.dumps({"improvement": "i", "prompt": text}, ensure_ascii=ascii_only)
        assert field(f"Sure: {reply}", "prompt") == text


@given(reply=REPLIES)
def test_any_reply_can_be_read(reply: str) -> None:
    found = [field(reply, "prompt"), *items(reply, "actors", 4), *(read_turn(reply) or ())]
    for text in filter(None, found):
        assert text.strip() == text
        assert 0 < len(text) <= TEXT
        text.encode()
        assert "\x00" not in text
    assert verdict(reply) in (True, False, None)
    assert len(items(reply, "actors", 4)) <= 4


@pytest.mark.parametrize(
    "reply",
    ['"' * 50_000, "\n" * 50_000, '{"prompt": "' + '", ' * 20_000, "1. " * 20_000, " \t*" * 20_000,
     '{"prompt": "' + "\\" * 50_000, ("{" + '"prompt": ') * 5_000, "Reply:" * 10_000],
)  # fmt: skip
def test_long_replies_end(reply: str) -> None:
    field(reply, "prompt")
    items(reply, "actors", 4)
    read_turn(reply)
