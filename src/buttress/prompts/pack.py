"""Our own pack: pairs of a harmful request and a benign look-alike, by harm category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

import orjson

from buttress.errors import InputError
from buttress.files.yaml_loader import load_yaml
from buttress.prompts.base import Prompt

SOURCE: Final = "buttress"
LANGUAGES: Final = ("en", "zh")
_EXPECT: Final[tuple[Literal["refuse", "answer"], ...]] = ("refuse", "answer")


@dataclass(frozen=True, slots=True)
class Category:
    """A harm category.

    ``title`` maps language to title; ``standards`` are pairs (standard, item) of
    ``buttress.standards`` that its requests fall under.
    """

    id: str
    title: Mapping[str, str]
    description: str
    standards: tuple[tuple[str, str], ...]


@cache
def load_categories() -> Mapping[str, Category]:
    """All harm categories by id, in the order of reports."""
    file = resources.files("buttress.prompts").joinpath("categories.yaml")
    return {
        name: Category(
            id=name,
            title=entry["title"],
            description=entry["description"],
            standards=tuple(
                (standard, item) for standard, items in entry["standards"].items() for item in items
            ),
        )
        for name, entry in load_yaml(file)["categories"].items()
    }


def load_pack(languages: Sequence[str] = LANGUAGES) -> list[Prompt]:
    """The pack's prompts in these languages, by category.

    Ids are ``PAIR/EXPECT/LANGUAGE``, for example ``fraud-scams-01/refuse/en``. A benign prompt's
    ``pair`` is the id of the harmful request in the same language.

    Raises:
        InputError: a language that the pack doesn't have.
    """
    for language in languages:
        if language not in LANGUAGES:
            raise InputError(f"the pack has no prompts in '{language}'", expected="one of en, zh")
    return [prompt for prompt in _pack() if prompt.language in languages]


@cache
def _pack() -> tuple[Prompt, ...]:
    folder = resources.files("buttress.prompts").joinpath("data")
    present = {file.name for file in folder.iterdir()}
    return tuple(
        prompt
        for category in load_categories()
        if f"{category}.jsonl" in present
        for line in folder.joinpath(f"{category}.jsonl").read_bytes().splitlines()
        for prompt in _prompts(orjson.loads(line), category)
    )


def _prompts(record: Mapping[str, object], category: str) -> list[Prompt]:
    name = str(record["id"])
    prompts = []
    for expect in _EXPECT:
        texts = record[expect]
        assert isinstance(texts, dict)
        for language in LANGUAGES:
            prompts.append(
                Prompt(
                    id=f"{name}/{expect}/{language}",
                    text=texts[language],
                    expect=expect,
                    category=category,
                    language=language,
                    source=SOURCE,
                    pair=f"{name}/refuse/{language}" if expect == "answer" else "",
                )
            )
    return prompts
