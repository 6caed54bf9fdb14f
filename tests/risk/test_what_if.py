"""Changed assumptions: each path changes what it says, and what can't be set is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest

from buttress.errors import InputError
from buttress.report.loss_picture import picture
from buttress.risk.assumptions import Assumptions
from buttress.risk.catalogue import load_catalogue
from buttress.workflows.what_if import what_if
from tests.cli.command import buttress
from tests.report.sample import encoded

BASE = Assumptions(load_catalogue(), 1000.0)
RISK = "harmful-compliance"


def test_each_path_changes_what_it_names() -> None:
    changed = BASE.changed(
        [
            "requests_per_day=5e3", "cap=2_000_000", "shared_cause=0.05", "common_years=1",
            f"{RISK}.frequency=[0.001, 0.002]", f"{RISK}.loss.median=60000",
            f"{RISK}.loss.max=1e6", f"{RISK}.refusal=0.25", "secret-exposure.frequency=3",
        ]
    )  # fmt: skip
    assert changed.requests_per_day == 5000
    model = changed.catalogue.model
    assert (model.cap, model.shared_cause, model.common) == (2e6, 0.05, 1.0)
    risk = changed.catalogue.risks[RISK]
    assert risk.per_request == (0.001, 0.002)
    assert risk.loss == (60_000.0, 3_000_000.0)  # the shape stays
    assert risk.most == 1e6
    assert (risk.barriers[0].failure, risk.barriers[0].probe) == ((0.25, 0.25), None)
    assert risk.barriers[1] == BASE.catalogue.risks[RISK].barriers[1]
    assert changed.catalogue.risks["secret-exposure"].per_year == (3.0, 3.0)
    assert BASE.catalogue == load_catalogue()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("cap", "has no '='"), ("cap=much", "no number"), ("cap=-3", "no number"),
        ("cap=[1, 2]", "is a range"), ("cap=nan", "no number"), ("cap=[3, 2]", "no number"),
        ("shared_cause=2", "no probability"), ("nothing.loss.p95=3", "names nothing"),
        (f"{RISK}=3", "names nothing"), (f"{RISK}.wall=0.1", "names no barrier"),
        (f"{RISK}.refusal=1", "no probability of failure"),
        (f"{RISK}.frequency=2", "no share of requests"),
        (f"{RISK}.frequency.per_year=2", "is not how"), (f"{RISK}.loss.p95=1", "can't be set"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_told_in_a_line(setting: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as told:
        BASE.changed([setting])
    assert "\n" not in str(told.value)


def stored(tmp_path: Path) -> Path:
    document = orjson.loads(encoded())
    for risk in document["risks"]:
        inspected = risk["kind"] == "inspection"
        risk["evidence"] = {
            "trials": None if inspected else risk["judged"]["trials"],
            "failures": None if inspected else risk["judged"]["failures"],
            "calibration": None,
            "worst_finding": risk["worst_finding"] if inspected else None,
        }
    (tmp_path / "assessment.json").write_bytes(orjson.dumps(document))
    return tmp_path


def test_the_ends_of_what_can_be_set_can_be_set() -> None:
    """Every request may be one that the risk is about, and the 95 % loss may be the median."""
    median = BASE.catalogue.risks[RISK].loss[0]
    changed = BASE.changed([f"{RISK}.frequency=1", f"{RISK}.loss.p95={median}"])
    risk = changed.catalogue.risks[RISK]
    assert risk.per_request == (1.0, 1.0)
    assert risk.loss == (median, median)
    with pytest.raises(InputError, match="can't be set"):
        BASE.changed([f"{RISK}.loss.mean={median * 2}"])


def test_from_stored_evidence(tmp_path: Path) -> None:
    found = what_if(stored(tmp_path), settings=["secret-exposure.revocation=0.001"])
    before, after = (
        {row["risk"]: row for row in found[side]["sensitivity"]} for side in ("before", "after")
    )
    assert after["secret-exposure"]["mean"] < 0.1 * before["secret-exposure"]["mean"]
    # What the cap cuts off is shared among all risks, so it moves a little.
    ours, theirs = after["model-theft"]["mean"], before["model-theft"]["mean"]
    assert ours == pytest.approx(theirs, rel=0.01)
    assert before[RISK]["measured"]
    assert not before["model-theft"]["measured"]
    twice = what_if(tmp_path, profile=f"requests_per_day={2 * found['requests_per_day'][0]}")
    rows = {row["risk"]: row["mean"] for row in twice["after"]["sensitivity"]}
    assert rows["pii-leakage"] == pytest.approx(2 * before["pii-leakage"]["mean"], rel=0.01)
    assert rows["secret-exposure"] == pytest.approx(before["secret-exposure"]["mean"], rel=0.01)
    with pytest.raises(InputError, match="gives no usable"):
        what_if(tmp_path, profile="requests_per_day=none")
    (tmp_path / "profile.yaml").write_text("profile: {requests_per_day: 123}\n")
    other = what_if(tmp_path, profile=str(tmp_path / "profile.yaml"))
    assert other["requests_per_day"][1] == 123


def test_the_picture_is_one_well_formed_file_with_what_nobody_tested_hatched(
    tmp_path: Path,
) -> None:
    found = what_if(stored(tmp_path))
    drawn = picture("A year's loss <if>", found["before"], found["after"])
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert "url(#hatch)" in drawn
    assert "<if>" not in drawn


def test_the_command_prints_both_sides_and_writes_the_picture(tmp_path: Path) -> None:
    stored(tmp_path)
    done = buttress("risks", "what-if", str(tmp_path), "--set", "cap=1000000", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["after"]["cap"] == 1e6
    assert Path(told["picture"]).read_text(encoding="utf-8").startswith("<svg")
    wrong = buttress("risks", "what-if", str(tmp_path), "--set", "cap=none")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_what_moves_is_shown_however_small_its_share(tmp_path: Path) -> None:
    """A risk far down the list, the largest that is not moved below it."""
    stored(tmp_path)
    setting = "weak-conviction.loss.median=1"
    told = buttress("risks", "what-if", str(tmp_path), "--set", setting).stdout
    table = told[told.index("known by") :].splitlines()
    assert table[1].startswith("weak-conviction ")
    assert len(table) == 1 + 15 + 2  # heading, risks, picture


def test_no_policy_is_asked_for_that_would_have_no_effect(tmp_path: Path) -> None:
    stored(tmp_path)
    done = buttress("risks", "what-if", str(tmp_path), "--policy", "strict")
    assert done.returncode == 2
    assert "--policy" in done.stderr
