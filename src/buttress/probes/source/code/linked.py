"""Functions, classes and calls of a project: what is given to whom, and what comes back."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from buttress.probes.source.code.calls import CUSTOM, MAX_TARGETS, Given
from buttress.probes.source.code.evaluate import Evaluator
from buttress.probes.source.code.events import Context, Event
from buttress.probes.source.code.flows import Flows
from buttress.probes.source.code.functions import Function, summary_of
from buttress.probes.source.code.guards import administrators_only
from buttress.probes.source.code.project import Definition
from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.summaries import (
    ClassSummary,
    FunctionCall,
    FunctionSummary,
    ModuleSummary,
)
from buttress.probes.source.code.values import (
    MIXED,
    NOTHING,
    PARAMETER,
    UNKNOWN,
    CallStep,
    Taint,
    Value,
    joined,
    merged,
    mixed,
    taints_of,
)

MAX_RETURNED: Final = 16  # values that a function returns at once, each of which is followed
MAX_AHEAD: Final = 6  # functions that are followed within each other, because they are called
_SUPER: Final = "builtins.super()."
_ENUMS: Final = ("enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag", "enum.IntFlag")


_TEXTS: Final = re.compile(r"(?:builtins\.|enum\.|pathlib\.|os\.PathLike)")
_STORED: Final = re.compile(
    r"gradio\.(?:components\.)?(?:File|Files|Image|Audio|Video|UploadButton|Model3D|ImageEditor|"
    r"Gallery|FileExplorer)\(\)"
)
_CHOICES: Final = re.compile(
    r"gradio\.(?:components\.)?(?:Dropdown|Radio|CheckboxGroup|Checkbox|Slider|Number)\(\)"
)
_OFFERED: Final = "a component that offers choices; recent versions of Gradio refuse other values"
_SECRET: Final = re.compile(r"(?i):\w*(?:key|token|secret|passw|cred|auth)\w*$")  # a parameter
_PATH: Final = frozenset({"path"})


class InterproceduralEvaluator(Evaluator, ABC):
    """Evaluates one module of a project, with what is known of the others."""

    def __init__(self, flows: Flows, tell: Callable[[Event], None], module: ModuleSummary) -> None:
        super().__init__(flows, tell, module.file)
        self.module_summary = module
        self._view = module.view
        self._project = module.view.project
        self._waiting: dict[str, Function] = {}  # by their path in the module
        self._returns: dict[str, Value] = {}  # of what is being followed
        self._ahead = 0

    @abstractmethod
    def follow(self, function: Function) -> None:
        """Follow a function now."""

    def invoked(self, callee: Value, given: Given, event: Event) -> Value | None:
        """See ``Evaluator``: an empty answer means that nothing tainted comes back."""
        self._register(event)
        # Of what was bound on several ways each is called on one; of a table any may be.
        guessed = bool(callee.targets) and callee.path not in callee.targets
        results = [
            self._invoke(path, given, event.line, guessed=guessed)
            for path in self._callees(callee)
            if self._view.mine(path)
        ]
        known = [one for one in results if one is not None]
        if not known or len(known) < len(results):
            return None
        value = known[0]
        for other in known[1:]:
            value = joined(value, other)
        return value

    def attribute(self, value: Value, name: str) -> Value | None:
        """See ``Evaluator``."""
        path = value.path
        if not self._view.mine(path):
            return None
        if not path.endswith("()"):
            place = self._view.resolve(path) if path[0] != "." else None
            if place is None or place[1]:
                return None
            found = self._project.find(place[0], name)
            return found if isinstance(found, Value) else None
        cls = self._class_of(path[:-2])
        if cls is None:
            return None
        if name in cls.harmless:
            return Value(f"{path}.{name}")
        known = cls.attribute(name)
        if known is None:
            above = self._project.inherited(cls, name)
            if above is None:
                field = value.made.get(name) if value.made is not None else None
                return Value(f"{path}.{name}", taints=field) if field is not None else None
            cls, known = above
        if known.taints:
            known = replace(known, taints=_of_instance(known, value, self.flows.kept))
        return self._seen(cls, known)

    def is_enum(self, path: str) -> bool:
        """See ``Evaluator``."""
        if path in _ENUMS:
            return True
        cls = self._class_of(path) if self._view.mine(path) else None
        return cls is not None and cls.is_enum

    def is_function(self, path: str) -> bool:
        """Whether a path leads to a function of the project that is followed."""
        return self._view.mine(path) and isinstance(self._find(path), FunctionSummary)

    def is_object(self, path: str) -> bool:
        """Whether a path leads to an instance of a class of the project that is no text or path."""
        if not path.endswith("()") or not self._view.mine(path):
            return False
        cls = self._class_of(path[:-2])
        return cls is not None and not any(map(_TEXTS.match, cls.bases))

    def function(self, node: ast.Lambda, scope: NameScope) -> Value:
        """See ``Evaluator``: followed where it stands."""
        local = f".lambda_{node.lineno}_{node.col_offset}"
        summary = summary_of(node, self.module_summary.anchored(local), local, method=False)
        inner = NameScope(scope)
        for name in (*summary.positional, *summary.named, summary.rest, summary.options):
            if name:
                taint = Taint(PARAMETER, summary.owner(name), node.lineno, self.file)
                inner.bind(name, Value(f"?{name}", taints=(taint,)))
        summary.returns = self._settled(self.value(node.body, inner))
        self.module_summary.functions[local] = summary
        return Value(local)

    def summaries(self, callee: Value) -> Iterator[FunctionSummary]:
        """The functions of the project that a call leads to, as far as they are known."""
        for path in self._callees(callee):
            found = self._find(path) if self._view.mine(path) else None
            if isinstance(found, FunctionSummary):
                yield found

    def imported(self, path: str) -> Value | None:
        """A value that another module of the project has made, e.g. a client; no functions."""
        place = self._view.resolve(path) if self._view.mine(path) else None
        if place is None or not place[1]:
            return None
        self._demand(path)
        found = self._project.find(*place)
        return found if isinstance(found, Value) else None

    def inherited(self, path: str, name: str) -> Value | None:
        """See ``Evaluator``."""
        cls = self.module_summary.classes.get(path)
        found = self._project.inherited(cls, name) if cls is not None and cls.bases else None
        return self._seen(*found) if found is not None else None

    def _class_of(self, path: str) -> ClassSummary | None:
        found = self._project.look_up(self.module_summary, path)
        return found if isinstance(found, ClassSummary) else None

    def _seen(self, cls: ClassSummary, value: Value) -> Value:
        """A value of a class as this module sees it."""
        if cls.module is self.module_summary or not value.path.startswith("."):
            return value
        return replace(value, path=cls.module.anchored(value.path))

    def _callees(self, callee: Value) -> Sequence[str]:
        if callee.targets:
            return callee.targets[:MAX_TARGETS]
        if callee.path.startswith(_SUPER):
            cls = self.module_summary.classes.get("." + ".".join(self.context.functions[:-1]))
            return [f"{base}.{callee.path[len(_SUPER) :]}" for base in cls.bases] if cls else ()
        return (callee.path,) if callee.path else ()

    def _find(self, path: str) -> Definition | None:
        if path.endswith("()"):
            return self._project.look_up(self.module_summary, f"{path}.__call__")
        return self._project.look_up(self.module_summary, path)

    def _invoke(self, path: str, given: Given, line: int, *, guessed: bool) -> Value | None:
        call = self._call(path, given, line, guessed=guessed)
        found = self._find(path)
        if found is None:
            self._demand(path, tainted=any(one.taints for one in given.all))
            found = self._find(path)
        if isinstance(found, ClassSummary):
            if found.is_enum:
                return Value(f"{path}()")
            made = self._find(f"{path}.__init__")
            if not isinstance(made, FunctionSummary):
                fields = {name: one.taints for name, one in given.named.items()}
                whole = mixed(*given.all).doubted(MIXED if len(given.all) > 2 else "")
                return Value(f"{path}()", taints=whole.taints, made=fields)
            self._follow_now(made)
            if call is not None:
                self.module_summary.add_call(replace(call, path=f"{path}.__init__"))
            filled = made.bound(call) if call is not None else {}
            return Value(
                f"{path}()",
                taints=taints_of(*given.all) if _keeps(found) else (),
                made={made.owner(name): taints for name, taints in filled.items()},
            )
        if call is not None:
            self.module_summary.add_call(call)
        if not isinstance(found, FunctionSummary):
            return None
        self._follow_now(found)
        if found.returns is None:
            return None
        step = CallStep(found.local.rpartition(".")[2], self.file, line, guessed)
        return self.typed(self._given_back(found, found.returns, call, given, step), found.gives)

    def typed(self, value: Value, cls: str) -> Value:
        """A value that an annotation says to be an instance of a class of the project.

        Where it is seen what it is, that counts.
        """
        seen = value.const is not UNKNOWN or value.elements is not None or value.entries is not None
        if not cls or seen or (value.path and self._view.mine(value.path)):
            return value
        return replace(value, path=f"{cls}()")

    def _follow_now(self, summary: FunctionSummary) -> None:
        """Follow a function of this module before its turn."""
        waiting = self._waiting.get(summary.local)
        if waiting is not None and waiting.summary is summary and self._ahead < MAX_AHEAD:
            self._ahead += 1
            try:
                self.follow(waiting)
            finally:
                self._ahead -= 1

    def _demand(self, path: str, *, tainted: bool = False) -> None:
        """Let the module that a path leads to be followed now, if that is worth it."""
        follow = self._project.follow
        if follow is not None and not path.startswith("."):
            wanted = self._project.missing(self.module_summary, path)
            if wanted is not None:
                follow(wanted, tainted)

    def _call(self, path: str, given: Given, line: int, *, guessed: bool) -> FunctionCall | None:
        """The call, if anything in it is tainted."""
        if not any(one.taints for one in given.all):
            return None
        positions = given.positions
        if positions and positions[0].path == "?self":
            positions = positions[1:]  # Base.method(self, ...)
        named = {name: one.taints for name, one in given.named.items() if one.taints}
        plain = f"{path}.__call__" if path.endswith("()") else path
        return FunctionCall(
            plain,
            line,
            tuple(one.taints for one in positions),
            named,
            given.rest.taints,
            guessed=guessed,
        )

    def _given_back(
        self,
        summary: FunctionSummary,
        value: Value,
        call: FunctionCall | None,
        given: Given,
        step: CallStep,
    ) -> Value:
        """What a function returns, with the taints of the arguments in place of parameters."""
        path = value.path
        if path.startswith("?"):
            name = path[1:].partition(".")[0].partition("(")[0].partition("[")[0]
            argument = given.named.get(name)
            if argument is None and name in summary.positional:
                place = summary.positional.index(name)
                argument = given.positions[place] if place < len(given.positions) else None
            path = argument.path + path[1 + len(name) :] if argument and argument.path else ""
        if not value.taints:
            return value if path == value.path else replace(value, path=path)
        bound = summary.bound(call) if call is not None else {}
        owner = summary.owner("")

        def back(given_back: Value) -> tuple[tuple[Taint, ...], bool]:
            return self._taints_back(given_back, owner, bound, given, step)

        taints, opaque = back(value)
        elements = entries = made = None
        if value.elements is not None:
            elements = tuple(_element(one, *back(one)) for one in value.elements)
        if value.entries is not None and len(value.entries) <= MAX_RETURNED:
            entries = {name: _element(one, *back(one)) for name, one in value.entries.items()}
        if value.made is not None:
            made = {name: back(Value(taints=given))[0] for name, given in value.made.items()}
        settled = Value(path, UNKNOWN, value.text, elements, entries, taints, value.targets)
        return replace(
            settled, const=UNKNOWN if opaque else value.const, keyed=value.keyed, made=made
        )

    def _taints_back(
        self,
        value: Value,
        owner: str,
        bound: Mapping[str, tuple[Taint, ...]],
        given: Given,
        step: CallStep,
    ) -> tuple[tuple[Taint, ...], bool]:
        """Taints of what a function returns, and whether any is that of one of its parameters."""
        taints: list[Taint] = []
        opaque = False
        for one in value.taints:
            if one.label != PARAMETER:
                taints.append(one.after(step))
            elif one.path.startswith(owner):
                opaque = True
                for outer in bound.get(one.path[len(owner) :], ()):
                    if outer.label not in self.flows.kept:
                        taints.append(outer.after(*one.steps, cleaned=one.cleaned, check=one.check))
            elif "__init__:" in one.path and given.receiver.path != "?self":
                # What the instance was made with.
                taints += (
                    made.after(cleaned=one.cleaned, check=one.check)
                    for made in _made_with(given.receiver, one.path)
                    if made.label not in self.flows.kept or _SECRET.search(one.path)
                )
            else:
                taints.append(one)
        return merged(taints), opaque

    def _settled(self, value: Value) -> Value:
        """What a function returns, as other modules see it too."""
        if value == NOTHING or value.const is not UNKNOWN:
            return value
        settled = self.module_summary.exported(value)
        if value.elements is None or len(value.elements) > MAX_RETURNED:
            return settled
        elements = tuple(map(self.module_summary.exported, value.elements))
        return replace(settled, elements=elements)

    def _register(self, event: Event) -> None:
        """Functions that are given to a framework get their parameters from it."""
        label = self.flows.given(event.path)
        if label is None:
            return
        for value in (*event.arguments, *event.named.values()):
            inside = (*(value.elements or ()), *(value.entries or {}).values())
            for one in (value, *inside):
                if one.path and self._view.mine(one.path) and not one.path.endswith(")"):
                    self._give(one.path, label, event)

    def _give(self, path: str, label: str, event: Event) -> None:
        check = administrators_only(event.node.keywords) if event.node is not None else ""
        taint = Taint(label, event.path, event.line, self.file, check=check)
        positions = _from_components(event, taint)
        waiting = self._waiting.get(path)
        if waiting is not None and not positions:
            waiting.label = label
            waiting.giver = event.path
            waiting.context = replace(waiting.context, check=check)
            return
        self.module_summary.add_call(
            FunctionCall(path, event.line, positions, others=(taint,), framework=True)
        )


def _from_components(event: Event, taint: Taint) -> tuple[tuple[Taint, ...], ...]:
    """Taints of the parameters that components of Gradio fill, where these say what comes.

    Gradio stores an uploaded file and gives the function the place: a stranger does not choose it.
    """
    if not event.path.startswith("gradio."):
        return ()
    given = event.named.get("inputs") or (event.arguments[1] if len(event.arguments) > 1 else None)
    if given is None:
        return ()
    components = given.elements if given.elements is not None else (given,)
    given_by = [_from_component(one, taint) for one in components]
    return tuple((one,) for one in given_by) if any(one != taint for one in given_by) else ()


def _from_component(component: Value, taint: Taint) -> Taint:
    """What a component of Gradio gives: a stored file, one of its choices, or anything."""
    if _STORED.match(component.path):
        return taint.clean(_PATH)
    if _CHOICES.match(component.path) and not (component.entries or {}).get(CUSTOM):
        return replace(taint, check=taint.check or _OFFERED)
    return taint


def _element(value: Value, taints: tuple[Taint, ...], opaque: bool) -> Value:
    """One of several values that a function returns, as its caller gets it."""
    path = "" if value.path.startswith("?") else value.path
    if opaque:
        return Value(path, text=value.text, taints=taints)
    return replace(value, path=path, taints=taints)


def _keeps(cls: ClassSummary) -> bool:
    """Whether instances keep anything that they are made with."""
    return any(one.label == PARAMETER for value in cls.attributes.values() for one in value.taints)


def _of_instance(attribute: Value, instance: Value, kept: frozenset[str]) -> tuple[Taint, ...]:
    """The taints of an attribute: those of its own, and what the instance was made with.

    Of labels in ``kept`` only where a parameter of such a name was put into the attribute.
    """
    found = [one for one in attribute.taints if one.label != PARAMETER]
    for one in attribute.taints:
        if one.label == PARAMETER:
            shows = _SECRET.search(one.path)
            found += (
                made.after(cleaned=one.cleaned, check=one.check)
                for made in _made_with(instance, one.path)
                if shows or made.label not in kept
            )
    return merged(found)


def _made_with(instance: Value, parameter: str) -> tuple[Taint, ...]:
    """What a parameter of the constructor was given, or anything that the instance was made with.

    The latter where it is not known which: by a base's constructor, say.
    """
    made = instance.made or {}
    if any(one.rpartition(":")[0] == parameter.rpartition(":")[0] for one in made):
        return made.get(parameter, ())
    return tuple(one.doubted(MIXED) for one in instance.taints)


def _from_outside(given: Given) -> bool:
    return any(taint.label != PARAMETER for one in given.all for taint in one.taints)


def context_of(context: Context, name: str) -> Context:
    """The context inside a function or class of this name."""
    return replace(context, functions=(*context.functions, name))
