"""Twelve questions that readers ask, each answered on the first two screens of the report.

So they are on a desktop's screen and on a phone's. In Chinese the same figures stand in the same
places.

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

# On a phone each cell of a table says the name of its column.
LABELS = """
return [...arguments[0].querySelectorAll("[data-name]")]
  .map((cell) => getComputedStyle(cell, "::before").content + cell.innerText)
  .filter((text) => !text.startsWith("none"));
"""
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}  # pixels


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
             r"Interval.*Trials.*6\.6–36%.*88|6\.6–36%.*Trials.*88"),
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
def places(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str, str], str]:
    """By screen, language and place: the text there, "" below the first two screens."""
    from tests.report.test_browser import show

    texts: dict[tuple[str, str, str], str] = {}
    for language in ("en", "zh"):
        path = tmp_path_factory.mktemp("report") / "report.html"
        write(sample(), path, language)
        for screen, (width, height) in SCREENS.items():
            show(browser, path.as_uri(), width, height)
            for place in {question.place for question in QUESTIONS}:
                element = browser.find_element("css selector", place)
                seen = element.is_displayed()
                seen &= element.rect["y"] + element.rect["height"] <= 2 * height
                labels = " ".join(browser.execute_script(LABELS, element))
                texts[screen, language, place] = f"{element.text} {labels}" if seen else ""
    return texts


def test_there_are_twelve_of_three_readers() -> None:
    assert len(QUESTIONS) == 12
    assert {question.who for question in QUESTIONS} == {"manager", "regulator", "engineer"}


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asks)
@pytest.mark.slow
def test_it_is_answered_on_the_first_two_screens(
    places: dict[tuple[str, str, str], str], question: Question, screen: str
) -> None:
    text = places[screen, "en", question.place]
    assert re.search(question.answer, text, re.DOTALL), text


def shares_and_counts(text: str) -> set[str]:
    """Sums of money and "1 in 20" are written otherwise in Chinese."""
    text = re.sub(r"€\S+|\d+ in \d+", "", text)
    return set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?%?", text))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("place", sorted({question.place for question in QUESTIONS}))
def test_the_chinese_report_answers_in_the_same_places(
    places: dict[tuple[str, str, str], str], place: str, screen: str
) -> None:
    english, chinese = places[screen, "en", place], places[screen, "zh", place]
    assert shares_and_counts(english) <= shares_and_counts(chinese), chinese
    assert re.search(r"[\u4e00-\u9fff]", chinese)


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
