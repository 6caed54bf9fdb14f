"""Whatever a file holds: prompts or an InputError, never another exception."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.prompts.public import known_sets, load_public

NAMES = st.sampled_from(sorted(known_sets()))
SUFFIXES = st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".txt", ".xyz", ".CSV"])
KEYS = st.sampled_from(
    ["prompt", "goal", "Behavior", "ContextString", "SemanticCategory", "type", "label", "expect",
     "category", "question", "id", "language", "data", "Types of harm", ""]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from(["refuse", "answer", "safe", "unsafe", "en", "contrast_x"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def attempt(name: str, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        prompts = load_public(name, path)
    except InputError as error:
        told = str(error)
        assert str(path) in told
        assert "\n" not in told
        return
    assert prompts
    assert len({prompt.id for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        assert prompt.text.strip()
        assert prompt.expect in ("refuse", "answer")
        assert prompt.category
        assert prompt.language in ("en", "zh")


@settings(max_examples=300, deadline=None)
@given(name=NAMES, suffix=SUFFIXES, data=st.binary(max_size=300))
def test_any_bytes(folder: Path, name: str, suffix: str, data: bytes) -> None:
    attempt(name, folder / f"any{suffix}", data)


@settings(max_examples=300, deadline=None)
@given(name=NAMES, value=VALUES, cut=st.integers(0, 400))
def test_any_json(folder: Path, name: str, value: object, cut: int) -> None:
    data = orjson.dumps(value)
    attempt(name, folder / "any.json", data)
    attempt(name, folder / "cut.json", data[:cut])


@settings(max_examples=200, deadline=None)
@given(name=NAMES, rows=st.lists(st.dictionaries(KEYS, SCALARS, max_size=5), max_size=5))
def test_any_json_lines(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    attempt(name, folder / "any.jsonl", b"\n".join(orjson.dumps(row) for row in rows))


@settings(max_examples=300, deadline=None)
@given(
    name=NAMES,
    text=st.text(alphabet=st.sampled_from('a,"\n\r\t\x00 é中') | st.characters(), max_size=60),
)
def test_any_table(folder: Path, name: str, text: str) -> None:
    data = f"prompt,label,id\n{text}".encode(errors="replace")
    attempt(name, folder / "any.csv", data)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 2_000), flip=st.integers(1, 255), cut=st.integers(0, 40))
def test_damaged_parquet(folder: Path, place: int, flip: int, cut: int) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    sample = folder / "sample.parquet"
    if not sample.exists():
        parquet.write_table(
            arrow.table({"prompt": ["a", "b"], "label": ["safe", "unsafe"]}), sample
        )
    data = bytearray(sample.read_bytes())
    data[place % len(data)] ^= flip
    attempt("xstest", folder / "damaged.parquet", bytes(data[: len(data) - cut]))
