"""Cards of other commands' documents: beside an assessment, or alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.report.card.parts import NAMES, PARTS
from buttress.report.card.words import CardWords, forms
from buttress.workflows.card import card
from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed
from tests.report.card.part_samples import SAMPLES
from tests.report.card.test_card import resolve, write
from tests.report.sample import build, sample

SHOWN = {
    "align": ["67% | 20% | -47 [-57, -37]", "prefill: failures 50% before, 40% after"],
    "privacy": ["AUC 0.537 [0.430, 0.630]", "9.9 bits", "3 were continued verbatim"],
    "oversight": ["overseer 50%, with the protocol 75%, gain +25 points"],
    "values": ["honesty: kept in 88% of questions [60%, 98%]"],
    "tune": ["4,900,000 trained parameters on 135,000,000", "ε = 7.97"],
    "data": ["1,000 records, 900 kept", "Stage exact: 98 removed"],
}


def folder_of(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(SAMPLES[name]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_are_as_their_schemas_say(name: str) -> None:
    check_typed(name, SAMPLES[name])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", list(forms()))
@pytest.mark.parametrize("assessed", [True, False])
def test_every_number_leads_to_its_document(
    tmp_path: Path, form: str, language: str, assessed: bool
) -> None:
    folder = write(tmp_path, sample(), "out") if assessed else tmp_path / "out"
    text = card([folder_of(folder, *NAMES)], form, language=language)
    body = text.partition("\n# ")[2] if text.startswith("---") else text
    body, _, end = body.rpartition(f"\n## {CardWords(language).say('evidence_title')}\n")
    for line in body.splitlines()[2:]:
        made = line.startswith(("Made by Buttress", "由 Buttress"))
        if re.search(r"\d", line) and not line.startswith("#") and "--facts" not in line:
            assert made or "](#e" in line, line
    used = {int(one) for one in re.findall(r"\]\(#e(\d+)\)", body)}
    listed = re.findall(r'<a id="e(\d+)"></a>.*?\| (\S+) `(#|/[^`]*)`', end)
    assert used == {int(number) for number, _, _ in listed}
    documents: dict[str, Any] = {f"{name}.json": made for name, made in SAMPLES.items()}
    documents["assessment.json"] = sample()
    for _, file, pointer in listed:
        resolve(documents[file], "" if pointer == "#" else pointer)
    shown = {"privacy", "values", "oversight", "align", "tune", "data"}
    if form == "system":
        shown -= {"tune", "data"}
    assert shown <= {file.removesuffix(".json") for _, file, _ in listed}


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_the_document(tmp_path: Path, name: str) -> None:
    text = card([folder_of(tmp_path / "out", name)], "gpai" if name != "align" else "hf")
    text = text.replace("\\", "")
    for part in SHOWN[name]:
        assert part in text
    assert f"Made by Buttress 0.1.0 from `{name}.json`. No assessment lay beside" in text
    assert "There was no evidence in `out`" in text
    other = {"align": "*Not measured in this assessment.*"}.get(name, "(`--facts`, `1f`)")
    assert other in text  # what it can't tell stays blank


def test_parts_are_in_some_form() -> None:
    used = {
        name for form in forms().values() for section in form["sections"]
        for field in section["fields"] for name in field.get("contents", ())
    }  # fmt: skip
    assert set(PARTS) <= used


def test_an_intervention_is_in_the_changelog(tmp_path: Path) -> None:
    documents = [build({"harmful-compliance": {"chat-model": (rate, 400)}}) for rate in (0.6, 0.01)]
    for number, document in enumerate(documents):
        document["run"]["finished"] = f"2026-0{number + 1}-01T00:00:00Z"
    old, new = (write(tmp_path, one, name) for one, name in zip(documents, "ab", strict=True))
    text = card([old, folder_of(new, "align")], "system")
    assert "intervention: recipe gate on model, worse on something" in text
    assert "b/align.json `/recipe`" in text


def test_an_intervention_on_the_only_version_is_in_the_changelog(tmp_path: Path) -> None:
    said = "intervention: recipe gate on model, worse on something"
    alone = folder_of(tmp_path / "alone", "align")
    beside = folder_of(write(tmp_path, build(), "a"), "align")
    for folder in (alone, beside):
        for form in ("hf", "system"):
            _, _, changes = card([folder], form).partition("### Changes")
            assert said in changes.split("\n## ")[0]
    assert "干预：对 model 采用方案 gate" in card([alone], "system", language="zh")


@pytest.mark.slow
def test_what_is_no_document_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no document to make a card of"):
        card([tmp_path], "hf")
    for text, message in (("{}", "no values document"), ("[]", "not an object")):
        (tmp_path / "values.json").write_text(text)
        with pytest.raises(InputError, match=message):
            card([tmp_path], "hf")
    (tmp_path / "values.json").unlink()
    folder_of(tmp_path, "align")
    (tmp_path / "evidence.db").write_bytes(b"no store")
    done = buttress("card", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0


def paths_in(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All fields at any depth; of lists those of the first member."""
    if isinstance(value, list):
        return paths_in(value[0], (*above, 0)) if value else []
    if not isinstance(value, dict):
        return []
    return [
        found for name, one in value.items()
        for found in [(*above, name), *paths_in(one, (*above, name))]
    ]  # fmt: skip


def without(value: Any, path: tuple[Any, ...]) -> Any:
    made = json.loads(json.dumps(value))
    held = made
    for step in path[:-1]:
        held = held[step]
    del held[path[-1]]
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_field_that_an_earlier_version_did_not_write_is_a_blank(
    tmp_path: Path, name: str
) -> None:
    folder = folder_of(tmp_path / "out", name)
    form = "hf" if name == "align" else "gpai"
    whole = card([folder], form)
    blanks = 0
    for path in paths_in(SAMPLES[name]):
        (folder / f"{name}.json").write_text(json.dumps(without(SAMPLES[name], path)))
        if path == ("schema",):
            with pytest.raises(InputError, match="schema"):
                card([folder], form)
            continue
        text = card([folder], form, language="zh" if len(path) % 2 else "en")
        body, _, end = text.rpartition("\n## ")
        cited = {int(one) for one in re.findall(r"\]\(#e(\d+)\)", body)}
        assert cited == {int(one) for one in re.findall(r'<a id="e(\d+)">', end)}
        blank = f"`{path[-1]}`" in body
        blanks += blank
        if not blank and len(path) % 2 == 0:
            assert text == whole  # a field that no card shows
    assert blanks > 3


def test_an_earlier_run_keeps_what_it_tells(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "out", "align")
    earlier = without(SAMPLES["align"], ("perplexity",))
    del earlier["attacks"][0]["difference"]["low"]
    (folder / "align.json").write_text(json.dumps(earlier))
    text = card([folder], "hf").replace("\\", "")
    assert "67% | 20% | -47 [-57, -37]" in text
    assert (
        "Not told by `align.json`, which another version of Buttress wrote: `perplexity`." in text
    )
    assert "which another version of Buttress wrote: `low`." in text
