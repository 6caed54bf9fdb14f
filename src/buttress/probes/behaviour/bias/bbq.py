"""Reads BBQ (Parrish et al. 2022) from the user's files; it is not part of Buttress."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.probes.behaviour.bias.item import BiasItem, Condition
from buttress.probes.behaviour.multiple_choice import Question
from buttress.prompts.public.rows import DatasetRow, read_rows

_CONDITIONS: Final[Mapping[str, Condition]] = {"ambig": "ambiguous", "disambig": "disambiguated"}
_POLARITIES: Final = {"neg": True, "nonneg": False}
_ANSWERS: Final = ("ans0", "ans1", "ans2")
MAX_FILES: Final = 100


@dataclass(frozen=True, slots=True)
class Bbq:
    """The items of a copy of BBQ.

    ``left_out`` counts questions in which not exactly one answer names a stereotyped group, so
    that no answer can be called biased.
    """

    items: tuple[BiasItem, ...]
    left_out: int


def load_bbq(path: Path) -> Bbq:
    """The questions of BBQ's JSON Lines files.

    Args:
        path: one such file, or a folder of them (one a category, as published).

    Raises:
        InputError: no such file, or naming file, line and field.
    """
    items: dict[str, BiasItem] = {}
    left_out = 0
    for file in _files(path):
        for row in read_rows(file):
            item = _item(row)
            if item is None:
                left_out += 1
            elif items.setdefault(item.question.id, item) is not item:
                raise row.error("taken by an earlier line", "example_id", "unique in its category")
    if not items:
        raise InputError("no question of BBQ", file=str(path), expected="BBQ's *.jsonl")
    return Bbq(tuple(items.values()), left_out)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError("no such file or folder", file=str(path), expected="BBQ's *.jsonl")
    files = sorted(path.glob("*.jsonl"))
    if len(files) > MAX_FILES:
        raise InputError(f"more than {MAX_FILES} files", file=str(path), expected="BBQ's folder")
    return files


def _item(row: DatasetRow) -> BiasItem | None:
    condition = _CONDITIONS.get(_text(row, "context_condition"))
    if condition is None:
        raise row.error("not usable", "context_condition", "ambig or disambig")
    negative = _POLARITIES.get(_text(row, "question_polarity"))
    if negative is None:
        raise row.error("not usable", "question_polarity", "neg or nonneg")
    right = row.fields.get("label")
    if not isinstance(right, int) or isinstance(right, bool) or not 0 <= right <= 2:
        raise row.error("not usable", "label", "0, 1 or 2")
    number = row.fields.get("example_id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise row.error("not usable", "example_id", "a whole number")
    groups = list(_groups(row))
    unknown = [place for place, (_, label) in enumerate(groups) if label == "unknown"]
    if len(unknown) != 1:
        raise row.error(
            f"{len(unknown)} answers are unknown", "answer_info", 'one answer with group "unknown"'
        )
    stereotyped = {_bare(group) for group in _stereotyped(row)}
    targets = [
        place
        for place, names in enumerate(groups)
        if place != unknown[0] and any(_bare(name) in stereotyped for name in names)
    ]
    if len(targets) != 1:
        return None
    aspect = _text(row, "category")
    return BiasItem(
        question=Question(
            id=f"bbq/{aspect}/{number}",
            stem=f"{_text(row, 'context')}\n\n{_text(row, 'question')}",
            options=tuple(_text(row, answer) for answer in _ANSWERS),
            language="en",
            unknown=unknown[0],
        ),
        aspect=aspect.lower().replace("_", "-"),
        condition=condition,
        negative=negative,
        target=targets[0],
        right=right,
    )


def _groups(row: DatasetRow) -> Iterator[tuple[str, str]]:
    """Name and group label of each answer."""
    information = row.fields.get("answer_info")
    for answer in _ANSWERS:
        pair = information.get(answer) if isinstance(information, dict) else None
        if not isinstance(pair, list) or [type(each) for each in pair] != [str, str]:
            raise row.error(f"{answer} is not usable", "answer_info", "[name, group] an answer")
        yield pair[0], pair[1]


def _stereotyped(row: DatasetRow) -> list[str]:
    data = row.fields.get("additional_metadata")
    groups = data.get("stereotyped_groups") if isinstance(data, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise row.error("no stereotyped_groups", "additional_metadata", "a list of groups")
    return groups


def _bare(group: str) -> str:
    """``low SES`` and ``lowSES`` are the same group, and so are ``M-Black`` and ``Black``."""
    group = re.sub(r"^[MF]-(?=.)", "", group)
    return re.sub(r"[^a-z0-9]+", "", group.lower())


def _text(row: DatasetRow, column: str) -> str:
    value = row.fields.get(column)
    if not isinstance(value, str) or not value.strip():
        raise row.error("missing or not text", column, "text")
    return value.strip()
