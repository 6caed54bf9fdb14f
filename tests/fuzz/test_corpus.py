"""Every parser on the kept corpus and on mutations of it: the same inputs everywhere."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

import pytest
from fuzz.mutate import mutations
from fuzz.seeds import Seeds, seeds

from buttress.rules.credentials.scanner import scan
from fuzz import corpus, harness

NAMES = sorted(harness.targets())
MUTATIONS = 600  # of each target


@pytest.fixture(scope="module")
def given() -> Iterator[Seeds]:
    with harness.workspace():
        yield seeds()


@pytest.mark.parametrize("name", NAMES)
def test_kept_inputs_and_mutations(name: str, given: Seeds) -> None:
    target = harness.targets()[name]
    inputs = [*corpus.kept(name), *given[name]]
    assert inputs, "a target without any input"
    with harness.hang_watch():
        for data in inputs:
            harness.twice(target, data)
        for number, data in enumerate(mutations(inputs, MUTATIONS, zlib.crc32(name.encode()))):
            (harness.once if number % 8 else harness.twice)(target, data)


def test_the_corpus_is_small_and_holds_no_credentials() -> None:
    total = 0
    for folder in corpus.FOLDER.iterdir():
        assert folder.name in NAMES, "a corpus of no target"
        files = sorted(folder.iterdir())
        inputs = corpus.kept(folder.name)
        assert len(files) == len(inputs) <= corpus.MAX_FILES
        assert sum(map(len, inputs)) <= corpus.MAX_BYTES
        total += sum(map(len, inputs))
        for path, data in zip(files, inputs, strict=True):
            assert path.name == hashlib.sha1(data, usedforsecurity=False).hexdigest()
            assert not scan(data).found, path
    assert total <= corpus.MAX_TOTAL


def test_seeds_are_for_targets(given: Seeds) -> None:
    assert set(given) == set(NAMES)
