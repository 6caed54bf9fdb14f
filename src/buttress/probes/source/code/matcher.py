"""Applies rules to code: first by its words, then by its syntax tree."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from buttress.probes.source.code.conditions import Condition
from buttress.probes.source.code.events import Event, Kind
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.follow import Follower
from buttress.probes.source.code.modules import Module, parsed, words
from buttress.probes.source.code.paths import Globs, fragments, last_name
from buttress.probes.source.code.rulebook import Pattern, Rule
from buttress.probes.source.code.values import HOLE, Taint, Value

MAX_HITS: Final = 1_000  # in one module
_SHELLS: Final = Globs(
    [
        "os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.Popen",
        "subprocess.check_call", "subprocess.check_output", "subprocess.getoutput",
        "subprocess.getstatusoutput", "commands.getoutput", "asyncio.create_subprocess_shell",
        "?get_ipython().system",
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a rule matches; lines count from 1 in the module."""

    rule: Rule
    line: int
    end_line: int
    it: str
    taint: Taint | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What the rules find in a module, and what of it could not be followed."""

    hits: Sequence[Hit]
    broken: Sequence[str] = ()  # what does not parse
    cut: Sequence[str] = ()  # what was left out


Words = frozenset[bytes]


class Matcher:
    """Rules, indexed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._flows = flows()
        self._needs: list[tuple[int, list[list[Words]]]] = []
        # kind -> last name, or "" where it is open -> (number of the rule, pattern)
        self._index: dict[Kind, dict[str, list[tuple[int, Pattern]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for number, rule in enumerate(rules):
            for pattern in rule.match:
                self._needs.append((number, self._needed(pattern)))
                for name in pattern.globs.last_names() or {""}:
                    key = "" if "*" in name else name
                    self._index[pattern.kind][key].append((number, pattern))

        every = (
            word for _, needs in self._needs for one in needs for words in one for word in words
        )
        self._fragments = fragments(every)

    def applicable(self, data: bytes) -> frozenset[int]:
        """Numbers of the rules that may match anywhere in ``data``, by the words that occur."""
        present = set(words(data))
        present.update(one for one in self._fragments if one[1:-1] in data)
        return frozenset(
            number
            for number, needs in self._needs
            if all(any(one <= present for one in choices) for choices in needs)
        )

    def examine_text(self, text: str) -> Result:
        """Apply all rules to Python source."""
        return self.examine(parsed(text), self.applicable(text.encode("utf-8", "replace")))

    def examine(self, module: Module, active: frozenset[int]) -> Result:
        """Apply the rules of these numbers to a module."""
        examination = _Examination(self, module, active)
        follower = Follower(self._flows, examination.event)
        cut = []
        try:
            for line, command in module.commands:
                examination.event(
                    Event("shell", line, follower.context, value=Value(const=command))
                )
            follower.module(module.body)
        except RecursionError:
            cut.append("nested too deeply; not followed to its end")
        except _EnoughError:
            cut.append(f"more than {MAX_HITS:,} matches; the rest")
        if follower.too_deep:
            cut.append("expressions nested too deeply; not followed inside")
        hits = sorted(examination.hits.values(), key=lambda hit: (hit.line, hit.rule.id, hit.it))
        return Result(hits, module.broken, cut)

    def candidates(self, kind: Kind, path: str) -> list[tuple[int, Pattern]]:
        """Rules that may be about such an event."""
        index = self._index.get(kind)
        if index is None:
            return []
        name = last_name(path) if path else ""
        return index.get(name, []) + index.get("", []) if name else index.get("", [])

    def _needed(self, pattern: Pattern) -> list[list[Words]]:
        """Choices of words; of each choice one must occur."""
        needs = []
        if pattern.globs.globs:
            needs.append(pattern.globs.words())
        if pattern.words:
            needs.append([frozenset([_word(one)]) for one in pattern.words])
        for globs in (pattern.decorators, pattern.bases):
            if globs is not None:
                needs.append(globs.words())
        for name, conditions in pattern.where:
            if any(one.missing for one in conditions):
                continue
            if name.isidentifier() and name not in ("self", "value", "any"):
                needs.append([frozenset([name.encode()])])
            if all(one.path for one in conditions):
                needs.append([words for one in conditions for words in one.paths.words()])
            labels = {label for one in conditions for label in one.taint or ()}
            if labels and all(one.taint for one in conditions):
                needs.append(
                    [
                        words
                        for source in self._flows.sources
                        if source.label in labels
                        for words in (*source.values.words(), *source.parameters.words())
                    ]
                )
        return needs


class _EnoughError(Exception):
    pass


class _Examination:
    """Collects what matches in one module."""

    def __init__(self, matcher: Matcher, module: Module, active: frozenset[int]) -> None:
        self.hits: dict[tuple[str, int, str], Hit] = {}
        self._matcher = matcher
        self._module = module
        self._active = active
        self._fitting: dict[int, bool] = {}

    def event(self, event: Event) -> None:
        """Apply all rules to an event."""
        for number, pattern in self._matcher.candidates(event.kind, event.path):
            if number in self._active:
                self._try(self._matcher.rules[number], pattern, event)
        if event.kind == "call" and _SHELLS.match(event.path) and event.arguments:
            command = _command(event.arguments[0])
            if command is not None:
                self.event(
                    Event("shell", event.line, event.context, value=command, node=event.node)
                )

    def _try(self, rule: Rule, pattern: Pattern, event: Event) -> None:
        if pattern.globs.globs and not pattern.globs.match(event.path):
            return
        it = event.path.lstrip("?.").removeprefix("builtins.")
        if pattern.expression:
            text = _text(event)
            match = pattern.compiled.search(text) if text is not None else None
            if match is None:
                return
            it = " ".join(match.group()[:120].split())
        for given, wanted in ((pattern.decorators, event.context.decorators),
                              (pattern.bases, event.context.bases)):  # fmt: skip
            if given is not None and not any(map(given.match, wanted)):
                return
        taint = None
        for name, conditions in pattern.where:
            held = _held(event, name, conditions)
            if held is None:
                return
            taint = taint or held[1]
        if not self._text_fits(pattern):
            return
        if len(self.hits) >= MAX_HITS:
            raise _EnoughError
        end = getattr(event.node, "end_lineno", None) or event.line
        self.hits.setdefault((rule.id, event.line, it), Hit(rule, event.line, end, it, taint))

    def _text_fits(self, pattern: Pattern) -> bool:
        """Whether the module's text is such as the pattern wants it."""
        known = self._fitting.get(id(pattern))
        if known is None:
            text = self._module.text
            known = not (pattern.unless_text and pattern.exception.search(text)) and not (
                pattern.if_text and not pattern.premise.search(text)
            )
            self._fitting[id(pattern)] = known
        return known


def _word(text: str) -> bytes:
    """A word that must occur; what is no word may occur anywhere."""
    return text.encode() if text.isidentifier() and len(text) > 1 else f"*{text}*".encode()


def _held(
    event: Event, name: str, conditions: Sequence[Condition]
) -> tuple[Condition, Taint | None] | None:
    """The first condition that holds of an argument, and the taint for which it does."""
    for value, known in _arguments(event, name):
        for one in conditions:
            if one.holds(value, known=known):
                return one, one.carried(value) if value is not None else None
    return None


def _arguments(event: Event, name: str) -> list[tuple[Value | None, bool]]:
    """The values that a name in ``where`` stands for, and whether nothing else can be meant."""
    if name in ("self", "value"):
        return [(event.value, True)]
    if name == "any":
        return [(one, True) for one in (*event.arguments, *event.named.values())]
    name, _, position = name.partition("@")
    if name in event.named:
        return [(event.named[name], True)]
    if position and int(position) < len(event.arguments):
        return [(event.arguments[int(position)], True)]
    return [(None, not event.open_names and not (position and event.open_positions))]


def _text(event: Event) -> str | None:
    if event.kind == "assert":
        try:
            return ast.unparse(event.node.test)[:2_000]
        except (RecursionError, ValueError):
            return None
    text = event.value.known_text
    return text.replace(HOLE, "{}") if text is not None else None


def _command(value: Value) -> Value | None:
    """A command line, also where it is given as a list."""
    if value.known_text is not None:
        return value
    if value.elements:
        words = [one.known_text if one.known_text is not None else HOLE for one in value.elements]
        return Value(text=" ".join(words))
    return None
