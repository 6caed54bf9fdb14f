"""PMML 4.4: extensions and functions that some scoring engines run as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.probes.artifacts.encodings.xml_stream import Element
from buttress.probes.artifacts.issue import Issue
from buttress.probes.artifacts.scope import Scope, printable

_JAVA_CLASS: Final = re.compile(r"(?:[a-z_]\w*\.)+[A-Z]\w*")
_SCRIPT: Final = re.compile(
    r"<script|javascript:|\beval\s*\(|\bexec\s*\(|Runtime\.getRuntime|ProcessBuilder|os\.system|"
    r"subprocess|__import__|ScriptEngine|<%|\$\{(?:jndi|script|java):|T\(java\.|powershell|cmd\.exe|"
    r"/bin/(?:ba)?sh\b|import os\b",
    re.I,
)
_EXTERNAL: Final = ("include", "TableLocator")
_SCHEMES: Final = ("file:", "http:", "https:", "ftp:", "jar:", "ldap:", "rmi:", "data:")


def issues(found: Iterator[Element], scope: Scope) -> Iterator[Issue]:
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
                message = f"The document asks for a style sheet: {printable(attributes['data'])}."
                yield scope.issue("pmml-code", element.offset, message)
            continue
        elif name in _EXTERNAL:
            where = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "href"), "")
            message = f"The element {name} takes data from elsewhere: {printable(where)!r}."
            yield scope.issue("xml-entities", element.offset, message, severity="medium")
        yield from _texts(element, scope)
    for function, offset in called.items():
        if function not in defined and _JAVA_CLASS.fullmatch(function):
            message = f"A function is the Java class {printable(function)!r}."
            yield scope.issue("pmml-code", offset, message)


def _texts(element: Element, scope: Scope) -> Iterator[Issue]:
    for text in (element.text, *element.attributes.values()):
        if found := _SCRIPT.search(text):
            what = f"an attribute of {element.name}" if element.name else "a text"
            message = f"The document holds code, {printable(found[0])!r}, in {what}."
            yield scope.issue("pmml-code", element.offset, message)
        elif element.name in ("Extension", "include") and text.lower().startswith(_SCHEMES):
            message = f"An extension points to {printable(text)!r}."
            yield scope.issue("pmml-code", element.offset, message)
