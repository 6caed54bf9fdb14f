"""The reference is made from the code, links lead somewhere, and examples in the docs work."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date() -> None:
    made = generator("generate")
    pages = made.pages()
    if sys.version_info >= (3, 13):
        del pages["commands.md"]  # argparse indents options otherwise since 3.13
    for name, text in pages.items():
        assert (made.REFERENCE / name).read_text(encoding="utf-8") == text, (
            f"docs/reference/{name} is out of date: run python docs/generate.py"
        )


@pytest.mark.slow
def test_the_picture_of_packages_is_up_to_date() -> None:
    for path, text in generator("picture").pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run make picture"


def anchors(text: str) -> set[str]:
    made = set()
    for heading in _HEADING.findall(text):
        kept = re.sub(r"[^\w\s-]", "", heading.replace("`", "").lower())
        made.add(re.sub(r"\s", "-", kept.strip()))
    return made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        to = (page.parent / file).resolve() if file else page
        assert to.exists(), f"{page.name}: {link}"
        if anchor and to.suffix == ".md":
            assert anchor in anchors(to.read_text(encoding="utf-8")), f"{page.name}: {link}"
