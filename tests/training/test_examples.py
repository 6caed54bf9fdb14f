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
