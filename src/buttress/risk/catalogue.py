"""The catalogue of risks: scenarios as readable, editable YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.risk.schemas import RISKS, check
from buttress.standards.crosswalk import load_standards

Range = tuple[float, float]
SEVERITY_LABELS = {1: "minor", 2: "moderate", 3: "serious", 4: "severe", 5: "critical"}


@dataclass(frozen=True, slots=True)
class Barrier:
    """Something that must fail for the scenario to end in harm.

    ``failure`` is a 90 % range of the probability that it fails, used until evidence of ``probe``
    says better.
    """

    id: str
    title: str
    failure: Range
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """A scenario: who, how often, through which barriers, to which harm.

    One of ``per_request`` and ``per_year`` is set: 90 % range of how often it comes up. ``loss`` is
    median and 95th percentile of the loss of one incident, in the catalogue's currency.
    """

    id: str
    title: str
    scenario: str
    actor: str
    harm: str
    level: int
    loss: Range
    per_request: Range | None
    per_year: Range | None
    barriers: tuple[Barrier, ...]
    standards: tuple[tuple[str, str], ...]
    remedies: tuple[str, ...]
    why: str = ""

    @property
    def probe(self) -> str | None:
        """The probe whose rate or findings give this risk's verdict: that of its first barrier."""
        return next((barrier.probe for barrier in self.barriers if barrier.probe), None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All risks by id, in order, with the priors of inspected barriers by worst finding."""

    risks: Mapping[str, Risk]
    inspection: Mapping[str, Range]
    currency: str


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """The built-in catalogue, with the files at ``extra`` (a file or folder) over it.

    A risk in ``extra`` with a known id replaces that risk; others are added.

    Raises:
        InputError: naming file, line and field.
    """
    catalogue = _built_in()
    if extra is None:
        return catalogue
    paths = sorted(extra.glob("*.yaml")) if extra.is_dir() else [extra]
    if not paths:
        raise InputError("no *.yaml in it", file=str(extra), expected="files of risks")
    for path in paths:
        catalogue = _over(catalogue, located_yaml.load(path))
    return catalogue


@cache
def _built_in() -> Catalogue:
    home = resources.files("buttress.risk")
    files = sorted(home.joinpath("catalogue").iterdir(), key=lambda file: file.name)
    catalogue = Catalogue({}, {}, "")
    for file in [*files, home.joinpath("priors.yaml")]:
        text = file.read_text(encoding="utf-8")
        catalogue = _over(catalogue, located_yaml.parse(text, f"catalogue/{file.name}"))
    return catalogue


def _over(catalogue: Catalogue, source: Located) -> Catalogue:
    """The catalogue with what a file says put over it."""
    check(source, RISKS)
    _check_unique(source, ("risks",))
    found = [_risk(source, index) for index in range(len(source.data.get("risks", ())))]
    ranges = {
        name: _range(source, ("inspection", name)) for name in source.data.get("inspection", ())
    }
    return Catalogue(
        {**catalogue.risks, **{risk.id: risk for risk in found}},
        {**catalogue.inspection, **ranges},
        source.data.get("currency", catalogue.currency),
    )


def _check_unique(source: Located, path: FieldPath) -> None:
    """No two entries of the list at ``path`` have the same id."""
    seen: set[str] = set()
    for index, entry in enumerate(_at(source, path) or ()):
        if entry["id"] in seen:
            raise source.error((*path, index, "id"), f"'{entry['id']}' is given twice", "once")
        seen.add(entry["id"])


def _risk(source: Located, index: int) -> Risk:
    path: FieldPath = ("risks", index)
    data: dict[str, Any] = source.data["risks"][index]
    _check_unique(source, (*path, "barriers"))
    frequency = data["frequency"]
    loss = data["severity"]["loss"]
    if loss["p95"] < loss["median"]:
        raise source.error((*path, "severity", "loss", "p95"), "below the median", "p95 ≥ median")
    barriers = tuple(
        Barrier(
            id=barrier["id"],
            title=barrier["title"],
            failure=_range(source, (*path, "barriers", place, "failure")),
            probe=barrier.get("evidence", {}).get("probe"),
        )
        for place, barrier in enumerate(data["barriers"])
    )
    return Risk(
        id=data["id"],
        title=data["title"],
        scenario=data["scenario"],
        actor=data.get("actor", ""),
        harm=data["harm"],
        level=int(data["severity"]["level"]),
        loss=(float(loss["median"]), float(loss["p95"])),
        per_request=_range(source, (*path, "frequency", "per_request"))
        if "per_request" in frequency
        else None,
        per_year=_range(source, (*path, "frequency", "per_year"))
        if "per_year" in frequency
        else None,
        barriers=barriers,
        standards=tuple(_standards(source, path)),
        remedies=tuple(data.get("remedies", ())),
        why=data["severity"].get("why", ""),
    )


def _standards(source: Located, path: FieldPath) -> list[tuple[str, str]]:
    known = load_standards()
    found: list[tuple[str, str]] = []
    for standard, items in source.data["risks"][path[1]].get("standards", {}).items():
        where = (*path, "standards", standard)
        if standard not in known:
            raise source.error(where, "unknown standard", "one of " + ", ".join(known))
        for item in items:
            if item not in known[standard].items:
                choices = ", ".join(known[standard].items)
                raise source.error(where, f"no item '{item}'", f"one of {choices}")
            found.append((standard, item))
    return found


def _at(source: Located, path: FieldPath) -> Any:
    value: Any = source.data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else value[part]
    return value


def _range(source: Located, path: FieldPath) -> Range:
    value = _at(source, path)
    low, high = float(value[0]), float(value[1])
    if low > high:
        raise source.error(path, f"[{low:g}, {high:g}] is upside down", "[low, high]")
    return low, high
