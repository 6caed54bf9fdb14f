"""``buttress preferences``, driven by lines and killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from buttress.evidence.chain import verify
from buttress.evidence.records import Preference
from buttress.evidence.store import EvidenceStore
from buttress.labelling.preferences.pairs import preferences
from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed
from tests.labelling.stores import HELP, REFUSAL, trials


def pairs(folder: Path, count: int = 6, **more: Any) -> Path:
    path = folder / "pairs.jsonl"
    rows = [
        {"id": f"p{n}", "prompt": f"Why {n}?", "first": f"good {n}", "second": f"bad {n}", **more}
        for n in range(count)
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def label(path: Path, typed: str, *options: str, name: str = "ann") -> Any:
    return buttress("preferences", "label", str(path), "--labeller", name, *options, stdin=typed)


def kept(path: Path) -> list[Preference]:
    with EvidenceStore.open(path, read_only=True) as store:
        assert verify(store).ok
        return preferences(store)


def test_the_side_that_was_shown_is_the_answer_that_is_kept(tmp_path: Path) -> None:
    done = label(pairs(tmp_path), "a\nb\nt\ns\nn odd\na\nx\nq\n", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["given"], said["left"]) == (5, 1)
    found = kept(tmp_path / "pairs.db")
    assert [one.choice for one in found][2:4] == ["tie", "skipped"]
    assert found[0].choice == found[0].left
    assert found[1].choice != found[1].left
    assert [one.note for one in found] == ["", "", "", "", "odd"]
    assert all(one.seconds > 0 for one in found)
    shown = done.stderr.split("ANSWER A\n")[1].splitlines()[0]
    assert shown == getattr(found[0], found[0].left)
    assert "'x' is no key here." in done.stderr


def test_going_on_is_as_one_session_and_each_labeller_has_an_own_order(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    whole, parts = pairs(tmp_path), pairs(tmp_path / "other")
    label(whole, "a\nb\na\nt\n")
    for typed in ("a\nb\nq\n", "a\n", "t\n"):
        label(parts, typed)
    one, other = kept(tmp_path / "pairs.db"), kept(tmp_path / "other" / "pairs.db")
    assert [(x.item, x.choice, x.left) for x in one] == [(x.item, x.choice, x.left) for x in other]
    label(whole, "a\n" * 9, "--budget", "6", name="ben")
    of_ben = [x for x in kept(tmp_path / "pairs.db") if x.labeller == "ben"]
    assert len(of_ben) == 6
    assert {(x.item, x.left) for x in of_ben[:4]} != {(x.item, x.left) for x in one}


def test_undo_replaces_the_choice(tmp_path: Path) -> None:
    label(pairs(tmp_path), "a\nu\nb\nq\n")
    (only,) = kept(tmp_path / "pairs.db")
    assert only.choice != only.left


def test_a_killed_session_keeps_what_was_given(tmp_path: Path) -> None:
    path = pairs(tmp_path)
    command = [sys.executable, "-m", "buttress", "preferences", "label", str(path),
               "--labeller", "ann"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("a\nb\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("2 of 6 labelled"):
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(kept(tmp_path / "pairs.db")) == 2
    done = label(path, "t\n", "--json")
    assert json.loads(done.stdout)["left"] == 3


def test_answers_of_an_evidence_store_are_paired(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    with EvidenceStore.open(path) as store:
        store.append(trials([HELP, REFUSAL, HELP], item="one"))
        store.append(trials([HELP], item="alone"))
    done = label(path, "a\n", "--language", "zh")
    assert done.returncode == 0, done.stderr
    assert "哪个回答更好" in done.stdout
    assert [one.item for one in kept(path)] == ["one:1"]


def test_agreement_and_export(tmp_path: Path) -> None:
    path = pairs(tmp_path)
    for name, typed in (("ann", "a\n" * 6), ("ben", "a\nb\n" * 3), ("cem", "t\n" * 6)):
        label(path, typed, "--store", str(tmp_path / f"{name}.db"), name=name)
    stores = [str(tmp_path / f"{name}.db") for name in ("ann", "ben", "cem")]
    done = buttress("preferences", "agreement", *stores, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check_typed("preferences", document)
    assert (document["pairs"], document["labels"], document["disputed"]) == (6, 18, 6)
    assert [one["name"] for one in document["labellers"]] == ["ann", "ben", "cem"]
    assert all(one["accuracy"] for one in document["labellers"])
    assert "Krippendorff's alpha" in buttress("preferences", "agreement", *stores).stdout

    out = tmp_path / "train.jsonl"
    done = buttress("preferences", "export", *stores[:2], "--out", str(out))
    rows = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    by_pair: dict[str, set[str]] = {}
    for name in stores[:2]:
        for one in kept(Path(name)):
            by_pair.setdefault(one.prompt, set()).add(getattr(one, one.choice))
    agreed = {prompt: each.pop() for prompt, each in by_pair.items() if len(each) == 1}
    assert {row["prompt"]: row["chosen"] for row in rows} == agreed
    assert f"{6 - len(agreed)} left out" in done.stdout


def test_import_and_round_trip(tmp_path: Path) -> None:
    source, out, again = (tmp_path / name for name in ("pku.jsonl", "out.jsonl", "again.jsonl"))
    source.write_bytes(
        orjson.dumps({"prompt": "?", "response_0": "no", "response_1": "yes",
                      "better_response_id": 1, "safer_response_id": 0})
    )  # fmt: skip
    done = buttress("preferences", "import", str(source), "--from", "pku", "--out", str(out))
    assert done.stdout.strip() == f"{out}: 1 pairs, 1 labels"
    buttress("preferences", "export", str(out), "--out", str(again))
    (row,) = (orjson.loads(line) for line in again.read_bytes().splitlines())
    assert (row["chosen"], row["rejected"]) == ("yes", "no")
    buttress("preferences", "export", str(out), "--to", "pairs", "--out", str(again))
    assert orjson.loads(again.read_bytes()) == orjson.loads(out.read_bytes())


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (b"[1]", ":1: not an object"),
        (b"{", ":1: not JSON"),
        (b'{"prompt": "a", "first": "b"}', ":1: second: missing"),
        (b'{"prompt": "a", "first": "b", "second": "c", "expected": "x"}', ":1: expected: 'x'"),
        (b'{"prompt": "a", "first": "b", "second": "c", "labels": [{"choice": "x"}]}',
         ":1: labels[0].choice: not a choice"),
        (b"", ": no pairs"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(tmp_path: Path, line: bytes, place: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(line)
    done = label(path, "a\n")
    assert done.returncode == 2
    assert done.stderr.startswith(f"buttress: error: {path}{place}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "bad.db").exists()
