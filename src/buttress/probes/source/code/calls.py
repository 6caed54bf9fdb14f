"""Calls: what is called, with what, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.downloads import mark, note
from buttress.probes.source.code.events import Event, Kind
from buttress.probes.source.code.paths import last_name
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.texts import formatted, listed, narrowed, replaced, stored, united
from buttress.probes.source.code.values import (
    ALL,
    NOTHING,
    PAIRS,
    PARAMETER,
    PATH_OBJECT,
    UNKNOWN,
    Value,
    mixed,
    taints_of,
)

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator

_CHANGES: Final = {
    "append", "extend", "insert", "add", "update", "appendleft", "setdefault", "write",
}  # fmt: skip
# Of these what comes back is used as well; of others that means that they change nothing.
_CHANGES_AND_GIVES: Final = {"setdefault", "write"}
_KEEPS_TEXT: Final = {
    "strip", "lstrip", "rstrip", "lower", "upper", "encode", "decode", "removesuffix",
}  # fmt: skip
_TEXT_METHODS: Final = _KEEPS_TEXT | {
    "replace", "format", "split", "rsplit", "join", "partition", "rpartition", "removeprefix",
    "get", "get_secret_value", "result", "read", "hex", "title", "ljust", "rjust", "zfill",
}  # fmt: skip
_WRAPS: Final = {
    "builtins.str", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set",
    "builtins.frozenset", "copy.copy", "copy.deepcopy", "textwrap.dedent", "pathlib.Path",
    "os.path.expanduser", "os.path.abspath", "os.fspath", "typing.cast",
}  # fmt: skip
_SHOWN: Final = frozenset({"shown"})  # use of a value whose text may be seen
_OF_KEYS: Final = {
    "builtins.list", "builtins.set", "builtins.tuple", "builtins.sorted", "builtins.iter",
    "builtins.frozenset", "builtins.reversed",
}  # fmt: skip
_IN_THREADS: Final = {  # what they are given is called with the other arguments
    "asyncio.to_thread", "anyio.to_thread.run_sync", "starlette.concurrency.run_in_threadpool",
    "fastapi.concurrency.run_in_threadpool",
}  # fmt: skip
# What they are given is called, with the arguments after it; the number is its place.
_HANDS_ON: Final = {
    "submit": 0, "run_in_executor": 1, "call_soon": 0, "call_soon_threadsafe": 0, "call_later": 1,
    "call_at": 1, "add_task": 0, "enqueue": 0,
}  # fmt: skip
# So too with ``args`` and ``kwargs``: the names and places of these and of the function.
_TARGET: Final = (("target", 1), ("args", 3), "kwargs")
_POOL: Final = (("func", 0), ("args", 1), "kwds")
_STARTS: Final = {
    "Thread": _TARGET, "Process": _TARGET, "apply_async": _POOL, "apply": _POOL,
    "Timer": (("function", 1), ("args", 2), "kwargs"),
    "add_job": (("func", 0), ("args", 2), "kwargs"),
}  # fmt: skip
_DECODES: Final = {"urllib.parse.unquote", "urllib.parse.unquote_plus", "html.unescape"}
_TO_EACH: Final = {"map", "imap", "imap_unordered"}  # with each item of what comes after it
_PICKS: Final = {"random.choice", "random.choices", "random.sample"}
_MAX_NAME: Final = 60  # characters that are shown
MAX_TARGETS: Final = 32  # functions of a table that are followed
_KEPT: Final = frozenset({"url", "path", "hub"})  # uses of what is kept under a key
_BELOW: Final = frozenset({"url"})
CUSTOM: Final = "allow_custom_value"
_LOOK_UPS: Final = {"os.getenv", "os.environ.get", "shutil.which", "?event[].get"}


@dataclass(slots=True)
class Given:
    """What a call is made on, and its arguments; ``rest`` is what ``*`` and ``**`` hold."""

    receiver: Value
    positions: list[Value]
    named: dict[str, Value]
    rest: Value = NOTHING
    open_positions: bool = False
    open_names: bool = False

    @property
    def all(self) -> list[Value]:
        """All values that are given."""
        return [*self.positions, *self.named.values(), self.rest]


def call(evaluator: Evaluator, node: ast.Call, scope: NameScope) -> Value:
    """The value of a call; tells the call."""
    receiver = NOTHING
    if isinstance(node.func, ast.Attribute):
        receiver = evaluator.value(node.func.value, scope)
        callee = evaluator.member(receiver, node.func.attr, node.lineno, scope)
    else:
        callee = receiver = evaluator.value(node.func, scope)
    given = _given(evaluator, node, receiver, scope)
    reached = _reached(callee, given.positions)
    if reached:
        return evaluator.marked(Value(reached), node.lineno)
    callee, given = _handed_on(evaluator, node, callee, given)
    path, positions = callee.path, given.positions
    if path == "functools.partial" and positions and positions[0].path:
        path, positions = positions[0].path, positions[1:]
    mark(evaluator.downloads, path, given)
    parses_only = path == "builtins.compile" and node is evaluator.statement  # and runs nothing
    if path and not parses_only:
        kind: Kind = "mapping" if path == "builtins.dict" else "call"
        event = Event(
            kind, node.lineno, evaluator.context, path, receiver, tuple(positions), given.named,
            given.open_positions, given.open_names, node,
        )  # fmt: skip
        evaluator.tell(event)
    else:
        event = Event("call", node.lineno, evaluator.context, node=node)
    return _result(evaluator, event, callee, given, scope)


def _handed_on(
    evaluator: Evaluator, node: ast.Call, callee: Value, given: Given
) -> tuple[Value, Given]:
    """What a call has another thread, process or loop call, and with what; else the call itself."""
    path, positions = callee.path, given.positions
    name = last_name(path)
    if path in _IN_THREADS:
        name = "submit"
    elif path.startswith((".", ":")) or evaluator.flows.given(path) is not None:
        return callee, given  # a function of the project; a framework that gives arguments itself
    if name in _HANDS_ON and len(positions) > _HANDS_ON[name]:
        place = _HANDS_ON[name]
        if _is_function(positions[place]):
            return positions[place], replace(given, positions=positions[place + 1 :])
    elif name in _STARTS:
        function, args, options = (_argument(given, *one) for one in _starts(name))
        if _is_function(function):
            known = args.elements is not None
            listed_args = (
                list(args.elements or ()) if known else [mixed(args)] if args.taints else []
            )
            named = dict(options.entries or {})
            return function, Given(given.receiver, listed_args, named, open_positions=not known)
    elif name in _TO_EACH and len(positions) > 1 and _is_function(positions[0]):
        items = [evaluator.item(one, node.lineno) for one in positions[1:]]
        each = Given(NOTHING, items, {})
        event = Event(
            "call",
            node.lineno,
            evaluator.context,
            positions[0].path,
            NOTHING,
            tuple(items),
            node=node,
        )
        evaluator.tell(event)
        evaluator.invoked(positions[0], each, event)
    return callee, given


def _starts(name: str) -> Iterator[tuple[str, int]]:
    function, args, options = _STARTS[name]
    yield function
    yield args
    yield options, MAX_TARGETS


def _argument(given: Given, name: str, place: int) -> Value:
    if name in given.named:
        return given.named[name]
    return given.positions[place] if place < len(given.positions) else NOTHING


def _is_function(value: Value) -> bool:
    """Whether a value may be a function that is known by its name."""
    return bool(value.path) and not value.path.startswith("?") and value.path[-1:] not in (")", "]")


def _given(evaluator: Evaluator, node: ast.Call, receiver: Value, scope: NameScope) -> Given:
    given = Given(receiver, [], {})
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            spread = evaluator.value(argument.value, scope)
            given.open_positions |= spread.elements is None
            unknown = (evaluator.item(spread, node.lineno),)
            given.positions += spread.elements if spread.elements is not None else unknown
        else:
            given.positions.append(evaluator.value(argument, scope))
    for keyword in node.keywords:
        value = evaluator.value(keyword.value, scope)
        if keyword.arg is not None:
            given.named[keyword.arg] = value
        elif value.entries is not None:
            given.named |= value.entries
            given.open_names |= not value.keyed
        else:
            given.open_names = True
            given.rest = mixed(given.rest, value)
    return given


def _reached(callee: Value, arguments: Sequence[Value]) -> str:
    """What a call by which a module or an attribute is only reached leads to, else nothing."""
    first = arguments[0] if arguments else NOTHING
    if callee.path in ("builtins.__import__", "importlib.import_module"):
        return first.const if isinstance(first.const, str) else ""
    if callee.path == "builtins.getattr" and len(arguments) > 1 and first.path:
        name = arguments[1].const
        return f"{first.path}.{name}" if isinstance(name, str) and name.isidentifier() else ""
    return ""


def _result(
    evaluator: Evaluator, event: Event, callee: Value, given: Given, scope: NameScope
) -> Value:
    node = event.node
    path, receiver = callee.path, given.receiver
    known = evaluator.invoked(callee, given, event)
    evaluator.refused(callee, node, scope)
    if isinstance(node.func, ast.Attribute):
        name, inner = node.func.attr, node.func.value
        if name in _CHANGES and (node is evaluator.statement or name in _CHANGES_AND_GIVES):
            if isinstance(inner, ast.Name):
                grown = _grown(name, receiver, given)
                if grown is not None:
                    scope.bind(inner.id, grown)
                else:
                    absorb(inner.id, receiver, given.all, scope)
            elif (
                isinstance(inner, ast.Attribute)
                and isinstance(inner.value, ast.Name)
                and scope.look_up(inner.value.id).path == "?self"
            ):
                scope.bind_attribute(inner.attr, mixed(*given.all))
        if receiver.known_text is not None:
            if name == "format":
                return formatted(receiver, given.all)
            if name == "join" and given.positions:
                return united(receiver.known_text, given.positions[0])
            if name in _KEEPS_TEXT:
                return receiver
        if receiver.has_known_keys and name in ("keys", "items"):
            return Value(PAIRS, taints=receiver.taints) if name == "items" else NOTHING
        if name == "get" and receiver.entries is not None and given.positions:
            return _looked_up(receiver, given.positions)
    if path in _OF_KEYS and given.positions and given.positions[0].has_known_keys:
        return given.positions[0] if given.positions[0].path == PAIRS else NOTHING
    if path == "builtins.dict" and not given.positions:
        return Value(entries=given.named, taints=taints_of(*given.all), keyed=not given.open_names)
    if path == "builtins.vars" and given.positions and given.positions[0].path:
        return given.positions[0].step(".__dict__")
    if path == "builtins.getattr" and len(given.positions) > 1:
        if given.positions[1].const is not UNKNOWN:
            return mixed(*given.all)
        return Value("builtins.getattr()", taints=taints_of(*given.positions[1:]))
    note(evaluator.downloads, path, node, given, evaluator.marked(callee.step("()"), node.lineno))
    if path.startswith("gradio.") and CUSTOM in given.named:  # a list that takes other values too
        return Value(callee.step("()").path, entries={CUSTOM: given.named[CUSTOM]})
    if path in ("builtins.open", "io.open") and given.positions:
        handle = callee.step("()")
        return Value(handle.path, elements=(given.positions[0],))
    if path == "builtins.map" and len(given.positions) > 1:  # what the function gives
        of = given.positions[0].path
        if of.startswith("builtins."):
            return evaluator.marked(Value(f"{of}()", taints=taints_of(*given.all)), node.lineno)
    if path in _PICKS and given.positions and given.positions[0].known_text is None:
        return mixed(*given.all)  # one of some, and nothing that is made of signs by chance
    if path == "urllib.request.Request" and given.positions:  # what it sends is not where it goes
        return replace(callee.step("()"), taints=taints_of(given.positions[0]))
    if path == "re.sub" and len(given.positions) > 2:
        return narrowed(given.positions)
    if path == "pathlib.Path" and given.positions:  # a file, and no repository of a hub
        first = given.positions[0] if len(given.positions) == 1 else mixed(*given.positions)
        return replace(first.clean(frozenset({"hub", PATH_OBJECT})), path=callee.step("()").path)
    if path in _WRAPS and given.positions:
        return given.positions[-1] if path == "typing.cast" else given.positions[0]
    if known is not None:
        return evaluator.marked(known.clean(evaluator.flows.cleaned(path)), node.lineno)
    converted = given.named.get("type", NOTHING)  # of werkzeug: get("page", type=int)
    if event.path.endswith(".get") and ALL in evaluator.flows.cleaned(converted.path):
        return Value(callee.step("()").path)
    arguments = given.all
    if _asks_by_key(event.node, given):  # who names a key does not choose what is kept under it
        arguments = [given.positions[0].clean(_KEPT), *arguments[1:]]
    if _fills_in(event.node, given):  # of an address: after its host, as a rule
        arguments = [arguments[1].clean(_BELOW)]
    taints = taints_of(callee, *arguments)
    if taints and not path.startswith("builtins."):
        kept = evaluator.flows.kept
        # What is made with a key does not show it; only what is still the text of it does.
        text = isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS
        own = {one.label for one in callee.taints if text or one.label not in kept}
        spread = (one for one in taints if one.label in own or one.label not in kept)
        taints = tuple(
            one.clean(_SHOWN) if one.label == PARAMETER and not text else one for one in spread
        )
        if not text and not evaluator.flows.passes.match(path):
            guessed = {(one.label, one.path) for one in taints_of(*arguments)}
            name = path.lstrip("?.:")[-_MAX_NAME:]
            taints = tuple(
                one.doubted(f"it goes through {name}, which is not followed")
                if (one.label, one.path) in guessed and one not in callee.taints
                else one
                for one in taints
            )
    result = callee.step(f"({_key(path, given)})")
    uses = evaluator.flows.cleaned(path) if taints and path else frozenset()
    if ALL in uses:
        return Value(result.path)
    keeps = isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPS_TEXT
    wholly = path in _DECODES or evaluator.flows.label(f"{path}()") == "encoded"
    if wholly or not (keeps or path.startswith(("os.path.", "pathlib."))):
        taints = tuple(one.decoded(wholly=wholly) for one in taints)
    made = Value(result.path, taints=taints)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
        made = replaced(made, given.positions)
    if event.path.endswith(".get") and given.positions and given.positions[0].const == "files":
        made = stored(receiver, "files", made)
    return evaluator.marked(made.clean(uses) if uses else made, node.lineno)


def _asks_by_key(node: ast.Call, given: Given) -> bool:
    """Whether a call is ``records.get(key)``, of records that carry nothing from outside."""
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in ("get", "pop")
        and bool(given.positions)
        and not given.receiver.taints
    )


def _fills_in(node: ast.Call, given: Given) -> bool:
    """Whether a call is ``address.replace("{place}", value)``; not where the place comes first."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "replace":
        return False
    text, place = given.receiver.known_text, given.positions[0] if given.positions else NOTHING
    shown = place.known_text
    return len(given.positions) > 1 and not (text and shown and text.startswith(shown))


def _grown(name: str, receiver: Value, given: Given) -> Value | None:
    """A list whose items are known, after an item or a list of known items was added."""
    if receiver.elements is None or len(given.positions) != (2 if name == "insert" else 1):
        return None
    added = given.positions[-1]
    if name == "append":
        elements = (*receiver.elements, added)
    elif name == "extend" and added.elements is not None:
        elements = (*receiver.elements, *added.elements)
    elif name == "insert" and isinstance(given.positions[0].const, int):
        place = given.positions[0].const
        elements = (*receiver.elements[:place], added, *receiver.elements[place:])
    else:
        return None
    return listed(elements, receiver.path)


def _looked_up(table: Value, given: Sequence[Value]) -> Value:
    """An entry of a table: which one only where the key is known."""
    entries, default = table.entries or {}, given[1] if len(given) > 1 else NOTHING
    key = given[0].const
    if isinstance(key, str) and key in entries:
        return entries[key]
    return Value(taints=taints_of(table, default), targets=targets(entries))


def targets(entries: Mapping[str, Value]) -> tuple[str, ...]:
    """The functions of the project that a table of them holds."""
    found = (one.path for one in entries.values() if one.path)
    return tuple(dict.fromkeys(found))[:MAX_TARGETS]


def _key(path: str, given: Given) -> str:
    """The name that a look-up by name is for: part of the path, since rules may ask for it."""
    if path not in _LOOK_UPS or not given.positions:
        return ""
    name = given.positions[0].const
    return name if isinstance(name, str) and name.isidentifier() else ""


def absorb(name: str, receiver: Value, given: Sequence[Value], scope: NameScope) -> None:
    """Let the list or mapping ``name``, into which something tainted is put, be tainted."""
    taints = taints_of(receiver, *given)
    if taints != receiver.taints or (receiver.elements, receiver.entries) != (None, None):
        scope.bind(name, Value(receiver.path, taints=taints))
