"""Tiny random models with a byte-level tokenizer that merges, as real ones do."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import transformers as untyped
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from buttress.targets.base import Message

transformers: Any = untyped
torch.set_num_threads(1)  # faster for tiny models, above all where many tests run at once
TEMPLATE = (
    "{% for m in messages %}{{ '<s>' + m.role + '\n' + m.content + '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"
)
WORDS = "sure here is a tale of the sea and the stars that shine over the old house by the lake"
QUESTION = (Message("system", "be kind"), Message("user", "tell a tale of the sea"))
INITIAL = " x x x x x x"


@cache
def tokenizer(template: str | None = TEMPLATE) -> Any:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    made.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = [f"{WORDS} user assistant system", WORDS.title()] * 20
    made.train_from_iterator(corpus, trainer)
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    wrapped.chat_template = template
    return wrapped


def model(kind: str = "llama", seed: int = 0) -> Any:
    """A causal language model of 3 layers and size 32, in float32."""
    size = len(tokenizer())
    shape: dict[str, Any] = {
        "vocab_size": size,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 256,
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    t = transformers
    config: Any
    if kind == "llama":
        config = t.LlamaConfig(**shape)
    elif kind == "qwen3":
        config = t.Qwen3Config(**shape, tie_word_embeddings=True)
    elif kind == "gemma2":  # scaled embeddings, sandwich norms, sliding windows shorter than texts
        config = t.Gemma2Config(**shape, sliding_window=8, query_pre_attn_scalar=8)
    elif kind == "gpt2":
        config = t.GPT2Config(
            vocab_size=size, n_embd=32, n_layer=3, n_head=4, n_positions=256, initializer_range=0.3,
            bos_token_id=1, eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
    else:
        config = t.MambaConfig(
            vocab_size=size, hidden_size=32, num_hidden_layers=3, state_size=4,
            initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
    torch.manual_seed(seed)
    return t.AutoModelForCausalLM.from_config(config).eval()


def plain_nll(given: Any, ids: list[int], target: list[int]) -> torch.Tensor:
    """Each target token's negative log-likelihood, by one plain pass."""
    with torch.no_grad():
        logits = given(input_ids=torch.tensor([ids + target])).logits[0].double()
    rows = logits[len(ids) - 1 : -1].log_softmax(1)
    return -rows.gather(1, torch.tensor(target)[:, None])[:, 0]
