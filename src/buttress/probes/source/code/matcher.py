"""Applies rules to code: first by its words, then by its syntax tree."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from buttress.evidence.findings import SEVERITIES
from buttress.files.python_modules import Module, parsed, words
from buttress.probes.source.code.addresses import only_nearby
from buttress.probes.source.code.arguments import (
    command_of,
    held,
    named,
    option_of,
    set_before,
    switch_of,
    text_of,
)
from buttress.probes.source.code.conditions import Condition
from buttress.probes.source.code.conditions import pattern as compiled
from buttress.probes.source.code.events import Event, Kind
from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.follow import AbstractInterpreter
from buttress.probes.source.code.hits import Hit, Result, in_order
from buttress.probes.source.code.paths import GlobUnion, fragments, last_name
from buttress.probes.source.code.project import Project, View
from buttress.probes.source.code.rulebook import CodeRule, Pattern
from buttress.probes.source.code.sockets import listens
from buttress.probes.source.code.solve import graph_of, solve
from buttress.probes.source.code.summaries import ModuleSummary, Sink
from buttress.probes.source.code.values import ALL, PARAMETER, Taint, Value

MAX_HITS: Final = 1_000  # in one module
_SHELLS: Final = GlobUnion(
    [
        "os.system", "os.popen", "subprocess.run", "subprocess.call", "subprocess.Popen",
        "subprocess.check_call", "subprocess.check_output", "subprocess.getoutput",
        "subprocess.getstatusoutput", "commands.getoutput", "asyncio.create_subprocess_shell",
        "?get_ipython().system", "?get_ipython().getoutput",
    ]
)  # fmt: skip


Words = frozenset[bytes]
# Short literals that a sum puts together; those of sentences are joined over lines.
_PARTS: Final = re.compile(rb"""["']\w{0,30}["'](?:[ \t]*\+[ \t]*["']\w{0,30}["']){1,30}""")
_JOINT: Final = re.compile(rb"""["'][ \t]*\+[ \t]*["']""")
_LEAST_CARRIED: Final = SEVERITIES.index("medium")  # lesser rules look at one function alone


@dataclass(frozen=True, slots=True)
class Survey:
    """What the words of a file tell.

    ``possible`` are numbers of rules that may match if others call its functions, ``alone`` of
    those that need nobody. ``sources``: there may be a source in it.
    """

    possible: frozenset[int]
    alone: frozenset[int]
    sources: bool
    seen: frozenset[bytes] = frozenset()  # words that rules want to see in the project


class RuleMatcher:
    """Rules, indexed."""

    def __init__(self, rules: Sequence[CodeRule]) -> None:
        self.rules = tuple(rules)
        self._flows = flows()
        self._needs: list[tuple[int, list[list[Words]], list[frozenset[str]]]] = []
        self._sources: dict[str, list[Words]] = {
            one.label: [*one.values.words(), *one.parameters.words(), *one.method_words()]
            for one in self._flows.sources
        }
        # Labels that callers may bring, for each rule.
        self._open = [
            self._flows.carried
            if SEVERITIES.index(rule.severity) >= _LEAST_CARRIED
            else frozenset[str]()
            for rule in rules
        ]
        # kind -> last name, or "" where it is open -> (number of the rule, pattern)
        self._index: dict[Kind, dict[str, list[tuple[int, Pattern]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for number, rule in enumerate(rules):
            for pattern in rule.match:
                self._needs.append((number, self._needed(pattern), _labels(pattern)))
                for name in pattern.globs.last_names() or {""}:
                    key = "" if "*" in name else name
                    self._index[pattern.kind][key].append((number, pattern))

        choices = [one for _, needs, _ in self._needs for one in needs] + [*self._sources.values()]
        self._seen = frozenset(one.encode() for rule in rules for one in rule.seen)
        self._fragments = fragments(word for one in choices for words in one for word in words)

    def applicable(self, data: bytes) -> frozenset[int]:
        """Numbers of the rules that may match anywhere in ``data``, by the words that occur.

        A rule about what comes from outside may match whatever calls a function from elsewhere.
        """
        return self.survey(data).possible

    def survey(self, data: bytes, own: frozenset[bytes] = frozenset()) -> Survey:
        """What the words of a file tell of it; ``own`` are names of the project's own packages."""
        present = set(words(_united(data)))
        present.update(one for one in self._fragments if one[1:-1] in data)
        labels = {
            label
            for label, choices in self._sources.items()
            if any(one <= present for one in choices)
        }
        possible, alone = set(), set()
        for number, needs, wanted in self._needs:
            if all(any(one <= present for one in choices) for choices in needs):
                found = all(not labels.isdisjoint(one) for one in wanted)
                if found or all(not self._open[number].isdisjoint(one) for one in wanted):
                    possible.add(number)
                if found:
                    alone.add(number)
        # In the project that is a library, its name is in every file and tells nothing.
        others = present - own
        sources = any(
            one <= others for label in labels & self._flows.carried for one in self._sources[label]
        )
        return Survey(frozenset(possible), frozenset(alone), sources, self._seen & present)

    def examine_text(self, text: str) -> Result:
        """Apply all rules to Python source alone."""
        return self.examine(parsed(text), self.applicable(text.encode("utf-8", "replace")))

    def examine(self, module: Module, active: frozenset[int]) -> Result:
        """Apply the rules of these numbers to a module alone."""
        result, summary = self.follow(module, active, "", Project().view(""))
        found, cut = solve([summary], graph_of([summary]))
        hits = {hit.key: hit for hit in (*found, *result.hits)}
        return Result(in_order(hits.values()), result.broken, (*result.cut, *cut))

    def follow(
        self, module: Module, active: frozenset[int], file: str, view: View
    ) -> tuple[Result, ModuleSummary]:
        """Apply rules to one module of a project.

        What depends on the callers of its functions is in the summary, for ``solve``.
        """
        summary = ModuleSummary(view.project.name(file), file, view)
        examination = _Examination(self, module, active, summary)
        follower = AbstractInterpreter(self._flows, examination.event, summary)
        examination.is_function = follower.is_function
        examination.is_object = follower.is_object
        follower.text = module.text
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
        del (
            examination.is_function,
            examination.is_object,
        )  # each holds the other, and the syntax tree with it
        if follower.too_deep:
            cut.append("expressions nested too deeply; not followed inside")
        cut += summary.cut
        return Result(in_order(examination.hits.values()), module.broken, cut), summary

    def carried(self, rule: CodeRule, condition: Condition) -> frozenset[str]:
        """Sources for which it matters to a rule what callers of a function give it."""
        if SEVERITIES.index(rule.severity) < _LEAST_CARRIED:
            return frozenset()
        return self._flows.carried.intersection(condition.taint or ())

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
        return needs


def _labels(pattern: Pattern) -> list[frozenset[str]]:
    """Sources of which one must be there, for each condition that asks for nothing else."""
    return [
        frozenset(label for one in conditions for label in one.taint or ())
        for _, conditions in pattern.where
        if all(one.taint for one in conditions)
    ]


class _EnoughError(Exception):
    pass


def _united(data: bytes) -> bytes:
    """Source with the words behind it that literals hold when they are joined: "ex" + "ec"."""
    parts = _PARTS.findall(data) if b"+" in data else []
    if not parts:
        return data
    return b" ".join((data, *(_JOINT.sub(b"", one) for one in parts)))


class _Examination:
    """Collects what matches in one module."""

    def __init__(
        self, matcher: RuleMatcher, module: Module, active: frozenset[int], summary: ModuleSummary
    ) -> None:
        self._summary = summary
        self.is_function: Callable[[str], bool] = lambda _: False
        self.is_object: Callable[[str], bool] = lambda _: False
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
            command = command_of(event.arguments[0])
            if command is not None:
                self.event(
                    Event("shell", event.line, event.context, value=command, node=event.node)
                )

    def _try(self, rule: CodeRule, pattern: Pattern, event: Event) -> None:
        if pattern.globs.globs and not pattern.globs.match(event.path):
            return
        if pattern.others.globs and pattern.others.match(event.path):
            return
        # No class defines the manager of its records, which Django adds.
        named_here = event.path.startswith(".") and ".objects." not in event.path
        of_project = named_here or self.is_function(event.path)
        if pattern.tainted and event.kind == "call" and of_project:
            return  # of the project: what it does with what it is given is followed, if anything
        it = event.path.lstrip("?.:").removeprefix("builtins.")
        if pattern.expression:
            text = text_of(event)
            match = pattern.compiled.search(text) if text is not None else None
            if match is None:
                return
            it = " ".join(match.group()[:120].split())
        for given, wanted in ((pattern.decorators, event.context.decorators),
                              (pattern.bases, event.context.bases)):  # fmt: skip
            if given is not None and not any(map(given.match, wanted)):
                return
        carried: list[tuple[Condition, tuple[Taint, ...]]] = []
        for name, conditions in pattern.where:
            if not held(event, name, conditions, carried, self.is_object):
                return
        if not self._text_fits(pattern) or not self._shows(pattern, event):
            return
        end = getattr(event.node, "end_lineno", None) or event.line
        taint = None
        for condition, taints in carried:
            own = next((one for one in taints if one.label != PARAMETER), None)
            if own is None:
                # Nobody is known to give it here: it depends on who calls the function.
                labels = self._matcher.carried(rule, condition)
                for one in taints if labels else ():
                    sink = Sink(
                        rule, condition, labels, self._summary.file, event.line, end, it,
                        one.cleaned, one.steps, check=one.check or pattern.lessened,
                        kept=self._is_kept(one, event),
                    )  # fmt: skip
                    self._summary.add_sink(one, sink)
                return
            taint = taint or own.doubted(condition.doubt(own.cleaned))
        if len(self.hits) >= MAX_HITS:
            raise _EnoughError
        switch = pattern.lessened
        if rule.switch and not switch:
            switch = (
                switch_of(event.context, rule.switches)
                or set_before(event.node, rule.switches, self._module.text)
                or option_of(event.node, rule.switches)
            )
        if rule.nearby and not switch and only_nearby(self._module.text, event.line):
            switch = rule.nearby
        hit = Hit(rule, event.line, end, it, taint, self._summary.file, switch=switch)
        self.hits.setdefault((rule.id, event.line, it), hit)

    def _is_kept(self, taint: Taint, event: Event) -> bool:
        """Whether a parameter is neither of the function around nor of one that is around that."""
        function = taint.path.rpartition(":")[0]
        inside = self._summary.anchored("." + ".".join(event.context.functions))
        is_lambda = function.rpartition(".")[2].startswith("lambda_")
        return not is_lambda and not f"{inside}.".startswith(f"{function}.")

    def _shows(self, pattern: Pattern, event: Event) -> bool:
        """Whether names in the call, or what is done with its socket, are as the pattern wants."""
        if pattern.bound:
            owner = getattr(event.node.func, "value", None)
            name = last_name(ast.unparse(owner).partition("[")[0]) if owner is not None else ""
            if not listens(self._module.text, name):
                return False
        if not pattern.named and not pattern.unless_named:
            return True
        taints = event.arguments[0].taints if event.arguments else ()
        if any(ALL in one.cleaned or one.check for one in taints):  # something tests it
            return False
        names = named(event.node, self._module.text)
        return bool(not pattern.named or compiled(pattern.named).search(names)) and not (
            pattern.unless_named and compiled(pattern.unless_named).search(names)
        )

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
