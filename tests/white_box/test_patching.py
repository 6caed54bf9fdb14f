"""Activation patching against plain passes with one layer's states replaced by hand."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from buttress.errors import InputError
from buttress.white_box.explanation.patching import patch_layers
from buttress.white_box.explanation.scored_answer import ScoredAnswer
from tests.white_box.tiny import model, tokenizer

ATTACKED = "here is a tale: tell a tale of the sea"
PLAIN = "tell a tale of the sea"


def scored(made: Any, prompt: str) -> ScoredAnswer:
    return ScoredAnswer(made, tokenizer(), prompt, "sure here")


@pytest.mark.parametrize("kind", ["llama", "gemma2", "gpt2"])
def test_each_layer_is_patched_as_by_hand(kind: str) -> None:
    made = model(kind).double().requires_grad_(False)
    attacked, plain = scored(made, ATTACKED), scored(made, PLAIN)
    found = patch_layers(attacked, plain)
    tail = tokenizer()("</s><s>assistant\n", add_special_tokens=False)["input_ids"]
    assert found.tokens == len(tail)
    assert found.attacked == pytest.approx(attacked.scores_without([[]])[0])
    assert found.plain == pytest.approx(plain.scores_without([[]])[0])
    layers = made.transformer.h if kind == "gpt2" else made.model.layers
    for layer in range(3):
        kept: dict[str, torch.Tensor] = {}

        def keep(_: Any, given: Any, kept: Any = kept) -> None:
            kept["state"] = given[0][0, -found.tokens :].clone()

        def put(_: Any, given: Any, kept: Any = kept) -> Any:
            stream = given[0].clone()
            end = len(attacked.question)
            stream[0, end - found.tokens : end] = kept["state"]
            return (stream, *given[1:])

        handle = layers[layer].register_forward_pre_hook(keep)
        made(torch.tensor([plain.question]))
        handle.remove()
        handle = layers[layer].register_forward_pre_hook(put)
        logits = made(torch.tensor([[*attacked.question, *attacked.answer]])).logits[0]
        handle.remove()
        rows = logits[len(attacked.question) - 1 : -1].log_softmax(1)
        total = float(rows.gather(1, torch.tensor(attacked.answer)[:, None]).sum())
        assert found.undone[layer] == pytest.approx(total, abs=1e-5)
    assert not any(one._forward_pre_hooks for one in made.modules())


def test_the_same_prompt_changes_nothing_and_the_last_layer_matters() -> None:
    made = model().double().requires_grad_(False)
    same = patch_layers(scored(made, PLAIN), scored(made, PLAIN))
    assert same.undone == pytest.approx([same.plain] * 3)
    other = patch_layers(scored(made, ATTACKED), scored(made, PLAIN))
    assert other.undone != pytest.approx([other.attacked] * 3)


def test_another_answer_is_told() -> None:
    made = model()
    with pytest.raises(InputError, match="--plain"):
        patch_layers(scored(made, ATTACKED), ScoredAnswer(made, tokenizer(), PLAIN, "the sea"))
