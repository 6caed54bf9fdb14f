"""Follows the statements of a module in their order: what is bound, called and assigned."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from buttress.probes.source.code.binding import bind
from buttress.probes.source.code.events import Branch, Context, Event
from buttress.probes.source.code.flows import Flows
from buttress.probes.source.code.functions import (
    Function,
    FunctionNode,
    annotated,
    bind_parameters,
    harmless,
    numbers_of,
    segments_of,
    summary_of,
)
from buttress.probes.source.code.guards import (
    ALLOWED,
    ONLY_SOME,
    SIGNED,
    administrators_only,
    after_loop,
    asked,
    asks_setting,
    asks_who,
    checked,
    clean,
    compares_signature,
    doubt,
    ends,
    examined,
    part_of,
    parts,
)
from buttress.probes.source.code.imports import bind_import, bind_import_from
from buttress.probes.source.code.linked import InterproceduralEvaluator, context_of
from buttress.probes.source.code.scopes import Attributes, NameScope
from buttress.probes.source.code.summaries import ClassSummary, ModuleSummary
from buttress.probes.source.code.texts import summed
from buttress.probes.source.code.values import NOTHING, PARAMETER, Value, joined

# Decorators of functions whose result is sent as a page of HTML.
_ROUTER: Final = re.compile(r"fastapi\.(?:\w+\.)*(?:APIRouter|FastAPI)\(\)")
_VIEW: Final = re.compile(r"(flask|quart|bottle)\.(?:.*\.)?(route|get|post|put)")

MAX_BRANCHES: Final = 40  # tests around a statement that are kept
MAX_AGAIN: Final = 300  # methods that are followed again, when attributes are known


class AbstractInterpreter(InterproceduralEvaluator):
    """Follows one module; functions after the module, or where they are called first."""

    def __init__(self, flows: Flows, tell: Callable[[Event], None], module: ModuleSummary) -> None:
        super().__init__(flows, tell, module)
        self._queue: list[Function] = []
        self._globals: set[str] = set()
        self._functions: dict[tuple[str, ...], Function] = {}
        self._guarded: dict[str, str] = {}  # routers that let only administrators in, by name

    def module(self, body: Sequence[ast.stmt]) -> None:
        """Follow a whole module."""
        scope = NameScope()
        try:
            self.block(body, scope)
            place = 0
            while place < len(self._queue):
                self.follow(self._queue[place])
                place += 1
            self._again()
        finally:
            self._export(scope)
            for cls in self.module_summary.classes.values():
                cls.attributes.settle()

    def _again(self) -> None:
        """Follow methods again that looked at attributes before these were known."""
        stale: dict[tuple[str, ...], None] = {}
        for cls in self.module_summary.classes.values():
            stale |= cls.attributes.stale
        if len(stale) > MAX_AGAIN:
            self.module_summary.cut["attributes that many methods set; not followed again"] = None
        for name in list(stale)[:MAX_AGAIN]:
            function = self._functions.get(name)
            if function is not None:
                self._waiting[function.path] = function
                self.follow(function)

    def _export(self, scope: NameScope) -> None:
        """Keep what other modules may ask for: what is made here, and what only leads on."""
        for name, value in scope.leave().items():
            own = value.path.startswith(".") and f".{name}" == value.path
            if not own and (
                value.taints or value.targets or "(" in value.path or self._view.mine(value.path)
                or (value.entries is not None and any(one.path for one in value.entries.values()))
            ):  # fmt: skip
                self.module_summary.names[name] = replace(value, elements=None)

    def block(self, body: Sequence[ast.stmt], scope: NameScope) -> None:
        """Follow statements one after the other."""
        before = self.context
        for statement in body:
            method = _METHODS.get(type(statement))
            if method is not None:
                method(self, statement, scope)
            else:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self.value(child, scope)
        self.context = before

    def follow(self, function: Function) -> None:
        """Follow a function, unless it was."""
        path, summary = function.path, function.summary
        if self._waiting.get(path) is not function:
            return  # followed already, or being followed
        del self._waiting[path]
        scope = NameScope(function.scope)
        before, outer, returns = self.context, self._globals, self._returns.pop(path, None)
        statement = self.statement
        self.context, self._globals = function.context, set()
        try:
            bind_parameters(self, function, scope)
            self.block(function.node.body, scope)
        finally:
            summary.returns = self._settled(self._returns.pop(path, NOTHING))
            if returns is not None:
                self._returns[path] = returns
            self.context, self._globals, self.statement = before, outer, statement

    def _define(self, node: FunctionNode, scope: NameScope) -> None:
        paths, label = [], None
        for one in node.decorator_list:
            path = self.value(one, scope).path
            paths.append(path.removesuffix("()") if isinstance(one, ast.Call) else path)
            label = label or self.flows.given(paths[-1])
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.value(default, scope)
        context = self.context
        if label is None and scope.is_class:
            label = self.flows.method(node.name, context.bases, context.functions)
        path = "." + ".".join((*context.functions, node.name))
        check = self._checked_by(node)
        inner = replace(
            context,
            check=check or context.check,
            decorators=(*context.decorators, *paths),
            functions=(*context.functions, node.name),
        )
        method = scope.is_class and "builtins.staticmethod" not in paths
        summary = summary_of(node, self.module_summary.anchored(path), path, method=method)
        summary.gives = self.module_summary.anchored(self._own_class(node.returns, scope))
        function = Function(
            node,
            path,
            scope,
            inner,
            summary,
            label,
            numbers_of(node.decorator_list),
            segments_of(node.decorator_list),
            method,
        )
        earlier = self._waiting.get(path)
        if earlier is not None:
            self.follow(earlier)
        self._queue.append(function)
        self._waiting[path] = function
        self._functions[inner.functions] = function
        self.module_summary.functions[path] = summary
        scope.bind(node.name, Value(path))

    def _checked_by(self, node: FunctionNode) -> str:
        """What lets only administrators call a function: by its decorators, parameters, router."""
        for one in node.decorator_list:
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                router = one.func.value
                if isinstance(router, ast.Name) and router.id in self._guarded:
                    return self._guarded[router.id]
        return administrators_only([*node.decorator_list, node.args])

    def _class(self, node: ast.ClassDef, scope: NameScope) -> None:
        for decorator in node.decorator_list:
            self.value(decorator, scope)
        bases = tuple(filter(None, [self.value(one, scope).path for one in node.bases]))
        for keyword in node.keywords:
            self.value(keyword.value, scope)
        before = self.context
        path = "." + ".".join((*before.functions, node.name))
        self.context = replace(context_of(before, node.name), bases=(*before.bases, *bases))
        inner = NameScope(scope, is_class=True)
        inner.attributes = attributes = Attributes(path)
        module = self.module_summary
        summary = ClassSummary(module.anchored(path), bases, attributes, module)
        summary.is_enum = any(map(self.is_enum, bases))
        self.module_summary.classes[path] = summary
        first = [one for one in node.body if getattr(one, "name", "") == "__init__"]
        try:
            # The constructor first: it says what the attributes are.
            self.block([*first, *(one for one in node.body if one not in first)], inner)
        finally:
            self.context = before
        for name, value in inner.leave().items():
            attributes.setdefault(name, value)
        for one in node.body:
            if (
                isinstance(one, ast.AnnAssign)
                and isinstance(one.target, ast.Name)
                and harmless(self, annotated(self, one.annotation, scope))
            ):
                summary.harmless.add(one.target.id)
        scope.bind(node.name, Value(path))

    def _return(self, node: ast.Return | ast.Expr, scope: NameScope) -> None:
        if isinstance(node, ast.Expr):
            self.statement = node.value.value if isinstance(node.value, ast.Await) else node.value
        value = self.value(node.value, scope)
        if isinstance(node, ast.Return) or isinstance(node.value, (ast.Yield, ast.YieldFrom)):
            self._answered(node, value)
            path = "." + ".".join(self.context.functions)
            known = self._returns.get(path)
            self._returns[path] = value if known is None else joined(known, value)

    def _answered(self, node: ast.Return | ast.Expr, value: Value) -> None:
        """What a view of Flask and its like returns is the page: as if it were called with it."""
        for decorator in self.context.decorators:
            if view := _VIEW.fullmatch(decorator):
                path = f"{view[1]}.{view[2]}"
                if isinstance(node.value, ast.Tuple) and value.elements:  # with a status
                    value = value.elements[0]
                self.tell(
                    Event("call", node.lineno, self.context, path, arguments=(value,), node=node)
                )
                return

    def _assign(self, node: ast.Assign, scope: NameScope) -> None:
        value = self.value(node.value, scope)
        check = ""
        if isinstance(node.value, ast.Call) and _ROUTER.fullmatch(value.path):
            check = administrators_only(node.value.keywords)
        for target in node.targets:
            self._bind(target, value, scope)
            if check and isinstance(target, ast.Name):
                self._guarded[target.id] = check
            if isinstance(target, ast.Name):
                scope.note_part(target.id, part_of(self, node.value, scope))
                scope.note_who(target.id, tells=asks_who(node.value))
                scope.note_test(target.id, asked(self, node.value, scope) - {target.id})

    def _annotated(self, node: ast.AnnAssign, scope: NameScope) -> None:
        if node.value is not None:
            value = self.value(node.value, scope)
            self._bind(
                node.target, self.typed(value, self._own_class(node.annotation, scope)), scope
            )

    def _own_class(self, annotation: ast.expr | None, scope: NameScope) -> str:
        """The path of the class of the project that an annotation names; else nothing."""
        path = annotated(self, annotation, scope)
        return path if path and self._view.mine(path) and not self.is_enum(path) else ""

    def _augmented(self, node: ast.AugAssign, scope: NameScope) -> None:
        before, given = self.value(node.target, scope), self.value(node.value, scope)
        self._bind(node.target, summed([before, given]), scope)

    def _bind(self, target: ast.expr, value: Value, scope: NameScope) -> None:
        bind(self, target, value, scope)
        if isinstance(target, ast.Name) and target.id in self._globals:
            scope.bind_global(target.id, value)

    def _global(self, node: ast.Global, _: NameScope) -> None:
        self._globals.update(node.names)

    def _if(self, node: ast.If, scope: NameScope) -> None:
        branches: list[dict[str, Value]] = []
        one, before = node, self.context
        self.value(one.test, scope)
        # elif after elif is a chain, not a nest: followed without recursion, in one branch.
        while True:
            scope.branch()
            outer, own = self.context, self._is_own(one.test, scope)
            self.context = _where(outer, Branch(one.test, True, own))
            tested = examined(self, one.test, scope)
            tests_who = asks_who(one.test) or any(map(scope.tells_who, parts(one.test)))
            clean(checked(self, one.test, scope, holds=True), scope)
            doubt(tested, scope)
            self.block(one.body, scope)
            self.context = _where(outer, Branch(one.test, False, own))
            left = scope.leave()
            if not ends(self, one.body, scope):
                branches.append(left)
            if one is node:
                scope.branch()  # of all that follows
            fits = checked(self, one.test, scope, holds=False)
            clean(fits, scope)
            if ends(self, one.body, scope):
                doubt(tested, scope)
                if tests_who:
                    doubt(scope.names(), scope, ONLY_SOME)
                if compares_signature(one.test):
                    doubt(scope.names(), scope, SIGNED)
                if asks_setting(one.test):
                    doubt(scope.names(), scope, ALLOWED)
                if not isinstance(one.body[-1], (ast.Return, ast.Continue, ast.Break)):
                    self._refuse({*tested, *fits}, scope)
            if len(one.orelse) != 1 or not isinstance(one.orelse[0], ast.If):
                break
            one = one.orelse[0]
            self.value(one.test, scope)
        self.block(one.orelse, scope)
        last = scope.leave()
        if not ends(self, node.body, scope):
            self.context = before
        else:  # what follows is reached only where the first test does not hold
            self.context = _where(before, Branch(node.test, False, self._is_own(node.test, scope)))
        if not ends(self, one.orelse, scope):
            branches.append(last)
        scope.join(branches, exhaustive=bool(branches))

    def refused(self, callee: Value, node: ast.Call, scope: NameScope) -> None:
        """See ``Evaluator``.

        A statement that by its name tests something counts if what is called may raise: of what it
        gives back nobody takes notice. Of a function that is not followed the name is all there is.
        """
        names: set[str] = set()
        known, path = list(self.summaries(callee)), self.path_of(node.func, scope)
        raises = any(one.raises or one.returns is None for one in known)  # None: not followed yet
        demands = (raises or not known) and self.flows.demands.match(path)
        if demands and node is self.statement:
            fits = checked(self, node, scope, holds=True)
            clean(fits, scope)
            names |= {*fits, *asked(self, node, scope)}
        if raises or demands or self.flows.exits.match(path):
            self._can_raise()
        for found in known:
            if found.refuses:
                for place, one in enumerate(node.args):
                    if (
                        found.positional[place : place + 1]
                        and found.positional[place] in found.refuses
                    ):
                        names |= parts(one)
                names = names.union(
                    *(parts(one.value) for one in node.keywords if one.arg in found.refuses)
                )
        doubt(names, scope)
        self._refuse(names, scope)

    def _refuse(self, names: Iterable[str], scope: NameScope) -> None:
        """The function that is followed raises, unless what it was given for these names fits."""
        summary = self.module_summary.functions.get("." + ".".join(self.context.functions))
        if summary is not None:
            owner = summary.owner("")
            for name in names:
                known = scope.find(name)
                for one in known.taints if known is not None else ():
                    if one.label == PARAMETER and one.path.startswith(owner):
                        summary.refuses.add(one.path[len(owner) :])

    def _can_raise(self) -> None:
        """The function that is followed may raise, or leave the program."""
        summary = self.module_summary.functions.get("." + ".".join(self.context.functions))
        if summary is not None:
            summary.raises = True

    def _raise(self, node: ast.Raise, scope: NameScope) -> None:
        self._can_raise()
        self.value(node.exc, scope)
        self.value(node.cause, scope)

    def _is_own(self, test: ast.expr, scope: NameScope) -> bool:
        """Whether nothing in a test comes from outside, as far as is known."""
        for one in ast.walk(test):
            if isinstance(one, ast.Name):
                known = scope.find(one.id)
                labels = [taint.label for taint in known.taints] if known is not None else []
            elif isinstance(one, ast.Attribute):
                labels = [self.flows.label(self.path_of(one, scope)) or ""]
            else:
                continue
            if any(label in self.flows.carried for label in labels):
                return False
        return True

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, scope: NameScope) -> None:
        if isinstance(node, ast.While):
            self.value(node.test, scope)
        else:
            items = self.value(node.iter, scope)
        scope.branch()
        if not isinstance(node, ast.While):
            bind(self, node.target, self.item(items, node.lineno), scope)
        self.block(node.body, scope)
        scope.join([scope.leave()], exhaustive=False)
        if isinstance(node, ast.For):
            self._refuse(after_loop(self, node, scope), scope)
        self.block(node.orelse, scope)

    def _with(self, node: ast.With | ast.AsyncWith, scope: NameScope) -> None:
        for item in node.items:
            value = self.value(item.context_expr, scope)
            if item.optional_vars is not None:
                bind(self, item.optional_vars, value, scope)
        self.block(node.body, scope)

    def _try(self, node: ast.Try | ast.TryStar, scope: NameScope) -> None:
        self.block(node.body, scope)
        self.block(node.orelse, scope)
        branches = []
        for handler in node.handlers:
            self.value(handler.type, scope)
            scope.branch()
            if handler.name:
                scope.bind(handler.name, NOTHING)
            self.block(handler.body, scope)
            branches.append(scope.leave())
        scope.join(branches, exhaustive=False)
        self.block(node.finalbody, scope)

    def _match(self, node: ast.Match, scope: NameScope) -> None:
        subject = self.value(node.subject, scope)
        branches = []
        for case in node.cases:
            scope.branch()
            for pattern in ast.walk(case.pattern):
                if isinstance(pattern, (ast.MatchAs, ast.MatchStar)) and pattern.name:
                    scope.bind(pattern.name, self.stepped(subject, "[]", node.lineno))
            self.value(case.guard, scope)
            self.block(case.body, scope)
            branches.append(scope.leave())
        scope.join(branches, exhaustive=False)

    def _assert(self, node: ast.Assert, scope: NameScope) -> None:
        self.value(node.test, scope)
        doubt(examined(self, node.test, scope), scope)
        self._can_raise()
        self.value(node.msg, scope)
        self.tell(Event("assert", node.lineno, self.context, node=node))

    def _import(self, node: ast.Import | ast.ImportFrom, scope: NameScope) -> None:
        names = (
            bind_import(node, scope)
            if isinstance(node, ast.Import)
            else bind_import_from(node, scope, self._view, self.imported)
        )
        for name in names:
            self.tell(Event("import", node.lineno, self.context, name, node=node))


def _where(context: Context, branch: Branch) -> Context:
    """The context of a branch; of very many, the outermost are kept."""
    if len(context.branches) >= MAX_BRANCHES:
        return context
    return replace(context, branches=(*context.branches, branch))


_METHODS: Final[dict[type, Callable[[AbstractInterpreter, Any, NameScope], None]]] = {
    ast.FunctionDef: AbstractInterpreter._define,
    ast.AsyncFunctionDef: AbstractInterpreter._define,
    ast.ClassDef: AbstractInterpreter._class,
    ast.Return: AbstractInterpreter._return,
    ast.Expr: AbstractInterpreter._return,
    ast.Assign: AbstractInterpreter._assign,
    ast.AnnAssign: AbstractInterpreter._annotated,
    ast.AugAssign: AbstractInterpreter._augmented,
    ast.Global: AbstractInterpreter._global,
    ast.If: AbstractInterpreter._if,
    ast.For: AbstractInterpreter._loop,
    ast.AsyncFor: AbstractInterpreter._loop,
    ast.While: AbstractInterpreter._loop,
    ast.With: AbstractInterpreter._with,
    ast.AsyncWith: AbstractInterpreter._with,
    ast.Try: AbstractInterpreter._try,
    ast.TryStar: AbstractInterpreter._try,
    ast.Match: AbstractInterpreter._match,
    ast.Assert: AbstractInterpreter._assert,
    ast.Raise: AbstractInterpreter._raise,
    ast.Import: AbstractInterpreter._import,
    ast.ImportFrom: AbstractInterpreter._import,
}
