"""PMML 4.4: extensions and functions that some scoring engines run as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.files.visible import shortened
from buttress.probes.artifacts.code_text import code_in
from buttress.probes.artifacts.encodings.xml_stream import Element
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_JAVA_CLASS: Final = re.compile(r"(?:[a-z_]\w*\.)+[A-Z]\w*")
_SCRIPT: Final = re.compile(
    r"<script|javascript:|Runtime\.getRuntime|ProcessBuilder|ScriptEngine|<%|"
    r"\$\{(?:jndi|script|java):|T\(java\.|\beval\s*\(|\bexec\s*\(|\bimport (?:os|subprocess)\b",
    re.I,
)
# PMML 4.4, "Built-in functions", and the operators of its predecessors.
_FUNCTIONS: Final = """
    + - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round
    rint modulo isMissing isNotMissing isValid isNotValid equal notEqual lessThan lessOrEqual
    greaterThan greaterOrEqual isIn isNotIn and or not if uppercase lowercase stringLength
    substring trimBlanks concat replace matches formatNumber formatDatetime dateDaysSinceYear
    dateSecondsSinceYear dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF stdNormalPDF
    erf normalIDF stdNormalIDF expm1 hypot ln1p sin asin sinh cos acos cosh tan atan tanh
    x-atan2 x-cosh x-expm1 x-hypot x-ln1p x-rint x-sin x-cos x-tan x-modulo x-asin x-acos
    x-atan x-sinh x-tanh x-normalCDF
"""
_BUILT_IN: Final = frozenset(_FUNCTIONS.split())
# Their words are those of the data: names of fields, categories, terms of a vocabulary.
_CODE_PLACES: Final = frozenset(("Extension", "", "script", "Apply", "DefineFunction"))
_EXTERNAL: Final = ("include", "TableLocator")
_SCHEMES: Final = ("file:", "http:", "https:", "ftp:", "jar:", "ldap:", "rmi:", "data:")


def issues(found: Iterator[Element], scope: Scope) -> Iterator[ArtifactIssue]:
    """Functions by class name, code in extensions, references to other documents."""
    defined: set[str] = set()
    called: dict[str, int] = {}
    for element in found:
        name, attributes = element.name, element.attributes
        if name == "DefineFunction":
            defined.add(attributes.get("name", ""))
        elif name == "Apply":
            called.setdefault(attributes.get("function", ""), element.offset)
        elif name == "?":
            if attributes["target"] == "xml-stylesheet":
                message = f"The document asks for a style sheet: {shortened(attributes['data'])}."
                yield scope.issue("pmml-code", element.offset, message)
            continue
        elif name in _EXTERNAL:
            where = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "href"), "")
            message = f"The element {name} takes data from elsewhere: {shortened(where)!r}."
            yield scope.issue("xml-entities", element.offset, message, severity="medium")
        yield from _texts(element, scope)
    for function, offset in called.items():
        if function in defined or function in _BUILT_IN:
            continue
        what = "the Java class" if _JAVA_CLASS.search(function) else "none that PMML has:"
        message = f"A function is {what} {shortened(function)!r}."
        yield scope.issue("pmml-code", offset, message)


def _texts(element: Element, scope: Scope) -> Iterator[ArtifactIssue]:
    for text in (element.text, *element.attributes.values()):
        if found := _code(element, text):
            what = f"an attribute of {element.name}" if element.name else "a text"
            message = f"The document holds code, {shortened(found)!r}, in {what}."
            yield scope.issue("pmml-code", element.offset, message)
        elif element.name in ("Extension", "include") and text.lower().startswith(_SCHEMES):
            message = f"An extension points to {shortened(text)!r}."
            yield scope.issue("pmml-code", element.offset, message)


def _code(element: Element, text: str) -> str | None:
    if element.name in _CODE_PLACES and (found := _SCRIPT.search(text)):
        return found[0]
    return code_in(text)
