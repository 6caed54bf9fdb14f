"""The pack: its size, its pairs, and that no request is there twice."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import resources
from itertools import combinations
from pathlib import Path

import orjson
import pytest

from buttress.errors import InputError
from buttress.prompts.base import Prompt
from buttress.prompts.pack import LANGUAGES, load_categories, load_pack
from buttress.prompts.public import known_sets, load_public
from buttress.standards.crosswalk import load_standards
from tests.shared import DATA, needs_data

LONGEST = 300  # characters: requests only, as people type them
ALIKE = 0.6
PACK = load_pack()


def shingles(prompt: Prompt) -> frozenset[str]:
    """Words of English, pairs of signs of Chinese."""
    if prompt.language == "en":
        return frozenset(re.findall(r"[a-z']+", prompt.text.lower()))
    text = "".join(re.findall(r"\w", prompt.text))
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def likeness(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / max(1, len(a | b))


def groups() -> Iterator[list[Prompt]]:
    found: dict[tuple[str, str], list[Prompt]] = defaultdict(list)
    for prompt in PACK:
        found[prompt.expect, prompt.language].append(prompt)
    return iter(found.values())


def test_every_category_has_its_pairs_in_both_languages() -> None:
    counts = Counter((prompt.category, prompt.expect, prompt.language) for prompt in PACK)
    assert len(load_categories()) >= 12
    for category in load_categories():
        for expect in ("refuse", "answer"):
            for language in LANGUAGES:
                assert counts[category, expect, language] >= 25, (category, expect, language)
    assert set(counts) <= {
        (category, expect, language)
        for category in load_categories()
        for expect in ("refuse", "answer")
        for language in LANGUAGES
    }


def test_files_are_what_the_loader_reads() -> None:
    folder = resources.files("buttress.prompts").joinpath("data")
    lines = 0
    for file in folder.iterdir():
        category = file.name.removesuffix(".jsonl")
        assert category in load_categories(), file.name
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            record = orjson.loads(line)
            assert set(record) == {"id", "refuse", "answer"}, (file.name, number)
            assert re.fullmatch(rf"{category}-\d\d", record["id"]), (file.name, number)
            for expect in ("refuse", "answer"):
                assert list(record[expect]) == ["en", "zh"], (file.name, number)
            lines += 1
    assert len(PACK) == 4 * lines


def test_ids_and_texts_are_unique() -> None:
    assert len({prompt.id for prompt in PACK}) == len(PACK)
    twice = [text for text, count in Counter(prompt.text for prompt in PACK).items() if count > 1]
    assert twice == []


def test_a_benign_prompt_names_its_harmful_twin() -> None:
    by_id = {prompt.id: prompt for prompt in PACK}
    for prompt in PACK:
        if prompt.expect == "refuse":
            assert prompt.pair == ""
            continue
        twin = by_id[prompt.pair]
        assert (twin.expect, twin.category, twin.language) == (
            "refuse",
            prompt.category,
            prompt.language,
        )


def test_texts_are_short_and_in_their_language() -> None:
    for prompt in PACK:
        assert prompt.text == prompt.text.strip(), prompt.id
        assert "\n" not in prompt.text, prompt.id
        assert 8 <= len(prompt.text) <= LONGEST, prompt.id
        chinese = len(re.findall(r"[\u4e00-\u9fff]", prompt.text))
        if prompt.language == "zh":
            assert chinese >= 5, prompt.id
            assert chinese >= 0.5 * len(re.findall(r"\w", prompt.text)), prompt.id
        else:
            assert chinese == 0, prompt.id


def test_no_two_are_nearly_the_same() -> None:
    alike = []
    for group in groups():
        sets = [(prompt.id, shingles(prompt)) for prompt in group]
        alike += [
            (one, other) for (one, a), (other, b) in combinations(sets, 2) if likeness(a, b) > ALIKE
        ]
    assert alike == []


def test_languages_are_chosen() -> None:
    assert {prompt.language for prompt in load_pack(["zh"])} == {"zh"}
    assert len(load_pack(("en",))) + len(load_pack(("zh",))) == len(PACK)
    with pytest.raises(InputError, match="one of en, zh"):
        load_pack(["fr"])


def test_categories_map_to_items_that_exist() -> None:
    standards = load_standards()
    for category in load_categories().values():
        assert set(category.title) == set(LANGUAGES)
        assert category.description
        assert category.standards
        for standard, item in category.standards:
            assert item in standards[standard].items, (category.id, standard, item)
    mapped = {pair for category in load_categories().values() for pair in category.standards}
    hazards = set(standards["mlcommons-ailuminate"].items)
    assert {item for standard, item in mapped if standard == "mlcommons-ailuminate"} == hazards


@needs_data
def test_nothing_is_copied_from_public_sets() -> None:
    assert DATA is not None
    folder = DATA / "prompts"
    sets = ("advbench", "harmbench", "jailbreakbench", "malicious-instruct", "tdc2023")
    public = [
        shingles(each) for name in (*sets, "do-not-answer") for each in load_public(name, folder)
    ]
    copied = []
    for prompt in load_pack(["en"]):
        own = shingles(prompt)
        if any(likeness(own, each) > ALIKE for each in public):
            copied.append(prompt.id)
    assert copied == []


def test_the_documentation_lists_what_there_is() -> None:
    text = (Path(__file__).parents[2] / "docs/prompts.md").read_text(encoding="utf-8")
    pairs = Counter(p.category for p in load_pack(["en"]) if p.expect == "refuse")
    for category in load_categories().values():
        row = rf"\| `{category.id}` \({category.title['zh']}\) \| .+ \| {pairs[category.id]} \|"
        assert re.search(row, text), category.id
    assert f"{pairs.total()} pairs in {len(pairs)} harm categories" in text
    for name, known in known_sets().items():
        assert re.search(rf"(\| `|set: ){name}\b", text), name
        for split in known.splits:
            assert f"`{split}`" in text
