"""What one advisory says: by the OSV schema, its evaluation of ranges and its severities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from packaging.utils import canonicalize_name

from buttress.evidence.findings import Severity
from buttress.probes.dependencies.osv.cvss import base_score, version
from buttress.provenance.dependencies.versions import Ecosystem, key, public

_WORDS: Final[dict[str, Severity]] = {
    "CRITICAL": "critical", "HIGH": "high", "MODERATE": "medium", "MEDIUM": "medium", "LOW": "low",
}  # fmt: skip
_RATINGS: Final[tuple[tuple[float, Severity], ...]] = (
    (9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"),
)  # fmt: skip
_MAX_EVENTS: Final = 2_000
_ID: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,60}$")


class Advisory:
    """An advisory as far as it is about one package."""

    def __init__(self, data: dict[str, Any], ecosystem: Ecosystem, name: str) -> None:
        self.id = str(data.get("id", ""))[:64]
        self.summary = str(data.get("summary") or data.get("details") or "").strip()
        self.ecosystem = ecosystem
        aliases = data.get("aliases")
        self.aliases = tuple(
            one for one in (aliases if isinstance(aliases, list) else ())
            if isinstance(one, str) and _ID.match(one)
        )  # fmt: skip
        self._data = data
        self._affected = [
            one for one in _dicts(data.get("affected")) if package(one) == (ecosystem, name)
        ]

    @property
    def malicious(self) -> bool:
        """Whether it tells of a package made to do harm, not of a mistake in one."""
        return self.id.startswith("MAL-") or any(one.startswith("MAL-") for one in self.aliases)

    def affects(self, version: str) -> bool:
        """Whether a version is affected: it is listed, or lies in one of the ranges."""
        if (bare := public(version, self.ecosystem)) != version and self.affects(bare):
            return True
        own = key(version, self.ecosystem)
        for one in self._affected:
            listed = [str(item) for item in _list(one.get("versions"))]
            if version in listed:
                return True
            if own is not None:
                if any(key(item, self.ecosystem) == own for item in listed):
                    return True
                if any(_in_range(own, events, self.ecosystem) for events in _ranges(one)):
                    return True
        return False

    @property
    def affects_all(self) -> bool:
        """Whether every version is affected, also those that it does not name."""
        return any(
            [event for event in events if event] == [{"introduced": "0"}]
            for one in self._affected
            for events in _ranges(one)
        )

    def known_versions(self) -> set[str]:
        """Versions that it names: those affected, and those at which ranges begin or end."""
        found: set[str] = set()
        for one in self._affected:
            found |= {item for item in _list(one.get("versions")) if isinstance(item, str)}
            for events in _ranges(one):
                found |= {
                    value for event in events for value in event.values() if isinstance(value, str)
                }
        return {one for one in found if key(one, self.ecosystem) is not None and one != "0"}

    def fixes(self) -> set[str]:
        """Versions in which it is fixed."""
        return {
            event["fixed"]
            for one in self._affected
            for events in _ranges(one)
            for event in events
            if isinstance(event.get("fixed"), str)
            and key(event["fixed"], self.ecosystem) is not None
        }

    def severity(self) -> tuple[Severity, str]:
        """The severity, and where it is from: the vector of CVSS, a word, or a guess."""
        if self.malicious:
            return "critical", "malicious package"
        scores = [
            (version(vector), score)
            for one in (*_dicts(self._data.get("severity")), *self._own_severities())
            if (score := base_score(vector := str(one.get("score", "")))) is not None
        ]
        if scores:
            which, score = max(scores)  # of the newest version of the standard
            return rated(score), f"CVSS {which} {score}"
        for holder in (self._data, *self._affected):
            for place in ("database_specific", "ecosystem_specific"):
                specific = holder.get(place)
                word = specific.get("severity") if isinstance(specific, dict) else None
                if isinstance(word, str) and word.upper() in _WORDS:
                    return _WORDS[word.upper()], f"rated {word.lower()} by its database"
        return "medium", "not rated"

    def _own_severities(self) -> Iterator[dict[str, Any]]:
        for one in self._affected:
            yield from _dicts(one.get("severity"))

    def weaknesses(self) -> tuple[str, ...]:
        """Ids of CWE that its database gives."""
        specific = self._data.get("database_specific")
        given = _list(specific.get("cwe_ids")) if isinstance(specific, dict) else []
        return tuple(one for one in given if isinstance(one, str) and re.match(r"^CWE-\d+$", one))


def package(affected: dict[str, Any]) -> tuple[str, str] | None:
    """Ecosystem and name, as compared, that an entry of ``affected`` is about."""
    given = affected.get("package")
    if not isinstance(given, dict):
        return None
    ecosystem, name = given.get("ecosystem"), given.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str):
        return None
    ecosystem = ecosystem.partition(":")[0]
    return ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name


def rated(score: float) -> Severity:
    """The qualitative rating of a score (CVSS v3.1, section 5; v4.0, section 6).

    Version 2 has none of its own; it is rated by the same bounds.
    """
    return next((word for least, word in _RATINGS if score >= least), "info")


def _in_range(own: Any, events: list[dict[str, Any]], ecosystem: Ecosystem) -> bool:
    """The evaluation of the OSV schema: walk the events in order of versions.

    An adjoining range may begin where one ends, so that at one version what ends comes first.
    """
    order = {"fixed": 0, "introduced": 1, "last_affected": 2}
    steps = []
    limits = []
    for event in events[:_MAX_EVENTS]:
        for kind, value in event.items():
            if not isinstance(value, str):
                continue
            if kind == "limit":
                limits.append(value)
            elif kind in order:
                zero = kind == "introduced" and value == "0"
                place = None if zero else key(value, ecosystem)
                if zero or place is not None:
                    steps.append((not zero, place, order[kind]))
    if limits and "*" not in limits:
        bounds = [key(one, ecosystem) for one in limits]
        if not any(one is not None and own < one for one in bounds):
            return False
    zeros = [step for step in steps if not step[0]]
    later = sorted((step for step in steps if step[0]), key=lambda step: (step[1], step[2]))
    inside = bool(zeros)
    for _, place, rank in later:
        if rank == order["introduced"] and own >= place:
            inside = True
        elif (rank == order["fixed"] and own >= place) or (
            rank == order["last_affected"] and own > place
        ):
            inside = False
    return inside


def _ranges(affected: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for one in _dicts(affected.get("ranges")):
        if one.get("type") in ("SEMVER", "ECOSYSTEM"):
            yield _dicts(one.get("events"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]
