"""What is known of licences: names, ids and terms, read from ``data/licences.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_loader import load_yaml

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


_GRADES: Final = {  # from what asks for least to what asks for most
    "commercial": ("", "yes", "conditional", "no"),  # empty: nothing is known of it
    "copyleft": ("none", "closed", "weak", "strong", "network"),
    "derivatives": (True, False),
}


def have(together: Sequence[Licence], facts: Mapping[str, Any]) -> bool:
    """Whether each fact of licences that hold together is one of the values given for it.

    The strictest counts: what one of them forbids is forbidden.
    """
    return all(_fact(together, name) in values for name, values in facts.items())


def _fact(together: Sequence[Licence], name: str) -> Any:
    values = [getattr(one, name) for one in together]
    grades = _GRADES.get(name)
    return max(values, key=grades.index) if grades else any(values)


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


@cache
def _linking() -> frozenset[str]:
    return frozenset(one.lower() for one in load_yaml(_FILE)["linking_exceptions"])


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
    """The licence that a name, an SPDX id or a model card's word means; None where unknown.

    With an exception after ``WITH``, that of the licence before it: if the exception allows
    linking, the copyleft is a weak one.
    """
    name, mark, exception = name.partition(" WITH ")
    if mark:
        one = identify(name)
        if one is None:
            return None
        copyleft = "weak" if exception.lower() in _linking() and one.copyleft == "strong" else None
        whole = f"{one.id} WITH {exception}"
        return replace(one, id=whole, spdx=False, copyleft=copyleft or one.copyleft)
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
