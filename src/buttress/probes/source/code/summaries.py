"""What is kept of a module after it was followed: what its functions do with their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.scopes import Attributes
from buttress.probes.source.code.values import (
    MAX_STEPS,
    PARAMETER,
    CallStep,
    Taint,
    Value,
    merged,
)

if TYPE_CHECKING:
    from buttress.probes.source.code.conditions import Condition
    from buttress.probes.source.code.project import View
    from buttress.probes.source.code.rulebook import CodeRule

SinkKey = tuple[str, str, int, str, frozenset[str], str, bool]
MAX_CALLS: Final = 20_000  # in one module, of functions of the project with something to follow
MAX_SINKS: Final = 24  # places where one parameter does harm
NOT_GIVEN: Final = frozenset({"self", "cls", "ctx", "context", "ctxt", "session", "db"})


@dataclass(frozen=True, slots=True)
class Sink:
    """That a parameter reaches a place where a rule matches if its taint is one of the rule's.

    Of the options of a function (``**options``), ``keyword`` is the one that does; empty for all.
    ``check``: as of ``Taint``. ``kept``: an attribute brings it from one method to another.
    """

    rule: CodeRule
    condition: Condition
    labels: frozenset[str]
    file: str
    line: int
    end_line: int
    it: str
    cleaned: frozenset[str] = frozenset()
    steps: tuple[CallStep, ...] = ()
    keyword: str = ""
    check: str = ""
    kept: bool = False

    @property
    def key(self) -> SinkKey:
        """What makes it another one."""
        doubted = bool(self.check)
        return (self.rule.id, self.file, self.line, self.it, self.cleaned, self.keyword, doubted)

    def before(self, passage: Passage, step: CallStep) -> Sink | None:
        """The same, seen from a caller; None where it is too far away, or cleaned on the way."""
        taint = passage.taint
        step = replace(step, guessed=True) if self.kept else step
        steps = (*taint.steps, step, *self.steps)
        cleaned = self.cleaned | taint.cleaned
        if len(steps) > MAX_STEPS or self.condition.safe(cleaned):
            return None
        if passage.keyword:
            keyword = ""
        else:
            keyword = passage.wanted or (self.keyword if passage.whole else "")
        check = self.check or taint.check
        return replace(self, cleaned=cleaned, steps=steps, keyword=keyword, check=check, kept=False)


@dataclass(frozen=True, slots=True)
class Passage:
    """A taint that a call gives to a parameter.

    Among options it has the name ``keyword``. What is given by ``**options`` comes to a parameter
    only from the option that is called so: ``wanted``; ``whole``: to the options as a whole.
    """

    parameter: str
    taint: Taint
    keyword: str = ""
    wanted: str = ""
    whole: bool = False


@dataclass(slots=True)
class FunctionSummary:
    """A function: its parameters without ``self``, and what it returns once it was followed.

    ``refuses`` are parameters that it tests, and raises where they don't fit. ``raises``: it may
    raise or leave the program, whatever for. ``gives``: the class that its annotation says it
    returns an instance of.
    """

    path: str  # where it is in the project, e.g. ``:app.store.Store.find``
    local: str  # where it is in its module, e.g. ``.Store.find``
    positional: tuple[str, ...]
    named: tuple[str, ...]
    rest: str
    options: str
    returns: Value | None = None
    refuses: set[str] = field(default_factory=set)
    raises: bool = False
    gives: str = ""

    def passages(self, call: FunctionCall) -> Iterator[Passage]:
        """What a call gives to each parameter."""
        filled = set()
        for place, taints in enumerate(call.positions):
            name = self.positional[place] if place < len(self.positional) else self.rest
            if name and taints:
                filled.add(name)
                yield from (Passage(name, one) for one in taints)
        for name, taints in call.named.items():
            own = name in self.positional or name in self.named
            target = name if own else self.options
            if target:
                filled.add(target)
                yield from (Passage(target, one, "" if own else name) for one in taints)
        after = self.positional[len(call.positions) :] if call.others else ()
        for name in (*after, *self.named, self.rest, self.options) if call.others else ():
            whole = name in (self.rest, self.options)
            if name and name not in filled and not (call.framework and name in NOT_GIVEN):
                wanted = "" if whole or call.framework else name
                for one in call.others:
                    yield Passage(name, one, "", wanted, whole)

    def bound(self, call: FunctionCall) -> Mapping[str, tuple[Taint, ...]]:
        """The taints that a call gives to each parameter."""
        found: dict[str, list[Taint]] = {}
        for one in self.passages(call):
            found.setdefault(one.parameter, []).append(one.taint)
        return {name: merged(taints) for name, taints in found.items()}

    def owner(self, name: str) -> str:
        """How the taint of a parameter names it."""
        return f"{self.path}:{name}"


@dataclass(slots=True)
class ClassSummary:
    """A class: its bases, what is known of attributes of instances, and fields that do no harm."""

    path: str
    bases: tuple[str, ...]
    attributes: Attributes
    module: ModuleSummary
    harmless: set[str] = field(default_factory=set)
    is_enum: bool = False

    def attribute(self, name: str) -> Value | None:
        """What is known of an attribute or a method, as the module of the class sees it."""
        known = self.attributes.get(name)
        if known is None:
            path = f"{self.attributes.path}.{name}"
            return Value(path) if path in self.module.functions else None
        return known


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function of the project: taints of its arguments, as the caller sees them.

    ``others`` are those of all parameters that are not named. A ``framework`` gives all of them,
    and some of its own. ``guessed``: what is called may be another function.
    """

    path: str
    line: int
    positions: tuple[tuple[Taint, ...], ...] = ()
    named: Mapping[str, tuple[Taint, ...]] = field(default_factory=dict)
    others: tuple[Taint, ...] = ()
    framework: bool = False
    guessed: bool = False

    @property
    def taints(self) -> Iterator[Taint]:
        """All of them."""
        for taints in (*self.positions, *self.named.values(), self.others):
            yield from taints


@dataclass(slots=True)
class ModuleSummary:
    """A module that was followed. ``names`` are those that other modules may ask for."""

    name: str  # dotted, from the root; empty for a text alone
    file: str
    view: View
    functions: dict[str, FunctionSummary] = field(default_factory=dict)
    classes: dict[str, ClassSummary] = field(default_factory=dict)
    names: dict[str, Value] = field(default_factory=dict)
    calls: list[FunctionCall] = field(default_factory=list)
    sinks: dict[str, dict[SinkKey, Sink]] = field(default_factory=dict)
    cut: dict[str, None] = field(default_factory=dict)

    def anchored(self, path: str) -> str:
        """A path of this module as others see it."""
        if path.startswith(".") and self.name:
            return f":{self.name}{path}"
        return "" if path.startswith("?") else path

    def exported(self, value: Value) -> Value:
        """A value as other modules see it."""
        if value.entries is None:
            plain = value.path[:1] not in (".", "?") and not value.targets
            if plain and value.elements is None:
                return value
            entries = None
        else:
            entries = {
                name: replace(one, path=self.anchored(one.path))
                for name, one in value.entries.items()
            }
        targets = tuple(filter(None, map(self.anchored, value.targets)))
        path = self.anchored(value.path)
        return Value(
            path, value.const, value.text, None, entries, value.taints, targets,
            value.keyed, value.made,
        )  # fmt: skip

    def add_call(self, call: FunctionCall) -> None:
        """Keep a call."""
        if len(self.calls) < MAX_CALLS:
            self.calls.append(call)
        else:
            self.cut[f"more than {MAX_CALLS:,} calls between functions; the rest"] = None

    def add_sink(self, taint: Taint, sink: Sink) -> bool:
        """Keep what a parameter reaches; whether it is new."""
        assert taint.label == PARAMETER
        known = self.sinks.setdefault(taint.path, {})
        if sink.key in known:
            return False
        if len(known) >= MAX_SINKS:
            self.cut[f"a parameter that does harm in more than {MAX_SINKS} places"] = None
            return False
        known[sink.key] = sink
        return True
