"""Texts that a model reads, as subjects of rules: what is seen, and what is hidden in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from buttress.files.encodable import encodable
from buttress.files.jsonc import JsoncDocument
from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import documents
from buttress.probes.agents.invisible import (
    Hidden,
    bidirectional,
    concealed,
    invisible,
    terminal_codes,
)
from buttress.probes.agents.source_texts import SourceText
from buttress.rules.subject import Subject, at_line

_HEADER: Final = re.compile(r"\A\ufeff?---[ \t]*\r?\n")
_HEADER_END: Final = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
# What an agent runs before the model reads the text that it stands in.
_COMMAND: Final = re.compile(
    r"(?<![\w`\\])!`([^`\n]{1,2000})`|(?m:^[ \t]*```!)[^\n]*\n([^`]{1,4000})"
)
_SCHEMAS: Final = ("inputSchema", "input_schema", "parameters", "outputSchema", "args_schema")
_PROMPT_KEYS: Final = {
    "role", "goal", "backstory", "description", "expected_output", "template", "system_prompt",
    "system_message", "instructions", "prompt", "system_template", "content",
}  # fmt: skip
_MAX_DEPTH: Final = 100  # as deep as documents are read


def subjects(kind: str, text: str, line: int, name: str = "") -> Iterator[Subject]:
    """A text of a kind (``tool``, ``skill``, ``rules``, ``prompt``), and what is hidden in it."""
    yield Subject(f"text.{kind}", text, at_line(line), {"name": name})
    for found, what in (
        (invisible(text), "invisible"),
        (bidirectional(text), "direction"),
        (terminal_codes(text), "terminal"),
        (concealed(text), "concealed"),
    ):
        for one in found:
            yield _hidden(what, one, text, line, name)


def _hidden(what: str, one: Hidden, text: str, line: int, name: str) -> Subject:
    place = line + text.count("\n", 0, one.start)
    return Subject(f"hidden.{what}", {"text": one.text, "how": one.how}, at_line(place),
                   {"name": name})  # fmt: skip


def markdown(kind: str, text: str, problems: list[str]) -> Iterator[Subject]:
    """A file of instructions, and its header in YAML where it has one."""
    yield from subjects(kind, text, 1)
    opening = _HEADER.match(text)
    closing = _HEADER_END.search(text, opening.end()) if opening else None
    if opening and closing:
        for document in documents("\n" + text[opening.end() : closing.start()], problems):
            if isinstance(document.data, dict):
                yield Subject(f"{kind}.header", document.data, document.line)
                if hooks := document.data.get("hooks"):
                    yield Subject("agent.settings", {"hooks": hooks}, document.line)
    for match in _COMMAND.finditer(text):
        line = 1 + text.count("\n", 0, match.start(match.lastindex or 0))
        hooks = {"command": [{"command": (match[1] or match[2]).strip()}]}
        yield Subject("agent.settings", {"hooks": hooks}, at_line(line))


def in_source(texts: Iterable[SourceText]) -> Iterator[Subject]:
    """Descriptions of tools and instructions of servers that stand in source."""
    found = [replace(one, text=encodable(one.text)) for one in texts]
    names = frozenset(one.name for one in found)
    for one in found:
        for subject in subjects("tool", one.text, one.line, one.name):
            context = {"name": one.name, "names": names}
            yield Subject(subject.kind, subject.value, subject.line, context)


def tools(document: JsoncDocument) -> Iterator[Subject]:
    """All tools that a JSON document defines, in the forms of MCP, OpenAI and Anthropic."""
    found = [*_tools(document.data, (), 0), *_manifest_tools(document.data)]
    names = frozenset(name for name, _, _ in found)
    for name, tool, path in found:
        for parameter in _parameters(tool):
            line = _line_of(document, (*path, *parameter))
            yield Subject("tool.parameter", parameter[-1], line)
        for below, text in _descriptions(tool, (), 0):
            line = _line_of(document, (*path, *below))
            for subject in subjects("tool", text, 1, name):
                # In JSON a text is on one line, whatever line breaks it has.
                context = {"name": name, "names": names}
                yield Subject(subject.kind, subject.value, line, context, breaks=False)


def card(document: JsoncDocument) -> Iterator[Subject]:
    """Descriptions by which agents choose an agent, a plug-in or a server, at any depth."""
    for path, text in _described(document.data, (), 0):
        for subject in subjects("tool", text, 1):
            yield Subject(subject.kind, subject.value, _line_of(document, path), {"name": ""},
                          breaks=False)  # fmt: skip


def _described(value: Any, path: FieldPath, depth: int) -> Iterator[tuple[FieldPath, str]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, str) and key in ("description", "description_for_model"):
                yield (*path, key), one
            else:
                yield from _described(one, (*path, key), depth + 1)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            if isinstance(one, str):
                yield (*path, index), one  # examples of what to ask it
            else:
                yield from _described(one, (*path, index), depth + 1)


def _line_of(document: JsoncDocument, path: FieldPath) -> Callable[[FieldPath], int]:
    """The line of a value, looked for when a finding needs it: in a large file that takes long."""
    return lambda _: document.line(path)


def _tools(
    value: Any, path: FieldPath, depth: int
) -> Iterator[tuple[str, dict[str, Any], FieldPath]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        name = value.get("name")
        described = isinstance(value.get("description"), str)
        if isinstance(name, str) and described and any(_schema(value, key) for key in _SCHEMAS):
            yield name, value, path
            return
        for key, one in value.items():
            yield from _tools(one, (*path, key), depth + 1)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _tools(one, (*path, index), depth + 1)


def _manifest_tools(manifest: Any) -> Iterator[tuple[str, dict[str, Any], FieldPath]]:
    """Tools in the manifest of a package, which gives their names and descriptions alone."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("server"), dict):
        return
    listed = manifest.get("tools")
    for index, tool in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            continue
        if not any(_schema(tool, key) for key in _SCHEMAS):
            yield tool["name"], tool, ("tools", index)


def _schema(tool: dict[str, Any], key: str) -> bool:
    """Whether there is a JSON schema under a key; descriptions of web APIs have other things."""
    given = tool.get(key)
    if key != "parameters":
        return isinstance(given, dict)
    return isinstance(given, dict) and (
        given.get("type") == "object" or isinstance(given.get("properties"), dict)
    )


def _parameters(tool: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Where the parameters of a tool stand; the last of each path is its name."""
    for key in _SCHEMAS:
        schema = tool.get(key)
        properties = schema.get("properties") if isinstance(schema, dict) else None
        for name in properties if isinstance(properties, dict) else ():
            yield key, "properties", str(name)


def _descriptions(value: Any, path: FieldPath, depth: int) -> Iterator[tuple[FieldPath, str]]:
    """All texts of a tool's definition: its own, those of its parameters, defaults and choices."""
    if isinstance(value, str):
        if len(value) > 2:
            yield path, value
    elif depth <= _MAX_DEPTH:
        pairs = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        for key, one in pairs:
            yield from _descriptions(one, (*path, key), depth + 1)


def prompts(text: str, problems: list[str]) -> Iterator[Subject]:
    """Texts for models in YAML, as of CrewAI and LangChain."""
    for document in documents(text, problems):
        for path, one in _prompts(document.data, (), 0):
            yield from subjects("prompt", one, document.text_line(path))


def _prompts(value: Any, path: FieldPath, depth: int) -> Iterator[tuple[FieldPath, str]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, str) and key in _PROMPT_KEYS:
                yield (*path, key), one
            else:
                yield from _prompts(one, (*path, key), depth + 1)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _prompts(one, (*path, index), depth + 1)
