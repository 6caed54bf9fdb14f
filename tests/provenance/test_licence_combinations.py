"""Forty combinations of licences, each with what the texts of the licences say comes of it.

Written from the licences before the rules were run on them. A part is `role:licence`; `use` has c
for commercial, n for not, d for given away. What is expected are all rules that apply to the first
part, or to the second where it stands after a bar.
"""

from __future__ import annotations

import pytest

from buttress.provenance.licences.expression import Declared
from buttress.provenance.licences.judging import (
    IntendedUse,
    LicensedPart,
    Link,
    Relation,
    Role,
    judge,
)

_RELATION: dict[str, Relation] = {"model": "base", "adapter": "base", "data": "data",
                                  "package": "package"}  # fmt: skip
COMBINATIONS = [
    # what was made from weights
    ("adapter:apache-2.0", "model:llama3.1", "c", "dropped"),
    ("adapter:llama3.1", "model:llama3.1", "c", "conditional use-restrictions"),
    ("adapter:mit", "model:gemma", "c", "dropped"),
    ("model:cc-by-nc-4.0", "model:gemma", "n", "dropped"),
    ("model:mit", "model:cc-by-nc-4.0", "n", "wider-base"),
    ("model:mit", "model:cc-by-nc-sa-4.0", "n", "wider-base share-alike-base"),
    ("model:cc-by-nc-sa-4.0", "model:cc-by-nc-sa-4.0", "n", ""),
    ("model:cc-by-nc-4.0", "model:cc-by-nc-4.0", "c", "non-commercial"),
    ("model:cc-by-4.0", "model:cc-by-sa-4.0", "n", "share-alike-base"),
    ("model:cc-by-sa-4.0", "model:cc-by-4.0", "c", ""),
    ("model:mit", "model:apache-2.0", "c", ""),
    ("model:apache-2.0", "model:gpl-3.0", "c", "copyleft-base"),
    ("model:gpl-3.0", "model:gpl-3.0", "c", ""),
    ("model:agpl-3.0", "model:mit", "c", ""),
    ("model:apache-2.0", "model:agpl-3.0", "c", "copyleft-base"),
    ("model:apache-2.0", "model:cc-by-nd-4.0", "c", "no-derivatives"),
    ("model:cc-by-nc-nd-4.0", "model:cc-by-nc-nd-4.0", "n", "no-derivatives"),
    ("model:mit", "model:creativeml-openrail-m", "c", "dropped"),
    ("model:bigscience-openrail-m", "model:bigscience-openrail-m", "c", "use-restrictions"),
    ("model:apache-2.0", "model:deepseek", "c", "dropped"),
    ("model:mit", "model:mistral-ai-research-license", "n", "wider-base dropped"),
    ("model:mit", "model:qwen-research", "n", "wider-base dropped"),
    ("model:openrail++ OR mit", "model:openrail++", "c", ""),
    # Forbidden altogether, so that the condition of the other licence says no more.
    ("model:llama3.1 AND cc-by-nc-4.0", "model:llama3.1", "c", "non-commercial use-restrictions"),
    # data
    ("model:mit", "data:cc-by-nc-4.0", "c", "wider-data | non-commercial-data"),
    ("model:mit", "data:cc-by-nc-4.0", "n", "wider-data"),
    ("model:cc-by-nc-4.0", "data:cc-by-nc-4.0", "n", ""),
    ("model:apache-2.0", "data:cc-by-sa-4.0", "c", "share-alike-data"),
    ("model:cc-by-sa-4.0", "data:cc-by-sa-4.0", "c", ""),
    ("model:apache-2.0", "data:odbl", "c", "share-alike-data"),
    ("model:apache-2.0", "data:cc-by-4.0", "c", ""),
    ("model:apache-2.0", "data:cc-by-nc-4.0 OR cc-by-4.0", "c", ""),
    ("model:apache-2.0", "data:cc-by-nc-sa-4.0", "n", "wider-data share-alike-data"),
    # code
    ("code:mit", "package:gpl-3.0", "cd", "linked"),
    ("code:mit", "package:lgpl-3.0", "cd", ""),
    ("code:mit", "package:agpl-3.0", "c", "network"),
    ("code:agpl-3.0", "package:gpl-3.0", "cd", ""),
    ("code:mit", "package:GPL-2.0-only WITH Classpath-exception-2.0", "cd", ""),
    ("code:mit", "package:mit OR gpl-3.0", "cd", ""),
    ("code:mit", "package:cc-by-nc-4.0", "c", "| non-commercial"),
]  # fmt: skip
RULES = {
    "dropped": "restrictions-dropped", "wider-base": "wider-than-base",
    "wider-data": "wider-than-data", "linked": "copyleft-linked", "network": "network-copyleft",
}  # fmt: skip


def part(text: str) -> LicensedPart:
    role, _, licence = text.partition(":")
    known: Role = role  # type: ignore[assignment]
    return LicensedPart(known, f"the {role}", (Declared(licence, "card"),))


def test_there_are_forty() -> None:
    assert len(set(COMBINATIONS)) == 40


@pytest.mark.parametrize(("first", "second", "use", "expected"), COMBINATIONS)
def test_what_comes_of_it(first: str, second: str, use: str, expected: str) -> None:
    left, right = part(first), part(second)
    commercial = {"c": True, "n": False}[use[0]]
    links = [Link(left, _RELATION[right.role], right)]
    # The base is only named, as by an adapter that lies there alone; data and packages are judged.
    subjects = [left] if right.role in ("model", "adapter") else [left, right]
    found: tuple[set[str], set[str]] = set(), set()
    for one in judge(subjects, links, IntendedUse(commercial, "d" in use)):
        found[one.subject is right].add(one.rule.id)
    wanted = [
        {f"licence-{RULES.get(word, word)}" for word in side.split()}
        for side in (expected if "|" in expected else f"{expected}|").split("|")
    ]
    assert list(found) == wanted
