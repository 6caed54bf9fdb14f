"""Folders that transformers loads as language models in silence, though they are none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch")
transformers: Any = pytest.importorskip("transformers")

from buttress.errors import InputError  # noqa: E402
from buttress.targets.generation import Generator  # noqa: E402
from buttress.white_box.loading import load  # noqa: E402
from tests.white_box.tiny import model, tokenizer  # noqa: E402


def folder_of(folder: Path, made: Any) -> Path:
    made.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def refused(folder: Path, why: str) -> None:
    for how in (lambda: load(folder, device="cpu"), lambda: Generator(folder, "cpu", None)):
        with pytest.raises(InputError, match=why):
            how()


def encoder() -> Any:
    return transformers.BertForMaskedLM(transformers.BertConfig(
        vocab_size=len(tokenizer()), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, initializer_range=0.3,
    ))  # fmt: skip


def test_an_encoder_is_no_model_that_writes(tmp_path: Path) -> None:
    refused(folder_of(tmp_path / "bert", encoder()), "bert: its tokens see those that come later")


def test_weights_without_their_head_are_not_filled_at_random(tmp_path: Path) -> None:
    model().save_pretrained(tmp_path / "whole")
    made = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "whole", num_labels=1
    )
    refused(folder_of(tmp_path / "classifier", made), "the weights lack lm_head.weight; expected a")


def test_an_encoder_decoder_is_named_by_its_type(tmp_path: Path) -> None:
    config = transformers.T5Config(
        vocab_size=len(tokenizer()), d_model=32, d_kv=8, d_ff=48, num_layers=1, num_heads=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    refused(
        folder_of(tmp_path / "t5", transformers.T5ForConditionalGeneration(config)),
        "no causal language model of type t5; expected",
    )


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma2", "gpt2", "mamba"])
def test_models_that_write_are_loaded(tmp_path: Path, kind: str) -> None:
    loaded, _ = load(folder_of(tmp_path / kind, model(kind)), device="cpu")
    assert not loaded.training


def test_pieces_and_half_precision_are_the_same_model(tmp_path: Path) -> None:
    whole = folder_of(tmp_path / "whole", model())
    made = model()
    made.save_pretrained(tmp_path / "pieces", max_shard_size="20KB")
    tokenizer().save_pretrained(tmp_path / "pieces")
    assert len(list((tmp_path / "pieces").glob("*.safetensors"))) > 1
    ids = torch.tensor([[1, 5, 9]])
    expected = load(whole, device="cpu")[0](ids).logits
    assert torch.equal(load(tmp_path / "pieces", device="cpu")[0](ids).logits, expected)
    half = folder_of(tmp_path / "half", model().bfloat16())
    loaded, _ = load(half, device="cpu")
    assert loaded.dtype == torch.float32
    assert torch.allclose(loaded(ids).logits, expected, atol=0.5)
    shutil.copytree(tmp_path / "pieces", tmp_path / "cut")
    sorted((tmp_path / "cut").glob("*.safetensors"))[0].unlink()
    refused(tmp_path / "cut", "cut: can't be loaded")


def with_tokens(folder: Path, **more: Any) -> Path:
    """A model and a tokenizer that has been given more tokens."""
    model().save_pretrained(folder)
    words = transformers.AutoTokenizer.from_pretrained(folder_of(folder, model()))
    words.add_special_tokens(more)
    words.save_pretrained(folder)
    return folder


def test_tokens_that_the_model_does_not_embed_are_named(tmp_path: Path) -> None:
    folder = with_tokens(tmp_path / "more", additional_special_tokens=["<one>", "<two>"])
    refused(folder, "2 tokens that the model doesn't embed, such as '<one>'; expected the model's")


def test_a_padding_token_that_the_model_does_not_embed_is_not_used(tmp_path: Path) -> None:
    folder = with_tokens(tmp_path / "pad", pad_token="[PAD]")
    _, words = load(folder, device="cpu")
    assert words.pad_token == "</s>"
