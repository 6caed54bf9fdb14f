"""Ordinary requests, to see whether an intervention costs usefulness where nothing is at stake."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from buttress.files.yaml_loader import load_yaml
from buttress.prompts.base import Prompt

CATEGORY: Final = "ordinary"


def load_ordinary(languages: Sequence[str]) -> list[Prompt]:
    """Each task with each topic, in those of ``languages`` that there are (en and zh).

    Ids are ``ordinary-TASK-TOPIC/answer/LANGUAGE``.
    """
    table = _table()
    return [
        Prompt(
            id=f"{CATEGORY}-{task['id']}-{topic['id']}/answer/{language}",
            text=task[language].format(topic=topic[language]),
            expect="answer",
            category=CATEGORY,
            language=language,
            source="buttress",
        )
        for task in table["tasks"]
        for topic in table["topics"]
        for language in ("en", "zh")
        if language in languages
    ]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_yaml(resources.files("buttress.prompts").joinpath("ordinary.yaml"))
    return table
