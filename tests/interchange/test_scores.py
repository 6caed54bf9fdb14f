"""Files of scores, and the forms in which data sets come."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pyarrow as arrow
import pytest
from pyarrow import parquet

from buttress.errors import InputError
from buttress.interchange.objects import objects_of
from buttress.interchange.preferences import read_preferences
from buttress.interchange.scores import read_samples, read_scored_pairs
from tests.interchange.preference_samples import HH, TRL

ROWS = [{"prompt": "Why?", "n": 1}, {"prompt": "How?", "n": 2}]


def write(folder: Path, *records: Any, name: str = "set.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return path


def test_every_form_holds_the_same_objects(tmp_path: Path) -> None:
    lines = b"\n".join(map(orjson.dumps, ROWS))
    (tmp_path / "lines").write_bytes(b"\xef\xbb\xbf" + lines)
    (tmp_path / "list").write_bytes(b" " + orjson.dumps(ROWS, option=orjson.OPT_INDENT_2))
    (tmp_path / "lines.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "list.gz").write_bytes(gzip.compress(orjson.dumps(ROWS)))
    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "table")
    for name in ("lines", "list", "lines.gz", "list.gz", "table"):
        assert [dict(one.items()) for one in objects_of(tmp_path / name)] == ROWS, name


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (gzip.compress(b'{"a": 1}\n' * 100, mtime=0)[:-12], "not a whole gzip file"),
        (b"PAR1 and no more", r"row 1 can't be read"),
        (b"[1]", r"\[0\]: not an object"),
        (b'{"a": 1}\n[2]', r":2: not an object"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "set").write_bytes(raw)
    with pytest.raises(InputError, match=message):
        list(objects_of(tmp_path / "set"))


def test_preferences_come_from_parquet_with_messages_as_structures(tmp_path: Path) -> None:
    messages = [one for one in TRL if isinstance(one["chosen"], list)]
    parquet.write_table(arrow.Table.from_pylist(messages), tmp_path / "a.parquet")
    found = [pair for pair, _ in read_preferences(tmp_path / "a.parquet", "trl")]
    asked = ({"role": "user", "content": "Why?"},)
    assert [pair.prompt for pair in found] == [asked] * len(messages)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(orjson.dumps(HH)))
    (only,) = read_preferences(tmp_path / "b.jsonl.gz", "hh")
    assert only[0].prompt[-1] == {"role": "user", "content": "Why?"}


def test_a_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    rows = [{"prompt": "p", "chosen": "a", "rejected": "b"}, {"prompt": "p", "chosen": "a"}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: row 2\.rejected: missing"):
        list(read_preferences(tmp_path / "a.parquet", "trl"))


def test_pairs_by_choice_and_by_place(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 2, "score_rejected": 1.5},
        {"prompt": "p", "chosen": "a", "rejected": "b", "chosen_reward": [2], "rejected_reward": 3,
         "chosen_first": True},
        {"prompt": "q", "first": "c", "second": "d", "choice": "second", "score_first": 1,
         "score_second": 4},
        {"prompt": "q", "first": "c", "second": "e", "choice": "tie", "score_first": 1,
         "score_second": 4},
    )  # fmt: skip
    pairs, undecided = read_scored_pairs(path)
    assert undecided == 1
    assert [(one.chosen, one.chosen_score, one.rejected_score, one.chosen_first)
            for one in pairs] == [
        ("a", 2, 1.5, None), ("a", 2, 3, True), ("d", 4, 1, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score_chosen": None}, "score_chosen: missing; expected a finite number"),
        ({"score_rejected": "1"}, "score_rejected: not a finite number"),
        ({"score_rejected": float("nan")}, "score_rejected: "),
        ({"chosen_first": 1}, "chosen_first: not true or false"),
        ({"first": "a", "choice": "left"}, "choice: 'left' is none"),
    ],
)
def test_wrong_pairs_are_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    row = {"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 2}
    with pytest.raises(InputError, match=message):
        read_scored_pairs(write(tmp_path, row | change))


def test_samples_line_by_line_or_in_lists(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"prompt": "p", "proxy": [1, 2], "gold": [3, 4]},
        {"prompt": "q", "proxy": 1, "gold": 2},
        {"prompt": "q", "proxy": 5, "gold": 6},
    )
    assert read_samples(path) == {"p": ([1, 2], [3, 4]), "q": ([1, 5], [2, 6])}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "p", "proxy": [1, 2], "gold": [1]}, "gold: 1 scores; expected 2"),
        ({"prompt": "p", "proxy": [1, "x"], "gold": [1, 2]}, r"proxy\[1\]: not a finite"),
        ({"prompt": "p", "proxy": 1, "gold": 1}, "one sample of the prompt 'p'"),
    ],
)
def test_wrong_samples_are_told(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_samples(write(tmp_path, row))
    with pytest.raises(InputError, match="no samples"):
        read_samples(write(tmp_path))
