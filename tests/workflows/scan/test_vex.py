"""Statements about vulnerabilities, from OpenVEX and CycloneDX, and back."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.evidence.places import LocatedFinding
from buttress.triage import suppressions, vex, vex_file
from buttress.triage.filtering import SUPPRESSIONS
from tests.probes.dependencies.advisories import LEAKY, write
from tests.workflows.scan.command import STRIPE, scan, secrets
from tests.workflows.scan.test_suppressions import ENTRY, text


def vulnerable(message: str, *references: str) -> LocatedFinding:
    made = Finding(
        "known-vulnerability", "high", "a", "requirements.txt:1", message, "", references
    )
    return LocatedFinding(made, "/top/requirements.txt", "", 1)


REQUESTS = vulnerable("requests 2.19.0 has a known vulnerability (CVE-2018-18074; CVSS 9.8).",
                      "CVE-2018-18074", "GHSA-x84v-xcm2-53pg", "CWE-522", "LLM03",
                      "pkg:pypi/requests@2.19.0")  # fmt: skip


def statement(**fields: Any) -> dict[str, Any]:
    return {
        "vulnerability": {"name": "CVE-2018-18074"},
        "products": [{"@id": "pkg:pypi/requests@2.19.0"}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_in_execute_path",
    } | fields


def openvex(tmp_path: Path, *statements: dict[str, Any]) -> vex.Statements:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "us", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z", "statements": list(statements),
    }))  # fmt: skip
    return vex_file.load(path)


@pytest.mark.parametrize(
    ("fields", "clears"),
    [
        ({}, True),
        ({"status": "fixed"}, True),
        ({"status": "affected"}, False),
        ({"status": "under_investigation"}, False),
        ({"vulnerability": {"name": "CVE-2018-1"}}, False),
        ({"vulnerability": {"name": "X-1", "aliases": ["GHSA-x84v-xcm2-53pg"]}}, True),
        ({"vulnerability": "CVE-2018-18074"}, True),
        ({"products": []}, False),
        ({"products": [{"@id": "pkg:pypi/requests"}]}, True),
        ({"products": [{"@id": "pkg:pypi/Requests@2.19.0?arch=x"}]}, True),
        ({"products": [{"@id": "pkg:pypi/requests@2.19"}]}, True),
        ({"products": [{"@id": "pkg:pypi/requests@2.20.0"}]}, False),
        ({"products": [{"@id": "pkg:npm/requests@2.19.0"}]}, False),
        ({"products": [{"@id": "pkg:rpm/redhat/requests"}]}, False),
        ({"products": [{"@id": "urn:buttress:file:requirements.txt",
                        "subcomponents": [{"@id": "pkg:pypi/requests"}]}]}, True),
        ({"products": [{"@id": "urn:buttress:file:other.txt",
                        "subcomponents": [{"@id": "pkg:pypi/requests"}]}]}, False),
        ({"vulnerability": {"name": "LLM03"}}, False),
        ({"products": [{"@id": "pkg:pypi/urllib3"}]}, False),
        ({"products": [{"@id": "pkg:oci/our-app"}]}, False),
        ({"products": [{"@id": "pkg:oci/our-app",
                        "subcomponents": [{"@id": "pkg:pypi/requests"}]}]}, True),
        ({"products": [{"identifiers": {"purl": "pkg:pypi/requests"}}]}, True),
    ],
)  # fmt: skip
def test_openvex(tmp_path: Path, fields: dict[str, Any], clears: bool) -> None:
    found = openvex(tmp_path, statement(**fields))
    assert (vex.clearing(REQUESTS, found, "/top") is not None) is clears


def test_the_newest_statement_holds(tmp_path: Path) -> None:
    old = statement(timestamp="2026-02-01T00:00:00Z")
    new = statement(timestamp="2026-03-01T00:00:00+08:00", status="affected")
    assert vex.clearing(REQUESTS, openvex(tmp_path, new, old), "/top") is None
    newest = statement(timestamp="2026-04-01", status="fixed")
    assert vex.clearing(REQUESTS, openvex(tmp_path, newest, new, old), "/top") is not None


def test_of_several_vulnerabilities_each_must_be_cleared(tmp_path: Path) -> None:
    both = vulnerable(
        "requests (any version) may resolve to …",
        "CVE-2018-18074",
        "CVE-2023-32681",
        "pkg:pypi/requests",
    )
    exact = statement()
    other = {"vulnerability": {"name": "CVE-2023-32681"}}
    assert vex.clearing(both, openvex(tmp_path, exact, exact | other), "/top") is None
    one = statement(products=[{"@id": "pkg:pypi/requests"}])
    other = one | {"vulnerability": {"name": "CVE-2023-32681"}}
    assert vex.clearing(both, openvex(tmp_path, one), "/top") is None
    assert vex.clearing(both, openvex(tmp_path, one, other), "/top") is not None


@pytest.mark.parametrize(
    ("state", "ref", "clears"),
    [
        ("not_affected", "r", True),
        ("false_positive", "r", True),
        ("resolved", "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#r", True),
        ("exploitable", "r", False),
        ("in_triage", "r", False),
        ("not_affected", "u", False),
        ("not_affected", "pkg:pypi/requests@2.19.0", True),
    ],
)
def test_cyclonedx(tmp_path: Path, state: str, ref: str, clears: bool) -> None:
    path = tmp_path / "bom.json"
    path.write_text(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {},
        "components": [
            {"name": "wrap", "bom-ref": "w",
             "components": [{"bom-ref": "r", "purl": "pkg:pypi/requests@2.19.0"}]},
            {"bom-ref": "u", "purl": "pkg:pypi/urllib3@1.0"},
        ],
        "vulnerabilities": [
            {"id": "CVE-1"},
            {"id": "CVE-2018-18074", "analysis": {"state": state, "detail": "not called"},
             "affects": [{"ref": ref}]},
        ],
    }))  # fmt: skip
    assert (vex.clearing(REQUESTS, vex_file.load(path), "/top") is not None) is clears


@pytest.mark.parametrize(
    ("versions", "clears"),
    [
        ([{"version": "2.19.0"}], True),
        ([{"version": "2.18"}, {"version": "2.20.0"}], False),
        ([{"range": "vers:pypi/<2.20.0"}], False),
    ],
)
def test_versions_that_cyclonedx_names(
    tmp_path: Path, versions: list[dict[str, str]], clears: bool
) -> None:
    path = tmp_path / "bom.json"
    path.write_text(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [{"bom-ref": "r", "purl": "pkg:pypi/requests"}],
        "vulnerabilities": [{"id": "CVE-2018-18074", "analysis": {"state": "not_affected"},
                             "affects": [{"ref": "r", "versions": versions}]}],
    }))  # fmt: skip
    assert (vex.clearing(REQUESTS, vex_file.load(path), "/top") is not None) is clears


def csaf(tmp_path: Path, **vulnerability: Any) -> vex.Statements:
    path = tmp_path / "csaf.json"
    branch = {"category": "product_version", "name": "2.19.0", "product": {
        "name": "requests", "product_id": "R",
        "product_identification_helper": {"purl": "pkg:pypi/requests@2.19.0"},
    }}  # fmt: skip
    path.write_text(json.dumps({
        "document": {"category": "csaf_vex", "csaf_version": "2.0",
                     "tracking": {"current_release_date": "2026-03-03T11:00:00.000Z"}},
        "product_tree": {
            "branches": [{"category": "vendor", "name": "v", "branches": [branch]}],
            "full_product_names": [
                {"product_id": "APP", "name": "our app"},
                {"product_id": "N", "name": "requests of npm",
                 "product_identification_helper": {"purls": ["pkg:npm/requests"]}},
            ],
            "relationships": [{"category": "default_component_of", "product_reference": "R",
                               "relates_to_product_reference": "APP",
                               "full_product_name": {"product_id": "APP:R", "name": "x"}}],
            "product_groups": [{"group_id": "G", "product_ids": ["R", "APP:R", "N"]}],
        },
        "vulnerabilities": [{"cve": "CVE-2018-18074"} | vulnerability],
    }))  # fmt: skip
    return vex_file.load(path)


FLAG = [{"label": "vulnerable_code_not_in_execute_path", "group_ids": ["G"]}]


@pytest.mark.parametrize(
    ("fields", "clears"),
    [
        ({"product_status": {"known_not_affected": ["R"]}, "flags": FLAG}, True),
        ({"product_status": {"known_not_affected": ["APP:R"]}, "flags": FLAG}, True),
        ({"product_status": {"known_not_affected": ["N"]}, "flags": FLAG}, False),
        ({"product_status": {"known_not_affected": ["R"]}, "threats": [
            {"category": "impact", "details": "not called", "product_ids": ["R"]}]}, True),
        ({"product_status": {"fixed": ["R"]}}, True),
        ({"product_status": {"fixed": ["R"], "known_affected": ["R"]}}, False),
        ({"product_status": {"under_investigation": ["R"]}}, False),
        ({"product_status": {"fixed": ["R"]}, "cve": "CVE-2020-1"}, False),
        ({"product_status": {"fixed": ["R"]}, "cve": None,
          "ids": [{"system_name": "GitHub", "text": "GHSA-x84v-xcm2-53pg"}]}, True),
        ({}, False),
    ],
)  # fmt: skip
def test_csaf(tmp_path: Path, fields: dict[str, Any], clears: bool) -> None:
    found = vex.clearing(REQUESTS, csaf(tmp_path, **fields), "/top")
    assert (found is not None) is clears
    if found is not None and "flags" in fields:
        assert found.justification == "vulnerable_code_not_in_execute_path"


def test_not_affected_needs_a_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"statements\[0\].*justification"):
        openvex(tmp_path, statement(justification=""))
    assert openvex(tmp_path, statement(justification="", impact_statement="not called"))
    with pytest.raises(InputError, match=r"known_not_affected.*a flag"):
        csaf(tmp_path, product_status={"known_not_affected": ["R"]})


def test_many_statements_about_other_things_take_no_long_time(tmp_path: Path) -> None:
    other = [statement(vulnerability={"name": f"CVE-1-{number}"}) for number in range(20_000)]
    said = openvex(tmp_path, *other, statement())
    assert all(vex.clearing(REQUESTS, said, "/top") is not None for _ in range(1_000))


@pytest.mark.parametrize("name", ["out.vex.json", "out.cdx.json"])
def test_a_suppressed_package_is_exported_and_read_again(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    osv = write(tmp_path / "osv", LEAKY)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "requirements.txt").write_text("leaky.models==1.1\n")
    entry = {"rule": "known-vulnerability", "package": "pkg:pypi/leaky-models", "path": "a/**",
             "vulnerability": "GHSA-aaaa-bbbb-cccc", "status": "not_affected",
             "reason": "not called",
             "justification": "vulnerable_code_cannot_be_controlled_by_adversary",
             "expires": "2999-01-01"}  # fmt: skip
    (tmp_path / SUPPRESSIONS).write_text(text(entry))
    flags = ("a", "b", "--only", "dependencies", "--osv", osv, "--json")
    done = scan(*flags, "--write-vex", name)
    assert [one["asset"] for one in done.document["findings"]] == ["b"]
    document = json.loads((tmp_path / name).read_text())
    again = scan(*flags, "--no-ignore-file", "--vex", name)
    assert [one["asset"] for one in again.document["findings"]] == ["b"]
    assert "not called" in again.document["suppressed"][0]["reason"]
    if name.endswith(".cdx.json"):
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None
        (component,) = document["components"]
        assert component["purl"] == "pkg:pypi/leaky-models@1.1"
    else:
        (row,) = document["statements"]
        assert row["vulnerability"]["name"] == "CVE-2026-1"
        assert row["products"][0]["subcomponents"] == [{"@id": "pkg:pypi/leaky-models@1.1"}]


@pytest.mark.parametrize("status", suppressions.STATUSES)
def test_files_in_cyclonedx(tmp_path: Path, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.py").write_text(f"key = '{STRIPE}'\n")
    entry = ENTRY | {"path": "**", "status": status,
                     "justification": "vulnerable_code_not_present"}  # fmt: skip
    (tmp_path / SUPPRESSIONS).write_text(text(entry))
    assert secrets(".", "--write-vex", "x.cdx.json").code == 0
    document = (tmp_path / "x.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    clears = status in ("not_affected", "fixed")
    assert secrets(".", "--no-ignore-file", "--vex", "x.cdx.json").code == int(not clears)


def test_what_was_suppressed_can_be_exported_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.py").write_text(f"key = '{STRIPE}'\n")
    entry = ENTRY | {"path": "**", "status": "not_affected",
                     "justification": "inline_mitigations_already_exist"}  # fmt: skip
    (tmp_path / SUPPRESSIONS).write_text(text(entry))
    assert secrets(".", "--write-vex", "out.vex.json").code == 0
    document = json.loads((tmp_path / "out.vex.json").read_text())
    (row,) = document["statements"]
    assert (row["status"], row["impact_statement"]) == ("not_affected", "a key of the sandbox")
    (tmp_path / SUPPRESSIONS).unlink()
    assert secrets(".").code == 1
    done = secrets(".", "--vex", "out.vex.json")
    assert done.code == 0
    assert [one["reason"] for one in done.document["suppressed"]] == ["a key of the sandbox"]


def test_an_accepted_risk_is_exported_as_affected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(f"key = '{STRIPE}'\n")
    (tmp_path / SUPPRESSIONS).write_text(text(ENTRY | {"path": "**"}))
    secrets(".", "--write-vex", "out.json")
    (row,) = json.loads((tmp_path / "out.json").read_text())["statements"]
    assert row["status"] == "affected"
    assert "a key of the sandbox" in row["action_statement"]
    assert secrets(".", "--no-ignore-file", "--vex", "out.json").code == 1


KEYS = st.sampled_from([
    "statements", "vulnerability", "name", "aliases", "products", "@id", "subcomponents", "status",
    "identifiers", "purl", "timestamp", "vulnerabilities", "analysis", "state", "affects", "ref",
    "components", "bom-ref", "metadata", "component", "references", "id", "lastUpdated",
    "product_tree", "branches", "product", "product_id", "full_product_names", "relationships",
    "product_identification_helper", "purls", "product_groups", "group_id", "product_ids", "cve",
    "ids", "text", "flags", "label", "threats", "category", "product_status", "fixed", "versions",
    "version", "evidence", "occurrences", "location",
])  # fmt: skip
LEAF = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=6)
    | st.sampled_from(["not_affected", "fixed", "resolved", "pkg:pypi/a@1", "CVE-1", "2026-01-01"])
)  # fmt: skip
TREE = st.recursive(
    LEAF, lambda one: st.lists(one, max_size=3) | st.dictionaries(KEYS, one, max_size=5),
    max_leaves=20,
)  # fmt: skip
HEADS = st.sampled_from(
    [
        {"@context": "https://openvex.dev/ns"},
        {"bomFormat": "CycloneDX"},
        {},
        {"document": {"csaf_version": "2.0"}},
    ]
)


@given(HEADS, st.dictionaries(KEYS, TREE, max_size=5), st.lists(TREE, max_size=3))
def test_any_document_is_read_or_refused(
    tmp_path_factory: Any, head: dict[str, Any], body: dict[str, Any], rows: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("v") / "a.json"
    for data in (head | body, head | {"statements": rows, "vulnerabilities": rows}, rows):
        path.write_text(json.dumps(data))
        with suppress(InputError):
            vex.clearing(REQUESTS, vex_file.load(path), "/top")
