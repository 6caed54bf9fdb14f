"""Turns of a conversation survive import and export: nothing becomes part of another turn."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.store import EvidenceStore
from buttress.labelling.preferences.pairs import label_of, preferences, read_pairs
from buttress.training.record_forms import pair_of
from buttress.workflows.preferences import export, import_pairs

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A system text or none, and turns that end with a user's."""
    said = draw(st.lists(TEXT, min_size=1, max_size=5).filter(lambda all: len(all) % 2 == 1))
    turns = [message(("user", "assistant")[at % 2], text) for at, text in enumerate(said)]
    system = draw(st.none() | TEXT)
    return turns if system is None else [message("system", system), *turns]


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A record of TRL: texts, or messages whose answers part at their first turn."""
    better, worse = draw(st.lists(TEXT, min_size=2, max_size=2, unique=True))
    if draw(st.booleans()):
        return {"prompt": draw(TEXT), "chosen": better, "rejected": worse}
    more = draw(st.just([]) | st.just([message("user", "And?"), message("assistant", "So.")]))
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": [1, "é"]}}}
    first = draw(
        st.sampled_from(
            [
                message("assistant", better),
                message("assistant", [{"type": "text", "text": better}]),
                message("assistant", None, tool_calls=[call]),
            ]
        )
    )
    return {
        "prompt": draw(conversations()),
        "chosen": [first, *more],
        "rejected": [message("assistant", worse)],
    }


def through(form: str, *rows: Any, by_store: bool = False) -> list[dict[str, Any]]:
    """What export writes of what import has read: prompt, chosen and rejected."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "set.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
        import_pairs(folder / "set.jsonl", form, folder / "pairs.jsonl")
        held = folder / "pairs.jsonl"
        if by_store:
            _, labels = read_pairs(held)
            held = folder / "pairs.db"
            with EvidenceStore.open(held) as store:
                store.append(labels)
                assert preferences(store) == labels
        export([held], folder / "train.jsonl")
        lines = (folder / "train.jsonl").read_bytes().splitlines()
    read = [orjson.loads(line) for line in lines]
    return [{name: one[name] for name in ("prompt", "chosen", "rejected")} for one in read]


@given(st.lists(records(), min_size=1, max_size=4), st.booleans())
def test_export_of_import_is_the_identity(rows: list[dict[str, Any]], by_store: bool) -> None:
    asked = [(orjson.dumps(one["prompt"]), {str(one["chosen"]), str(one["rejected"])})
             for one in rows]  # fmt: skip
    rows = [one for at, one in enumerate(rows) if asked[at] not in asked[:at]]
    assert through("trl", *rows, by_store=by_store) == rows


@settings(max_examples=30)
@given(conversations(), st.lists(TEXT, min_size=2, max_size=2, unique=True))
def test_a_shared_beginning_is_the_prompt_wherever_it_stands(
    asked: list[dict[str, Any]], answers: list[str]
) -> None:
    better, worse = ([message("assistant", text)] for text in answers)
    whole = {"chosen": [*asked, *better], "rejected": [*asked, *worse]}
    turns = [one for one in asked if one["role"] != "system"]
    system = [one["content"] for one in asked if one["role"] == "system"]
    shared = {"chosen": [*turns[1:], *better], "rejected": [*turns[1:], *worse]}
    for row in (
        whole,
        {**whole, "prompt": asked},
        {**whole, "prompt": turns[-1]["content"]},
        {"prompt": asked[: len(asked) - len(turns) + 1], **shared},
        {"prompt": turns, "system": (system or [None])[0], "chosen": better, "rejected": worse},
        {"prompt": asked, "chosen": answers[0], "rejected": answers[1]},
    ):
        (read,) = through("trl", row)
        assert read == {"prompt": asked, "chosen": better, "rejected": worse}


WORDS = st.text("abcé .,?'", min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(max_examples=30)
@given(
    st.lists(WORDS, min_size=1, max_size=5).filter(lambda all: len(all) % 2 == 1),
    st.lists(WORDS, min_size=2, max_size=2, unique=True),
)
def test_dialogues_become_turns(said: list[str], answers: list[str]) -> None:
    names = ("Human", "Assistant")
    text = "".join(f"\n\n{names[at % 2]}: {one}" for at, one in enumerate(said))
    chosen, rejected = (f"{text}\n\nAssistant: {one}" for one in answers)
    turns = [message(("user", "assistant")[at % 2], one) for at, one in enumerate(said)]
    expected = {
        "prompt": turns,
        "chosen": [message("assistant", answers[0])],
        "rejected": [message("assistant", answers[1])],
    }
    cut = {"prompt": f"{text}\n\nAssistant:", "chosen": answers[0], "rejected": answers[1]}
    for form, row in (("hh", {"chosen": chosen, "rejected": rejected}), ("hh", cut),
                      ("trl", {"chosen": chosen, "rejected": rejected})):  # fmt: skip
        assert through(form, row) == [expected]


def test_dialogues_that_part_early_keep_their_later_turns() -> None:
    row = {
        "chosen": "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant: So.",
        "rejected": "\n\nHuman: Hi\n\nAssistant: What?\n\nHuman:",
    }
    (read,) = through("hh", row)
    assert [one["content"] for one in read["chosen"]] == ["Hello", "Why?", "So."]
    assert read["rejected"] == [message("assistant", "What?")]


@settings(max_examples=30)
@given(conversations(), st.lists(TEXT, min_size=2, max_size=2, unique=True))
def test_other_tools_turns(asked: list[dict[str, Any]], answers: list[str]) -> None:
    better, worse = ([message("assistant", text)] for text in answers)
    expected = [{"prompt": asked, "chosen": better, "rejected": worse}]
    argilla = {
        "fields": {"prompt": asked, "response1": answers[1], "response2": answers[0]},
        "responses": {"best": [{"value": "response2", "user_id": "ann"}]},
    }
    assert through("argilla", argilla) == expected
    binarised = {"prompt": asked[-1]["content"], "chosen": [*asked, *better],
                 "rejected": [*asked, *worse], "score_chosen": 8, "score_rejected": 2}  # fmt: skip
    assert through("ultrafeedback", binarised) == expected


def test_what_is_exported_trains_as_the_conversation_that_it_was(tmp_path: Path) -> None:
    row = {
        "prompt": [message("user", "Hi"), message("assistant", "Hello"), message("user", "Why?")],
        "chosen": [message("assistant", "So.")],
        "rejected": [message("assistant", "No.")],
    }
    (read,) = through("trl", row)
    question = pair_of(read)
    assert question is not None
    assert [one.role for one in question[0]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ([], "prompt: empty"),
        ([3], r"prompt\[0\]: not an object"),
        ([{"role": 1, "content": "a"}], r"prompt\[0\].role: not text"),
        ([{"role": "user"}], r"prompt\[0\].content: missing"),
        ([{"role": "user", "content": "a", "n": 10**30}], r"prompt\[0\]: can't be written"),
        ([{"role": "user", "tool_calls": [{}]}], r"prompt\[0\].tool_calls\[0\].name: missing"),
    ],
)
def test_messages_that_are_none_are_named(tmp_path: Path, prompt: Any, named: str) -> None:
    import json

    from buttress.errors import InputError

    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": prompt, "chosen": "a", "rejected": "b"}))
    with pytest.raises(InputError, match=f"pairs.jsonl:1: {named}"):
        import_pairs(path, "trl", tmp_path / "out.jsonl")
    if "10" not in named and "written" not in named:
        path.write_text(json.dumps({"prompt": prompt, "first": "a", "second": "b"}))
        with pytest.raises(InputError, match=f"pairs.jsonl:1: {named}"):
            read_pairs(path)


def test_a_labeller_sees_the_turns_and_the_label_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    turns = [message("user", "Hi"), message("assistant", "Hello"), message("user", "Why?")]
    path.write_bytes(orjson.dumps({"prompt": turns, "first": "So.", "second": "No."}))
    ((pair,), _) = read_pairs(path)
    label = label_of(pair, "first", "ann")
    assert label.prompt == "user: Hi\n\nassistant: Hello\n\nuser: Why?"
    assert label.conversation == {"prompt": turns}


def test_both_choices_for_a_pair_are_a_tie() -> None:
    row = {"prompt": "Why?", "chosen": "So.", "rejected": "No."}
    other = {"prompt": "Why?", "chosen": "No.", "rejected": "So."}
    assert through("trl", row, row) == [row]
    assert through("trl", row, other) == []
    assert through("trl", row, other, row) == []


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("argilla", {"fields": {"chat": [message("user", "Why?")], "a": "So.", "b": "No."},
                     "responses": {"best": [{"value": "a", "user_id": "ann"}]}}),
        ("trl", {"context_messages": [message("user", "Why?")],
                 "chosen": [message("assistant", "So.")],
                 "rejected": [message("assistant", "No.")]}),
        ("trl", {"prompt": "",
                 "chosen": [message("user", "Why?"), message("assistant", "So.")],
                 "rejected": [message("user", "Why?"), message("assistant", "No.")]}),
    ],
)  # fmt: skip
def test_prompts_under_other_names(form: str, row: dict[str, Any]) -> None:
    assert through(form, row) == [{
        "prompt": [message("user", "Why?")],
        "chosen": [message("assistant", "So.")],
        "rejected": [message("assistant", "No.")],
    }]  # fmt: skip
