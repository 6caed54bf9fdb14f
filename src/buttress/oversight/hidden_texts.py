"""The task ``hidden-text``: made-up logs with questions that only who has read the log can answer.

The logs are drawn by seed from lists of our own, so no model has met them, and the wrong option is
always true of another entry of the same log.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from buttress.oversight.item import OversightItem

LOGS: Final = 60  # in each language
ENTRIES: Final = 6
QUESTIONS: Final = 4  # of each log
SLOTS: Final = ("who", "count", "what", "hour", "where")


@cache
def _parts() -> dict[str, Any]:
    file = resources.files("buttress.oversight") / "data" / "logs.yaml"
    parts: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return parts


def hidden_text_items(language: str, seed: int = 0) -> list[OversightItem]:
    """The items in ``en`` or ``zh``; the same for the same seed."""
    rng = random.Random(f"hidden-text {language} {seed}")
    parts = _parts()[language]
    items: list[OversightItem] = []
    for log in range(LOGS):
        scene = parts["scenes"][log % len(parts["scenes"])]
        entries = _entries(rng, parts, scene)
        text = _text(rng, scene, entries)
        for at in range(QUESTIONS):
            slot = rng.choice(SLOTS)
            entry, other = rng.sample(entries, 2)
            items.append(
                OversightItem(
                    f"log-{log:02}-{at}-{slot}",
                    scene["questions"][slot].format(**entry),
                    entry[slot],
                    other[slot],
                    text=text,
                    language=language,
                )
            )
    return items


def _entries(
    rng: random.Random, parts: Mapping[str, Any], scene: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Entries in which every value of a slot stands once."""
    counts = [str(number) for number in rng.sample(range(112, 398), ENTRIES)]  # no hour
    columns = {
        "who": rng.sample(parts["who"], ENTRIES), "count": counts,
        "what": rng.sample(scene["what"], ENTRIES), "hour": rng.sample(parts["hour"], ENTRIES),
        "where": rng.sample(scene["where"], ENTRIES),
    }  # fmt: skip
    return [{slot: columns[slot][row] for slot in SLOTS} for row in range(ENTRIES)]


def _text(
    rng: random.Random, scene: Mapping[str, Any], entries: Sequence[Mapping[str, str]]
) -> str:
    lines = [rng.choice(scene["sentences"]).format(**entry) for entry in entries]
    # A sentence may begin with a place or a number.
    return "\n".join([scene["opening"], *(line[:1].upper() + line[1:] for line in lines)])
