"""Rules of packs: fields, and the examples that they carry."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.packs import bundle, verify
from buttress.probes.artifacts.pack import fingerprints
from buttress.rules.credentials.pack_rules import SECRET_RULES
from tests.packs.making import SECRETS, make

CODE = """\
rules:
  - id: acme-load
    title: A loader
    severity: high
    message: "{it} is bad."
    remedy: Use another.
    references: [CWE-502]
    languages: [python]
    match: [{call: [acme.load]}]
    bad: ["import acme\\nacme.load('x')\\n"]
    good: ["import acme\\nacme.read('x')\\n"]
"""


def check(folder: Path) -> None:
    verify.contents(bundle.read(folder).manifest, folder)


def secret_pack(tmp_path: Path, **fields: Any) -> Path:
    data = yaml.safe_load(SECRETS)
    data["rules"][0] |= fields
    return make(tmp_path / "p", {"rules/s.yaml": ("secret-rules", yaml.safe_dump(data))})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"positive": ["acmetok_{base62:12}"]}, "rule 'acme-token' misses its positive example 1"),
        ({"negative": ["x", "acmetok_{base62:32}"]}, "finds its negative example 2"),
        ({"keywords": ["other"]}, "misses its positive example 1"),
        ({"positive": ["acmetok_{run:32}"]}, "misses its positive example 1"),
        ({"positive": ["{unknown:3}"]}, "can't be filled in"),
        ({"positive": ["{hex:999999999}"]}, "can't be filled in: too long"),
        ({"pattern": "acmetok_("}, "no pattern"),
        ({"pattern": r"(a)\1"}, "no pattern"),
        ({"pattern": "acmetok_[a-z]+"}, "no group"),
        ({"pattern": "(a*)"}, "matches the empty text"),
        ({"severity": "grave"}, "one of info, low"),
        ({"check": "nonsense"}, "is not valid"),
        ({"positive": []}, "positive"),
        ({"id": "other-token"}, "ids of its own that begin with acme-"),
        ({"id": "acme token"}, "is no id"),
        ({"colour": "red"}, "unknown field"),
    ],
)
def test_a_pack_with_a_wrong_secret_rule(tmp_path: Path, fields: Any, told: str) -> None:
    with pytest.raises(InputError, match="acme") as caught:
        check(secret_pack(tmp_path, **fields))
    assert told in str(caught.value)
    assert str(caught.value).startswith("pack acme 1.0.0: rules/s.yaml")


def test_rules_that_use_our_checks(tmp_path: Path) -> None:
    check(secret_pack(tmp_path, check="crc62", pattern=r"(acmetok_[0-9A-Za-z]{36})\b",
                      positive=["acmetok_{crc62:30}"],
                      negative=["acmetok_{base62:36}"]))  # fmt: skip


def code_pack(tmp_path: Path, old: str, new: str) -> Path:
    assert old in CODE
    return make(tmp_path / "p", {"rules/c.yaml": ("code-rules", CODE.replace(old, new))})


def test_a_rule_about_code_and_its_examples(tmp_path: Path) -> None:
    check(code_pack(tmp_path, "acme-load", "acme-load"))
    with pytest.raises(InputError, match=r"pack acme 1.0.0: rules/c.yaml:10: .*acme-load"):
        check(code_pack(tmp_path, "acme.load('x')", "acme.other('x')"))
    with pytest.raises(InputError, match="rule 'acme-load' finds its good example 1"):
        check(code_pack(tmp_path, "acme.read('x')", "acme.load('x')"))


def test_an_id_may_be_used_once(tmp_path: Path) -> None:
    files = dict.fromkeys(("a.yaml", "b.yaml"), ("secret-rules", SECRETS))
    with pytest.raises(InputError, match=r"rule 'acme-token' is also in a\.yaml"):
        check(make(tmp_path / "p", files))


@pytest.mark.parametrize(
    ("kind", "name", "text", "told"),
    [
        ("prompts", "p.jsonl", "", "no prompts"),
        ("prompts", "p.jsonl", "{", "p.jsonl:1"),
        ("attack-templates", "t.jsonl", '{"name": "x"}', "no text"),
        ("risks", "r.yaml", "risks: [{id: x}]", "risks[0]"),
        ("policy", "p.yaml", "id: p\ntitle: P\nrisks: {nonsense: {}}", "unknown risk"),
        ("fingerprints", "f.yaml", "fingerprints: [{sha256: abc}]", "fingerprints[0]"),
    ],
)
def test_other_contents_are_read_by_their_loaders(
    tmp_path: Path, kind: str, name: str, text: str, told: str
) -> None:
    with pytest.raises(InputError, match="acme") as caught:
        check(make(tmp_path / "p", {name: (kind, text)}))
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"pack acme 1.0.0: {name}")


FIELDS = st.sampled_from([
    "id", "title", "pattern", "keywords", "severity", "check", "positive", "negative", "files",
    "sha256", "bytes", "verified",
])  # fmt: skip
VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=12),
    st.text("()[]*+?\\{}a1:", max_size=14),
    st.lists(st.text("()[]*+?\\{}a1:hex", max_size=14), max_size=3),
)  # fmt: skip


@given(st.dictionaries(FIELDS, VALUE, max_size=3), st.booleans())
def test_any_rule_is_read_or_refused(
    tmp_path_factory: Any, fields: dict[str, Any], whole: bool
) -> None:
    base = yaml.safe_load(SECRETS)["rules"][0] if whole else {}
    path = tmp_path_factory.mktemp("r") / "rules.yaml"
    path.write_text(yaml.safe_dump({"rules": [base | fields]}), encoding="utf-8")
    with suppress(InputError):
        SECRET_RULES.check(path, "acme 1.0.0", {})
    path.write_text(yaml.safe_dump({"fingerprints": [fields]}), encoding="utf-8")
    with suppress(InputError):
        fingerprints.load(path)
