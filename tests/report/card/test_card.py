"""Cards: every number has a reference that leads to it, blanks are honest, nothing is markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

from buttress.errors import InputError
from buttress.report.card.content import CONTENTS
from buttress.report.card.render import field_ids, render_card
from buttress.report.card.source import CardSource, CardVersion
from buttress.report.card.words import CardWords, _file, forms
from buttress.report.language import load
from buttress.report.numbers import percent
from buttress.workflows.card import card
from tests.cli.command import buttress
from tests.report.sample import HOSTILE, build, sample

FORMS = list(forms())
LANGUAGES = ["en", "zh"]


def write(folder: Path, document: dict[str, Any], name: str = "one") -> Path:
    (folder / name).mkdir()
    file = folder / name / "assessment.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file.parent


def source(document: dict[str, Any], language: str = "en", **facts: str) -> CardSource:
    version = CardVersion(document, "assessment.json", True)
    return CardSource([version], facts, CardWords(language), load(language))


def resolve(document: Any, pointer: str) -> Any:
    """RFC 6901."""
    for part in pointer.split("/")[1:]:
        document = document[int(part) if isinstance(document, list) else part]
    return document


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_number_has_a_reference_and_every_reference_leads_somewhere(
    form: str, language: str
) -> None:
    document = sample()
    text = render_card(source(document, language), form)
    body = text.split("\n# ", 1)[-1] if text.startswith("---") else text
    body, _, end = body.rpartition(f"\n## {CardWords(language).say('evidence_title')}\n")
    assert body
    for line in body.splitlines()[2:]:
        made = line.startswith(("Made by Buttress", "由 Buttress"))
        if re.search(r"\d", line) and not line.startswith("#") and "--facts" not in line:
            assert made or "](#e" in line, line
    used = {int(one) for one in re.findall(r"\]\(#e(\d+)\)", body)}
    listed = {
        int(number): pointer
        for number, pointer in re.findall(r'<a id="e(\d+)"></a>.*?`(#|/[^`]*)`', end)
    }
    assert used == set(listed)
    assert used
    for pointer in listed.values():
        resolve(document, "" if pointer == "#" else pointer)


@pytest.mark.parametrize("form", ["hf", "system", "annex-iv", "gpai"])
def test_the_figures_are_those_of_the_place_they_refer_to(form: str) -> None:
    document = sample()
    text = render_card(source(document), form)
    pointers = dict(re.findall(r'<a id="(e\d+)"></a>.*?`(/[^`]*)`', text))
    seen = 0
    for line in text.splitlines():
        cells = [one.strip() for one in line.strip("|").split("|")]
        found = re.search(r"\[E\d+\]\(#(e\d+)\)", cells[-1])
        if not line.startswith("|") or not found or "/assets/" not in pointers[found[1]]:
            continue
        where = pointers[found[1]]
        if not where.startswith("/risks"):
            continue
        row = resolve(document, where)
        seen += 1
        assert cells[1] == row["asset"]
        assert cells[2] == row["verdict"]
        if row["trials"]:
            assert cells[3] == percent(row["rate"]["estimate"])
            assert cells[6] == f"{row['trials']:,}"
        else:
            assert cells[3] == "–"
    assert seen == sum(len(risk["assets"]) for risk in document["risks"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_text_of_others_is_no_markup(form: str, language: str) -> None:
    hostile = [*HOSTILE, "[click](http://evil)", "`code`", "| a | b |", "![x](y)", "# head\n# two"]

    def spoil(value: Any, at: list[int]) -> Any:
        if isinstance(value, dict):
            return {key: one if key in KEPT else spoil(one, at) for key, one in value.items()}
        if isinstance(value, list):
            return [spoil(one, at) for one in value]
        if isinstance(value, str):
            at[0] += 1
            return hostile[at[0] % len(hostile)]
        return value

    document = spoil(sample(), [0])
    text = render_card(source(document, language, licence="[x](y)"), form)
    head, _, body = text.partition("\n---\n") if text.startswith("---") else ("", "", text)
    if head:
        assert isinstance(yaml.safe_load(head.removeprefix("---")), dict)
    body = re.sub(r"`[^`\n]*`", "code", body.replace("\\`", ""))  # where nothing is markup
    assert "<script" not in body
    assert "<img" not in body
    assert "<svg" not in body
    assert not re.search(r"(?<!\\)\]\((?!#e\d+\))", body)
    assert "\x1b" not in body
    assert "\u202e" not in body
    assert not re.search(r"^# two", body, re.MULTILINE)
    for line in body.splitlines():
        if line.startswith("| ") and "---" not in line:
            columns = len(re.findall(r"(?<!\\)\|", line)) - 1  # of a row that nobody broke
            assert columns in (3, 4, 6, 8), line


KEPT = {"verdict", "kind", "severity", "finished", "started", "decide_by", "unit"}


def test_blanks_are_honest_and_facts_are_marked() -> None:
    document = sample()
    document["system"]["purpose"] = ""
    text = render_card(source(document, licence="Apache-2.0"), "hf")
    assert "Apache-2.0 *(stated by the provider, not checked)*" in text
    assert (
        "*Not known to Buttress. To be filled in by the provider (`--facts`, `citation`).*" in text
    )
    assert "(`--facts`, `description`)" in text
    assert "license: Apache-2.0" in text
    for name in ("findings", "cells"):
        document[name] = []
    document["coverage"]["covered"] = []
    text = render_card(source(document), "system")
    assert text.count("*Not measured in this assessment.*") >= 2


def test_no_defect_is_said_only_where_somebody_looked() -> None:
    document = sample()
    document["findings"] = []
    assert "Inspections found no defect" in render_card(source(document), "system")
    for one in document["coverage"]["covered"]:
        one["files"] = None
    assert "found no defect" not in render_card(source(document), "system")


def test_the_front_matter_is_read_by_the_hub() -> None:
    hub = pytest.importorskip("huggingface_hub")
    document = sample()
    data = hub.ModelCard(render_card(source(document), "hf")).data
    assert data.model_name == document["system"]["name"]
    rates = [one for one in data.eval_results if one.metric_type == "failure-rate"]
    assert rates
    known = {
        round(one["rate"]["estimate"], 6)
        for risk in document["risks"] if risk["kind"] == "trials" for one in risk["assets"]
    }  # fmt: skip
    assert {one.metric_value for one in rates} == known


def test_changes_from_version_to_version(tmp_path: Path) -> None:
    better = build({"harmful-compliance": {"chat-model": (0.002, 400)}}, findings=())
    worse = build({"harmful-compliance": {"chat-model": (0.6, 400)}})
    for number, document in enumerate((better, worse)):
        document["run"]["finished"] = f"2026-0{number + 1}-01T00:00:00Z"
    paths = [write(tmp_path, worse, "new"), write(tmp_path, better, "old")]
    text = card(paths, "hf")
    assert "**2026-01-01 → 2026-02-01**" in text
    assert re.search(r"harmful requests on chat-model: \*\*regression\*\*, failure rate .*"
                     r"\[E\d+\]\(#e\d+\) → .* \[E\d+\]", text)  # fmt: skip
    assert "new defect: Loading imports os.system and calls it." in text
    assert "old/assessment.json" in text
    assert "变差" in card(paths, "annex-iv", language="zh")
    back = card([paths[1]], "hf")
    assert "Only one version was assessed" in back
    with pytest.raises(InputError, match="named twice"):
        card([paths[0], paths[0] / "assessment.json"], "hf")


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_whole(form: str) -> None:
    shape = forms()[form]
    ids = field_ids(form)
    assert len(ids) == len(set(ids))
    parts = [shape["title"], *(one["title"] for one in shape["sections"])]
    parts += [field for section in shape["sections"] for field in section["fields"]]
    assert all(one["en"] and one["zh"] for one in parts)
    used = {
        name for section in shape["sections"] for field in section["fields"]
        for name in field.get("contents", ())
    }  # fmt: skip
    assert used <= set(CONTENTS)
    # What a form is for: results, what changed, what is not shown, and blanks.
    assert {"results", "changes", "limits", "judge"} <= used


def test_both_languages_say_the_same() -> None:
    for name, both in _file("words.yaml").items():
        assert set(both) == {"en", "zh"}, name
        if isinstance(both["en"], str):
            fields = [{f for _, f, _, _ in Formatter().parse(both[one]) if f} for one in both]
            assert fields[0] == fields[1], name


@pytest.mark.slow
def test_evidence_is_checked_and_the_command_writes_a_file(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text("default: Sure.\n")
    (tmp_path / "buttress.yaml").write_text(
        "name: bot\nassets: [{kind: model, id: chat, script: script.yaml}]\n"
    )
    done = buttress(
        "assess", str(tmp_path), "--only", "harmful-compliance", "--budget", "20",
        "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr
    file = tmp_path / "card.md"
    done = buttress("card", str(tmp_path / "out"), "--format", "gpai", "-o", str(file))
    assert (done.returncode, done.stdout.strip()) == (0, str(file))
    assert "was checked when this card was made" in file.read_text(encoding="utf-8")

    document = tmp_path / "out" / "assessment.json"
    changed = json.loads(document.read_text(encoding="utf-8"))
    changed["evidence"]["head"] = "0" * 64
    document.write_text(json.dumps(changed), encoding="utf-8")
    done = buttress("card", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "is not the one that assessment.json was made from" in done.stderr
    (tmp_path / "out" / "evidence.db").unlink()
    done = buttress("card", str(tmp_path / "out"))
    assert done.returncode == 0
    assert "The evidence was not beside" in done.stdout


def test_wrong_facts_are_told(tmp_path: Path) -> None:
    folder = write(tmp_path, sample())
    facts = tmp_path / "facts.yaml"
    for text, message in (
        ("colour: red\n", r"facts\.yaml:1: colour: no field of the form hf; expected one of "),
        ("licence: 1\n", r"licence: not text"),
        ("- licence\n", "not a mapping"),
    ):
        facts.write_text(text)
        with pytest.raises(InputError, match=message):
            card([folder], "hf", facts=facts)
    with pytest.raises(InputError, match="unknown form 'poem'"):
        card([folder], "poem")
