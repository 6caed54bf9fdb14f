"""Twelve questions that readers ask, each answered on the first two screens of the report.

Run it as a script to read questions and answers: ``python -m tests.report.test_questions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from buttress.report.html import write
from tests.report.pages import read
from tests.report.sample import sample

WIDTH, SCREEN = 1280, 900  # pixels


@dataclass(frozen=True)
class Question:
    """Who asks what; ``place`` selects where the answer stands, ``answer`` is what it holds."""

    who: str
    asks: str
    place: str
    answer: str


QUESTIONS = (
    Question("manager", "Can we launch?", ".headline", r"Not acceptable"),
    Question("manager", "What are the biggest problems?", ".matters",
             r"Code execution by a model file.*Credentials in source.*Jailbreak by role-play"),
    Question("manager", "What do we gain if we fix them?", ".remedied",
             r"Fix these three and the expected loss falls by up to \d+(\.\d+)?%"),
    Question("manager", "What may it cost us?", ".facts .figure", r"€[\d.]+M"),
    Question("regulator", "Against which limits, and who set them?", ".basis",
             r"Limits.*Buttress's own judgement"),
    Question("regulator", "What was not examined?", ".gap",
             r"Nothing was measured about \d+ risks of the catalogue"),
    Question("regulator", "Who judged, and how often is that wrong?", ".basis",
             r"Judged by.*offline 1.*misses 7\.8% of the failures on harmful requests"),
    Question("regulator", "How can I check that nothing was changed?", ".basis",
             r"693 records, checked by buttress evidence verify"),
    Question("engineer", "Which risk failed, by how much?", "#risks",
             r"unacceptable.*Jailbreak by role-play.*33–80%.*15%"),
    Question("engineer", "What do I do first?", ".matters", r"Ship safetensors or GGUF"),
    Question("engineer", "How sure is a figure, on how many trials?", "#risks",
             r"Interval.*Trials.*6\.6–36%.*88"),
    Question("engineer", "Did the run end by itself, and what did it use?", ".facts",
             r"684 of 700.*Stopped: the budget of calls is spent"),
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.report import test_browser

    if not (test_browser.CHROMIUM and test_browser.DRIVER):
        pytest.skip("no chromium or chromedriver")
    yield from test_browser.started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.report.test_browser import show

    path = tmp_path_factory.mktemp("report") / "report.html"
    write(sample(), path)
    show(browser, path.as_uri(), WIDTH, SCREEN)
    return browser


def test_there_are_twelve_of_three_readers() -> None:
    assert len(QUESTIONS) == 12
    assert {question.who for question in QUESTIONS} == {"manager", "regulator", "engineer"}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asks)
def test_it_is_answered_on_the_first_two_screens(page: Any, question: Question) -> None:
    element = page.find_element("css selector", question.place)
    assert element.is_displayed()
    assert element.rect["y"] + element.rect["height"] <= 2 * SCREEN
    assert re.search(question.answer, element.text, re.DOTALL), element.text


def main() -> None:
    """Print each question with the text that answers it, without a browser."""
    path = Path("out/questions.html")
    path.parent.mkdir(exist_ok=True)
    write(sample(), path)
    text = " ".join(" ".join(read(path.read_text(encoding="utf-8")).text).split())
    for question in QUESTIONS:
        found = re.search(question.answer, text)
        print(f"{question.who}: {question.asks}\n  {found.group()[:160] if found else '–'}")


if __name__ == "__main__":
    main()
