"""``buttress oversee`` on the actors of the example: verdicts, exit codes, kill and resume."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from buttress.cli.oversee import PROTOCOLS as SHOWN
from buttress.evidence.chain import verify
from buttress.evidence.store import EvidenceStore
from buttress.oversight.protocols import PROTOCOLS
from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/oversight"
HIDDEN = ("--task", "hidden-text", "--worker", "worker")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("actors.py", "buttress.yaml"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


def oversee(folder: Path, protocol: str, *options: str) -> Any:
    return buttress("oversee", protocol, *options, cwd=folder)


def test_the_protocols_of_the_command_are_those_that_there_are() -> None:
    assert list(SHOWN) == list(PROTOCOLS)


def test_debate_helps_and_the_document_is_typed(folder: Path) -> None:
    done = oversee(folder, "debate", *HIDDEN, "--overseer", "overseer", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check_typed("oversight", document)
    assert document == json.loads((folder / "buttress-out/oversight.json").read_bytes())
    assert document["verdict"] == "helps"
    assert document["stopped"] == "decided"
    assert document["hidden_text"]
    assert document["wrong_side_convinced"]["estimate"] == 0
    with EvidenceStore.open(folder / "buttress-out/evidence.db", read_only=True) as store:
        assert verify(store).ok
        assert store.head == document["evidence_head"]
        right = {
            one.item for one in store.trials(run=document["run"])
            if one.attack == "protocol" and one.outcome == 0
        }  # fmt: skip
    assert right == {one["id"] for one in document["outcomes"] if one["protocol"] == "right"}


def test_a_trusting_overseer_is_told_as_such(folder: Path) -> None:
    done = oversee(folder, "consultancy", *HIDDEN, "--overseer", "trusting", "--budget", "60")
    assert done.returncode in (1, 3), done.stderr
    assert "wrong side convinced  100.0%" in done.stdout
    assert "stopped: budget" in done.stdout


def test_critique_tells_its_principles(folder: Path) -> None:
    own = folder / "own.yaml"
    own.write_text("principles:\n  - {id: brevity, en: Be short., source: house rules}\n")
    done = oversee(
        folder, "critique", *HIDDEN, "--overseer", "overseer", "--constitution", "own.yaml",
        "--budget", "60", "--json",
    )  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr
    document = json.loads(done.stdout)
    check_typed("oversight", document)
    (principle,) = document["principles"]
    assert (principle["principle"], principle["source"]) == ("brevity", "house rules")
    assert principle["revisions"] == document["items"]
    assert document["outcomes"][0]["revisions"][0]["principle"] == "brevity"


def test_questions_of_a_file_in_chinese(folder: Path) -> None:
    rows = [
        {"question": f"第{n}题？", "choices": ["甲", "乙", "丙"], "answer": n % 3, "text": "答案。"}
        for n in range(12)
    ]
    (folder / "set.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    options = ("--task", "set.jsonl", "--overseer", "overseer", "--worker", "overseer")
    done = oversee(folder, "direct", *options, "--json")
    assert done.returncode in (1, 3), done.stderr
    document = json.loads(done.stdout)
    assert document["gap"]["estimate"] == 0
    assert document["with_protocol"] is None
    check_typed("oversight", document)


SLOW = """
import actors, time
def overseer(prompt):
    time.sleep(0.05)
    open("asked", "a").write("o")
    return actors.overseer(prompt)
"""


def test_a_killed_run_goes_on_and_asks_nothing_twice(folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    manifest = folder / "buttress.yaml"
    manifest.write_text(
        'name: o\nassets:\n  - {id: overseer, kind: model, python: "slow:overseer"}\n'
        '  - {id: worker, kind: model, python: "actors:worker"}\n'
    )
    command = ["debate", *HIDDEN, "--overseer", "overseer", "--budget", "300", "--margin", "0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "buttress", "oversee", *command], cwd=folder,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    asked = folder / "asked"
    until = time.monotonic() + 60
    while time.monotonic() < until and (not asked.exists() or asked.stat().st_size < 12):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with EvidenceStore.open(folder / "buttress-out/evidence.db", read_only=True) as store:
        before = {one.key for one in store.turns()}
    assert before
    done = oversee(folder, *command, "--resume", "--json")
    assert done.returncode in (0, 1, 3), done.stderr
    document = json.loads(done.stdout)
    with EvidenceStore.open(folder / "buttress-out/evidence.db", read_only=True) as store:
        turns = [one.key for one in store.turns()]
        assert len(list(store.provenance())) == 1
    assert len(turns) == len(set(turns)) == document["calls"]
    # What was in flight at the kill, eight questions at most, may have been asked again.
    overseer = sum(2 for _ in document["outcomes"])
    assert overseer <= asked.stat().st_size <= overseer + 8
    whole = oversee(folder, *command, "--out", "whole", "--json")
    same = json.loads(whole.stdout)
    for name in ("outcomes", "gain", "verdict", "calls", "task_digest"):
        assert document[name] == same[name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--overseer", "nobody"), "--overseer: 'nobody' answers no questions; expected one of "),
        (("--overseer", "overseer", "--rounds", "0"), "--rounds: 0 is not usable"),
        (("--overseer", "overseer", "--max-tokens", "0"), "--max-tokens: 0 is not usable"),
        (("--overseer", "overseer", "--margin", "0"), "--margin: 0 is not usable"),
        (("--overseer", "overseer", "--budget", "3"), "--budget: 3 calls are too few"),
        (("--overseer", "overseer", "--constitution", "x"), "--constitution: only critique"),
        (("--overseer", "overseer", "--task", "chess"), "--task: no task and no file 'chess'"),
    ],
)
def test_wrong_input_is_told(folder: Path, options: tuple[str, ...], message: str) -> None:
    done = oversee(folder, "debate", *HIDDEN, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_is_resumed_only_as_it_was(folder: Path) -> None:
    options = (*HIDDEN, "--overseer", "overseer", "--budget", "60")
    oversee(folder, "debate", *options)
    done = oversee(folder, "consultancy", *options, "--resume")
    assert done.returncode == 2
    assert "--resume: the run that is to be resumed has another protocol" in done.stderr
    done = oversee(folder, "debate", *options, "--resume", "--max-tokens", "8")
    assert done.returncode == 2
    assert "--resume: the run that is to be resumed has another max_tokens" in done.stderr


SCRIPT = "rules:\n  - {match: '.', answer: %s}\n"


def test_overseer_and_worker_are_targets_without_a_manifest(tmp_path: Path) -> None:
    for name, answer in (("first", "Answer A"), ("second", "Answer B")):
        (tmp_path / f"{name}.yaml").write_text(SCRIPT % answer)
    roles = ("--overseer", "first.yaml", "--worker", "second.yaml")
    done = oversee(tmp_path, "direct", "--task", "arithmetic", *roles, "--budget", "40", "--json")
    assert done.returncode in (0, 1, 3), done.stderr
    document = json.loads(done.stdout)
    assert (document["overseer_asset"], document["worker_asset"]) == ("first.yaml", "second.yaml")
    # Two models: where one is right, the other is wrong.
    assert document["overseer"]["estimate"] + document["worker"]["estimate"] == pytest.approx(1)
    done = oversee(tmp_path, "direct", "--task", "arithmetic", "--overseer", "x", *roles[2:])
    assert done.returncode == 2
    assert "--overseer: 'x' is no target, and this folder has no buttress.yaml" in done.stderr


def test_a_target_stands_beside_an_asset_of_the_manifest(folder: Path) -> None:
    (folder / "worker").mkdir()  # an id goes before a folder of its name
    (folder / "own.yaml").write_text(SCRIPT % "Answer A")
    done = oversee(folder, "direct", *HIDDEN, "--overseer", "own.yaml", "--budget", "60", "--json")
    assert done.returncode in (0, 1, 3), done.stderr
    assert json.loads(done.stdout)["worker_asset"] == "worker"
