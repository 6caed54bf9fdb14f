"""Advisories: ranges by the OSV schema, orders of versions, scores, and the database on disk."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.probes.dependencies.osv.advisory import Advisory, rated
from buttress.probes.dependencies.osv.cvss import base_score
from buttress.probes.dependencies.osv.database import Database
from buttress.probes.dependencies.probe import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.provenance.dependencies.versions import key
from tests.probes.dependencies.advisories import HIGH, LEAKY, advisory, write


def affects(version: str, events: list[dict[str, str]], **more: Any) -> bool:
    data = advisory("X-1", "a", events, **more)
    return Advisory(data, more.get("ecosystem", "PyPI"), "a").affects(version)


def findings(
    tmp_path: Path, text: str, *advisories: dict[str, Any], file: str = "requirements.txt"
) -> list[Finding]:
    database = write(tmp_path / "osv", *advisories)
    (tmp_path / "app").mkdir(exist_ok=True)
    (tmp_path / "app" / file).write_text(text)
    records = replace(PROBE, osv=database).inspect(InspectionContext.at("app", tmp_path / "app"))
    return [one for one in records if isinstance(one, Finding) and "pinned" not in one.rule]


@given(
    bounds=st.lists(st.integers(0, 12), min_size=2, max_size=8, unique=True),
    version=st.integers(0, 13),
    seed=st.randoms(use_true_random=False),
    closed=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_events_mean_intervals_in_whatever_order_they_stand(
    bounds: list[int], version: int, seed: Any, closed: bool
) -> None:
    bounds = sorted(bounds)[: len(bounds) // 2 * 2]
    pairs = list(zip(bounds[::2], bounds[1::2], strict=True))
    last = "last_affected" if closed else "fixed"
    events = [event for low, high in pairs
              for event in ({"introduced": f"{low}.0"}, {last: f"{high}.0"})]  # fmt: skip
    seed.shuffle(events)
    inside = any(
        low <= version and (version <= high if closed else version < high) for low, high in pairs
    )
    assert affects(f"{version}.0", events) == inside
    semver = [{kind: f"{value}.0" for kind, value in event.items()} for event in events]
    assert affects(f"{version}.0.0", semver, ecosystem="npm", type="SEMVER") == inside


def test_zero_is_before_all_and_no_end_means_for_ever() -> None:
    assert affects("0.0.1.dev0", [{"introduced": "0"}])
    assert affects("99", [{"introduced": "1.0"}])
    assert not affects("0.9", [{"introduced": "1.0"}])


def test_adjoining_ranges_and_limits() -> None:
    events = [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "2"}, {"fixed": "3"}]
    assert affects("2", events)
    assert not affects("3", events)
    assert not affects("5", [{"introduced": "0"}, {"limit": "4"}])
    assert affects("3", [{"introduced": "0"}, {"limit": "4"}])


def test_listed_versions_count_in_other_spellings_too_and_git_ranges_do_not() -> None:
    assert affects("1.0.0", [], versions=["1.0"])
    assert not affects("1.1", [{"introduced": "0"}], type="GIT")


def test_versions_that_are_none_match_only_if_listed() -> None:
    assert not affects("not a version", [{"introduced": "0"}])
    assert affects("not a version", [], versions=["not a version"])


def test_the_order_of_semantic_versions() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
               "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]  # fmt: skip
    mixed = ordered[5:] + ordered[:5]
    assert sorted(mixed, key=lambda one: key(one, "npm")) == ordered
    assert key("1.0.0+build", "npm") == key("1.0.0", "npm")


@pytest.mark.parametrize(
    ("vector", "score"),
    [
        # The first five are examples of FIRST's document of examples for CVSS v3.1.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H/E:P", 7.8),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0.0),
        # FIRST's guide to CVSS v2, section 3.3.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", 10.0),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2),
        # FIRST's document of examples for CVSS v4.0; the last with its threat, which is left out.
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.7),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 8.3),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", 4.6),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 5.1),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:N/SC:H/SI:N/SA:N", 5.9),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10.0),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N/E:U", 8.7),
    ],
)
def test_scores(vector: str, score: float) -> None:
    assert base_score(vector) == score


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "CVSS:4.0/AV:N",
        "CVSS:5.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
        "AV:N/AC:L/Au:N/C:C/I:C",
        "AV:N/AC:L/Au:N/C:C/I:C/A:C/A:P",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:3.1/AV:NAC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",  # found by fuzzing
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n",
    ],
)
def test_what_is_no_vector_has_no_score(vector: str) -> None:
    assert base_score(vector) is None


def test_ratings_meet_at_the_bounds_of_the_specification() -> None:
    assert [rated(one) for one in (0.0, 0.1, 3.9, 4.0, 6.9, 7.0, 8.9, 9.0)] == [
        "info", "low", "low", "medium", "medium", "high", "high", "critical",
    ]  # fmt: skip


def test_severity_comes_from_a_word_if_there_is_no_score() -> None:
    v4 = [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]
    data = advisory(
        "X-1", "a", [{"introduced": "0"}], severity=v4, database_specific={"severity": "LOW"}
    )
    assert Advisory(data, "PyPI", "a").severity()[0] == "low"
    del data["database_specific"]
    assert Advisory(data, "PyPI", "a").severity() == ("medium", "not rated")


def test_the_newest_version_of_the_standard_counts() -> None:
    vectors = [
        "AV:N/AC:L/Au:N/C:C/I:C/A:C",
        "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
        HIGH,
    ]
    severity = [{"score": one} for one in vectors]
    data = advisory("X-1", "a", [{"introduced": "0"}], severity=severity)
    assert Advisory(data, "PyPI", "a").severity() == ("medium", "CVSS 4.0 4.6")
    data["severity"] = severity[::2]
    assert Advisory(data, "PyPI", "a").severity() == ("high", "CVSS 3.1 7.5")
    data["severity"] = severity[:1]
    assert Advisory(data, "PyPI", "a").severity() == ("critical", "CVSS 2.0 10.0")


VECTORS = st.lists(
    st.tuples(
        st.sampled_from(["AV", "AC", "Au", "AT", "PR", "UI", "S", "C", "I", "A", "VC", "VI", "VA",
                         "SC", "SI", "SA", "E"]),
        st.sampled_from("NLHPACRUM"),
    ).map(":".join),
    max_size=14,
)  # fmt: skip


@given(head=st.sampled_from(["", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/"]), body=VECTORS)
def test_any_vector_has_a_score_in_bounds_or_none(head: str, body: list[str]) -> None:
    score = base_score(head + "/".join(body))
    assert score is None or 0 <= score <= 10


def test_a_build_for_another_device_has_the_same_flaws() -> None:
    assert affects("2.0.0+cu118", [{"introduced": "0"}, {"last_affected": "2.0.0"}])
    assert affects("2.0.0+cpu", [], versions=["2.0.0"])
    assert not affects("2.0.1+cpu", [{"introduced": "0"}, {"fixed": "2.0.1"}])


def test_a_malicious_package_is_found_without_a_version(tmp_path: Path) -> None:
    bad = advisory("MAL-2026-1", "evil", [{"introduced": "0"}])
    found = findings(tmp_path, "evil\nevil>=1\n", bad)
    assert [one.rule for one in found] == ["malicious-package"] * 2
    manifest = '{"dependencies": {"evil": "^1.0.0"}}'
    bad = advisory("MAL-2026-2", "evil", [{"introduced": "0"}], ecosystem="npm", type="SEMVER")
    found = findings(tmp_path, manifest, bad, file="package.json")
    assert [one.rule for one in found if one.location.startswith("package")] == [
        "malicious-package"
    ]


def test_ranges_of_npm_are_evaluated(tmp_path: Path) -> None:
    bad = advisory("GHSA-x", "a", [{"introduced": "1.0.0"}, {"fixed": "1.5.0"}], ecosystem="npm",
                   type="SEMVER")  # fmt: skip
    rules = []
    for wanted in ("~1.4.0", "^1.4.0", "^1.5.0", "1.4.9"):
        text = json.dumps({"dependencies": {"a": wanted}})
        rules.append([one.rule for one in findings(tmp_path, text, bad, file="package.json")])
    assert rules == [["vulnerable-range"], ["range-allows-vulnerable"], [], ["known-vulnerability"]]


def test_one_vulnerability_in_two_databases_is_one_finding(tmp_path: Path) -> None:
    twin = advisory("GHSA-aaaa-bbbb-cccc", "leaky-models", [{"introduced": "0"}, {"fixed": "1.2"}],
                    database_specific={"cwe_ids": ["CWE-200"], "severity": "LOW"})  # fmt: skip
    (one,) = findings(tmp_path, "numpy==1\nleaky.models==1.1 ; python_version > '3'\n", LEAKY, twin)
    assert (one.rule, one.severity, one.location) == (
        "known-vulnerability",
        "high",
        "requirements.txt:2",
    )
    assert one.references[:3] == ("CVE-2026-1", "GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1")
    assert "pkg:pypi/leaky-models@1.1" in one.references
    assert "CWE-200" in one.references
    assert "Leaks prompts" in one.message
    assert one.remedy == "Upgrade leaky.models to 1.2 or later."


def test_withdrawn_advisories_and_other_packages_do_not_count(tmp_path: Path) -> None:
    gone = {**LEAKY, "withdrawn": "2026-01-03T00:00:00Z"}
    assert findings(tmp_path, "leaky-models==1.1\nother==1.1\n", gone) == []


def test_malicious_packages_are_critical(tmp_path: Path) -> None:
    bad = advisory("MAL-2026-1", "evil", [{"introduced": "0"}])
    (one,) = findings(tmp_path, "evil==1.0\n", bad)
    assert (one.rule, one.severity) == ("malicious-package", "critical")


def test_ranges_say_whether_all_or_some_versions_are_bad(tmp_path: Path) -> None:
    (every,) = findings(tmp_path, "leaky-models>=1.0,<1.2\n", LEAKY)
    assert (every.rule, every.severity) == ("vulnerable-range", "high")
    (some,) = findings(tmp_path, "leaky-models>=1.0,<2\n", LEAKY)
    assert (some.rule, some.severity) == ("range-allows-vulnerable", "low")
    assert "Require leaky-models>=1.2" in some.remedy
    assert findings(tmp_path, "leaky-models>1.2\n", LEAKY) == []


def test_no_fix_at_all_makes_every_range_bad(tmp_path: Path) -> None:
    open_end = advisory("X-1", "a", [{"introduced": "0"}], versions=["1.0", "1.1"])
    assert [one.rule for one in findings(tmp_path, "a>=1\n", open_end)] == ["vulnerable-range"]


def test_npm_locks_are_compared_by_semantic_versions(tmp_path: Path) -> None:
    bad = advisory("GHSA-x", "@a/b", [{"introduced": "1.0.0"}, {"fixed": "1.10.0"}],
                   ecosystem="npm", type="SEMVER",
                   severity=[{"type": "CVSS_V3", "score": HIGH}])  # fmt: skip
    lock = {"packages": {"": {}, "node_modules/@a/b": {"version": "1.9.0"},
                         "node_modules/c/node_modules/@a/b": {"version": "1.10.0"}}}  # fmt: skip
    found = findings(tmp_path, json.dumps(lock, indent=1), bad, file="package-lock.json")
    assert [(one.rule, one.location) for one in found] == [
        ("known-vulnerability", "package-lock.json:4")
    ]


def test_archives_are_read_in_place_and_what_is_broken_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps(LEAKY))
        archive.writestr("b.json", "{")
        archive.writestr("c.txt", "x")
    database = Database(path)
    assert (database.advisories, database.unreadable, database.newest) == (1, 1, "2026-01-02")
    assert [one.id for one in database.about("PyPI", "leaky-models")] == ["PYSEC-2026-1"]
    assert len(Database(tmp_path).about("PyPI", "leaky-models")) == 1  # a folder of archives


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"{}"])
def test_what_is_no_database_is_the_users_mistake(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="OSV format"):
        list(replace(PROBE, osv=path).inspect(InspectionContext.at("app", tmp_path)))


WORDS = ["PyPI", "a", "ECOSYSTEM", "0"]
KEYS = ["id", "affected", "package", "ecosystem", "name", "ranges", "type", "events", "introduced",
        "fixed", "limit", "versions", "severity", "score", "aliases",
        "database_specific"]  # fmt: skip
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(WORDS)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


def test_archives_of_an_unknown_version_are_the_users_mistake(tmp_path: Path) -> None:
    # Found by fuzzing: the library has other errors than its own for such files.
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", json.dumps(LEAKY))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 236
    path.write_bytes(data)
    with pytest.raises(InputError, match="zip file version"):
        Database(path)


@settings(max_examples=200, deadline=None)
@given(data=anything)
def test_any_json_as_an_advisory(data: Any) -> None:
    one = Advisory(data if isinstance(data, dict) else {"affected": data}, "PyPI", "a")
    one.affects("1.0")
    one.known_versions()
    one.fixes()
    one.severity()
    one.weaknesses()
