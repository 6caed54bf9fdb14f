"""What is known of licences: names, ids and terms, read from ``data/licences.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from buttress.probes.artifacts.issue import load_yaml

_FILE: Final = Path(__file__).parent / "data/licences.yaml"
_MARKS: Final = re.compile(r"[^a-z0-9.+]+")
MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence and its terms; the fields are explained at the head of the data file."""

    id: str
    spdx: bool
    commercial: str
    copyleft: str
    share_alike: bool
    derivatives: bool
    restricts: bool
    passes_on: bool
    source: str
    condition: str = ""
    territory: str = ""
    names: tuple[str, ...] = ()
    text: tuple[tuple[str, ...], ...] = ()
    models: tuple[str, ...] = ()

    def has(self, facts: Mapping[str, Any]) -> bool:
        """Whether each fact is one of the values that are given for it."""
        return all(self._fact(name) in values for name, values in facts.items())

    def _fact(self, name: str) -> Any:
        value = getattr(self, name)
        return bool(value) if name in ("condition", "territory") else value


@cache
def licences() -> Mapping[str, Licence]:
    """All licences by id."""
    data = load_yaml(_FILE)
    found = {}
    for one in data["licences"]:
        fields = {**data["defaults"], **one}
        for name in ("names", "models"):
            fields[name] = tuple(fields.get(name, ()))
        fields["text"] = tuple(tuple(phrases) for phrases in fields.get("text", ()))
        found[fields["id"]] = Licence(**fields)
    return found


def plain(name: str) -> str:
    """A name without case, marks and the words that say nothing."""
    text = _MARKS.sub(" ", name.lower()[:MAX_NAME]).strip()
    return text.removesuffix(" license").removesuffix(" licence").removeprefix("the ")


@cache
def _by_name() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for one in licences().values():
        for name in (one.id, one.id.removeprefix("LicenseRef-"), *one.names):
            names.setdefault(plain(name), one.id)
    return names


def identify(name: str) -> Licence | None:
    """The licence that a name, an SPDX id or a model card's word means; None where unknown."""
    short = plain(name)
    found = _by_name().get(short) or _by_name().get(_MARKS.sub(" ", short.replace("version ", "")))
    return licences()[found] if found else None


def of_model(name: str) -> Licence | None:
    """The licence under which the maker of a model publishes it, by the model's public name."""
    lower = name.lower()
    for one in licences().values():
        if any(lower.startswith(beginning) for beginning in one.models):
            return one
    return None
