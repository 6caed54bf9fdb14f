"""Licences: names, expressions, texts, and the rules with their own examples."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress import extension
from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe
from buttress.provenance.inventory.system import commercial
from buttress.provenance.licences.expression import Declared, ExpressionError, parse
from buttress.provenance.licences.facts import have, identify, licences, of_model
from buttress.provenance.licences.judging import (
    RULES,
    IntendedUse,
    LicenceRule,
    LicensedPart,
    Link,
    judge,
)
from buttress.provenance.licences.probe import PROBE, Licences
from buttress.provenance.licences.text import recognise
from tests.provenance import folders


def subject(role: str, text: str) -> LicensedPart:
    declared = tuple(Declared(one, "card") for one in text.split(" | ") if one)
    return LicensedPart(role, f"the {role}", declared)  # type: ignore[arg-type]


def applies(rule: LicenceRule, example: tuple[str, ...], use: IntendedUse) -> list[str]:
    """Severities with which the rule applies to its example."""
    first = subject(*example[:2])
    links = []
    if rule.relation:
        links.append(Link(first, rule.relation, subject(*example[2:])))
    return [one.severity for one in judge([first], links, use) if one.rule.id == rule.id]


@pytest.mark.parametrize("rule", RULES.own.values(), ids=lambda one: one.id)
def test_every_rule_finds_its_bad_example_and_not_its_good_one(rule: LicenceRule) -> None:
    use = IntendedUse(rule.commercial, rule.distributed)
    assert applies(rule, rule.bad_case, use) == [rule.severity]
    assert applies(rule, rule.good_case, use) == []
    assert rule.references[0]
    if rule.use:
        assert applies(rule, rule.bad_case, IntendedUse()) == ([rule.unsaid] if rule.unsaid else [])
        assert applies(rule, rule.bad_case, IntendedUse(False, False)) == []
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
    assert of_model("google/gemma-3-4b-it") is licences()["LicenseRef-Gemma"]
    assert of_model("google/gemma-4-31B-it") is licences()["Apache-2.0"]


def test_every_word_that_cards_use_is_known() -> None:
    """The model hub's list of licence ids, but those that name none: other, unknown, cc."""
    words = """apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m
        bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause
        bsd-3-clause bsd-3-clause-clear c-uda cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0
        cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
        cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
        cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
        etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc
        intel-research lppl-1.3c ms-pl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++
        osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
        fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma"""
    assert [word for word in words.split() if identify(word) is None] == []


def test_the_facts_of_the_strictest_hold() -> None:
    nc, mit, gemma = (licences()[one] for one in ("CC-BY-NC-4.0", "MIT", "LicenseRef-Gemma"))
    assert have([mit, nc], {"commercial": ["no"]})
    assert not have([mit, nc], {"commercial": ["yes"]})
    assert not have([mit, gemma], {"passes_on": [False]})
    assert have([mit, licences()["GPL-3.0-only"]], {"copyleft": ["strong"]})


def test_an_exception_that_allows_linking() -> None:
    for text, copyleft in (
        ("GPL-2.0-only WITH Classpath-exception-2.0", "weak"),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", "weak"),
        ("GPL-3.0-only WITH Autoconf-exception-3.0", "strong"),
        ("AGPL-3.0-only WITH Classpath-exception-2.0", "network"),
        ("Apache-2.0 WITH LLVM-exception", "none"),
    ):
        one = identify(text)
        assert one is not None
        assert (one.id, one.copyleft) == (text, copyleft)
    assert identify("our own WITH Classpath-exception-2.0") is None


def test_expressions_are_read_as_another_reader_reads_them() -> None:
    """The library license-expression, over sets of SPDX ids with brackets."""
    other = pytest.importorskip("license_expression", reason="needs license-expression")
    reader = other.get_spdx_licensing()
    rng = random.Random(7)

    def made(depth: int) -> str:
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(["MIT", "ISC", "GPL-2.0-only", "Apache-2.0",
                               "GPL-2.0-only WITH Classpath-exception-2.0"])  # fmt: skip
        return f"({made(depth - 1)}) {rng.choice(['AND', 'OR'])} {made(depth - 1)}"

    def holds(node: Any, held: set[str]) -> bool:
        if isinstance(node, reader.AND | reader.OR):
            found = [holds(one, held) for one in node.args]
            return all(found) if isinstance(node, reader.AND) else any(found)
        return str(node) in held

    for _ in range(200):
        text = made(3)
        names = sorted({name for one in parse(text) for name in one})
        for count in range(len(names) + 1):
            for held in map(set, itertools.combinations(names, count)):
                ours = any(held.issuperset(one) for one in parse(text))
                assert ours == holds(reader.parse(text), held), text


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
        ("gpl-2.0 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("our own", "our own"),
        ("MIT AND (", "MIT AND ("),
    ],
)
def test_expressions(text: str, expected: str) -> None:
    assert Declared(text, "").shown == expected


def test_what_can_be_chosen_away_is_no_conflict() -> None:
    use = IntendedUse(commercial=True)
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


def inspect(path: Path, use: IntendedUse | None = None) -> tuple[list[Finding], Inspection]:
    probe = PROBE if use is None else Licences(use)
    *findings, inspection = probe.inspect(InspectionContext.at("app", path))
    return findings, inspection  # type: ignore[return-value]


def test_the_probe_is_registered() -> None:
    assert extension.load("probes", "licences") is PROBE
    assert isinstance(PROBE, InspectionProbe)


def test_the_probe_on_a_model_an_adapter_and_data(tmp_path: Path) -> None:
    folders.model(tmp_path / "base", "license: llama3.1")
    folders.adapter(tmp_path / "tuned", "meta-llama/base", "license: mit\ndatasets: [o/corpus]")
    folders.data(tmp_path / "corpus", "license: cc-by-nc-sa-4.0\ntask_categories: [x]")
    findings, inspection = inspect(tmp_path, IntendedUse(commercial=True))
    found = {(one.rule, one.location): one.severity for one in findings}
    assert found == {
        ("licence-conditional", "base"): "medium",
        ("licence-use-restrictions", "base"): "low",
        ("licence-restrictions-dropped", "tuned"): "medium",
        ("licence-share-alike-data", "tuned"): "low",
        ("licence-wider-than-data", "tuned"): "low",
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
