"""The report in a real browser."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from buttress.report.html import write
from tests.report.sample import HOSTILE, build, sample
from tests.report.test_html import hostile

webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium or chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# WCAG 2.1, 1.4.3: contrast of text with the nearest painted background behind it.
CONTRAST = """
const parse = (c) => {
  const m = c.match(/[\\d.]+/g).map(Number);
  return [m[0], m[1], m[2], m[3] ?? 1];
};
const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const c = parse(getComputedStyle(node).backgroundColor);
    if (c[3] === 1) return c;
  }
  return [255, 255, 255, 1];
};
const low = new Map();
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !node.checkVisibility() || node.closest("svg")) continue;
  const style = getComputedStyle(node);
  const [a, b] = [luminance(parse(style.color)), luminance(behind(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const big = parseFloat(style.fontSize) >= 24;
  if (ratio < (big ? 3 : 4.5)) low.set(`${node.tagName}.${node.className}`, ratio.toFixed(2));
}
return [...low];
"""


def started(profile: Path) -> Iterator[Any]:
    """A headless browser with a profile of its own, closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(240)  # axe takes long on a busy machine
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield from started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(sample(), path)
    return path.as_uri()


def show(browser: Any, uri: str, width: int = 1440, height: int = 900, dark: bool = False) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    media = {
        "prefers-color-scheme": "dark" if dark else "light",
        "prefers-reduced-motion": "reduce",
    }
    features = [{"name": name, "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get("about:blank")
    browser.get(uri)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (820, 1180), (390, 844)])
def test_no_errors_and_no_sideways_scrolling(
    browser: Any, report: str, width: int, height: int
) -> None:
    show(browser, report, width, height)
    assert browser.get_log("browser") == []
    for opened in (False, True):
        if opened:
            browser.execute_script(
                "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
            )
        seen = browser.execute_script("return document.documentElement.scrollWidth")
        assert seen <= width, f"with details {'open' if opened else 'closed'}"


OVERLAPS = """
const shown = (box) => [...box.children].filter((one) => one.checkVisibility());
const boxes = [...document.querySelectorAll(".chart .up, .chart .across, .axis")];
// The head of a table that is folded is there for screen readers alone.
const folded = (one) => one.closest("thead")?.clientWidth <= 1;
return boxes.filter((one) => !folded(one)).flatMap((box) => {
  const labels = shown(box);
  const overlap = (a, b) => {
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    return Math.min(p.right, q.right) > Math.max(p.left, q.left) + 0.5
      && Math.min(p.bottom, q.bottom) > Math.max(p.top, q.top) + 2;
  };
  return labels.flatMap((one, i) => labels.slice(i + 1).filter((other) => overlap(one, other))
    .map((other) => `${box.className}: ${one.textContent} and ${other.textContent}`));
});
"""


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (390, "screen"), (688, "print")])
def test_labels_of_an_axis_do_not_overlap(
    browser: Any, report: str, width: int, media: str
) -> None:
    show(browser, report, width)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    try:
        assert browser.execute_script(OVERLAPS) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


GAPS = """
const edges = (node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
};
document.documentElement.style.setProperty("--sans", "monospace");
return [...document.querySelectorAll("table.risks tbody tr")].map((row) =>
  edges(row.querySelector("th")).left - edges(row.querySelector(".verdict-cell")).right);
"""


def test_a_wide_font_leaves_room_between_verdict_and_risk(browser: Any, report: str) -> None:
    show(browser, report)
    gaps = browser.execute_script(GAPS)
    assert len(gaps) == 7
    assert min(gaps) >= 8  # pixels


def test_the_overall_picture_is_on_one_screen(browser: Any, report: str) -> None:
    show(browser, report)
    for selector in (".headline", ".sentence", ".tally", ".matters", ".spent", ".stop"):
        box = browser.find_element("css selector", selector).rect
        assert box["y"] + box["height"] <= 900, selector
    rows = browser.find_elements("css selector", "table.risks tbody tr")
    assert len(rows) == 7
    assert rows[-1].rect["y"] + rows[-1].rect["height"] <= 900


def test_worst_answers_are_closed_until_one_opens_them(browser: Any, report: str) -> None:
    show(browser, report)
    answers = browser.find_elements("css selector", "#worst pre")
    assert len(answers) == 60  # what was sent, and the answer
    assert not any(answer.is_displayed() for answer in answers)
    warning = browser.find_element("css selector", "#worst .warning > summary")
    warning.click()
    assert not any(answer.is_displayed() for answer in answers)
    browser.find_element("css selector", "#worst .answers summary").click()
    assert answers[1].is_displayed()


def test_a_link_opens_nothing_of_the_worst_answers(browser: Any, report: str) -> None:
    show(browser, report + "#worst")
    assert browser.execute_script("return document.querySelectorAll('#worst [open]').length") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(browser: Any, report: str, dark: bool) -> None:
    show(browser, report, dark=dark)
    browser.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    assert browser.execute_script(CONTRAST) == []


def test_every_shade_of_the_heat_map_is_readable(browser: Any, tmp_path: Path) -> None:
    told = sample()
    for number, cell in enumerate(told["cells"]):
        cell["estimate"] = number / (len(told["cells"]) - 1)
    write(told, tmp_path / "report.html")
    for dark in (False, True):
        show(browser, (tmp_path / "report.html").as_uri(), dark=dark)
        shades = browser.execute_script(
            "return new Set([...document.querySelectorAll('.heat td[class^=shade]')]"
            ".map((one) => one.className)).size"
        )
        assert shades == 7
        browser.execute_script(
            "document.querySelectorAll('[class^=shade]').forEach("
            "(one) => { one.insertAdjacentHTML('beforeend', '<a href=\"#risks\">a link</a>'); })"
        )
        assert browser.execute_script(CONTRAST) == []


@pytest.mark.slow
def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        path = tmp_path / f"{number}.html"
        write(hostile(sample(), text), path)
        show(browser, path.as_uri())
        browser.execute_script(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
        )
        assert browser.execute_script("return window.pwned") is None
        assert browser.get_log("browser") == []
        assert browser.execute_script("return document.scripts.length") == 1


def test_a_script_that_slipped_in_would_not_run(browser: Any, tmp_path: Path) -> None:
    """The second line of defence: the policy lets only our own script run."""
    write(sample(), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    slipped = page.replace("</main>", "<script>window.pwned = 1</script></main>")
    assert slipped != page
    (tmp_path / "report.html").write_text(slipped, encoding="utf-8")
    show(browser, (tmp_path / "report.html").as_uri())
    assert browser.execute_script("return window.pwned") is None
    assert browser.get_log("browser")  # the browser says that it refused


def test_it_reads_without_script(browser: Any, report: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, report)
        assert browser.find_element("css selector", ".headline").is_displayed()
        summary = browser.find_element("css selector", "#risk-1 summary")
        summary.click()
        assert browser.find_element("css selector", "#risk-1 dl").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_an_empty_assessment_is_presentable(browser: Any, tmp_path: Path) -> None:
    told = build({}, ())
    told |= {"risks": [], "findings": [], "cells": [], "worst": [], "judge": None}
    told["loss"] |= {"risks": [], "exceedance": [], "sensitivity": []}
    write(told, tmp_path / "report.html")
    show(browser, (tmp_path / "report.html").as_uri())
    assert "Nothing was measured" in browser.find_element("css selector", ".headline").text
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("code", ["en", "zh"])
def test_it_prints_on_few_pages_with_header_numbers_and_a_place_to_sign(
    browser: Any, tmp_path: Path, code: str
) -> None:
    write(sample(), tmp_path / "report.html", code)
    show(browser, (tmp_path / "report.html").as_uri())
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    pages = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed)))
    assert 3 < pages <= 15
    style = browser.find_element("css selector", "style").get_attribute("textContent")
    assert "@top-left { content:" in style
    assert "counter(page)" in style
    decision = browser.find_element("css selector", ".decision")
    assert not decision.is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert decision.is_displayed()
        assert not browser.find_element("css selector", "#worst .warning").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_what_cannot_be_seen_is_written_as_its_number(browser: Any, tmp_path: Path) -> None:
    told = sample()
    told["worst"][0]["answer"] = "safe\u202eelif.exe\u200b \U000e0041"
    write(told, tmp_path / "report.html")
    show(browser, (tmp_path / "report.html").as_uri())
    browser.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    answer = browser.find_elements("css selector", ".answers > li:first-child pre")[-1]
    assert answer.text == "safeU+202Eelif.exeU+200B U+E0041"
    assert len(answer.find_elements("css selector", ".invisible")) == 3


@pytest.mark.parametrize(  # each width in both schemes, each language in both
    ("code", "width", "dark"),
    [("en", 1280, False), ("en", 390, True), ("zh", 1280, True), ("zh", 390, False)],
)
@pytest.mark.slow
def test_axe_finds_nothing_serious(
    browser: Any, tmp_path: Path, code: str, width: int, dark: bool
) -> None:
    package = pytest.importorskip("axe_core_python", reason="axe is not installed")
    axe = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    write(sample(), tmp_path / "report.html", code)
    show(browser, (tmp_path / "report.html").as_uri(), width, dark=dark)
    browser.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    browser.execute_script(axe)
    seen = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])"
    )
    assert len(seen["passes"]) > 20
    assert "color-contrast" in {one["id"] for one in [*seen["passes"], *seen["incomplete"]]}
    assert [
        (one["id"], one["nodes"][0]["html"])
        for one in seen["violations"]
        if one["impact"] in ("serious", "critical", "moderate")
    ] == []
