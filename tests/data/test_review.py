"""Labels on a sample, and the requirements of GB/T 45654."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import orjson
import pytest
from scipy.stats import binom

from buttress.labelling.keys import LineKeys
from buttress.labelling.screen import Screen
from buttress.statistics.correction import clopper_pearson
from buttress.workflows import data_check
from buttress.workflows.data_review import review, tally
from tests.data.making import cleaned, run, written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words.txt").write_text("badword\n")
    records = [{"text": f"fine text {n}", "source": "a"} for n in range(40)]
    records += [{"text": f"badword {n}", "source": "b"} for n in range(10)]
    path = written(tmp_path / "in.jsonl", records)
    harm = f"harm:keywords={tmp_path / 'words.txt'},max_removed_share=1"
    cleaned(path, tmp_path / "out", harm)
    return tmp_path / "out"


def label(folder: Path, keys: str, **more: int) -> tuple[dict, str]:
    shown: list[str] = []
    found = review(folder, LineKeys(StringIO(keys)), Screen(shown.append, 80, 24), **more)
    return dict(found), "\n".join(shown)


def test_labels_are_kept_and_counted(folder: Path) -> None:
    found, shown = label(folder, "y\ny\nx\nn\nq\n")
    assert "'x' is no key here" in shown
    assert "harm: keyword, keywords: badword" in shown
    assert (found["kept"].labelled, found["kept"].good) == (2, 1)
    assert (found["removed"].labelled, found["removed"].good) == (1, 1)
    found, _ = label(folder, "y\n" * 99, budget=4)
    assert found["kept"].labelled + found["removed"].labelled == 7
    assert found["kept"].low < found["kept"].wrong < found["kept"].high
    found, _ = label(folder, "y\n" * 99)
    assert found["kept"].labelled == 40
    assert found["removed"].low == found["removed"].high == 0.0
    assert found["kept"].wrong == pytest.approx(1 / 40)


def test_labels_of_another_corpus_do_not_count(folder: Path) -> None:
    label(folder, "y\ny\n")
    assert run("data", "restore", str(folder), "--stage", "harm")[0] == 0
    assert tally(folder)["kept"].labelled == 0


def test_requirements(folder: Path) -> None:
    code, said, _ = run("data", "check", str(folder), "--policy", "gbt45654", "--json")
    assert code == 1
    states = {one["name"]: one for one in orjson.loads(said)["requirements"]}
    assert states["source a"]["status"] == "met"
    assert states["source b"]["status"] == "broken"
    assert states["source b"]["estimate"] == 1.0
    assert states["manual-sample"]["status"] == "undecided"
    assert states["automatic-sample"]["status"] == "undecided"
    label(folder, "y\n" * 99)
    code, said, _ = run(
        "data", "check", str(folder), "--policy", "gbt45654", "--json",
        "--keywords", str(folder.parent / "words.txt"),
    )  # fmt: skip
    states = {one["name"]: one for one in orjson.loads(said)["requirements"]}
    assert states["manual-sample"]["status"] == "met"
    assert states["automatic-sample"]["status"] == "met"
    assert states["automatic-sample"]["sample"] == 40
    code, _, wrong = run("data", "check", str(folder), "--policy", "other")
    assert code == 2
    assert "unknown policy 'other'" in wrong


def test_a_small_sample_is_undecided(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", [{"text": f"text {n}"} for n in range(20)])
    cleaned(path, tmp_path / "out", "exact")
    code, _, _ = run("data", "check", str(tmp_path / "out"), "--policy", "gbt45654")
    assert code == 3


def test_all_three_exits_for_a_run_without_the_stage_harm(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("badword\n坏词\n", "utf-8")
    records = [{"text": f"text {n}", "source": "abc"[n % 3]} for n in range(60)]
    check = ["--policy", "gbt45654", "--keywords", str(words), "--json"]
    codes = []
    for name, worse in (("good", 0), ("bad", 3)):
        for n in range(worse):
            records[3 * n] = {"text": f"{n} 这是坏词吗", "source": "a"}  # 3 of 20 of source a
        out = tmp_path / name
        cleaned(written(tmp_path / f"{name}.jsonl", records), out, "exact")
        codes.append(run("data", "check", str(out), *check)[0])
        label(out, "y\n" * 99)
        code, said, _ = run("data", "check", str(out), *check)
        codes.append(code)
        states = {one["name"]: one for one in orjson.loads(said)["requirements"]}
        assert states["source a"]["estimate"] == pytest.approx(worse / 20)
        assert states["source b"]["status"] == "met"
    assert codes == [3, 0, 1, 1]


@pytest.mark.parametrize(
    ("good", "sample", "status"),
    [
        (3_990, 4_000, "met"), (3_870, 4_000, "met"), (3_845, 4_000, "estimate"),
        (3_839, 4_000, "broken"), (3_000, 4_000, "broken"), (3_990, 3_999, "undecided"),
        (100, 200, "broken"), (0, 0, "undecided"),
    ],
)  # fmt: skip
def test_estimate_and_bound_are_told_apart(good: int, sample: int, status: str) -> None:
    found = data_check._share(
        "x", (good, sample), needed=4_000, limit=0.96, population=10**6, reason=""
    )
    assert found.status == status
    if sample:
        low, _ = clopper_pearson(good, sample, 0.05)
        assert binom.sf(good - 1, sample, low) == pytest.approx(0.05)
