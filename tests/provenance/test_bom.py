"""The bill of materials: valid by the official schema, complete, and the same every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.provenance.bom.document import DescribedSystem, document
from buttress.provenance.bom.package_url import package_url
from buttress.provenance.inventory.component import Component, Inventory
from buttress.provenance.inventory.gather import complete, gather
from buttress.provenance.inventory.hashes import sha256
from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.judging import IntendedUse
from buttress.provenance.licences.probe import conflicts
from tests.provenance import folders

TIME = "2026-01-02T03:04:05+00:00"


def valid(bill: dict[str, Any]) -> None:
    """By the schema of CycloneDX 1.6, unknown fields refused."""
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib[json-validation]")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert error is None, str(error)[:500]


def bill_of(path: Path, **more: Any) -> dict[str, Any]:
    inventory = gather(path, asset="model")
    complete(inventory)
    files = [file for one in inventory.components for file in one.files]
    found = list(conflicts(inventory, IntendedUse(commercial=True)))
    return document(
        DescribedSystem("shop", "sells", "the team", {"users": "all", "uses": [{"name": "chat"}]}),
        inventory, hashes=sha256(files), conflicts=found, timestamp=TIME, **more,
    )  # fmt: skip


def row(verdict: str, estimate: float) -> dict[str, Any]:
    rate = {"estimate": estimate, "low": estimate / 2, "high": min(1.0, estimate * 2)}
    return {"asset": "model", "verdict": verdict, "rate": rate, "trials": 40}


ASSESSMENT = {
    "risks": [
        {"id": "jailbreak", "title": "Gives in", "probe": "attack", "kind": "trials", "alpha": 0.05,
         "remedies": ["Train.", "Guard."], "assets": [row("unacceptable", 0.25)]},
        {"id": "plain", "title": "Helps", "probe": "harm", "kind": "trials", "alpha": 0.05,
         "remedies": [], "assets": [row("undecided", 0.125)]},
        {"id": "files", "title": "Files", "probe": "model-files", "kind": "inspection",
         "alpha": 0.05, "remedies": [], "assets": [row("acceptable", 0.5)]},
    ],
    "cells": [{"probe": "attack", "attack": "role-play", "category": "fraud", "trials": 7,
               "estimate": 0.3, "low": 0.1, "high": 0.6}],
}  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folders.model(tmp_path / "base", "license: cc-by-nc-4.0\ndatasets: [owner/corpus]")
    folders.adapter(tmp_path / "tuned", "owner/base")
    folders.data(tmp_path / "corpus")
    folders.write(tmp_path / "alone.gguf", folders.gguf(general__name="Alone"))
    folders.write(tmp_path / "pyproject.toml", '[project]\nname="p"\ndependencies=["numpy==2.0"]\n')
    return tmp_path


def test_parts_relations_hashes_and_conflicts(tree: Path) -> None:
    bill = bill_of(tree)
    valid(bill)
    parts = {one["name"]: one for one in bill["components"]}
    assert {name: one["type"] for name, one in parts.items()} == {
        "base": "machine-learning-model", "tuned": "machine-learning-model", "corpus": "data",
        "Alone": "machine-learning-model", "p": "application", "numpy": "library",
    }  # fmt: skip
    assert parts["numpy"]["purl"] == "pkg:pypi/numpy@2.0"
    assert parts["base"]["licenses"] == [
        {"license": {"id": "CC-BY-NC-4.0", "acknowledgement": "declared"}}
    ]
    assert parts["base"]["modelCard"]["modelParameters"]["datasets"] == [
        {"ref": parts["corpus"]["bom-ref"]}
    ]
    assert parts["tuned"]["pedigree"]["ancestors"][0]["name"] == "base"
    inside = {one["name"]: one["hashes"][0]["content"] for one in parts["base"]["components"]}
    weights = tree / "base/model.safetensors"
    assert inside["model.safetensors"] == sha256([weights])[weights]
    assert len(parts["Alone"]["hashes"]) == 1
    depends = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert depends[parts["tuned"]["bom-ref"]] == [parts["base"]["bom-ref"]]
    assert depends[parts["p"]["bom-ref"]] == [parts["numpy"]["bom-ref"]]
    assert set(depends["system"]) == {parts[name]["bom-ref"] for name in ("tuned", "Alone", "p")}
    texts = [one["text"] for one in bill["annotations"]]
    assert any("licence-wider-than-base, high" in text and "not legal advice" in text
               for text in texts)  # fmt: skip


def test_rates_and_verdicts_of_an_assessment(tmp_path: Path) -> None:
    folders.model(tmp_path / "base")
    bill = bill_of(tmp_path, assessment=ASSESSMENT)
    valid(bill)
    card = bill["components"][0]["modelCard"]
    first, second, cell = card["quantitativeAnalysis"]["performanceMetrics"]
    assert first == {
        "type": "failure rate, attack", "value": "0.25",
        "slice": "risk jailbreak: unacceptable after 40 trials, 95% interval",
        "confidenceInterval": {"lowerBound": "0.125", "upperBound": "0.5"},
    }  # fmt: skip
    assert second["value"] == "0.125"
    assert cell["slice"] == "attack role-play, category fraud, 7 trials"
    assert card["considerations"] == {
        "users": ["all"], "useCases": ["chat"],
        "technicalLimitations": ["Helps: not decided after 40 trials"],
        "ethicalConsiderations": [{"name": "Gives in", "mitigationStrategy": "Train. Guard."}],
    }  # fmt: skip


CARD = """license: mit
library_name: transformers
base_model: maker/base
model-index:
- name: m
  results:
  - dataset: {name: IFEval, split: test}
    metrics: [{type: accuracy, value: 29.9}, {type: broken}, 7]
  - nonsense
---
# Title
## Intended uses
Chat in
English.
### Limitations
It makes things up.
## Training
Long."""


def test_what_a_card_claims_is_told_as_a_claim(tmp_path: Path) -> None:
    quantized = {"quant_method": "gptq", "bits": 4}
    folders.model(tmp_path / "m", CARD, quantization_config=quantized, transformers_version="5.2")
    bill = bill_of(tmp_path, assessment=ASSESSMENT)
    valid(bill)
    model, base = bill["components"]
    card = model["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"][-1] == {
        "type": "accuracy", "value": "29.9", "slice": "IFEval, test; claimed by its card",
    }  # fmt: skip
    said = card["considerations"]
    assert said["useCases"] == ["chat", "Chat in English. (claimed by its card)"]
    assert said["technicalLimitations"][-1] == "It makes things up. (claimed by its card)"
    facts = {one["name"].rpartition(":")[2]: one["value"] for one in card["properties"]}
    assert (facts["quantization.quant_method"], facts["quantization.bits"]) == ("gptq", "4")
    assert (facts["library_name"], facts["transformers_version"]) == ("transformers", "5.2")
    assert (base["supplier"], base["purl"]) == ({"name": "maker"}, "pkg:huggingface/maker/base")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["results", "metrics", "dataset", "name", "type", "value", "split"]), inner,
        max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
@settings(deadline=None)
def test_whatever_a_card_claims_the_document_is_valid(index: Any) -> None:
    part = Component("model", "m", card={"model-index": index}, sections={"uses": "x"})
    bill = document(DescribedSystem("x"), Inventory([part]), hashes={}, timestamp=TIME)
    valid(bill)


def test_it_is_the_same_every_time_and_another_when_a_byte_changes(tree: Path) -> None:
    first = bill_of(tree)
    assert first == bill_of(tree)
    (tree / "alone.gguf").write_bytes(folders.gguf(general__name="Alone") + b"\0")
    assert bill_of(tree)["serialNumber"] != first["serialNumber"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Component("package", "Foo_Bar", version="1+a", ecosystem="PyPI"),
            "pkg:pypi/foo-bar@1%2Ba",
        ),
        (Component("package", "@a/b", version="1", ecosystem="npm"), "pkg:npm/%40a/b@1"),
        (Component("model", "o/n", external=True), "pkg:huggingface/o/n"),
        (Component("model", "o/n"), ""),
        (Component("model", "../../etc", external=True), ""),
    ],
)
def test_package_urls(part: Component, expected: str) -> None:
    assert package_url(part) == expected


NAMES = st.text(max_size=20)


@given(
    st.lists(
        st.builds(
            Component,
            role=st.sampled_from(["model", "adapter", "data", "code", "package"]),
            name=NAMES,
            version=NAMES,
            licences=st.lists(st.builds(Declared, NAMES | st.sampled_from(["MIT", "mit or isc"]),
                                        NAMES), max_size=3).map(tuple),
            family=NAMES,
            facts=st.dictionaries(NAMES, NAMES, max_size=2),
            card=st.dictionaries(st.sampled_from(["pipeline_tag", "language", "summary"]),
                                 NAMES | st.lists(st.integers()), max_size=3),
            ecosystem=st.sampled_from(["PyPI", "npm", ""]),
            external=st.booleans(),
        ),
        max_size=5,
    ),
    st.data(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_whatever_names_there_are_the_document_is_valid(
    parts: list[Component], data: st.DataObject
) -> None:
    count = len(parts)
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    uses = data.draw(st.lists(pairs, max_size=6)) if count else []
    inventory = Inventory(parts, uses)
    found = list(conflicts(inventory, IntendedUse()))
    valid(document(DescribedSystem("x"), inventory, hashes={}, conflicts=found, timestamp=TIME))


@pytest.mark.parametrize("name", ["", "/", "scope/", "@scope/"])
def test_a_package_without_a_name_has_no_package_url(name: str) -> None:
    assert package_url(Component("package", name, version="1", ecosystem="npm")) == ""
