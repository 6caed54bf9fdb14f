"""What the harness holds against a parser, and that mutations can be had again."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from fuzz.harness import InvariantError, Target
from fuzz.mutate import MAX_LENGTH, mutations

from buttress.errors import InputError
from buttress.protocols.inspection import InspectionContext
from fuzz import corpus, harness

ROOT = Path(__file__).parents[2]


def test_documented_errors_are_no_bugs() -> None:
    def refuses(_data: bytes) -> object:
        raise InputError("not usable", file="a", line=3)

    assert harness.twice(Target("a", refuses), b"") == "InputError: a:3: not usable"

    def told(_data: bytes) -> object:
        raise KeyError("x")

    assert harness.once(Target("a", told, (KeyError,)), b"") == "KeyError: 'x'"
    with pytest.raises(KeyError):
        harness.once(Target("a", told), b"")


def test_answers_that_differ_are_a_bug() -> None:
    numbers = count()
    with pytest.raises(InvariantError, match="two answers: 0 and 1"):
        harness.twice(Target("a", lambda _: next(numbers)), b"")


def test_what_never_ends_is_a_bug() -> None:
    def hangs(_data: bytes) -> object:
        while True:
            pass

    with pytest.raises(InvariantError, match="not done after 1 s"), harness.hang_watch(1):
        harness.once(Target("a", hangs), b"")


def test_findings_outside_the_file_are_a_bug() -> None:
    from buttress.evidence.findings import Finding, Inspection

    class Probe:
        def inspect(self, context: InspectionContext) -> list[object]:
            asset = context.asset
            return [
                Finding("r", "low", asset, f"a:{self.line}", self.message, ""),
                Inspection("p", "1", asset, 1, 1, (), 0.5),
            ]

        line, message = 2, "m"

    probe = Probe()
    with harness.workspace():
        assert len(harness.inspected(probe, "a", b"one\ntwo")) == 2
        probe.line = 3
        with pytest.raises(InvariantError, match="line 3 of 2"):
            harness.inspected(probe, "a", b"one\ntwo")
        probe.line, probe.message = 1, "\x1b[2J"
        with pytest.raises(InvariantError, match="can't be printed"):
            harness.inspected(probe, "a", b"one\ntwo")


def test_mutations_are_the_same_for_a_seed() -> None:
    first = list(mutations([b"abc", b"x" * 40_000], 200, 7))
    assert first == list(mutations([b"abc", b"x" * 40_000], 200, 7))
    assert first != list(mutations([b"abc", b"x" * 40_000], 200, 8))
    assert len(set(first)) > 120  # the short input has few mutations
    assert max(map(len, first)) <= MAX_LENGTH
    assert len(list(mutations([], 20, 1))) == 20


def test_dictionaries_are_those_of_libfuzzer() -> None:
    text = corpus.dictionary([b'{"class_name": 1}', b'"class_name"'])
    assert '"' + "".join(f"\\x{one:02x}" for one in b"class_name") + '"\n' in text
    assert all(line.startswith('"\\x') and line.endswith('"') for line in text.splitlines())


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
def test_the_kept_inputs_do_no_harm_under_instrumentation(tmp_path: Path) -> None:
    # What libFuzzer tries beyond them depends on addresses and time, and differs between runs.
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.run", "--all", "--runs", "0",
         "--crashes", str(tmp_path / "crashes")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" runs ") == len(harness.targets())
