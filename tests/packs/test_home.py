"""Installing, loading and removing packs; names that lead into them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.packs import home, resolve, where
from buttress.packs.contents import kinds
from buttress.packs.installed import installed as knowledge
from buttress.packs.scaffold import scaffold
from buttress.packs.seal import seal
from buttress.probes.agents import probe as agents
from buttress.probes.client import probe as client
from buttress.probes.deployment import probe as deployment
from buttress.probes.source.code import probe as code
from buttress.protocols.secret_rules import secret_rules
from tests.packs.making import SECRETS, make, zipped


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUTTRESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home/packs"


def test_where_packs_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BUTTRESS_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "x"))
    assert where.home() == tmp_path / "x/buttress/packs"


def test_install_load_and_remove(tmp_path: Path, own_home: Path) -> None:
    assert where.ids() == []
    installed, before = home.install(make(tmp_path / "p"), replace=False)
    assert (installed.folder, before) == (own_home / "acme", None)
    assert where.ids() == ["acme"]
    assert home.load("acme").manifest == installed.manifest
    home.remove("acme")
    assert list(own_home.iterdir()) == []
    with pytest.raises(InputError, match="there is none"):
        home.remove("acme")


def test_newer_versions_replace_older_ones(tmp_path: Path, own_home: Path) -> None:
    for version in ("1.0.0", "1.10.0"):
        home.install(make(tmp_path / version, version=version), replace=False)
    for version in ("1.10.0", "1.9.0"):
        with pytest.raises(InputError, match="a newer version, or --replace"):
            home.install(make(tmp_path / version, version=version), replace=False)
    _, before = home.install(make(tmp_path / "1.9.0", version="1.9.0"), replace=True)
    assert before is not None
    assert str(before.manifest.version) == "1.10.0"
    assert str(home.load("acme").manifest.version) == "1.9.0"
    assert [one.name for one in own_home.iterdir()] == ["acme"]


def test_a_pack_that_is_not_valid_leaves_the_old_one(tmp_path: Path, own_home: Path) -> None:
    home.install(make(tmp_path / "p"), replace=False)
    bad = make(tmp_path / "bad", {"s.yaml": ("secret-rules", SECRETS.replace("32", "31", 1))},
               version="2.0.0")  # fmt: skip
    with pytest.raises(InputError, match="misses its positive example"):
        home.install(bad, replace=False)
    assert str(home.load("acme").manifest.version) == "1.0.0"
    assert [one.name for one in own_home.iterdir()] == ["acme"]


def test_what_was_altered_after_it_was_installed_does_not_load(
    tmp_path: Path, own_home: Path
) -> None:
    home.install(make(tmp_path / "p"), replace=False)
    path = own_home / "acme/rules/secrets.yaml"
    path.write_text(path.read_text().replace("critical", "info"))
    with pytest.raises(InputError, match=r"pack 'acme' does not load: .*secrets\.yaml"):
        home.load("acme")
    with pytest.raises(InputError, match="does not load"):
        knowledge()
    home.install(tmp_path / "p", replace=False)  # over what is broken, anything may come
    assert len(knowledge().of_kind("secret-rules")) == 1


def test_examples_are_tried_again_by_another_version(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.install(make(tmp_path / "p"), replace=False)
    record = own_home / "acme/.verified.json"
    before = record.read_bytes()
    monkeypatch.setattr(home, "__version__", "0.1.99")
    home.load("acme")
    assert record.read_bytes() != before


@pytest.mark.parametrize("name", ["../acme", "", "no-such", "ACME", "a/b", "acme\0", "x" * 300])
def test_names_that_lead_nowhere(name: str) -> None:
    with pytest.raises(InputError):
        home.load(name)
    with pytest.raises(InputError):
        resolve.resolve(f"pack:{name}/x")


def test_resolve(tmp_path: Path, own_home: Path) -> None:
    scaffold(tmp_path / "new", "acme")
    home.install(tmp_path / "new", replace=False)
    for name in ("policy", "policy.yaml"):
        assert resolve.resolve(f"pack:acme/{name}", ("policy",)) == own_home / "acme/policy.yaml"
    assert resolve.resolve("pack:acme/secrets").name == "secrets.yaml"
    assert resolve.resolve("pack:acme/rules/secrets").name == "secrets.yaml"
    for name, told in (
        ("pack:acme/policy", "that is risks"),
        ("pack:acme/../../x", "has no"),
        ("pack:acme", "pack:ID/NAME"),
        ("acme/policy", "names nothing"),
    ):
        with pytest.raises(InputError, match=told):
            resolve.resolve(name, ("risks",))


def test_a_new_pack_is_valid_in_every_kind(tmp_path: Path) -> None:
    scaffold(tmp_path / "new", "my-pack")
    installed, _ = home.install(zipped(tmp_path / "new", tmp_path / "a.zip"), replace=False)
    # An archive of AI-Infra-Guard's files is taken from that project; a new pack has none.
    begun = {item.kind for item in installed.manifest.contents}
    assert begun == set(kinds()) - {"ai-infra-guard-rules"}
    known = knowledge()
    assert "my-pack-token" in {rule.id for rule in secret_rules(known).rules}
    assert code.PROBE.rule_ids(known)[-1] == "my-pack-old-loader"
    own = set(deployment.RULES.own)
    assert set(deployment.PROBE.rule_ids(known)) - own == {
        "my-pack-foreign-registry", "my-pack-no-team",
    }  # fmt: skip
    assert set(agents.PROBE.rule_ids(known)) - set(agents.RULES.own) == {"my-pack-admin-tool"}
    assert set(client.PROBE.rule_ids(known)) - set(client.RULES.own) == {"my-pack-internal-host"}
    with pytest.raises(InputError, match="is not empty"):
        scaffold(tmp_path / "new", "my-pack")


def test_seal_changes_digests_only(tmp_path: Path) -> None:
    scaffold(tmp_path / "new", "acme")
    manifest = tmp_path / "new/pack.yaml"
    manifest.write_text("# A comment.\n" + manifest.read_text())
    before = manifest.read_text().splitlines()
    assert seal(tmp_path / "new") == 0
    (tmp_path / "new/prompts.jsonl").write_text('{"prompt": "x"}\n')
    assert seal(tmp_path / "new") == 1
    after = manifest.read_text().splitlines()
    assert [one for one, two in zip(before, after, strict=True) if one != two] == [
        one for one in before if "prompts.jsonl" in one
    ]
    home.install(tmp_path / "new", replace=False)
    shutil.move(tmp_path / "new/prompts.jsonl", tmp_path / "new/other.jsonl")
    with pytest.raises(InputError, match="no such file: prompts"):
        seal(tmp_path / "new")
