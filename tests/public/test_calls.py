"""The public functions as a stranger calls them: in threads, in a loop, with wrong arguments."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import buttress
from buttress.trials.loop import run_async

MANIFEST = """
name: small
languages: [en]
assets:
  - {kind: model, python: "app:answer"}
"""


@pytest.fixture
def system(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("def answer(text):\n    return 'No, I will not do that.'\n")
    (tmp_path / "buttress.yaml").write_text(MANIFEST)
    return tmp_path


def test_threads_assess_side_by_side(system: Path) -> None:
    def assess(number: int) -> int:
        done = buttress.assess(
            system, out=system / f"out-{number}", budget=4, only=["harmful-compliance"]
        )
        return done.risks[0].trials

    before = sys.stdout
    with ThreadPoolExecutor(3) as pool:
        assert all(trials > 0 for trials in pool.map(assess, range(3)))
    assert sys.stdout is before


def test_threads_that_overlap_leave_standard_output_alone() -> None:
    """The first to begin ends first, so that the other would put back what that one had put."""
    before, events = sys.stdout, [threading.Event() for _ in range(3)]

    async def one(begun: threading.Event, go: threading.Event) -> None:
        begun.set()
        assert go.wait(60)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: run_async(one(events[0], events[1])))
        assert events[0].wait(60)
        second = pool.submit(lambda: run_async(one(events[1], events[2])))
        first.result(60)
        events[2].set()
        second.result(60)
    assert sys.stdout is before


def test_in_a_running_loop_it_says_what_to_do(system: Path) -> None:
    async def within() -> None:
        buttress.assess(system, out=system / "out", budget=4)

    with pytest.raises(buttress.InputError, match=r"asyncio[.]to_thread"):
        asyncio.run(within())
    assert not (system / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"budget": 2.5}, "budget"), ({"budget": True}, "budget"), ({"budget": "5"}, "budget"),
     ({"seed": "x"}, "seed"), ({"seed": -1}, "seed"), ({"only": "secrets"}, "only"),
     ({"out": None}, "out")],
)  # fmt: skip
def test_wrong_arguments_are_named(system: Path, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(buttress.InputError, match=rf"^{field}: "):
        buttress.assess(system, **arguments)


def test_wrong_paths_and_jobs_are_named(system: Path) -> None:
    wrong: Any = None
    for call in (buttress.scan, buttress.load_manifest):
        with pytest.raises(buttress.InputError, match="None is no path"):
            call(wrong)
    with pytest.raises(buttress.InputError, match=r"^jobs: "):
        buttress.scan(system, jobs=0)
    with pytest.raises(buttress.InputError, match=r"^limit: "):
        buttress.measure(system, "sycophancy", limit=7)


def test_a_number_of_more_than_64_bits_names_its_line(system: Path) -> None:
    (system / "buttress.yaml").write_text(MANIFEST + f"budget: {10**23}\n")
    with pytest.raises(buttress.InputError, match=r"buttress\.yaml:6: budget: .* 64 bits"):
        buttress.load_manifest(system)
