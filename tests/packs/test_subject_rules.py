"""Rules for containers and agents in packs, and digests of good files: what is refused, and why."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.packs import bundle, home, verify
from buttress.packs.contents import contents_of
from buttress.packs.installed import installed
from buttress.packs.verify import own_rules
from buttress.probes.artifacts.pack import known_good
from buttress.probes.artifacts.pack.known_good import KnownGood
from buttress.probes.deployment.probe import PROBE, RULES
from tests.packs.making import make

RULE: dict[str, Any] = {
    "id": "acme-registry", "title": "Elsewhere", "about": "image", "is": "^ghcr[.]io/",
    "severity": "medium", "message": "{it} is elsewhere.", "remedy": "Use ours.",
    "references": ["CWE-829"], "file": "Dockerfile", "bad": ["FROM ghcr.io/a:1\n"],
    "good": ["FROM ours/a:1\n"],
}  # fmt: skip
MISSING = {
    "is": None, "about": "k8s.Deployment", "at": "metadata.labels.team", "missing": True,
    "file": "d.yaml",
    "bad": ["apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"],
    "good": ["apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: {team: b}}\n"],
}  # fmt: skip


def rule_pack(folder: Path, kind: str = "infrastructure-rules", **fields: Any) -> Path:
    entry = {key: one for key, one in (RULE | fields).items() if one is not None}
    return make(folder, {"r.yaml": (kind, yaml.safe_dump({"rules": [entry]}))})


def check(folder: Path) -> None:
    verify.contents(bundle.read(folder).manifest, folder)


@pytest.mark.parametrize("fields", [{}, MISSING, {"about": ["image", "shell"]}])
def test_rules_that_pass(tmp_path: Path, fields: dict[str, Any]) -> None:
    check(rule_pack(tmp_path / "p", **fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"check": "final-user"}, "names a check in Python, which a pack can't hold"),
        ({"bad": ["FROM ours/a:1\n"]}, "rule 'acme-registry' misses its bad example 1, Dockerfile"),
        ({"good": ["FROM a\n", "FROM ghcr.io/a\n"]}, "finds its good example 2"),
        ({"about": "imagine"}, "expected a match in docker.final, image"),
        ({"file": "notes.txt"}, "expected a file that the probe reads"),
        ({"file": "../Dockerfile"}, "names no file"),
        ({"file": "/Dockerfile"}, "names no file"),
        ({"file": None}, "names no file"),
        ({"is": "("}, "no pattern"),
        ({"is": r"(a)\1"}, "no pattern"),
        ({"is": "a*"}, "matches the empty text"),
        ({"unless": "["}, "no pattern"),
        ({"is": None}, "needs either 'is' or 'missing'"),
        ({"missing": True}, "needs either 'is' or 'missing'"),
        (MISSING | {"at": None}, "'at' is missing"),
        (MISSING | {"about": "image", "file": "Dockerfile", "bad": RULE["bad"]}, "misses its bad"),
        ({"severity": "grave"}, "one of info, low"),
        ({"id": "other"}, "ids of its own that begin with acme-"),
        ({"id": next(iter(RULES.own))}, "is one of Buttress's own"),
        ({"good": []}, "good"),
        ({"colour": "red"}, "unknown field"),
    ],
)  # fmt: skip
def test_rules_that_are_refused(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        check(rule_pack(tmp_path / "p", **fields))
    assert told in str(caught.value)
    assert str(caught.value).startswith("pack acme 1.0.0: r.yaml")


def test_a_rule_for_the_other_probe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that the probe reads"):
        check(rule_pack(tmp_path / "p", "agent-rules"))


def test_two_packs_with_a_rule_of_one_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    for name in ("acme", "acme-x"):
        folder = rule_pack(tmp_path / name, id="acme-x-y")
        manifest = folder / "pack.yaml"
        manifest.write_text(manifest.read_text().replace("id: acme\n", f"id: {name}\n"))
        home.install(folder, replace=False)
    with pytest.raises(InputError, match="'acme-x-y' is in another pack too"):
        PROBE.rule_ids(installed())


def test_our_own_rules_pass_the_same_trial() -> None:
    assert own_rules() > 150
    contents = contents_of("infrastructure-rules")
    file = RULES.files()[0]
    one = file.rules[0]
    swapped = replace(file, rules=(replace(one, bad=one.good, good=one.bad),))
    with pytest.raises(InputError, match="misses its bad example"):
        swapped.try_examples(contents.trial, contents.expected)


def good_file(data: bytes, **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"sha256": digest, "bytes": len(data), "title": "A. ", "reason": "seen"} | fields


def written(folder: Path, *entries: Any) -> Path:
    path = folder / "good.yaml"
    path.write_text(yaml.safe_dump({"files": list(entries)}))
    return path


def test_a_good_file_is_told_by_size_and_digest(tmp_path: Path) -> None:
    known = KnownGood(known_good.load(written(tmp_path, good_file(b"one")), "acme 1"))
    for name, data in {"a": b"one", "b": b"two", "c": b"three"}.items():
        (tmp_path / name).write_bytes(data)
    found = {name: known.find(tmp_path / name) for name in ("a", "b", "c", "gone")}
    assert [name for name, one in found.items() if one] == ["a"]
    finding = Finding("pickle-dangerous-import", "critical", "m", "a@3", "It runs.", "Don't.")
    good = found["a"]
    assert good is not None
    told = good.accept(finding)
    assert (told.rule, told.location, told.severity) == (finding.rule, finding.location, "info")
    expected = "Accepted by digest, pack acme 1: A (seen). It was critical: It runs."
    assert told.message == expected


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"sha256": "AB"}, "64 hex digits"),
        ({"bytes": -1}, "out of range"),
        ({"title": ""}, "what file it is"),
        ({"reason": 3}, "files[0].reason"),
        ({"severity": "low"}, "unknown field"),
    ],
)
def test_digests_that_are_refused(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        known_good.load(written(tmp_path, good_file(b"x", **fields)), "acme 1")
    assert told in str(caught.value)


FIELDS = st.sampled_from([
    *RULE, "check", "missing", "at", "unless", "unless_in", "sentence", "secret", "x", "sha256",
    "bytes", "reason",
])  # fmt: skip
PATTERN = st.text("()[]*+?\\{}^$|.a1:", max_size=12)
TEXT = st.text(max_size=12) | PATTERN | st.sampled_from(["image", "shell", "Dockerfile", "a.yaml"])
EXAMPLE = TEXT | st.dictionaries(st.sampled_from(["file", "text", "x"]), TEXT, max_size=3)
VALUE = st.none() | st.booleans() | st.integers() | TEXT | st.lists(EXAMPLE, max_size=3)


@given(st.dictionaries(FIELDS, VALUE, max_size=4), st.booleans(),
       st.sampled_from(["infrastructure-rules", "agent-rules"]))  # fmt: skip
def test_any_file_is_read_or_refused(
    tmp_path_factory: Any, fields: dict[str, Any], whole: bool, kind: str
) -> None:
    folder = tmp_path_factory.mktemp("r")
    path = folder / "r.yaml"
    path.write_text(yaml.safe_dump({"rules": [(RULE if whole else {}) | fields]}))
    with suppress(InputError):
        contents_of(kind).check(path, "acme 1.0.0", {})
    with suppress(InputError):
        known_good.load(written(folder, (good_file(b"x") if whole else {}) | fields), "p 1")
