"""Statements about vulnerabilities: OpenVEX 0.2.0, and the VEX part of CycloneDX 1.4 to 1.6.

A statement is about a vulnerability in a package (a package URL), or, where we wrote it ourselves,
about a rule in a file (``urn:buttress:file:PATH``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from buttress.errors import InputError
from buttress.evidence.records import Finding
from buttress.scanning.files import read_json
from buttress.scanning.places import Placed, absolute

FILE_URN: Final = "urn:buttress:file:"
_CLEARS: Final = ("not_affected", "fixed")
_STATUSES: Final = (*_CLEARS, "affected", "under_investigation")
_OF_CYCLONEDX: Final = {
    "not_affected": "not_affected", "false_positive": "not_affected", "resolved": "fixed",
    "resolved_with_pedigree": "fixed", "exploitable": "affected",
    "in_triage": "under_investigation",
}  # fmt: skip
_PURL: Final = re.compile(r"pkg:([A-Za-z0-9.+-]+)/+([^@?#]+)(?:@([^?#]+))?")
_EXPECTED: Final = "OpenVEX or CycloneDX VEX in JSON"
_MAX_STATEMENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says of vulnerabilities, named by all their ids, in subjects.

    A subject is a package URL or a ``urn:buttress:file:``; an empty sequence is about nothing here.
    """

    ids: frozenset[str]
    subjects: tuple[str, ...]
    status: str
    justification: str
    reason: str
    time: datetime
    file: str

    def about(self, one: Placed, folder: str) -> bool:
        """Whether it speaks of what the finding is in; file names count from ``folder``."""
        return any(_is_in(subject, one, folder) for subject in self.subjects)


def load(path: Path) -> list[Statement]:
    """The statements of a file, the oldest first.

    Raises:
        InputError: not readable, neither format, or naming the field that is wrong.
    """
    data = read_json(path, "--vex", _EXPECTED)
    if not isinstance(data, dict):
        raise InputError("not a VEX document", file=str(path), expected=_EXPECTED)
    if data.get("bomFormat") == "CycloneDX":
        found = list(_cyclonedx(data, path))
    elif str(data.get("@context", "")).startswith("https://openvex.dev/ns"):
        found = list(_openvex(data, path))
    else:
        raise InputError("not a VEX document", file=str(path), expected=_EXPECTED)
    return sorted(found, key=lambda one: one.time)


def clearing(one: Placed, statements: Sequence[Statement], folder: str) -> Statement | None:
    """The statement by which the finding does not count, if there is one.

    Of several about the same vulnerability the newest holds. A finding about several CVEs is
    cleared only if each of them is.
    """
    about = [statement for statement in statements if statement.about(one, folder)]
    last: Statement | None = None
    for names in _vulnerabilities(one.finding):
        last = next((each for each in reversed(about) if each.ids & names), None)
        if last is None or last.status not in _CLEARS:
            return None
    return last


def _vulnerabilities(finding: Finding) -> list[frozenset[str]]:
    """Groups of ids that must each be cleared: one for each CVE, else all other ids together."""
    every = frozenset(one for one in finding.references if not one.startswith("CWE-"))
    cves = [one for one in finding.references if one.startswith("CVE-")]
    rest = frozenset(one for one in every if one not in cves) | {finding.rule}
    return [frozenset({one}) for one in cves] if len(cves) > 1 else [rest | frozenset(cves)]


def _is_in(subject: str, one: Placed, folder: str) -> bool:
    if subject.startswith(FILE_URN):
        return one.below(folder) == unquote(subject.removeprefix(FILE_URN))
    match = _PURL.match(subject)
    if match is None:
        return False
    words = {_name(word.strip("(),;:")) for word in one.finding.message.split()}
    name = _name(unquote(match[2]))
    version = unquote(match[3] or "")
    return name in words and (not version or _name(version) in words)


def _name(text: str) -> str:
    """A package's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def _openvex(data: Mapping[str, Any], path: Path) -> Iterator[Statement]:
    whole = _time(data, path, "timestamp", None)
    for index, row in enumerate(_list(data, "statements", path)):
        field = f"statements[{index}]"
        if not isinstance(row, dict):
            raise InputError("not a mapping", file=str(path), field=field)
        named = row.get("vulnerability")
        ids = _ids(named) if isinstance(named, dict) else frozenset({str(named)} if named else ())
        status = row.get("status")
        if not ids or status not in _STATUSES:
            raise InputError(
                "no vulnerability" if not ids else f"'{str(status)[:40]}' is no status",
                file=str(path),
                field=f"{field}.{'status' if ids else 'vulnerability'}",
                expected="one of " + ", ".join(_STATUSES) if ids else "its name",
            )
        subjects = [
            name
            for product in _rows(row.get("products"))
            for part in _parts(product)
            for name in _identifiers(part)
        ]
        yield Statement(
            ids, tuple(subjects), str(status), str(row.get("justification") or ""),
            str(row.get("impact_statement") or row.get("status_notes") or ""),
            _time(row, path, f"{field}.timestamp", whole), str(path),
        )  # fmt: skip


def _parts(product: Any) -> Sequence[Any]:
    """The parts of a product that a statement is about, or the product itself."""
    return (_rows(product.get("subcomponents")) if isinstance(product, dict) else []) or [product]


def _identifiers(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    if not isinstance(part, dict):
        return []
    also = part.get("identifiers")
    purl = also.get("purl") if isinstance(also, dict) else None
    return [one for one in (part.get("@id"), purl) if isinstance(one, str)]


def _cyclonedx(data: Mapping[str, Any], path: Path) -> Iterator[Statement]:
    packages = {
        str(one.get("bom-ref")): str(one.get("purl") or one.get("bom-ref"))
        for one in _components(data)
    }
    meta = data.get("metadata")
    whole = _time(meta if isinstance(meta, dict) else {}, path, "metadata.timestamp", None)
    for index, row in enumerate(_list(data, "vulnerabilities", path)):
        analysis = row.get("analysis") if isinstance(row, dict) else None
        if not isinstance(analysis, dict) or "state" not in analysis:
            continue  # an advisory without a statement
        field = f"vulnerabilities[{index}]"
        state = str(analysis["state"])
        if state not in _OF_CYCLONEDX:
            raise InputError(
                f"'{state[:40]}' is no state", file=str(path), field=f"{field}.analysis.state",
                expected="one of " + ", ".join(_OF_CYCLONEDX),
            )  # fmt: skip
        refs = [
            str(one["ref"]).rpartition("#")[2]
            for one in _rows(row.get("affects"))
            if isinstance(one, dict) and "ref" in one
        ]
        aliases = [one.get("id") for one in _rows(row.get("references")) if isinstance(one, dict)]
        yield Statement(
            frozenset(str(one) for one in (row.get("id"), *aliases) if one),
            tuple(packages.get(ref, unquote(ref)) for ref in refs),
            _OF_CYCLONEDX[state], str(analysis.get("justification") or ""),
            str(analysis.get("detail") or ""),
            _time(analysis, path, f"{field}.analysis.lastUpdated", whole), str(path),
        )  # fmt: skip


def _components(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    meta = data.get("metadata")
    queue = [*_rows(data.get("components")), meta.get("component") if isinstance(meta, dict) else 0]
    while queue:
        one = queue.pop()
        if isinstance(one, dict):
            yield one
            queue += _rows(one.get("components"))


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list(data: Mapping[str, Any], name: str, path: Path) -> list[Any]:
    rows = data.get(name)
    if not isinstance(rows, list) or len(rows) > _MAX_STATEMENTS:
        raise InputError(
            "not valid", file=str(path), field=name,
            expected=f"a list of at most {_MAX_STATEMENTS:,} entries",
        )  # fmt: skip
    return rows


def _ids(named: Mapping[str, Any]) -> frozenset[str]:
    every = [named.get("name"), *_rows(named.get("aliases"))]
    return frozenset(one for one in every if isinstance(one, str) and one)


def _time(row: Mapping[str, Any], path: Path, field: str, otherwise: datetime | None) -> datetime:
    given = row.get(field.rpartition(".")[2])
    if given is None:
        return otherwise or datetime.fromtimestamp(0, UTC)
    try:
        found = datetime.fromisoformat(str(given))
    except ValueError:
        raise InputError(
            f"'{str(given)[:40]}' is no time", file=str(path), field=field,
            expected="a time such as 2027-01-31T12:00:00Z",
        ) from None  # fmt: skip
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def folder_of(path: Path) -> str:
    """The folder that file names in a VEX file count from: its own."""
    return absolute(path.parent)
