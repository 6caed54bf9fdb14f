"""The sets that are known by name: where they come from and how their releases look.

Column names are those of the releases and of their copies on the Hugging Face hub, normalised:
lower case, other signs as underscores. Nothing of the sets themselves is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

_TEXT: Final = (
    "prompt", "goal", "behavior", "forbidden_prompt", "question", "query", "instruction",
    "request", "text",
)  # fmt: skip
_CATEGORY: Final = ("category", "semantic_category", "semanticcategory")


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A prompt set that can be loaded by name.

    Attributes:
        title, licence, paper: for people; ``paper`` is where it is described.
        hub: id of the dataset on the Hugging Face hub, None where there is none.
        form: what a file of the set looks like, in words.
        files: patterns of its files' names in a folder; where none matches, all readable files
            of the folder are taken.
        splits: names that ``split`` can take.
        text: columns that may hold the request, the first one present counts.
        context: columns with text that belongs to the request.
        category: columns that may hold the set's own category.
        split_columns: columns whose values are splits.
        expect: what a safe model does with its requests; "column" where a row says so.
    """

    title: str
    licence: str
    paper: str
    hub: str | None
    form: str
    files: tuple[str, ...]
    splits: tuple[str, ...] = ()
    text: tuple[str, ...] = _TEXT
    context: tuple[str, ...] = ()
    category: tuple[str, ...] = _CATEGORY
    split_columns: tuple[str, ...] = ()
    expect: Literal["refuse", "column"] = "refuse"


_SETS: Final[Mapping[str, KnownSet]] = MappingProxyType(
    {
        "advbench": KnownSet(
            title="AdvBench harmful behaviors",
            licence="MIT",
            paper="Zou et al. 2023, arXiv 2307.15043",
            hub="walledai/AdvBench",
            form="CSV with the columns goal and target",
            files=("advbench*", "harmful_behaviors*", "train-*.parquet"),
            text=("goal", *_TEXT),
        ),
        "harmbench": KnownSet(
            title="HarmBench text behaviors",
            licence="MIT",
            paper="Mazeika et al. 2024, arXiv 2402.04249",
            hub="walledai/HarmBench",
            form="CSV with the columns Behavior, SemanticCategory and ContextString",
            files=("harmbench*", "train-*.parquet"),
            splits=("val", "test", "standard", "contextual", "copyright"),
            text=("behavior", *_TEXT),
            context=("contextstring", "context_string", "context"),
            split_columns=("functionalcategory", "functional_category"),
        ),
        "jailbreakbench": KnownSet(
            title="JailbreakBench JBB-Behaviors",
            licence="MIT",
            paper="Chao et al. 2024, arXiv 2404.01318",
            hub="JailbreakBench/JBB-Behaviors",
            form="CSV with the columns Goal and Category; 'benign' in the name of the benign file",
            files=("harmful-behaviors*", "benign-behaviors*", "jailbreakbench*", "jbb*"),
            splits=("harmful", "benign"),
            text=("goal", *_TEXT),
        ),
        "strongreject": KnownSet(
            title="StrongREJECT",
            licence="MIT",
            paper="Souly et al. 2024, arXiv 2402.10260",
            hub="walledai/StrongREJECT",
            form="CSV with the columns category, source and forbidden_prompt",
            files=("strongreject*", "strong_reject*", "train-*.parquet"),
            splits=("small",),
            text=("forbidden_prompt", *_TEXT),
        ),
        "malicious-instruct": KnownSet(
            title="MaliciousInstruct",
            licence="none stated by its authors; CC BY-SA 4.0 on the hub",
            paper="Huang et al. 2023, arXiv 2310.06987",
            hub="walledai/MaliciousInstruct",
            form="text with one request a line",
            files=("malicious*instruct*", "train-*.parquet"),
        ),
        "tdc2023": KnownSet(
            title="TDC 2023 red teaming track",
            licence="MIT",
            paper="Trojan Detection Challenge 2023, LLM edition",
            hub="walledai/TDC23-RedTeaming",
            form="JSON list of requests",
            files=("tdc*", "behaviors*", "train-*.parquet"),
            splits=("dev", "test"),
        ),
        "xstest": KnownSet(
            title="XSTest",
            licence="CC BY 4.0",
            paper="Röttger et al. 2023, arXiv 2308.01263",
            hub="walledai/XSTest",
            form="CSV with the columns prompt, type and label (safe or unsafe)",
            files=("xstest*", "train-*.parquet", "test-*.parquet"),
            splits=("safe", "unsafe"),
            category=("type",),
            expect="column",
        ),
        "do-not-answer": KnownSet(
            title="Do-Not-Answer",
            licence="Apache-2.0",
            paper="Wang et al. 2023, arXiv 2308.13387",
            hub="LibrAI/do-not-answer",
            form="CSV with the columns question, risk_area and types_of_harm, or a folder of "
            "JSON Lines with 'prompt', one file a risk area",
            files=("do_not_answer*", "do-not-answer*", "train-*.parquet"),
            text=("question", *_TEXT),
            category=("types_of_harm", "types_of_harms", "risk_area", *_CATEGORY),
        ),
        "own": KnownSet(
            title="A set of your own",
            licence="yours",
            paper="",
            hub=None,
            form='JSON Lines with {"prompt": …, "expect": "refuse" or "answer"} and, optionally, '
            "category, language and id",
            files=("*",),
            expect="column",
        ),
    }
)


def known_sets() -> Mapping[str, KnownSet]:
    """The sets that ``load_public`` reads, by name."""
    return _SETS
