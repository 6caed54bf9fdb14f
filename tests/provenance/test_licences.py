"""Licences: names, expressions, texts, and the rules with their own examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress import extension
from buttress.evidence.records import SEVERITIES, Finding, Inspection
from buttress.probes.base import InspectionProbe
from buttress.provenance.inventory.system import commercial
from buttress.provenance.licences.expression import Declared, ExpressionError, parse
from buttress.provenance.licences.facts import identify, licences, of_model
from buttress.provenance.licences.judging import Link, Rule, Subject, Use, judge, rules
from buttress.provenance.licences.probe import PROBE, Licences
from buttress.provenance.licences.text import recognise
from tests.provenance import folders


def subject(role: str, text: str) -> Subject:
    declared = tuple(Declared(one, "card") for one in text.split(" | ") if one)
    return Subject(role, f"the {role}", declared)  # type: ignore[arg-type]


def applies(rule: Rule, example: tuple[str, ...], use: Use) -> list[str]:
    """Severities with which the rule applies to its example."""
    first = subject(*example[:2])
    links = []
    if rule.relation:
        links.append(Link(first, rule.relation, subject(*example[2:])))
    return [one.severity for one in judge([first], links, use) if one.rule.id == rule.id]


@pytest.mark.parametrize("rule", rules().values(), ids=lambda one: one.id)
def test_every_rule_finds_its_bad_example_and_not_its_good_one(rule: Rule) -> None:
    use = Use(rule.commercial, rule.distributed)
    assert applies(rule, rule.bad, use) == [rule.severity]
    assert applies(rule, rule.good, use) == []
    assert rule.source
    if rule.use:
        assert applies(rule, rule.bad, Use()) == ([rule.unsaid] if rule.unsaid else [])
        assert applies(rule, rule.bad, Use(False, False)) == []
        assert SEVERITIES.index(rule.unsaid or "info") < SEVERITIES.index(rule.severity)


def test_every_licence_is_found_by_its_id_and_names_and_no_name_is_taken_twice() -> None:
    taken: dict[str, str] = {}
    for one in licences().values():
        assert one.source
        for name in (one.id, *one.names):
            found = identify(name)
            assert found is not None, name
            assert found.id == one.id, name
            assert taken.setdefault(name, one.id) == one.id
    assert identify("never heard of") is None
    assert of_model("meta-llama/Llama-3.1-8B-Instruct") is licences()["LicenseRef-Llama-3.1"]
    assert of_model("someone/else") is None


def test_every_spdx_id_is_one() -> None:
    schema = pytest.importorskip("cyclonedx.schema._res", reason="needs cyclonedx-python-lib")
    import json

    known = json.loads(Path(schema.SPDX_JSON).read_text())["enum"]
    assert [one.id for one in licences().values() if one.spdx and one.id not in known] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ("mit or gpl-3.0", "MIT OR GPL-3.0-only"),
        ("(MIT OR GPL-2.0-only) AND CC0-1.0", "(MIT AND CC0-1.0) OR (GPL-2.0-only AND CC0-1.0)"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only"),
        ("our own", "our own"),
        ("MIT AND (", "MIT AND ("),
    ],
)
def test_expressions(text: str, expected: str) -> None:
    assert Declared(text, "").shown == expected


def test_what_can_be_chosen_away_is_no_conflict() -> None:
    use = Use(commercial=True)
    for text, found in (
        ("cc-by-nc-4.0 OR mit", False),
        ("cc-by-nc-4.0 AND mit", True),
        ("cc-by-nc-4.0 OR cc-by-nc-sa-4.0", True),
        ("mit", False),
    ):
        conflicts = [one.rule.id for one in judge([subject("model", text)], [], use)]
        assert ("licence-non-commercial" in conflicts) is found, text


@given(st.text(max_size=80) | st.lists(
    st.sampled_from(["MIT", "GPL-2.0-only", "x", "AND", "OR", "WITH", "(", ")"]), max_size=30
).map(" ".join))  # fmt: skip
def test_any_expression_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except ExpressionError:
        found = ()
    assert all(name for choice in found for name in choice)
    one = Declared(text, "")
    assert one.choices
    if one.known:  # the meaning of what is shown is that of what was written
        again = Declared(one.shown, "").choices
        assert {frozenset(choice) for choice in again} == {frozenset(c) for c in one.choices}


MIT = (
    "Copyright (c) 2020 Somebody\n\nPermission is hereby granted, free of charge, to any person\n"
    "obtaining a copy of this software ...\nThe above copyright notice and this permission\n"
    "notice shall be included in all copies ...\n"
)
BSD = (
    "Redistribution and use in source and binary forms, with or without ...\n"
    "* Redistributions in binary form must reproduce the above ...\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MIT, "MIT"),
        (BSD, "BSD-2-Clause"),
        (BSD + "* Neither the name of the copyright holder ...", "BSD-3-Clause"),
        ("   Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n" + "x " * 2000
         + "use the GNU Lesser General Public License instead", "GPL-3.0-only"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n"
         "the terms of the GNU General Public License", "LGPL-3.0-only"),
        ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "LicenseRef-Llama-3.1"),
        ("# SPDX-License-Identifier: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("All rights reserved.", None),
        ("", None),
    ],
)  # fmt: skip
def test_texts(text: str, expected: str | None) -> None:
    assert recognise(text.encode()) == expected


@given(st.binary(max_size=400))
def test_any_bytes_as_a_text(data: bytes) -> None:
    found = recognise(data)
    assert found is None or found in licences() or b"SPDX-License-Identifier" in data


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("A commercial web shop", True), ("for non-commercial use", False), ("research only", False),
     ("answers questions", None), ("供商业使用", True), ("非商业用途", False), ("", None)],
)  # fmt: skip
def test_what_a_purpose_says(purpose: str, expected: bool | None) -> None:
    assert commercial(purpose) is expected


def inspect(path: Path, use: Use | None = None) -> tuple[list[Finding], Inspection]:
    probe = PROBE if use is None else Licences(use)
    *findings, inspection = probe.inspect("app", path)
    return findings, inspection  # type: ignore[return-value]


def test_the_probe_is_registered() -> None:
    assert extension.load("probes", "licences") is PROBE
    assert isinstance(PROBE, InspectionProbe)


def test_the_probe_on_a_model_an_adapter_and_data(tmp_path: Path) -> None:
    folders.model(tmp_path / "base", "license: llama3.1")
    folders.adapter(tmp_path / "tuned", "meta-llama/base", "license: mit\ndatasets: [o/corpus]")
    folders.data(tmp_path / "corpus", "license: cc-by-nc-sa-4.0\ntask_categories: [x]")
    findings, inspection = inspect(tmp_path, Use(commercial=True))
    found = {(one.rule, one.location): one.severity for one in findings}
    assert found == {
        ("licence-conditional", "base"): "medium",
        ("licence-use-restrictions", "base"): "low",
        ("licence-restrictions-dropped", "tuned"): "medium",
        ("licence-share-alike-data", "tuned"): "low",
        ("licence-non-commercial-data", "corpus"): "medium",
    }
    assert all(one.remedy.endswith("This is not legal advice.") for one in findings)
    assert inspection.files == 8


def test_what_is_missing_and_what_contradicts(tmp_path: Path) -> None:
    folders.model(tmp_path / "none", "tags: [x]")
    folders.model(tmp_path / "two")
    folders.write(tmp_path / "two/LICENSE", MIT)
    folders.write(tmp_path / "own/model.gguf", folders.gguf(general__license="my words"))
    found = {(one.rule, one.location) for one in inspect(tmp_path)[0]}
    assert found == {
        ("licence-missing", "none"),
        ("licence-contradiction", "two"),
        ("licence-unknown", "own/model.gguf"),
    }


def test_weights_without_a_card_have_the_licence_above(tmp_path: Path) -> None:
    folders.write(tmp_path / "pyproject.toml", '[project]\nname = "p"\nlicense = "MIT"\n')
    folders.write(tmp_path / "LICENSE", MIT)
    folders.write(tmp_path / "weights/a.safetensors", folders.safetensors())
    folders.write(tmp_path / "weights/b.safetensors", folders.safetensors(license="cc-by-nc-4.0"))
    found = {(one.rule, one.location) for one in inspect(tmp_path)[0]}
    assert found == {("licence-non-commercial", "weights/b.safetensors")}
