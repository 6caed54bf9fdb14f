"""Texts for models that stand in source: descriptions of tools and instructions of MCP servers.

Python is parsed; of TypeScript, JavaScript, Go, Rust, Java, Kotlin and C# the literals are read,
with what stands before.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from buttress.files.python_modules import beyond_limits, decoded, readable, syntax_tree

MAX_BYTES: Final = 8 << 20
PYTHON: Final = (".py", ".pyw")
OTHERS: Final = (
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".go",
    ".rs",
    ".java",
    ".kt",
    ".cs",
)
_PYTHON_MARK: Final = re.compile(
    rb"@[\w.]*(?:tool|prompt|resource|function)|FastMCP|\bMCP|mcp\b|Tool\b|\binputSchema\b|"
    rb"\binput_schema\b|[\"']parameters[\"']\s*:"
)
_OTHER_MARK: Final = re.compile(
    rb"(?i)\br?mcp|McpServer|registerTool|addTool|inputSchema|input_schema|\btool\s*\(|"
    rb"\[\s*KernelFunction"
)
_DECORATORS: Final = re.compile(
    r"^(?:\w+_)?(?:tool|prompt|resource|function_tool|tool_plain|kernel_function|ai_function)$"
)
_TOOL_CALLS: Final = {
    "FastMCP", "MCPServer", "Server", "Tool", "StructuredTool", "FunctionTool", "from_function",
    "from_defaults", "tool", "prompt", "resource", "add_tool", "register_tool", "Prompt",
    "PromptArgument", "Resource", "ToolDefinition", "FunctionDefinition", "Field",
    "InitializationOptions", "kernel_function",
}  # fmt: skip
_KEYWORDS: Final = ("description", "instructions", "desc")
_SCHEMAS: Final = {"inputSchema", "input_schema", "parameters", "args_schema"}
_MAX_DEPTH: Final = 60
_LITERAL: Final = re.compile(
    r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|"
    r'"""((?:[^"]|"(?!""))*)"""|'  # a block of text in Java, Kotlin and C#
    r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`((?:[^`\\]|\\.)*)`',
    re.DOTALL,
)
_BEFORE: Final = re.compile(
    r"(?i)(?:\b(?:tool)?(?:description|instructions)[\"'`]?\s*(?::|=|:=)\s*|"
    r"\b(?:With)?(?:Description|Instructions)\(\s*|@Tool\(\s*(?:value\s*=\s*)?\{?\s*|"
    r"\.describe\(\s*|"
    r"\.(?:tool|registerTool|addTool|prompt|registerPrompt)\(\s*[\"'`][^\"'`\n]{1,200}[\"'`]\s*,\s*)$"
)
# A constant that stands where a description would, and where it is made.
_NAMED: Final = re.compile(
    _BEFORE.pattern[:-1] + r"(?:\w+\.){0,3}([A-Za-z_]\w{2,60})"
    r"(?:\.(?:join|trim|trimEnd|replace|concat)\([^()\n]{0,40}\)){0,3}\s*[,})\n;]"
)
_MADE: Final = re.compile(
    r"(?:\b(?:const|let|var|static|readonly|final|val|String|string|&str)\s+(?:[\w&<>']+\s+){0,3}?|"
    r"\n[ \t]*(?=[A-Z]))([A-Za-z_]\w*)\s*(?::\s*[\w&' ]+)?\s*:?=\s*(?:\[\s*)?$"
)
_LIST: Final = re.compile(r"\[\s*$")
_LISTED: Final = re.compile(r"^\s*,\s*$")
_ATTRIBUTE: Final = re.compile(r"\s\w+=\{?$")  # of an element of JSX
_JOINED: Final = re.compile(r"^\s*\+\s*$")
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL
)
_SHORT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\n": ""}


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text, the line of the file at which it begins, and whose it is."""

    text: str
    line: int
    name: str = ""


def may_hold(data: bytes, *, python: bool) -> bool:
    """Whether words occur in source without which it holds no texts for models."""
    return bool((_PYTHON_MARK if python else _OTHER_MARK).search(data))


def unparsed(data: bytes) -> str:
    """Why a Python module that may hold texts for models is not parsed; empty where it is."""
    return beyond_limits(data) if _PYTHON_MARK.search(data) else ""


def python_texts(data: bytes) -> Iterator[SourceText]:
    """Texts for models in a Python module; none where it does not parse, or is too large for it."""
    if not _PYTHON_MARK.search(data) or beyond_limits(data):
        return
    try:
        tree = syntax_tree(decoded(readable(data)))
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(_DECORATORS.match(_last(one)) for one in node.decorator_list):
                yield from _docstring(node)
        elif isinstance(node, ast.ClassDef):
            yield from _class(node, constants)
        elif isinstance(node, ast.Call):
            if _last(node.func) in _TOOL_CALLS:
                for keyword in node.keywords:
                    if keyword.arg in _KEYWORDS:
                        yield from _text(keyword.value, constants)
        elif isinstance(node, ast.Dict):
            yield from _mapping(node, constants)
        elif isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Attribute) and one.attr == "__doc__" for one in node.targets
        ):
            yield from _text(node.value, constants)


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[SourceText]:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        value = first.value.value
        if isinstance(value, str):
            yield SourceText(value, first.value.lineno, node.name)


def _class(node: ast.ClassDef, constants: dict[str, ast.expr]) -> Iterator[SourceText]:
    """The description of a class of tools."""
    if not any(_last(one).endswith("Tool") for one in node.bases):
        return
    yield from _docstring(node)
    for one in node.body:
        targets = (
            one.targets
            if isinstance(one, ast.Assign)
            else [one.target]
            if isinstance(one, ast.AnnAssign)
            else []
        )
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if names & set(_KEYWORDS) and isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value:
            yield from _text(one.value, constants)


def _mapping(node: ast.Dict, constants: dict[str, ast.expr]) -> Iterator[SourceText]:
    """The definition of a tool as a dictionary."""
    named = {
        key.value: value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    if "description" in named and "name" in named and named.keys() & _SCHEMAS:
        yield from _text(named["description"], constants)


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What names of the module stand for, where they are assigned once."""
    found: dict[str, ast.expr] = {}
    for one in tree.body:
        if isinstance(one, ast.Assign) and len(one.targets) == 1:
            target = one.targets[0]
            if isinstance(target, ast.Name):
                found[target.id] = one.value
    return found


def _text(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[SourceText]:
    text = _known(node, constants, 0)
    if len(text) > 2:
        place = constants.get(node.id, node) if isinstance(node, ast.Name) else node
        yield SourceText(text, place.lineno)


def _known(node: ast.expr, constants: dict[str, ast.expr], depth: int) -> str:
    """What is known of a text; what is not, is a gap."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_known(one, constants, depth + 1) or "…" for one in node.values)
    if isinstance(node, ast.BinOp):
        left = _known(node.left, constants, depth + 1)
        return left + _known(node.right, constants, depth + 1)
    if isinstance(node, ast.Name) and node.id in constants:
        return _known(constants[node.id], {}, depth + 1)
    if isinstance(node, ast.Call) and _last(node.func) == "join" and node.args:
        listed = node.args[0]
        between = _known(node.func.value, constants, depth + 1) if isinstance(
            node.func, ast.Attribute) else ""  # fmt: skip
        if isinstance(listed, ast.Name):
            listed = constants.get(listed.id, listed)
        if isinstance(listed, (ast.List, ast.Tuple)):
            return between.join(_known(one, constants, depth + 1) for one in listed.elts)
    if isinstance(node, ast.Call):  # dedent("…"), "…".strip(), "…".format()
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        of = _known(inner, constants, depth + 1) if inner is not None else ""
        return of or "".join(_known(one, constants, depth + 1) for one in node.args[:1])
    return ""


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def literal_texts(data: bytes, *, raw: bool, markup: bool = False) -> Iterator[SourceText]:
    """Texts for models in another language than Python; in Go a backtick is ``raw``.

    ``markup``: elements of a page may stand in it (JSX), whose attributes people read.
    """
    if not _OTHER_MARK.search(data):
        return
    text = data.decode("utf-8", "replace")
    counted, line = 0, 1
    named = {one[1] for one in _NAMED.finditer(text)}
    pending: list[str] = []
    begun, end, listed = 0, -1, False
    for match in _LITERAL.finditer(text):
        if match.lastindex is None:
            continue  # a comment
        value = match[match.lastindex]
        if not (raw and match.lastindex == 4):
            value = _unescaped(value)
        between = text[end : match.start()] if pending else ""
        if pending and (_JOINED.match(between) or (listed and _LISTED.match(between))):
            pending.append(f" {value}" if "," in between else value)
            end = match.end()
            continue
        if pending:
            yield SourceText("".join(pending), begun)
            pending = []
        before = text[max(0, match.start() - 300) : match.start()]
        listed = bool(_LIST.search(before))
        made = _MADE.search(before) if named else None
        described = _BEFORE.search(_LIST.sub("", before)) or (made and made[1] in named)
        if described and not (markup and _ATTRIBUTE.search(before)):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            pending, begun, end = [value], line, match.end()
    if pending:
        yield SourceText("".join(pending), begun)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if digits:
            code = int(digits, 16)
            return chr(code) if code < 0x110000 else "\ufffd"
        return _SHORT.get(match[4], match[4])

    return _ESCAPE.sub(one, text) if "\\" in text else text
