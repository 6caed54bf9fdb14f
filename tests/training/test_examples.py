"""Records as token ids: what is given and what is learned."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from buttress.errors import InputError
from buttress.training.examples import ExampleReader, TrainingExample
from tests.white_box.tiny import tokenizer


def read(*records: dict[str, Any], most: int = 200, **more: Any) -> Any:
    return ExampleReader(tokenizer(), most).examples(records, **more)


def parts(example: TrainingExample) -> tuple[str, str]:
    """What is given and what is learned, as text."""
    decode = tokenizer().decode
    return decode(list(example.ids[: example.start])), decode(list(example.ids[example.start :]))


def test_each_answer_of_a_chat_is_learned_after_what_stands_before_it() -> None:
    turns = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
        {"role": "assistant", "content": "four"},
    ]
    first, second = read({"messages": turns}).examples
    assert parts(first) == ("<s>system\nbe kind</s><s>user\none</s><s>assistant\n", "two</s>")
    before = "<s>system\nbe kind</s><s>user\none</s><s>assistant\ntwo</s><s>user\nthree</s>"
    assert parts(second) == (before + "<s>assistant\n", "four</s>")


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "one", "completion": "two"},
        {"instruction": "one", "input": "", "output": "two"},
        {"question": "one", "answer": "two"},
        {"prompt": [{"role": "user", "content": "one"}],
         "completion": [{"role": "assistant", "content": "two"}]},
        {"conversations": [{"from": "human", "value": "one"}, {"from": "gpt", "value": "two"}]},
    ],
)  # fmt: skip
def test_forms_of_a_prompt_and_an_answer(record: dict[str, Any]) -> None:
    (one,) = read(record).examples
    assert parts(one) == ("<s>user\none</s><s>assistant\n", "two</s>")


def test_input_and_system_text_stand_in_the_prompt() -> None:
    (one,) = read({"system": "s", "instruction": "one", "input": "x", "output": "two"}).examples
    assert parts(one)[0] == "<s>system\ns</s><s>user\none\n\nx</s><s>assistant\n"


def test_without_a_template_the_completion_follows_the_prompt() -> None:
    reader = ExampleReader(tokenizer(None), 100)
    (one,) = reader.examples([{"prompt": "one", "completion": " two"}]).examples
    assert tokenizer().decode(list(one.ids)) == "one two</s>"


def test_all_tokens_of_a_long_text_are_learned_once() -> None:
    text = "the sea and the stars " * 20
    made = read({"text": text}, most=16)
    learned = [token for one in made.examples for token in one.ids[one.start :]]
    assert tokenizer().decode(learned) == text + "</s>"
    assert max(len(one.ids) for one in made.examples) == 16
    assert {one.record for one in made.examples} == {0}


def test_one_example_a_record_where_a_record_is_protected() -> None:
    made = read({"text": "the sea and the stars " * 20}, {"text": "sea"}, most=16, whole=True)
    assert [one.record for one in made.examples] == [0, 1]
    assert made.left_out == {"cut to one example": 1}


def test_what_is_left_out_is_told() -> None:
    made = read(
        {"prompt": "one", "completion": "two"},
        {"prompt": "the sea " * 200, "completion": "two"},
        {"number": 1},
        {"messages": [{"role": "user", "content": "alone"}]},
        {"prompt": "one", "completion": "the sea " * 200},
    )
    assert [one.record for one in made.examples] == [0, 4]
    assert made.left_out == {
        "prompt longer than max_tokens": 1,
        "no example in it": 1,
        "no answer of the assistant to a user": 1,
        "answer cut": 1,
    }


def test_no_example_is_an_error() -> None:
    with pytest.raises(InputError, match="no example in 1 records"):
        read({"number": 1})
    with pytest.raises(InputError, match="no label true or false: 1"):
        read({"prompt": "one", "completion": "two"}, labelled=True)


def test_pairs_of_texts_and_of_messages() -> None:
    turns = [{"role": "user", "content": "one"}]
    made = ExampleReader(tokenizer(), 100).pairs(
        [
            {"prompt": "one", "chosen": "two", "rejected": "three"},
            {
                "chosen": [*turns, {"role": "assistant", "content": "two"}],
                "rejected": [*turns, {"role": "assistant", "content": "three"}],
            },
            {"prompt": "one", "chosen": "two", "rejected": "two"},
            {"prompt": "one", "chosen": "two"},
        ]
    )
    assert made.pairs[0].chosen.ids == made.pairs[1].chosen.ids
    assert parts(made.pairs[0].rejected) == ("<s>user\none</s><s>assistant\n", "three</s>")
    assert made.left_out == {"equal answers": 1, "no pair": 1}


SYSTEM = {"role": "system", "content": "s"}
ONE, TWO = {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}
MORE, LAST = {"role": "user", "content": "more"}, {"role": "assistant", "content": "last"}
OTHER = {"role": "assistant", "content": "other"}


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [SYSTEM, ONE, TWO | {"weight": 0}, MORE, LAST]},
        {"messages": [SYSTEM, ONE, TWO | {"weight": 0}, MORE,
                      LAST | {"content": [{"type": "text", "text": "last"}]}]},
        {"system": "s", "conversations": [
            {"from": "human", "value": "one"}, {"from": "gpt", "value": "two", "weight": 0},
            {"from": "human", "value": "more"}, {"from": "gpt", "value": "last"}]},
        {"system": "s", "history": [["one", "two"]], "instruction": "more", "output": "last"},
        {"system": "s", "prompt": [ONE, TWO, MORE], "completion": [LAST]},
    ],
)  # fmt: skip
def test_system_text_and_earlier_turns_are_given_in_every_form(record: dict[str, Any]) -> None:
    (one,) = read(record).examples
    given, learned = parts(one)
    assert given.startswith("<s>system\ns</s><s>user\none</s><s>assistant\ntwo</s><s>user\nmore")
    assert learned == "last</s>"


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": [SYSTEM, ONE, TWO, MORE], "chosen": [LAST], "rejected": [OTHER]},
        {"prompt": "one", "system": "s", "chosen": [ONE, TWO, MORE, LAST],
         "rejected": [ONE, TWO, MORE, OTHER]},
        {"prompt": "more", "chosen": [SYSTEM, ONE, TWO, MORE, LAST],
         "rejected": [SYSTEM, ONE, TWO, MORE, OTHER]},
        {"prompt": [SYSTEM, ONE], "chosen": [TWO, MORE, LAST], "rejected": [TWO, MORE, OTHER]},
        {"chosen": [SYSTEM, ONE, TWO, MORE, LAST], "rejected": [SYSTEM, ONE, TWO, MORE, OTHER]},
        {"system": "s", "conversations": [
            {"from": "human", "value": "one"}, {"from": "gpt", "value": "two"},
            {"from": "human", "value": "more"}],
         "chosen": {"from": "gpt", "value": "last"}, "rejected": {"from": "gpt", "value": "other"}},
    ],
)  # fmt: skip
def test_a_pair_keeps_its_whole_conversation_in_every_form(record: dict[str, Any]) -> None:
    (pair,) = ExampleReader(tokenizer(), 200).pairs([record]).pairs
    given, learned = parts(pair.chosen)
    turns = "<s>system\ns</s><s>user\none</s><s>assistant\ntwo</s><s>user\nmore</s><s>assistant\n"
    assert (given, learned) == (turns, "last</s>")
    assert parts(pair.rejected) == (turns, "other</s>")


def test_what_a_turn_or_a_pair_lacks_is_told() -> None:
    tool = {"role": "tool", "content": "42"}
    picture = ONE | {"content": [{"type": "image_url", "image_url": {"url": "x"}}]}
    made = read({"messages": [ONE, TWO]}, {"messages": [ONE, tool, TWO]},
                {"messages": [picture, TWO]})  # fmt: skip
    assert [one.record for one in made.examples] == [0]
    assert made.left_out == {"a turn of another role, or without text": 2}
    apart = {"prompt": "one", "chosen": [ONE, TWO, MORE, LAST], "rejected": [ONE, OTHER]}
    with pytest.raises(InputError, match=r"no pair: 1.*preferences import"):
        ExampleReader(tokenizer(), 100).pairs([apart])
