"""``.buttress-ignore.yaml``: findings that are no risk here, with a reason and an end.

Statuses and justifications are those of OpenVEX 0.2.0 (section "Status Labels"); ``accepted`` is
ours, for a risk that somebody takes. Every entry ends, since code that is not reached today may be
reached next year.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.evidence.places import LocatedFinding
from buttress.files import located_yaml
from buttress.files.globs import Globs, compiled
from buttress.files.located_yaml import Located
from buttress.files.paths import absolute
from buttress.triage import package_url
from buttress.triage.package_url import PackageUrl

STATUSES: Final = ("not_affected", "fixed", "under_investigation", "accepted")
JUSTIFICATIONS: Final = (
    "component_not_present", "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist",
)  # fmt: skip
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2_000, "description": "text"}
_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["version", "suppressions"],
    "additionalProperties": False,
    "properties": {
        "version": {"enum": [1], "description": "1"},
        "suppressions": {
            "type": "array",
            "maxItems": 10_000,
            "items": {
                "type": "object",
                "required": ["rule", "status", "reason", "expires"],
                "additionalProperties": False,
                "properties": {
                    "rule": _TEXT | {"description": "the id of a rule"},
                    "path": _TEXT | {"description": "a pattern such as models/*.pkl, or **"},
                    "package": _TEXT | {"description": "a package URL such as pkg:pypi/requests"},
                    "vulnerability": _TEXT | {"description": "an id such as CVE-2024-1234"},
                    "status": {
                        "enum": list(STATUSES),
                        "description": "one of " + ", ".join(STATUSES),
                    },
                    "justification": {"enum": list(JUSTIFICATIONS)},
                    "reason": _TEXT | {"minLength": 3, "description": "why, in a sentence"},
                    "expires": {"description": "a date such as 2027-01-31"},
                },
            },
        },
    },
}


@dataclass(frozen=True)
class Suppression:
    """An entry: findings of ``rule`` in paths that match ``path``, until the end of ``expires``.

    ``package``, if given, is a package that they must be about, ``vulnerability`` one of its ids.
    ``folder`` is the absolute path that ``path`` counts from, ``where`` names file and line.
    """

    rule: str
    path: str
    status: str
    reason: str
    justification: str
    vulnerability: str
    package: PackageUrl | None
    expires: date
    folder: str
    where: str

    @property
    def subject(self) -> str:
        """What the entry is about, in words."""
        if self.package is None:
            return self.path
        version = f"@{self.package.version}" if self.package.version else ""
        return f"{self.package.name}{version} ({self.path})"

    @cached_property
    def _globs(self) -> Globs:
        return Globs((self.path,))

    def covers(self, one: LocatedFinding) -> bool:
        """Whether the entry is about this finding, expired or not."""
        finding = one.finding
        if finding.rule != self.rule:
            return False
        if self.vulnerability and self.vulnerability not in finding.references:
            return False
        if self.package and not any(map(self.package.covers, package_url.of_finding(finding))):
            return False
        return self._globs.match(one.below(self.folder))

    def expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return self.expires < today


def load(path: Path) -> list[Suppression]:
    """The entries of a file, in its order.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    located_yaml.check(located, _SCHEMA)
    folder = absolute(path.parent)
    return [_entry(located, index, folder) for index in range(len(located.data["suppressions"]))]


def check_rules(entries: Collection[Suppression], known: Collection[str]) -> None:
    """No entry names a rule that there is not: a misspelt one would never have an effect.

    Raises:
        InputError: one does.
    """
    for one in entries:
        if one.rule not in known:
            close = get_close_matches(one.rule, known, 3)
            raise InputError(
                f"unknown rule '{one.rule}'",
                file=one.where,
                field="rule",
                expected=" or ".join(close) if close else "the id of a rule of a probe that runs",
            )


def _entry(located: Located, index: int, folder: str) -> Suppression:
    row = located.data["suppressions"][index]
    at = ("suppressions", index)
    expires = _date(located, index, row["expires"])
    if row["status"] == "not_affected" and "justification" not in row:
        raise located.error(
            at, "'justification' is missing, which status not_affected needs",
            "one of " + ", ".join(JUSTIFICATIONS),
        )  # fmt: skip
    package = package_url.parse(row["package"]) if "package" in row else None
    if "package" in row and package is None:
        raise located.error(
            (*at, "package"), f"'{row['package'][:60]}' is no package URL",
            "one such as pkg:pypi/requests or pkg:pypi/requests@2.19.0",
        )  # fmt: skip
    if "path" not in row and package is None:
        raise located.error(at, "'path' is missing", "a pattern such as models/*.pkl, or package")
    path = row.get("path", "**")
    try:
        compiled(path)
    except InputError as error:
        raise located.error((*at, "path"), error.problem, error.expected) from None
    return Suppression(
        rule=row["rule"],
        path=path,
        status=row["status"],
        reason=" ".join(row["reason"].split()),
        justification=row.get("justification", ""),
        vulnerability=row.get("vulnerability", ""),
        package=package,
        expires=expires,
        folder=folder,
        where=f"{located.file}:{located.line(at)}",
    )


def _date(located: Located, index: int, given: Any) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise located.error(
            ("suppressions", index, "expires"), f"{str(given)[:40]!r} is no date",
            "a date such as 2027-01-31",
        ) from None  # fmt: skip
