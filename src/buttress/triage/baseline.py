"""What was known when a baseline was written: such findings are told, but fail no scan."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from buttress import __version__
from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Severity
from buttress.evidence.places import LocatedFinding
from buttress.files.atomic import read_json, write_whole
from buttress.files.paths import absolute
from buttress.triage.duplicates import without_positions

SCHEMA: Final = "buttress-baseline/1"
_MAX_ENTRIES: Final = 500_000
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """An entry of a baseline; ``path`` counts from the baseline's folder."""

    rule: str
    path: str
    severity: Severity


def fingerprints(found: Sequence[LocatedFinding], folder: str) -> list[str]:
    """For each finding 32 hex digits that stay when lines move.

    They are a SHA-256 of rule, path from ``folder``, message and proof without positions, and the
    number of the finding among those that are equal in all of these. Proofs are redacted by their
    probes, so no secret goes in.
    """
    import hashlib

    order = sorted(
        range(len(found)), key=lambda one: (found[one].line or 0, found[one].finding.location)
    )
    seen: Counter[tuple[str, ...]] = Counter()
    made = [""] * len(found)
    for index in order:
        one = found[index]
        key = (
            one.finding.rule,
            one.below(folder),
            without_positions(one.finding.message),
            without_positions(one.finding.proof),
        )
        text = "\0".join((*key, str(seen[key])))
        seen[key] += 1
        made[index] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return made


def write(found: Sequence[LocatedFinding], path: Path) -> None:
    """Write a baseline of these findings, sorted, whole or not at all.

    Raises:
        InputError: not writable.
    """
    folder = absolute(path.parent)
    rows = [
        {
            "fingerprint": mark,
            "rule": one.finding.rule,
            "path": one.below(folder),
            "severity": one.finding.severity,
        }
        for one, mark in zip(found, fingerprints(found, folder), strict=True)
    ]
    rows.sort(key=lambda row: (row["path"], row["rule"], row["fingerprint"]))
    data = {"schema": SCHEMA, "written_by": f"buttress {__version__}", "findings": rows}
    import orjson

    write_whole(path, orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n", "--write-baseline")


def read(path: Path) -> Mapping[str, BaselineEntry]:
    """The entries of a baseline by fingerprint.

    Raises:
        InputError: not readable, or not a baseline; with the entry and its field.
    """
    data = read_json(path, "--baseline", "a file that --write-baseline wrote")
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError("not a baseline", file=str(path), field="schema", expected=f"'{SCHEMA}'")
    rows = data.get("findings")
    if not isinstance(rows, list) or len(rows) > _MAX_ENTRIES:
        raise InputError(
            "not valid", file=str(path), field="findings",
            expected=f"a list of at most {_MAX_ENTRIES:,} entries",
        )  # fmt: skip
    found: dict[str, BaselineEntry] = {}
    for index, row in enumerate(rows):
        found[_text(row, "fingerprint", path, index)] = BaselineEntry(
            _text(row, "rule", path, index),
            _text(row, "path", path, index),
            _severity(row, path, index),
        )
    return found


def is_known(finding_severity: Severity, known: BaselineEntry | None) -> bool:
    """Whether a finding is that of the baseline; one that has become graver since is not."""
    return known is not None and SEVERITIES.index(finding_severity) <= SEVERITIES.index(
        known.severity
    )


def stale(
    known: Mapping[str, BaselineEntry], seen: set[str], folder: str, roots: Sequence[str]
) -> list[BaselineEntry]:
    """Entries below the paths that were scanned that no finding has any more."""
    found = []
    for mark, one in known.items():
        path = os.path.normpath(os.path.join(folder, one.path)).replace(os.sep, "/")
        if mark not in seen and any(
            path == root or path.startswith(f"{root.rstrip('/')}/") for root in roots
        ):
            found.append(one)
    return found


def _text(row: Any, name: str, path: Path, index: int) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    good = isinstance(value, str) and (name != "fingerprint" or _FINGERPRINT.fullmatch(value))
    if not good:
        raise InputError(
            "not valid", file=str(path), field=f"findings[{index}].{name}",
            expected="32 hex digits" if name == "fingerprint" else "text",
        )  # fmt: skip
    return str(value)


def _severity(row: Any, path: Path, index: int) -> Severity:
    text = _text(row, "severity", path, index)
    for one in SEVERITIES:
        if one == text:
            return one
    raise InputError(
        f"'{text[:40]}' is no severity", file=str(path), field=f"findings[{index}].severity",
        expected="one of " + ", ".join(SEVERITIES),
    )  # fmt: skip
