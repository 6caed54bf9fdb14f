"""docs/packs.md tells the kinds and the examples as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from buttress.packs import bundle, verify
from buttress.packs.contents import contents_of, kinds
from tests.packs.making import make

TEXT = (Path(__file__).resolve().parents[2] / "docs/packs.md").read_text(encoding="utf-8")
_KIND_OF = {"allowed": "pickle-allowlist", "gadgets": "pickle-danger"}
BLOCKS = [
    block
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    if block.startswith(("rules:", "allowed:", "gadgets:"))
]


def test_the_table_of_kinds() -> None:
    assert sorted(
        re.findall(
            r"\| `([a-z-]+)` \| [^|]+ \| `(?:scan|survey|prompts|attacks|risks|policy)", TEXT
        )
    ) == [*kinds()]


def test_what_rules_can_be_about() -> None:
    told = set(re.findall(r"`([a-z0-9]+(?:\.[A-Za-z]+)?)`", TEXT[TEXT.index("| `about` | is |") :]))
    for kind in ("infrastructure-rules", "agent-rules"):
        for rule in contents_of(kind).kind.own.values():
            for about in rule.about:
                ours = about.startswith(("hidden.", "json."))  # need checks
                assert ours or about in told or about.startswith("k8s."), about


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: one.split("\n")[1].strip())
def test_the_examples_load(tmp_path: Path, block: str) -> None:
    name = next(iter(yaml.safe_load(block)))
    kind = _KIND_OF.get(name) or ("secret-rules" if "keywords" in block else "infrastructure-rules")
    folder = make(tmp_path / "p", {"a.yaml": (kind, block)})
    verify.contents(bundle.read(folder).manifest, folder)


def test_the_examples_are_all_there() -> None:
    assert len(BLOCKS) == 4
