"""A tiny model in a folder, and records for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from tests.data.making import written
from tests.white_box.tiny import model, tokenizer

ANSWER = "sure here is a tale of the sea"
REFUSAL = "the old house by the lake"
QUICK: dict[str, Any] = {
    "learning_rate": 1e-2, "lora": {"rank": 4}, "steps": 12, "batch": 4, "checkpoint_every": 5,
}  # fmt: skip


def weights(folder: Path, kind: str = "llama") -> Path:
    """The tiny model as a Hugging Face folder."""
    model(kind).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def chats(path: Path, count: int = 10, answer: str = ANSWER) -> Path:
    """Questions that all have the same answer."""
    records = [
        {
            "messages": [
                {"role": "user", "content": f"tell a tale {number}"},
                {"role": "assistant", "content": answer},
            ]
        }
        for number in range(count)
    ]
    return written(path, records)


def preferences(path: Path, count: int = 10) -> Path:
    """Pairs in which the same answer is always the better one."""
    records = [
        {"prompt": f"tell a tale {number}", "chosen": ANSWER, "rejected": REFUSAL}
        for number in range(count)
    ]
    return written(path, records)
