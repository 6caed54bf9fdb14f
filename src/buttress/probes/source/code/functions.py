"""Functions of a module: their parameters, and what is known of those who call them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.events import Context
from buttress.probes.source.code.paths import GlobUnion
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.summaries import NOT_GIVEN, FunctionSummary
from buttress.probes.source.code.values import PARAMETER, SEGMENT, Taint, Value

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_HARMLESS: Final = GlobUnion(
    [
        "builtins.int", "builtins.float", "builtins.bool", "builtins.complex", "datetime.*",
        "uuid.UUID", "decimal.Decimal", "fastapi.*", "fastapi.**", "starlette.**",
        "sqlalchemy.**", "sqlmodel.**", "typing.Literal", "typing_extensions.Literal", "redis.**",
        "mcp.**", "langchain_core.runnables.**", "pydantic_ai.RunContext", "logging.**",
    ]
)  # fmt: skip
_INJECTED: Final = {"Depends", "Security", "BackgroundTasks", "RunContext", "Context"}
_CONVERTER: Final = re.compile(r"<(?:int|float|uuid)(?:\([^)]*\))?:(\w+)>")
_SEGMENT: Final = re.compile(r"/[\w.-]*[{<](?:str(?:ing)?:)?(\w+)(?::str)?[}>]")
_DEEP: Final = re.compile(r"<path:(\w+)>|\{(\w+):path\}")
_NUMBER: Final = re.compile(r"\{(\w+):(?:int|float|uuid)\}")


@dataclass(slots=True)
class Function:
    """A function that is yet to be followed."""

    node: FunctionNode
    path: str
    scope: NameScope  # around it
    context: Context  # inside it
    summary: FunctionSummary
    label: str | None  # of the source that its parameters come from
    numbers: frozenset[str]  # parameters that a route says are numbers
    segments: frozenset[str]  # parameters that are one part of a route's path
    method: bool
    giver: str = ""  # what it was given to, e.g. a component of Gradio, which gives the parameters


def numbers_of(decorators: Sequence[ast.expr]) -> frozenset[str]:
    """Parameters that are numbers by the path of a route, e.g. ``/<int:page>``."""
    found: set[str] = set()
    for one in decorators:
        for argument in one.args if isinstance(one, ast.Call) else ():
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                route = argument.value[:2000]
                found.update(_CONVERTER.findall(route), _NUMBER.findall(route))
    return frozenset(found)


def segments_of(decorators: Sequence[ast.expr]) -> frozenset[str]:
    """Parameters that are one part of the path of a route: ``/{id}``, and not ``/{id:path}``."""
    found: set[str] = set()
    deep: set[str] = set()
    for one in decorators:
        for argument in one.args if isinstance(one, ast.Call) else ():
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                route = argument.value[:2000]
                found.update(_SEGMENT.findall(route))
                deep.update(*_DEEP.findall(route))
    return frozenset(found - deep)


def bind_parameters(evaluator: Evaluator, function: Function, scope: NameScope) -> None:
    """Bind the parameters inside a function: by annotation, default, and who calls it."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults += arguments.defaults
    every = [
        *zip(positional, defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for index, (one, default) in enumerate(every):
        if function.method and index == 0:
            scope.bind(one.arg, Value("?self"))
            continue
        scope.bind(one.arg, _parameter(evaluator, function, one, default))
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            scope.bind(rest.arg, _tainted(evaluator, function, Value(f"?{rest.arg}"), rest))


def summary_of(
    node: FunctionNode | ast.Lambda, path: str, local: str, *, method: bool
) -> FunctionSummary:
    """A function of which nothing is known yet but its parameters."""
    arguments = node.args
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    return FunctionSummary(
        path, local,
        tuple(positional[1:] if method else positional),
        tuple(one.arg for one in arguments.kwonlyargs),
        arguments.vararg.arg if arguments.vararg else "",
        arguments.kwarg.arg if arguments.kwarg else "",
    )  # fmt: skip


def _parameter(
    evaluator: Evaluator, function: Function, one: ast.arg, default: ast.expr | None
) -> Value:
    if one.arg == "event" and _is_handler(function.node):  # of AWS Lambda, whatever its type
        return _tainted(evaluator, function, Value("?event[]"), one)
    annotation = annotated(evaluator, one.annotation, function.scope)
    value = Value(f"{annotation}()" if annotation else f"?{one.arg}")
    if isinstance(default, ast.Constant) and default.value is not None:
        value = Value(value.path, default.value)
    elif isinstance(default, (ast.Name, ast.Attribute)):
        # As a rule the default is what is meant, and constants of the module are known.
        known = evaluator.value(default, function.scope)
        value = Value(value.path, known.const)
    if (
        one.arg in function.numbers
        or harmless(evaluator, annotation)
        or _injected(one.annotation)
        or _injected(default)
    ):
        return value
    return _tainted(evaluator, function, value, one)


def _is_handler(node: FunctionNode) -> bool:
    """Whether a function is called as AWS Lambda calls it: ``handler(event, context)``."""
    given = [one.arg.strip("_") for one in node.args.args]
    return "handler" in node.name.lower() and given[:1] == ["event"] and len(given) == 2


def _tainted(evaluator: Evaluator, function: Function, value: Value, parameter: ast.arg) -> Value:
    """What a framework gives, or what callers give that are yet to be found."""
    name, line = parameter.arg, parameter.lineno
    if function.label is not None and name == "sid" and _of_events(function):
        return value  # the server makes it
    if function.label is not None and name not in NOT_GIVEN:
        # A default says nothing of what a stranger gives.
        cleaned = frozenset({SEGMENT}) if name in function.segments else frozenset()
        check = function.context.check
        taint = Taint(
            function.label, function.giver or name, line, evaluator.file, cleaned, check=check
        )
        return Value(value.path, taints=(taint,))
    owner = function.summary.owner(name)
    return Value(value.path, value.const, taints=(Taint(PARAMETER, owner, line, evaluator.file),))


def _of_events(function: Function) -> bool:
    """Whether Socket.IO calls a function."""
    around = (function.giver, *function.context.decorators, *function.context.bases)
    return any("socketio." in one for one in around)


def harmless(evaluator: Evaluator, annotation: str) -> bool:
    """Whether values of this type do no harm in any text: numbers, and one of a few choices."""
    return bool(annotation) and (_HARMLESS.match(annotation) or evaluator.is_enum(annotation))


def annotated(evaluator: Evaluator, node: ast.expr | None, scope: NameScope) -> str:
    """The path of the class that an annotation names: of ``X | None`` and ``Optional[X]``, X."""
    for _ in range(4):
        if isinstance(node, ast.BinOp):
            node = node.left
        elif isinstance(node, ast.Subscript):
            outer = node.value
            name = outer.attr if isinstance(outer, ast.Attribute) else getattr(outer, "id", "")
            if name not in ("Optional", "Annotated"):
                node = outer
                continue
            node = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
        else:
            break
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        first, dot, rest = node.value.partition(".")
        if not all(map(str.isidentifier, (first, *rest.split(".")) if dot else (first,))):
            return ""
        known = _plain(scope.look_up(first).path)
        return f"{known}{dot}{rest}" if known else ""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _plain(evaluator.value(node, scope).path)
    return ""


def _plain(path: str) -> str:
    return "" if path.startswith("?") else path


def _injected(node: ast.expr | None) -> bool:
    """Whether a framework gives the parameter, not a caller."""
    if node is None:
        return False
    if isinstance(node, (ast.Name, ast.Attribute)):
        return (node.id if isinstance(node, ast.Name) else node.attr) in _INJECTED
    if isinstance(node, ast.Call):
        return _injected(node.func)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _injected(node.value) or any(_injected(one) for one in inner[1:])
    return False
