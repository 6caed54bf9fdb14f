"""A run that is ended from outside, resumed, repeated in the same folder, or compared."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed
from tests.workflows.assessment.test_assess import (
    COMPLYING,
    REFUSING,
    document,
    endpoint,
    manifest,
    recording,
    risks,
    served,
)
from tests.workflows.scan.command import STRIPE

ONLY = ("--only", "harmful-compliance")


def lines(log: Path) -> int:
    return len(log.read_text().splitlines())


def counts(out: Path) -> dict[str, tuple[int, dict[str, float]]]:
    return {name: (risk["trials"], risk["rate"]) for name, risk in risks(out).items()}


def test_a_smaller_budget_on_resume_throws_nothing_away(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    with endpoint(log) as url:
        path = str(served(tmp_path, url))
        first = buttress("assess", path, "--out", str(out), "--budget", "60")
        assert first.returncode == 3, first.stderr
        before, asked = document(out), lines(log)
        found = counts(out)
        assert asked > 20
        done = buttress("assess", path, "--out", str(out), "--budget", "20", "--resume")
    assert done.returncode == 3, done.stderr
    assert counts(out) == found
    assert document(out)["totals"]["trials"] == before["totals"]["trials"]
    assert lines(log) == asked, "the smaller budget was spent long ago: nothing more is asked"


def test_a_budget_that_ends_before_the_first_answer_tests_nothing(tmp_path: Path) -> None:
    """The questions in flight were cut by us: they are no missing answers of the system."""
    log, out = tmp_path / "log", tmp_path / "out"
    (tmp_path / "app").mkdir()
    (tmp_path / "app/app.py").write_text("print('hello')\n")
    with endpoint(log, latency_s=60) as url:
        extra = "  - {kind: source, id: code, path: app}\nbudget: {minutes: 0.05}"
        buttress("assess", str(served(tmp_path, url, extra)), "--out", str(out))
    assert lines(log) >= 1
    told = document(out)
    assert not {"harmful-compliance", "over-refusal"} & {one["id"] for one in told["risks"]}
    missing = {one["what"]: one["why"] for one in told["coverage"]["not_covered"]}
    assert "the budget of time is spent" in missing["harmful-compliance @ model"], missing
    assert told["totals"]["unanswered"] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_and_resume_goes_on_with_it(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """In the folder that is assessed, as ``init`` and ``assess`` without options do it."""
    log, out = tmp_path / "log", tmp_path / "ship" / "buttress-out"
    out.parent.mkdir()
    (out.parent / "app.py").write_text("print('hello')\n")
    with endpoint(log, latency_s=0.5) as url:
        path = str(served(out.parent, url, "  - {kind: source, id: code, path: .}"))
        command = [
            sys.executable, "-m", "buttress", "assess", path, "--out", str(out),
            "--budget", "150", *ONLY,
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # A run in the background of a shell ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while lines(log) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode == code, told
        assert "interrupted; what was written so far is kept; go on with --resume" in told
        assert "Traceback" not in told
        assert buttress("evidence", "verify", str(out)).returncode == 0
        done = buttress(*command[3:], "--resume")
    assert done.returncode in {0, 3}, done.stderr
    assert document(out)["totals"]["trials"] >= 20


def test_a_signal_ends_one_question_that_nobody_can_resume(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with endpoint(log, latency_s=60) as url:
        command = [sys.executable, "-m", "buttress", "ask", str(served(tmp_path, url))]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not (log.exists() and lines(log)) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.terminate()
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (143, "buttress: interrupted\n")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    recording(tmp_path / "rec.jsonl", REFUSING)
    path = manifest(tmp_path, "{kind: model, replay: rec.jsonl}")
    (tmp_path / "out").write_text("notes")
    for out in (tmp_path / "out", tmp_path / "out" / "deeper"):
        done = buttress("assess", str(path), "--out", str(out))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"{out}: a file stands in the way; expected a folder" in done.stderr


def test_every_command_that_reads_an_assessment_reads_what_assess_writes(tmp_path: Path) -> None:
    recording(tmp_path / "rec.jsonl", REFUSING)
    out = tmp_path / "out"
    path = manifest(tmp_path, "{kind: model, replay: rec.jsonl}")
    buttress("assess", str(path), "--out", str(out), *ONLY)
    evidence = risks(out)["harmful-compliance"]["evidence"]
    assert evidence["calibration"]["systems"], "the offline judge is calibrated on several systems"
    check_typed("assessment", document(out))
    for command in (
        ("report", str(out)),
        ("diff", str(out), str(out), "--paired"),
        ("risks", "what-if", str(out), "--profile", "requests_per_day=20000"),
    ):
        done = buttress(*command)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_a_renamed_asset_is_lost_coverage_and_no_success(tmp_path: Path) -> None:
    recording(tmp_path / "rec.jsonl", REFUSING)
    for name in ("told", "renamed"):
        path = manifest(tmp_path, f"{{kind: model, id: {name}, replay: rec.jsonl}}")
        buttress("assess", str(path), "--out", str(tmp_path / name), *ONLY)
    before, after = str(tmp_path / "told"), str(tmp_path / "renamed")
    same = buttress("diff", before, before)
    assert same.returncode == 0, same.stdout
    done = buttress("diff", before, after)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "LOST COVERAGE: 1 part" in done.stdout
    document_of = json.loads(buttress("diff", before, after, "--json").stdout)
    assert "LOST COVERAGE" in document_of["conclusion"]


def places(out: Path) -> list[str]:
    return [finding["location"] for finding in document(out)["findings"]]


def test_outputs_of_earlier_runs_are_not_inspected(tmp_path: Path) -> None:
    """What the model once said, such as a key, is no secret of the code in that folder."""
    said = f"key = '{STRIPE}'"
    rows: list[dict[str, Any]] = [
        row | {"response": f"{row['response']} For example {said}"} for row in COMPLYING
    ]
    recording(tmp_path / "rec.jsonl", rows)
    ship = tmp_path / "ship"
    ship.mkdir()
    (ship / "app.py").write_text("print('hello')\n")
    asset = "{kind: model, id: m, replay: ../rec.jsonl}"
    path = str(manifest(ship, asset, "  - {kind: source, id: code, path: .}"))
    out = ship / "results"
    chosen = ("assess", path, "--out", str(out), "--only", "harmful-compliance,secrets")
    chosen = (*chosen, "--no-redaction")  # else no report holds what the model said
    for _ in range(2):
        done = buttress(*chosen)
        assert done.returncode == 1, done.stderr
        assert places(out) == []
    assert STRIPE in (out / "assessment.json").read_text(), "else there is nothing to find"
    left_out = json.dumps(document(out)["coverage"])
    assert "outputs of Buttress" in left_out
    # The same file beside no evidence store is somebody's file, and is read.
    (ship / "copy").mkdir()
    shutil.copy(out / "assessment.json", ship / "copy" / "assessment.json")
    buttress(*chosen)
    assert {place.split(":")[0] for place in places(out)} == {"copy/assessment.json"}


def test_changed_evidence_is_not_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    recording(tmp_path / "rec.jsonl", COMPLYING)
    path = str(manifest(tmp_path, "{kind: model, replay: rec.jsonl}"))
    run = ("assess", path, "--out", str(out), *ONLY)
    assert buttress(*run, "--budget", "20").returncode in (1, 3)
    store = sqlite3.connect(out / "evidence.db")
    with store:
        table, column = "records", "payload"
        row, payload = store.execute(
            f"SELECT rowid, {column} FROM {table} WHERE kind = 'trial' LIMIT 1"
        ).fetchone()
        changed = payload.replace(b"harmful-compliance", b"harmful-compliancf")
        assert changed != payload
        store.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
    store.close()
    before = (out / "assessment.json").read_bytes()
    done = buttress(*run, "--resume")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the evidence was changed: record " in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert (out / "assessment.json").read_bytes() == before
