"""Explanations on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from buttress.files.visible import visible
from buttress.report import endpoint_explanation_page, explanation_page, model_comparison_page
from buttress.workflows.explained_output import PAGE_NAME

SHOWN = 5


def show_weights(document: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """An explanation from the weights."""
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    print(f"answer: {visible(document['answer'])}")
    _attributions(document["attributions"], document["tokens"])
    _rest(document, explanation_page.paragraph(document), out)


def show_asked(document: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """An explanation of a model that was asked."""
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    base = document["base"]
    print(f"answer: {visible(base['answer'])}")
    print(f"decision: {endpoint_explanation_page.decision(document, base)}")
    _attributions(document["attributions"], document["spans"])
    _rest(document, endpoint_explanation_page.paragraph(document), out)
    print(f"{document['calls']} of {document['budget']} questions")


def show_compared(document: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """What training changed."""
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _rest(document, model_comparison_page.paragraph(document), out)


def _attributions(attributions: Iterable[Mapping[str, Any]], texts: Sequence[str]) -> None:
    for one in attributions:
        order = sorted(range(len(one["values"])), key=lambda at: -one["values"][at])
        words = ", ".join(
            f"{visible(texts[at].strip())} {one['values'][at]:+.2f}" for at in order[:SHOWN]
        )
        said = "passes" if one["trusted"] else f"not to be trusted: {one['why_not']}"
        print(f"  {one['method']}: {words} ({said})")


def _rest(document: Mapping[str, Any], paragraph: Iterable[str], out: Path) -> None:
    for name, why in document["left_out"].items():
        print(f"  {name}: {visible(why)}")
    print(*paragraph, sep="\n")
    print(out / PAGE_NAME)
