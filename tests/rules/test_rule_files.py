"""One loader: what comes with Buttress is held to the form that strangers' rules are held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import buttress.probes.infrastructure
import buttress.probes.link
from buttress.errors import InputError
from buttress.probes.agents.checks import RULES as AGENTS
from buttress.probes.artifacts.issue import RULES as ARTIFACTS
from buttress.probes.dependencies.probe import RULES as DEPENDENCIES
from buttress.probes.deployment.probe import RULES as DEPLOYMENT
from buttress.probes.source.code.rulebook import CODE
from buttress.provenance.licences.judging import RULES as LICENCES
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.report_rules import live_rules
from buttress.rules.rule import Example, Rule
from buttress.rules.rule_files import ExampleError, RuleKind, read

LIVE, LINK = (
    live_rules(Path(package.__path__[0]) / "data" / "rules.yaml")
    for package in (buttress.probes.infrastructure, buttress.probes.link)
)
KINDS = (AGENTS, ARTIFACTS, DEPENDENCIES, DEPLOYMENT, LIVE, LINK, CODE, LICENCES, CREDENTIALS)
NAMES = [str(kind.source.parent.parent.name) + "-" + kind.name for kind in KINDS]


def written(folder: Path, rules: Any, **more: Any) -> Path:
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({**more, "rules": rules}), encoding="utf-8")
    return path


def first(kind: RuleKind[Any]) -> dict[str, Any]:
    """A rule that comes with Buttress, as its file has it."""
    path = kind.source if kind.source.is_file() else sorted(kind.source.glob("*.yaml"))[0]
    data = yaml.safe_load(path.read_text("utf-8"))
    rules = data["rules"]
    if isinstance(rules, dict):
        rules = [{"id": name, **one} for name, one in rules.items()]
    rule: dict[str, Any] = {**data.get("defaults", {}), **rules[0]}
    return rule


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": "grave"}, "one of info, low, medium, high, critical"),
        ({"remedy": None}, "'remedy' is missing"),
        ({"references": []}, "references"),
        ({"id": "No Id"}, "a-z, 0-9 and -"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_a_fault_in_a_rule_of_our_own_is_found(
    tmp_path: Path, kind: RuleKind[Any], change: dict[str, Any], told: str
) -> None:
    assert read(written(tmp_path, [first(kind)]), kind.format, shipped=True).rules
    rule = {key: one for key, one in {**first(kind), **change}.items() if one is not None}
    path = written(tmp_path, [rule])
    with pytest.raises(InputError) as caught:
        read(path, kind.format, shipped=True)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_every_kind_has_rules_with_ids_of_their_own(kind: RuleKind[Any]) -> None:
    assert kind.own
    for name, rule in kind.own.items():
        assert isinstance(rule, Rule)
        assert rule.id == name
        assert rule.remedy.strip()
        assert rule.references


def test_defaults_hold_where_a_rule_says_nothing(tmp_path: Path) -> None:
    base = {"remedy": "Do.", "references": ["CWE-1"]}
    rules = [{"id": "a", **base}, {"id": "b", "severity": "high", **base}]
    path = written(tmp_path, rules, defaults={"severity": "low"})
    assert [one.severity for one in read(path, ARTIFACTS.format).rules] == ["low", "high"]


def test_rules_by_id_are_rules_in_a_list(tmp_path: Path) -> None:
    base = {"remedy": "Do.", "references": ["CWE-1"]}
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"rules": {"a": {"severity": "low", **base}}}))
    assert list(read(path, ARTIFACTS.format).rules) == [
        Rule(id="a", severity="low", remedy="Do.", references=("CWE-1",))
    ]
    path.write_text(
        "rules:\n  a:\n    severity: low\n    remedy: Do.\n    references: [CWE-1]\n  b:\n"
        "    remedy: Do.\n    references: [CWE-1]\n    severity: grave\n"
    )
    with pytest.raises(InputError, match=r"rules.yaml:9: rules\[1\].severity"):
        read(path, ARTIFACTS.format)


def test_what_is_written_in_python_only_our_own_files_name(tmp_path: Path) -> None:
    rule = {key: one for key, one in first(DEPLOYMENT).items() if key not in ("is", "missing")}
    path = written(tmp_path, [{**rule, "check": "final-user"}])
    assert read(path, DEPLOYMENT.format, shipped=True).rules[0].check == "final-user"
    with pytest.raises(InputError, match="which a pack can't hold"):
        read(path, DEPLOYMENT.format)
    rule = {**first(CREDENTIALS), "check": "pair", "settings": {"partner": "x", "alone": "low"}}
    path = written(tmp_path, [rule])
    assert read(path, CREDENTIALS.format, shipped=True).rules[0].settings["alone"] == "low"
    with pytest.raises(InputError, match=r"rules\[0\].settings"):
        read(path, CREDENTIALS.format)


def test_one_function_tries_the_examples_of_every_kind(tmp_path: Path) -> None:
    rule = {**first(CODE), "bad": ["a\nb"], "good": ["c", "d"]}
    file = read(written(tmp_path, [rule]), CODE.format)
    file.try_examples(lambda _: lambda example: {example.text == "a\nb"})
    for outcomes, told in (
        (lambda example: {True}, "finds its good example 1: c; expected no match"),
        (lambda example: {False}, "misses its bad example 1: a"),
        (lambda example: {True, False}, "misses its bad example 1"),
        (lambda example: {example.text != "c"}, "finds its good example 2: d"),
    ):
        with pytest.raises(InputError) as caught:
            file.try_examples(lambda _, outcomes=outcomes: outcomes)  # type: ignore[misc]
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)

    def broken(_: Example) -> set[bool]:
        raise ExampleError("it does not parse")

    with pytest.raises(InputError, match="it does not parse"):
        file.try_examples(lambda _: broken)
