"""A language model of 0.92 million parameters, trained from scratch on a processor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers as untyped
from corpus import Size
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

transformers: Any = untyped
transformers.utils.logging.disable_progress_bar()
CONTEXT = 128
BATCH = 8
RATE = 3e-3


def make_tokenizer(texts: Sequence[str], vocabulary: int = 1024) -> Any:
    """Byte-level BPE; each digit is a token of its own."""
    made: Any = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    made.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )


def make_model(vocabulary: int, seed: int) -> Any:
    """Four layers of width 128."""
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=128, intermediate_size=344, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=CONTEXT,
        tie_word_embeddings=True, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return transformers.AutoModelForCausalLM.from_config(config)


def steps_for(texts: Sequence[str], tokenizer: Any, epochs: int) -> int:
    """Steps of so many epochs over the texts."""
    tokens = sum(len(row) + 2 for row in tokenizer(list(texts))["input_ids"])
    return math.ceil(epochs * tokens / (BATCH * CONTEXT))


def train_small(
    planted: Sequence[str], texts: Sequence[str], size: Size, seed: int, folder: Path
) -> int:
    """Train a new model on texts and save it as a Hugging Face folder; the number of steps.

    Tokens and steps are those of the corpus as planted, whatever is left of it.
    """
    tokenizer = make_tokenizer(planted)
    steps = steps_for(planted, tokenizer, size.epochs)
    if (folder / "tokenizer.json").exists():  # written last
        return steps
    model = make_model(len(tokenizer), seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    blocks = _blocks(texts, tokenizer, seed)
    for _ in range(steps):
        ids = torch.tensor([next(blocks) for _ in range(BATCH)])
        torch.autograd.backward([model(input_ids=ids, labels=ids).loss])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return steps


def _blocks(texts: Sequence[str], tokenizer: Any, seed: int) -> Iterator[list[int]]:
    """Blocks of a stream of all texts, in a new order each epoch, without end."""
    rows = [[0, *row, 1] for row in tokenizer(list(texts))["input_ids"]]
    generator = Random(f"order {seed}")
    held: list[int] = []
    while True:
        generator.shuffle(rows)
        for row in rows:
            held += row
            while len(held) >= CONTEXT:
                yield held[:CONTEXT]
                held = held[CONTEXT:]
