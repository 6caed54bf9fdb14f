"""Tasks with known answers: those that ship, by name, and files of multiple-choice questions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from buttress.errors import InputError
from buttress.oversight.arithmetic import arithmetic_items
from buttress.oversight.choice_files import read_choice_items
from buttress.oversight.hidden_texts import hidden_text_items
from buttress.oversight.item import OversightItem
from buttress.probes.behaviour.factual import facts


@dataclass(frozen=True, slots=True)
class OversightTask:
    """Items in the order in which they are asked; ``digest`` is that of the items, in hex."""

    name: str
    items: tuple[OversightItem, ...]
    digest: str

    @property
    def hides_text(self) -> bool:
        """Whether the worker reads what the overseer does not."""
        return any(item.text for item in self.items)


def honesty_items(language: str, seed: int = 0) -> list[OversightItem]:
    """Facts beside what people wrongly believe, those of the probe ``overconfidence``."""
    del seed
    return [
        OversightItem(one.id, one.question, one.right[0], one.wrong, language=language)
        for one in facts()
        if one.language == language
    ]


TASKS: Final[dict[str, Callable[[str, int], list[OversightItem]]]] = {
    "hidden-text": hidden_text_items,
    "arithmetic": arithmetic_items,
    "honesty": honesty_items,
}


def load_task(name: str, *, language: str = "en", seed: int = 0) -> OversightTask:
    """The task of that name, or of the file at that path, in an order drawn by seed.

    Args:
        name: one of ``TASKS``, or a path.
        language: ``en`` or ``zh``, of a task that ships; a file has its own.
        seed: of order, wrong options and made-up texts.

    Raises:
        InputError: no such task or file, or not multiple-choice questions.
    """
    if name in TASKS:
        items = TASKS[name](language, seed)
        told = f"{name} ({language})"
    else:
        path = Path(name)
        if not path.exists():
            raise InputError(
                f"no task and no file '{name}'", field="--task",
                expected=", ".join(TASKS) + " or a file of multiple-choice questions",
            )  # fmt: skip
        items = read_choice_items(path, seed)
        told = path.name
    random.Random(f"task {seed}").shuffle(items)
    plain = [[i.id, i.question, i.right, i.wrong, i.text, i.language] for i in items]
    return OversightTask(told, tuple(items), hashlib.sha256(orjson.dumps(plain)).hexdigest())
