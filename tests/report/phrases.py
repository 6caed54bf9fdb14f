"""Finds every sentence and noun that the report's code and templates may say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from jinja2 import nodes

import buttress.report
from buttress.report.html import _environment

ROOT = Path(buttress.report.__file__).parent
MODULES = (
    *(
        "words",
        "limits",
        "views",
        "heatmap",
        "charts",
        "html",
        "language",
        "watch_page",
        "survey_page",
    ),
    *(
        "explanation_parts",
        "endpoint_explanation_page",
        "explanation_page",
        "model_comparison_page",
    ),
)


def phrases() -> tuple[set[str], set[str]]:
    """Sentences given to ``say`` or ``html``, nouns given to ``plural``."""
    said: set[str] = set()
    nouns: set[str] = set()
    for kind, text in [*_in_templates(), *_in_code()]:
        (nouns if kind == "plural" else said).add(text)
    return said, nouns


def _in_templates() -> Iterator[tuple[str, str]]:
    environment = _environment("en")
    for file in resources.files("buttress.report").joinpath("templates").iterdir():
        if not file.name.endswith(".html"):
            continue
        tree = environment.parse(file.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in ("say", "html"):
                yield from (("say", text) for text in _constants(call.args[0]))
        for use in tree.find_all(nodes.Filter):
            if use.name == "plural":
                yield from (("plural", text) for text in _constants(use.args[0]))
        for loop in tree.find_all(nodes.For):  # for name in ("Signature", …): say(name)
            names = {node.name for node in loop.target.find_all(nodes.Name)}
            names |= {loop.target.name} if isinstance(loop.target, nodes.Name) else set()
            spoken = {
                call.args[0].name
                for call in loop.find_all(nodes.Call)
                if isinstance(call.node, nodes.Name)
                and call.node.name == "say"
                and isinstance(call.args[0], nodes.Name)
            }
            if not isinstance(loop.iter, nodes.Tuple):
                continue
            for row in loop.iter.items:
                if isinstance(row, nodes.Const) and names & spoken:
                    yield "say", row.value
                if isinstance(row, nodes.Tuple) and isinstance(loop.target, nodes.Tuple):
                    for name, value in zip(loop.target.items, row.items, strict=True):
                        if isinstance(name, nodes.Name) and name.name in spoken:
                            yield "say", value.value


def _constants(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        yield node.value
    for inner in node.find_all(nodes.Const):
        yield inner.value


def _in_code() -> Iterator[tuple[str, str]]:
    for name in MODULES:
        tree = ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            kind = {"say": "say", "html": "say", "plural": "plural"}.get(called)
            place = 1 if kind == "plural" else 0
            if kind and len(node.args) > place:
                argument = node.args[place]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield kind, argument.value
