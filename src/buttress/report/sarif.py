"""Findings as SARIF 2.1.0 (OASIS 2020), for code hosts and editors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from buttress import __version__
from buttress.evidence.locations import Location, location_of
from buttress.evidence.places import fingerprint, gravity
from buttress.files.atomic import write_whole

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
BASE: Final = "MANIFEST"
_LEVEL: Final = {
    "critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note",
}  # fmt: skip
# What code hosts read as a CVSS-like figure to sort alerts by.
_SCORE: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5", "info": "0.0"}
_HOST: Final = re.compile(r"(?:https?|tcp)://")
_IN_URL: Final = "/:?#[]@!$&'()*+,;=%"
_CWE: Final = re.compile(r"CWE-[0-9]{1,9}")


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the document's findings to ``path``.

    Raises:
        InputError: not writable.
    """
    write_whole(path, orjson.dumps(log(document), option=orjson.OPT_INDENT_2), "--sarif")


def log(document: Mapping[str, Any]) -> dict[str, Any]:
    """The SARIF log: one run, a rule for each kind of finding, a result for each finding."""
    findings = document["findings"]
    rules = _rules(findings)
    weaknesses = sorted({cwe for finding in findings for cwe in _cwes(finding)}, key=_number)
    run = document["run"]
    result: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Buttress",
                "semanticVersion": __version__,
                "rules": list(rules.values()),
            }
        },
        "automationDetails": {"id": f"buttress/{document['system']['name']}/{run['id']}"},
        "invocations": [
            {
                "executionSuccessful": True,
                "startTimeUtc": run["started"].replace("+00:00", "Z"),
                "endTimeUtc": run["finished"].replace("+00:00", "Z"),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            BASE: {"description": {"text": "The folder of the manifest, buttress.yaml."}}
        },
        "results": _results(document, list(rules), weaknesses),
    }
    if weaknesses:
        result["tool"]["driver"]["supportedTaxonomies"] = [{"name": "CWE", "index": 0}]
        result["taxonomies"] = [_taxonomy(weaknesses)]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [result]}


def _rules(findings: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rules by id, in the order of their gravest finding."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in sorted(findings, key=lambda one: gravity(one["severity"])):
        if finding["rule"] in rules:
            continue
        kinds = [ref for ref in finding["references"] if not ref.startswith("pkg:")]
        tags = ["security", *(ref for ref in kinds if ref != "security")]
        rule: dict[str, Any] = {
            "id": finding["rule"],
            "shortDescription": {"text": finding["rule"].replace("-", " ")},
            "fullDescription": {"text": finding["message"]},
            "help": {"text": finding["remedy"]},
            "defaultConfiguration": {"level": _LEVEL[finding["severity"]]},
            "properties": {
                "tags": list(dict.fromkeys(tags)),
                "security-severity": _SCORE[finding["severity"]],
            },
        }
        if cwes := _cwes(finding):
            rule["relationships"] = [{"target": _taxon(cwe), "kinds": ["superset"]} for cwe in cwes]
        rules[finding["rule"]] = rule
    return rules


def _results(
    document: Mapping[str, Any], rules: Sequence[str], weaknesses: Sequence[str]
) -> list[dict[str, Any]]:
    places = {asset["id"]: asset["location"] for asset in document["system"]["assets"]}
    results = []
    for finding in document["findings"]:
        result: dict[str, Any] = {
            "ruleId": finding["rule"],
            "ruleIndex": rules.index(finding["rule"]),
            "level": _LEVEL[finding["severity"]],
            "message": {"text": f"{finding['message']} {finding['remedy']}".strip()},
            "locations": [_location(finding, places.get(finding["asset"], ""))],
            "partialFingerprints": {"buttress/v1": fingerprint(finding)},
            "properties": {
                key: finding[key] for key in ("severity", "asset", "probe", "risk", "proof")
            },
        }
        if cwes := _cwes(finding):
            result["taxa"] = [_taxon(cwe, weaknesses.index(cwe)) for cwe in cwes]
        results.append(result)
    return results


def _location(finding: Mapping[str, Any], asset: str) -> dict[str, Any]:
    """Relative to the manifest's folder where the asset lies in it."""
    where = location_of(finding)
    if _HOST.match(where.path):  # not a file, so that it counts from no folder
        return {
            "physicalLocation": {
                "artifactLocation": {"uri": quote(where.path, safe=_IN_URL, errors="replace")}
            },
            "logicalLocations": [{"name": finding["asset"], "kind": "module"}],
        }
    physical: dict[str, Any] = {
        "artifactLocation": {
            "uri": _uri(asset, where),
            "uriBaseId": BASE,
        }
    }
    if where.line is not None:
        physical["region"] = {"startLine": where.line}
        if where.column is not None:
            physical["region"]["startColumn"] = where.column
    elif where.offset is not None:
        physical["region"] = {"byteOffset": where.offset, "byteLength": 0}
    return {
        "physicalLocation": physical,
        "logicalLocations": [{"name": finding["asset"], "kind": "module"}],
    }


def _uri(asset: str, where: Location) -> str:
    """The path percent-encoded: its own bytes where its name can't be shown."""
    if not where.uri:
        return quote(_join(asset, where.file), errors="replace")
    return _join(quote(asset), where.uri) + quote(where.member, errors="replace")


def _join(asset: str, path: str) -> str:
    base = asset.replace("\\", "/").removeprefix("./").rstrip("/")
    inside = path.lstrip("/")
    if base.startswith("/") or ":" in base or base in ("", "."):
        return inside
    if inside == base or inside.startswith(f"{base}/"):
        return inside
    if inside == base.rpartition("/")[2]:  # the asset is this very file
        return base
    return f"{base}/{inside}"


def _cwes(finding: Mapping[str, Any]) -> list[str]:
    return [ref for ref in dict.fromkeys(finding["references"]) if _CWE.fullmatch(ref)]


def _number(cwe: str) -> int:
    return int(cwe.removeprefix("CWE-"))


def _taxon(cwe: str, index: int | None = None) -> dict[str, Any]:
    taxon: dict[str, Any] = {"id": cwe, "toolComponent": {"name": "CWE", "index": 0}}
    return taxon if index is None else taxon | {"index": index}


def _taxonomy(weaknesses: Sequence[str]) -> dict[str, Any]:
    from buttress.standards.crosswalk import load_standards

    known = load_standards()["cwe"].items
    return {
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "Common Weakness Enumeration"},
        "taxa": [
            {
                "id": cwe,
                "helpUri": f"https://cwe.mitre.org/data/definitions/{_number(cwe)}.html",
                **({"shortDescription": {"text": known[cwe]}} if cwe in known else {}),
            }
            for cwe in weaknesses
        ],
    }
