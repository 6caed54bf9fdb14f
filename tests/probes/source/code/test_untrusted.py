"""Any bytes end in findings or in a note, and the search for words loses nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.evidence.findings import Finding
from buttress.files.notebook_code import notebook, plain
from buttress.files.python_modules import decoded, parsed
from buttress.probes.source.code.probe import PROBE
from buttress.probes.source.code.rulebook import CODE
from buttress.protocols.inspection import InspectionContext
from tests.probes.source.code.examine import matcher

EXAMPLES = [one.text for rule in CODE.own.values() for one in (*rule.bad, *rule.good)]
TOKENS = sorted(
    {word for text in EXAMPLES for word in text.replace("\n", " \n ").split(" ") if word}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def examine(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.write_bytes(data)
    *findings, _ = PROBE.inspect(InspectionContext.at("app", path))
    lines = data.count(b"\n") + 1
    for one in findings:
        assert isinstance(one, Finding)
        assert one.location.startswith(f"{name}:")
        assert 1 <= int(one.location.rpartition(":")[2]) <= lines
        assert one.proof.isprintable()
        assert len(one.proof) < 600


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_bytes(folder: Path, data: bytes) -> None:
    examine(folder, "a.py", data)
    examine(folder, "a.ipynb", data)
    examine(folder, "a.py", b"import pickle\npickle.load(f)\n" + data)
    decoded(data)


@given(st.lists(st.sampled_from(TOKENS), max_size=40))
@settings(max_examples=200, deadline=None)
def test_tokens_of_python(folder: Path, words: list[str]) -> None:
    examine(folder, "a.py", " ".join(words).encode())


@given(st.sampled_from(EXAMPLES), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_mutated_code(folder: Path, text: str, seed: int, times: int) -> None:
    generator = random.Random(seed)
    data = bytearray(text.encode() + generator.choice(EXAMPLES).encode())
    for _ in range(times):
        place = generator.randrange(len(data))
        match generator.randrange(3):
            case 0:
                del data[place : place + generator.randrange(1, 8)]
            case 1:
                data[place] = generator.randrange(256)
            case _:
                data[place:place] = data[: generator.randrange(20)]
        if not data:
            break
    examine(folder, "a.py", bytes(data))


@given(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_rules_that_are_left_out_by_their_words_would_find_nothing(texts: list[str]) -> None:
    # The law of the quick look: it may let too much through, but never too little.
    text = "\n".join(texts)
    module = parsed(text)
    every = matcher().examine(module, frozenset(range(len(matcher().rules))))
    quick = matcher().examine(module, matcher().applicable(text.encode()))
    assert [(hit.rule.id, hit.line) for hit in every.hits] == [
        (hit.rule.id, hit.line) for hit in quick.hits
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(EXAMPLES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "metadata", "kernelspec", "language"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.lists(JSON, max_size=4))
@settings(max_examples=200, deadline=None)
def test_notebooks(folder: Path, top: Any, cells: list[Any]) -> None:
    examine(folder, "a.ipynb", json.dumps(top).encode())
    wrapped = [{"cell_type": "code", "source": one} for one in cells] + cells
    examine(folder, "a.ipynb", json.dumps({"cells": wrapped}, indent=1).encode())


@given(st.lists(st.text(alphabet="!%? =\\abx1(){}", max_size=12), max_size=6))
def test_a_cell_keeps_its_number_of_lines(lines: list[str]) -> None:
    code, commands = plain(lines)
    assert code.count("\n") < max(len(lines), 1)
    assert all(1 <= line <= len(lines) for line, _ in commands)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_each_line_of_a_module_has_a_place(lines: list[str]) -> None:
    source = "\n".join(lines)
    data = json.dumps({"cells": [{"cell_type": "code", "source": source}] * 2}, indent=1).encode()
    book = notebook(data)
    assert book is not None
    assert len(book.places) == 2 * (source.count("\n") + 1) == book.module.text.count("\n") + 1
