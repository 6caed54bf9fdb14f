"""The catalogue of risks: scenarios as readable, editable YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.risk.schemas import RISKS, check
from buttress.standards.crosswalk import load_standards

Range = tuple[float, float]
ANY_SCANNER: Final = "any"
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
    median and 95th percentile of the loss of one incident, in the catalogue's currency, and
    ``most`` the largest, if it has one. Risks with the same ``overlaps`` are several ways of the
    same people to the same end, and count once. ``basis`` says where the figures are from.
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
    most: float | None = None
    overlaps: str = ""
    basis: str = ""

    @property
    def probe(self) -> str | None:
        """The probe whose rate or findings give this risk's verdict: that of its first barrier."""
        return next((barrier.probe for barrier in self.barriers if barrier.probe), None)


@dataclass(frozen=True, slots=True)
class Scanner:
    """What an inspection was measured on: ``found`` of ``planted`` defects, and its false alarms.

    ``false_alarms`` are of ``clean`` samples; ``source`` says where the counts are from.
    """

    found: float
    planted: float
    false_alarms: float
    clean: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class RiskAssumptions:
    """What holds for all risks.

    ``cap`` is the most that the organisation can lose; ``shared_cause`` the probability that what
    defeats the strongest barrier of a risk defeats all; ``common`` the variance of the factor, mean
    1, by which a year is worse for all risks at once. ``inspection`` has the 90 % range of a
    barrier's failure by the severest finding.
    """

    inspection: Mapping[str, Range]
    scanners: Mapping[str, Scanner]
    cap: float
    shared_cause: float
    common: float

    def scanner(self, probe: str) -> Scanner:
        """What the probe was measured on; what is assumed of any scanner where it was not."""
        return self.scanners.get(probe) or self.scanners[ANY_SCANNER]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All risks by id, in order, with what holds for all of them."""

    risks: Mapping[str, Risk]
    model: RiskAssumptions
    currency: str

    @property
    def inspection(self) -> Mapping[str, Range]:
        """Priors of inspected barriers by worst finding."""
        return self.model.inspection


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
        source = located_yaml.load(path)
        check(source, RISKS)
        catalogue = _over(catalogue, source)
    return catalogue


@cache
def _built_in() -> Catalogue:
    """The catalogue in the package; its files are checked against the schema by a test."""
    home = resources.files("buttress.risk")
    files = sorted(home.joinpath("catalogue").iterdir(), key=lambda file: file.name)
    catalogue = Catalogue({}, RiskAssumptions({}, {}, 0.0, 0.0, 0.0), "")
    for file in [*files, home.joinpath("priors.yaml")]:
        text = file.read_text(encoding="utf-8")
        catalogue = _over(catalogue, located_yaml.parse(text, f"catalogue/{file.name}"))
    return catalogue


def _over(catalogue: Catalogue, source: Located) -> Catalogue:
    """The catalogue with what a file says put over it."""
    _check_unique(source, ("risks",))
    found = [_risk(source, index) for index in range(len(source.data.get("risks", ())))]
    ranges = {
        name: _range(source, ("inspection", name)) for name in source.data.get("inspection", ())
    }
    known, data = catalogue.model, source.data
    scanners = {name: Scanner(**fields) for name, fields in data.get("scanners", {}).items()}
    for name, scanner in scanners.items():
        if scanner.found > scanner.planted or scanner.false_alarms > scanner.clean:
            raise source.error(("scanners", name), "more found than there were", "found ≤ planted")
    model = RiskAssumptions(
        {**known.inspection, **ranges},
        {**known.scanners, **scanners},
        float(data.get("cap", known.cap)),
        float(data.get("shared_cause", known.shared_cause)),
        float(data.get("common_years", known.common)),
    )
    return Catalogue(
        {**catalogue.risks, **{risk.id: risk for risk in found}},
        model,
        data.get("currency", catalogue.currency),
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
    if loss.get("max", loss["p95"]) < loss["p95"]:
        where = (*path, "severity", "loss", "max")
        raise source.error(where, "below the 95th percentile", "max ≥ p95")
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
        most=loss.get("max"),
        overlaps=data.get("overlaps", ""),
        basis=data.get("basis") or source.data.get("basis", ""),
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
