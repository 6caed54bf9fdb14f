"""Hidden states of many conversations against plain passes of each."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.hidden_states import hidden_states
from buttress.white_box.residual import ablated, added, recorded
from tests.white_box.tiny import model, tokenizer

TEXTS = ["tell a tale", "tell a tale of the sea and the stars", "the lake"]
CONVERSATIONS = [(Message("user", text),) for text in TEXTS]


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma2", "gpt2"])
def test_states_of_a_padded_batch_are_those_of_single_passes(kind: str) -> None:
    made = model(kind)
    counts: list[int] = []
    found = hidden_states(made, tokenizer(), CONVERSATIONS, batch=2, progress=counts.append)
    assert found.layers == (0, 1, 2, 3)
    assert found.last.shape == found.mean.shape == (3, 4, 32)
    assert counts == [2, 3]
    for at, messages in enumerate(CONVERSATIONS):
        ids = encode(tokenizer(), [question_text(tokenizer(), messages)])
        with torch.no_grad():
            plain = made(torch.tensor(ids), output_hidden_states=True).hidden_states
        for layer in range(3):  # what transformers gives last has passed the final norm
            torch.testing.assert_close(found.at(layer)[at], plain[layer][0, -1], atol=2e-4, rtol=0)
            torch.testing.assert_close(
                found.mean[at, layer], plain[layer][0].mean(0), atol=2e-4, rtol=0
            )
        normed = (made.transformer.ln_f if kind == "gpt2" else made.model.norm)(found.last[at, 3])
        torch.testing.assert_close(normed.detach(), plain[3][0, -1], atol=2e-4, rtol=0)


def test_some_layers_are_those_of_all() -> None:
    made = model()
    found = hidden_states(made, tokenizer(), CONVERSATIONS)
    some = hidden_states(made, tokenizer(), CONVERSATIONS, layers=[3, 1])
    torch.testing.assert_close(some.last, found.last[:, [3, 1]])
    torch.testing.assert_close(some.at(1), found.at(1))


def test_what_is_changed_outside_is_read_changed() -> None:
    made = model()
    vector = torch.randn(32, generator=torch.Generator().manual_seed(1))
    plain = hidden_states(made, tokenizer(), CONVERSATIONS)
    with added(made, vector, 1):
        moved = hidden_states(made, tokenizer(), CONVERSATIONS)
    torch.testing.assert_close(moved.at(1), plain.at(1) + vector)
    with ablated(made, vector):
        without = hidden_states(made, tokenizer(), CONVERSATIONS)
    assert float((without.last @ vector).abs().max()) < 1e-3
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in made.modules())


def test_wrong_layers_and_nothing_to_read_are_told() -> None:
    with pytest.raises(InputError, match="layer: 4; expected 0 to 3"):
        hidden_states(model(), tokenizer(), CONVERSATIONS, layers=[0, 4])
    with pytest.raises(InputError, match="no conversation"):
        hidden_states(model(), tokenizer(), [])
    made = model()
    with pytest.raises(InputError), recorded(made, [1, -1]):
        pass
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in made.modules())
