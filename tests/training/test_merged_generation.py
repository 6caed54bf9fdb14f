"""Drawing answers with the adapter merged: the same answers, and weights as they were."""

from __future__ import annotations

from typing import Any

import pytest

torch: Any = pytest.importorskip("torch")
pytest.importorskip("peft")

from buttress.training.adapter import add_adapter  # noqa: E402
from buttress.training.merged_generation import merge_while_generating  # noqa: E402
from buttress.training.settings import LoraSettings  # noqa: E402
from tests.white_box.tiny import model  # noqa: E402


def adapted(kind: str) -> Any:
    made = add_adapter(model(kind), LoraSettings(rank=4), 0)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    return made


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen3"])
def test_answers_are_the_same_and_weights_come_back_bit_for_bit(kind: str) -> None:
    made = adapted(kind).eval()
    ids = torch.tensor([[1, 5, 9, 20], [1, 7, 30, 31]])
    options = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "max_new_tokens": 12,
               "do_sample": False, "pad_token_id": 0}  # fmt: skip
    with made.disable_adapter():
        bare = made.generate(**options)
    expected = made.generate(**options)
    assert not torch.equal(bare, expected)  # the adapter matters here
    before = {name: value.clone() for name, value in made.state_dict().items()}
    merge_while_generating(made)
    assert torch.equal(made.generate(**options), expected)
    after = made.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_weights_come_back_though_drawing_fails() -> None:
    made = adapted("llama")
    merge_while_generating(made)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    with pytest.raises(AttributeError):
        made.generate(input_ids="none", max_new_tokens=1)
    assert all(torch.equal(before[name], value) for name, value in made.state_dict().items())


def test_half_precision_is_left_as_it_is() -> None:
    made = adapted("llama").bfloat16()
    generate = made.generate
    merge_while_generating(made)
    assert made.generate == generate
