"""Brings together what callers give and what functions do with it, to a fixed point.

Each parameter has the sinks that it reaches. A call carries them to its arguments: to a source,
where they become hits, or to a parameter of the caller, where they are sinks again. A sink comes to
a parameter once for each place and each set of uses that it was cleaned for, so that the work grows
with the number of calls, whatever the shape of the graph.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from buttress.probes.source.code.flows import flows
from buttress.probes.source.code.hits import Hit
from buttress.probes.source.code.project import Project
from buttress.probes.source.code.summaries import FunctionSummary, ModuleSummary, Passage, Sink
from buttress.probes.source.code.values import MAX_STEPS, PARAMETER, CallStep

MAX_HOPS: Final = 2_000_000  # calls that sinks are carried through, in one project
_TOO_MANY: Final = f"more than {MAX_HOPS:,} steps between functions; the rest"


@dataclass(slots=True)
class Graph:
    """Calls between functions: what is given to each parameter and where.

    ``tainted`` are parameters that something from outside comes to, ``missing`` modules that were
    not followed though it comes to one of their functions.
    """

    given: dict[str, list[tuple[Passage, CallStep]]]
    tainted: set[str]
    missing: set[str]


def solve(modules: Sequence[ModuleSummary], graph: Graph) -> tuple[list[Hit], list[str]]:
    """The hits that lie between functions, and what was cut; modules in the order that counts."""
    owners = {owner: module for module in modules for owner in module.sinks}
    pending: deque[tuple[str, Sink]] = deque(
        (owner, sink)
        for module in modules
        for owner, sinks in module.sinks.items()
        if owner in graph.tainted
        for sink in list(sinks.values())
    )
    hits: dict[tuple[str, str, int, str], Hit] = {}
    hops = 0
    cut: list[str] = []
    while pending:
        owner, sink = pending.popleft()
        for passage, step in graph.given.get(owner, ()):
            taint = passage.taint
            if sink.keyword and passage.keyword not in ("", sink.keyword):
                continue  # another option
            if taint.label == PARAMETER and taint.path not in graph.tainted:
                continue
            hops += 1
            if hops > MAX_HOPS:
                return list(hits.values()), [*cut, _TOO_MANY]
            further = sink.before(passage, step)
            if further is None:
                if len(sink.steps) + len(taint.steps) >= MAX_STEPS and not cut:
                    cut.append(f"flows through more than {MAX_STEPS} calls")
                continue
            if taint.label == PARAMETER:
                if owners.setdefault(taint.path, modules[0]).add_sink(taint, further):
                    pending.append((taint.path, further))
            elif taint.label in sink.labels:
                check = further.check or sink.condition.doubt(further.cleaned)
                source = replace(taint, cleaned=frozenset(), steps=further.steps, check=check)
                hit = Hit(sink.rule, sink.line, sink.end_line, sink.it, source, sink.file)
                known = hits.setdefault((sink.file, *hit.key), hit)
                if known.taint is not None and known.taint.check and not check:
                    hits[(sink.file, *hit.key)] = hit  # not only administrators reach it
    return list(hits.values()), cut


def graph_of(modules: Iterable[ModuleSummary]) -> Graph:
    """The calls of these modules."""
    carried = flows().carried
    given: dict[str, list[tuple[Passage, CallStep]]] = defaultdict(list)
    onward: dict[str, list[str]] = defaultdict(list)  # parameter -> those that it is given to
    absent: dict[str, list[str]] = defaultdict(list)  # parameter -> modules that are not followed
    start: list[str] = []
    missing: set[str] = set()
    for module in modules:
        project: Project = module.view.project
        for call in module.calls:
            callee = project.look_up(module, call.path)
            if isinstance(callee, FunctionSummary):
                name, certain = callee.local.lstrip("."), not call.guessed
                for passage in callee.passages(call):
                    spread = bool(passage.wanted or passage.whole) and not call.framework
                    step = CallStep(name, module.file, call.line, spread or not certain)
                    owner, taint = callee.owner(passage.parameter), passage.taint
                    given[owner].append((passage, step))
                    if taint.label == PARAMETER:
                        onward[taint.path].append(owner)
                    elif taint.label in carried:
                        start.append(owner)
                continue
            elsewhere = project.missing(module, call.path)
            for taint in call.taints if elsewhere is not None else ():
                assert elsewhere is not None
                if taint.label == PARAMETER:
                    absent[taint.path].append(elsewhere)
                elif taint.label in carried:
                    missing.add(elsewhere)
        module.view.forget()
    tainted = set(start)
    while start:
        owner = start.pop()
        missing.update(absent.get(owner, ()))
        for other in onward.get(owner, ()):
            if other not in tainted:
                tainted.add(other)
                start.append(other)
    return Graph(given, tainted, missing)
