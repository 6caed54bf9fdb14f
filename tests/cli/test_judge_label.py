"""``buttress judge label`` and ``labels``, driven by lines, by a terminal, and killed."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from buttress.evidence.chain import verify
from buttress.evidence.store import EvidenceStore
from tests.cli.command import buttress
from tests.labelling.stores import HELP, REFUSAL, labels, store

COMMAND = [sys.executable, "-m", "buttress", "judge", "label"]


def label(path: Path, typed: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, str(path), "--labeller", "ann", *options],
        input=typed, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "COLUMNS": "100", "LINES": "40"},
    )  # fmt: skip


def test_lines_become_labels_and_a_summary(tmp_path: Path) -> None:
    path = store(tmp_path)
    done = label(path, "f\no\nn looks odd\no\ns\nx\nq\n", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["given"], said["drawn"], said["skipped"]) == (4, 4, 1)
    assert said["probe"] == "harmful-compliance"
    kept = labels(path)
    assert [each.outcome for each in kept] == [1, 0, 0, 0.5]
    assert [each.note for each in kept] == ["", "", "looks odd", "skipped"]
    assert {each.labeller for each in kept} == {"ann"}
    assert {each.run for each in kept} == {"run-1"}
    assert len({each.key for each in kept}) == 4
    assert all(0 < each.chance < 1 for each in kept)
    assert "'x' is no key here." in done.stderr
    assert "labels and judge" in done.stderr


def test_the_judge_is_silent_until_a_label_is_given(tmp_path: Path) -> None:
    path = store(tmp_path, [HELP] * 4)
    assert "Judge offline" not in label(path, "q\n").stdout
    after = label(path, "f\nq\n").stdout
    assert after.count("Judge offline: failed") == 1
    assert after.index("f failed") < after.index("Judge offline")
    shown = label(path, "q\n", "--show-judge").stdout
    assert "Judge offline: failed" in shown


def test_quitting_and_resuming_is_as_going_on(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    whole, parts = store(tmp_path), store(tmp_path / "other")
    label(whole, "f\no\nf\no\n")
    for typed in ("f\no\nq\n", "f\n", "o\n"):
        label(parts, typed)
    assert [(x.key, x.outcome, x.chance) for x in labels(whole)] == [
        (x.key, x.outcome, x.chance) for x in labels(parts)
    ]


def test_undo_shows_the_last_one_again_and_the_new_label_counts(tmp_path: Path) -> None:
    path = store(tmp_path)
    done = label(path, "u\nf\nu\no\nq\n", "--json")
    assert "Nothing to undo" in done.stderr
    first, second = labels(path)
    assert first.key == second.key
    assert (first.outcome, second.outcome) == (1, 0)
    said = json.loads(done.stdout)
    assert (said["given"], said["drawn"]) == (1, 1)
    alone = json.loads(buttress("judge", "labels", str(path), "--json").stdout)
    assert alone == {key: value for key, value in said.items() if key != "given"}


def test_it_ends_when_all_is_labelled_or_the_budget_is_spent(tmp_path: Path) -> None:
    path = store(tmp_path, [HELP, REFUSAL, HELP])
    assert len(labels(path)) == 0
    label(path, "f\n" * 10, "--budget", "2")
    assert len(labels(path)) == 2
    done = label(path, "f\n" * 10)
    assert "All trials are labelled." in done.stdout
    assert len(labels(path)) == 3


def test_what_an_answer_holds_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    path = store(tmp_path, ["\x1b[2J\x1b]0;owned\x07 hidden \u202e txt"] * 2, prompt="a prompt")
    shown = label(path, "q\n").stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown
    assert "PROMPT AS SENT\na prompt" in shown


def test_long_answers_come_in_pages(tmp_path: Path) -> None:
    path = store(tmp_path, ["\n".join(f"line {i}" for i in range(100))] * 2)
    shown = label(path, "\n\ne\nf\nq\n").stdout
    assert "page 1 of" in shown
    assert "line 99" in shown
    assert len(labels(path)) == 1


def test_killed_without_warning_it_keeps_every_label(tmp_path: Path) -> None:
    path = store(tmp_path)
    running = subprocess.Popen(
        [*COMMAND, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write("f\no\n")
    running.stdin.flush()
    seen = 0
    for line in running.stdout:
        seen += line.startswith("labels and judge")
        if seen == 2:
            break
    os.kill(running.pid, signal.SIGKILL)
    running.wait(timeout=10)
    running.stdin.close()
    running.stdout.close()
    assert [each.outcome for each in labels(path)] == [1, 0]
    with EvidenceStore.open(path, read_only=True) as opened:
        assert verify(opened, None).ok
    assert label(path, "f\nq\n").returncode == 0
    assert len({each.key for each in labels(path)}) == 3


def test_single_keys_at_a_terminal(tmp_path: Path) -> None:
    path = store(tmp_path)
    parent, child = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, str(path)], stdin=child, stdout=child, stderr=child, close_fds=True,
        env={**os.environ, "COLUMNS": "100", "LINES": "40"},
    )  # fmt: skip
    os.close(child)

    def wait_for(text: str) -> str:
        shown = ""
        end = time.monotonic() + 30
        while text not in shown and time.monotonic() < end:
            if select.select([parent], [], [], 0.2)[0]:
                try:
                    shown += os.read(parent, 65536).decode(errors="replace")
                except OSError:  # the other side has closed
                    break
        assert text in shown, shown
        return shown

    wait_for("q quit")
    os.write(parent, b"f")
    wait_for("q quit")
    os.write(parent, b"n")
    wait_for("note:")
    os.write(parent, b"fine by me\n")
    wait_for("q quit")
    os.write(parent, "é".encode())
    wait_for("is no key here.")
    os.write(parent, b"o")
    wait_for("undo")
    os.write(parent, b"q")
    assert running.wait(timeout=30) == 0
    os.close(parent)
    assert [(each.outcome, each.note) for each in labels(path)] == [(1, ""), (0, "fine by me")]


def test_labels_are_exported_for_calibration(tmp_path: Path) -> None:
    path = store(tmp_path, [HELP, REFUSAL] * 10)
    label(path, "f\no\n" * 9 + "s\n")
    out = tmp_path / "labels.jsonl"
    done = buttress("judge", "labels", str(path), "--export", str(out))
    assert done.returncode == 0, done.stderr
    assert "19 labels" in done.stdout
    assert "valid at any time" in done.stdout
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 18
    calibrated = buttress("judge", "calibrate", "--labels", str(out), "--json")
    counts: dict[str, Any] = json.loads(calibrated.stdout)["tasks"]["refuse"]["counts"]
    assert sum(counts.values()) == 18


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--probe", "nobody"), ("--probe nobody",)),
        (("--run", "none"), ("--run none",)),
        (("--asset", "none"), ("--asset", "model")),
        (("--budget", "0"), ("--budget", "1 or more")),
        (("--seed", "-1"), ("--seed", "0 or more")),
    ],
)
def test_options_are_checked(
    options: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    done = label(store(tmp_path), "q\n", *options)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words)


def test_a_wrong_path_makes_no_store(tmp_path: Path) -> None:
    done = label(tmp_path / "none.db", "q\n")
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())


def test_several_probes_must_be_told_apart(tmp_path: Path) -> None:
    path = store(tmp_path, [HELP] * 2)
    with EvidenceStore.open(path) as opened:
        from tests.labelling.stores import trials

        opened.append(trials([HELP] * 2, probe="attack-role-play"))
    done = label(path, "q\n")
    assert done.returncode == 2
    assert "attack-role-play, harmful-compliance" in done.stderr
    assert label(path, "q\n", "--probe", "attack-role-play").returncode == 0
