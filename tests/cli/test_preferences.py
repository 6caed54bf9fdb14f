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
    # Without --out a file beside the one that is read.
    done = buttress("preferences", "import", str(source), "--from", "pku")
    beside = tmp_path / "pku.pairs.jsonl"
    assert done.stdout.strip() == f"{beside}: 1 pairs, 1 labels"
    assert beside.read_bytes() == out.read_bytes()
    done = buttress("preferences", "export", str(beside))
    assert done.stdout.startswith(f"{tmp_path / 'pku.train.jsonl'}: 1 pairs")


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


def scored(folder: Path) -> Path:
    """A model that prefers long answers, whatever people choose, and never the second of two."""
    path = folder / "scores.jsonl"
    rows = []
    for n in range(60):
        longer_chosen = n % 2 == 0
        chosen, rejected = ("long " * 9, "short") if longer_chosen else ("short", "long " * 9)
        rows.append(
            {"prompt": f"p{n}", "first": chosen, "second": rejected, "choice": "first",
             "score_first": len(chosen) / 10, "score_second": len(rejected) / 10}
        )  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def test_a_reward_model_that_counts_letters_is_found_out(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_bytes(
        b"\n".join(
            orjson.dumps({"prompt": f"p{n}", "proxy": [0, 1, 2, 3], "gold": [0, 2, 1, -3]})
            for n in range(20)
        )
    )
    path = scored(tmp_path)
    done = buttress("preferences", "score", str(path), "--best-of", str(samples), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check_typed("reward-model", document)
    assert document["accuracy"]["estimate"] == 0.5
    assert document["length"]["correlation"]["estimate"] == pytest.approx(1)
    assert document["length"]["accuracy_chosen_longer"]["estimate"] == 1
    assert document["length"]["accuracy_chosen_shorter"]["estimate"] == 0
    assert document["position"]["accuracy_chosen_second"]["estimate"] is None
    assert document["best_of_n"]["verdict"] == "overoptimised"
    assert [one["gold"] for one in document["best_of_n"]["points"]] == pytest.approx(
        [0, 2 / 6 - 3 * 3 / 6 + 1 * 2 / 6, -3]
    )
    said = buttress("preferences", "score", str(path), "--best-of", str(samples)).stdout
    assert "accuracy where people chose the shorter: 0.000" in said
    assert "overoptimised: the gold score falls" in said


def test_scores_without_places_or_sense_are_told(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    row = {"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 1}
    path.write_bytes(orjson.dumps(row))
    done = buttress("preferences", "score", str(path))
    assert "dependence on place: not known" in done.stdout
    assert "1 with equal scores" in done.stdout
    path.write_bytes(orjson.dumps(row | {"score_chosen": "good"}))
    done = buttress("preferences", "score", str(path))
    assert done.returncode == 2
    assert done.stderr.endswith(
        "scores.jsonl:1: score_chosen: not a finite number; expected a finite number\n"
    )


RUBRIC = (
    "criteria:\n  - {id: helpful, en: 'Which helps more?', zh: 哪个更有帮助？}\n"
    "  - {id: honest, en: 'Which is more honest?'}\n"
)


def test_a_rubric_is_asked_criterion_by_criterion(tmp_path: Path) -> None:
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text(RUBRIC)
    path = pairs(tmp_path, 2)
    done = label(path, "a\nb\nu\nt\na\nq\n", "--rubric", str(rubric), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"store": str(tmp_path / "pairs.db"), "given": 3, "left": 1}
    found = kept(tmp_path / "pairs.db")
    assert [one.criterion for one in found] == ["helpful", "honest", "helpful"]
    assert found[1].choice == "tie"
    assert found[0].key == found[1].key != found[2].key
    assert done.stderr.count("ANSWER A") == 4  # two pairs, and both again after undo
    done = label(path, "s\n", "--rubric", str(rubric), "--language", "zh")
    assert "Which is more honest?" in done.stdout  # in the language that there is
    label(path, "a\nb\na\nb\n", "--rubric", str(rubric), name="ben")
    done = buttress("preferences", "agreement", str(tmp_path / "pairs.db"), "--json")
    assert done.returncode == 2
    assert "several criteria" in done.stderr
    assert "--criterion" in done.stderr
    options = ("--criterion", "honest")
    done = buttress("preferences", "agreement", str(tmp_path / "pairs.db"), "--json", *options)
    document = json.loads(done.stdout)
    check_typed("preferences", document)
    assert (document["criterion"], document["labels"]) == ("honest", 3)
    out = tmp_path / "all.jsonl"
    options = ("--criterion", "helpful", "--to", "pairs", "--out", str(out))
    buttress("preferences", "export", str(tmp_path / "pairs.db"), *options)
    done = buttress("preferences", "agreement", str(out), "--json")
    assert json.loads(done.stdout)["criterion"] == "helpful"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("criteria: []\n", "criteria: empty"),
        ("criteria:\n  - {id: A, en: x}\n", "rubric.yaml:2: criteria[0].id: not usable"),
        ("criteria:\n  - {id: a}\n", "criteria[0].en: missing or not text"),
        ("criteria:\n  - {id: a, en: x}\n  - {id: a, en: y}\n", "'a' stands twice"),
        ("criteria:\n  - {id: a, en: x, de: y}\n", "criteria[0].de: unknown field"),
        ("question: x\n", "criteria: missing or not a list"),
    ],
)
def test_wrong_rubrics_are_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rubric.yaml").write_text(text)
    done = label(pairs(tmp_path), "a\n", "--rubric", str(tmp_path / "rubric.yaml"))
    assert done.returncode == 2
    assert message in done.stderr
