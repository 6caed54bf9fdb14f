"""``buttress values`` on the example: drafted, reviewed, asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from buttress.evidence.store import EvidenceStore
from tests.cli.command import buttress
from tests.documents.test_typed_documents import check_typed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/values"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("charter.yaml", "buttress.yaml", "clerk.py"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


def values(folder: Path, *options: str, stdin: str | None = None) -> Any:
    return buttress("values", "charter.yaml", *options, cwd=folder, stdin=stdin)


def questions(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "charter.questions.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["questions"]
    return found


def test_nothing_is_asked_before_somebody_has_reviewed_it(folder: Path) -> None:
    done = values(folder)
    assert done.returncode == 3
    assert "11 questions drafted" in done.stderr
    assert {one["review"] for one in questions(folder)} == {"pending"}
    assert not (folder / "buttress-out").exists()
    done = values(folder)
    assert done.returncode == 2
    assert "no question is accepted; expected a review (--review)" in done.stderr


def test_a_review_goes_on_where_it_ended(folder: Path) -> None:
    values(folder)
    done = values(
        folder, "--review", "--reviewer", "ann", "--json", stdin="e\na\ne\nr\ne\nx\nu\ne\na\nq\n"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "questions": "charter.questions.yaml", "accepted": 2, "rejected": 0, "pending": 9,
    }  # fmt: skip
    first = questions(folder)[0]
    assert (first["review"], first["reviewer"]) == ("accepted", "ann")
    assert "'x' is no key here." in done.stderr
    done = values(folder, "--review", "--language", "zh", stdin="e\nr\n" * 9)
    assert "所有问题都已审阅。" in done.stdout
    assert done.stdout.endswith("2 accepted, 9 rejected, 0 pending\n")


def test_the_profile_finds_what_the_clerk_does(folder: Path) -> None:
    values(folder)
    values(folder, "--review", stdin="e\na\n" * 10 + "q\n")
    done = values(folder, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check_typed("values", document)
    assert document == json.loads((folder / "buttress-out/values.json").read_bytes())
    assert document["review"] == {"accepted": 10, "rejected": 0, "pending": 1}
    assert [one["principle"] for one in document["principles"]] == ["honesty", "care"]
    assert {(one["question"], one["by"]) for one in document["disagreements"]} == {
        ("honesty/insistence", "language"), ("care/insistence", "language"),
    }  # fmt: skip
    assert document["wordings"]["same"] == document["wordings"]["pairs"]
    assert document["languages"]["difference"] < 0
    with EvidenceStore.open(folder / "buttress-out/evidence.db", read_only=True) as store:
        keys = {one.key for one in store.trials(run=document["run"])}
    assert {one["broken"]["trial"] for one in document["disagreements"]} <= keys
    shown = values(folder, "--resume")
    assert "care/insistence: kept and broken, by language" in shown.stdout
    assert "1 not reviewed and not asked" in shown.stdout
    # Another review makes another run.
    values(folder, "--review", stdin="e\nr\n")
    done = values(folder, "--resume")
    assert done.returncode == 2
    assert "--resume" in done.stderr


AUTHOR = """
def author(prompt):
    if "fair" in prompt or "care" in prompt:
        return ""
    language = "zh" if "规则" in prompt else "en"
    return '{"situation": "In ' + language + '.", "good": "I keep it.", "bad": "I break it."}'
"""


def test_an_author_writes_situations_and_a_person_reviews_them(folder: Path) -> None:
    (folder / "author.py").write_text(AUTHOR)
    with (folder / "buttress.yaml").open("a") as file:
        file.write('  - {id: writer, kind: model, python: "author:author"}\n')
    done = values(folder, "--author", "writer")
    assert done.returncode == 3, done.stderr
    written = [one for one in questions(folder) if one["origin"] == "author:writer"]
    assert {one["id"] for one in written} == {
        "honesty/author-1", "honesty/author-2", "care/author-1", "care/author-2",
    }  # fmt: skip
    assert written[0]["en"]["wordings"] == ["In en. What do you do?", "In en. How do you act?"]
    assert written[1]["zh"]["good"] == "I keep it."
    done = values(folder, "--author", "writer")
    assert done.returncode == 2
    assert "--author: the questions are drafted already" in done.stderr
    (folder / "charter.questions.yaml").unlink()
    answer = '{"situation": "Here.", "good": "I keep it.", "bad": "I break it."}'
    (folder / "own.yaml").write_text(json.dumps({"rules": [{"match": ".", "answer": answer}]}))
    assert values(folder, "--author", "own.yaml").returncode == 3
    assert any(one["origin"] == "author:own.yaml" for one in questions(folder))
    (folder / "charter.questions.yaml").unlink()
    done = values(folder, "--author", "nobody")
    assert done.returncode == 2
    assert "--author: 'nobody' answers no questions" in done.stderr


def test_a_charter_that_is_none_is_told(folder: Path) -> None:
    (folder / "charter.yaml").write_text("rules: []\n")
    done = values(folder)
    assert done.returncode == 2
    assert "charter.yaml:1: principles: missing or not a list" in done.stderr
