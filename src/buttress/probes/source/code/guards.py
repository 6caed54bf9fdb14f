"""Tests by which a name is checked before it is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.scopes import NameScope
from buttress.probes.source.code.signs import flags_of, let_through, let_through_by
from buttress.probes.source.code.values import ALL

if TYPE_CHECKING:
    from buttress.probes.source.code.evaluate import Evaluator

_MAX = 40  # operands of a test that are looked at
_MAX_NODES = 200  # of a test

_MAX_EITHER = 8  # of which one holds
_EVERY: Final = frozenset({ALL})

# Who may call a route, as dependencies and decorators name it.
_ADMINISTRATOR: Final = re.compile(
    r"(?i)(?<!non)(?<!not)(?<!non_)(?<!not_)(?<!no_)(?:admin(?!ister(?!ator))|super_?user)"
    r"|\A(?:CAN_)?MANAGE_[A-Z]"  # a permission
    r"|\Ais_owner\Z"  # of a bot
)
_ROUTES: Final = frozenset(
    {"get", "post", "put", "patch", "delete", "route", "api_route", "websocket", "head", "options"}
)
_MAX_SHOWN: Final = 60  # characters of a name

# Attributes that say which host an address has: whoever compares them looks at the address.
_HOSTS: Final = frozenset({"hostname", "netloc", "host"})
_SENDERS: Final = frozenset({"author", "from_user", "effective_user", "effective_chat"})  # of bots
_SIGNS: Final = re.compile(r"[./\\\\:]{1,3}$")  # what makes a path or an address another
# What these tell says nothing of whether a value does harm.
_TRIVIAL: Final = frozenset(
    {
        "isinstance", "issubclass", "len", "hasattr", "callable", "type", "bool", "int", "str",
        "getattr", "get", "exists", "isfile", "isdir", "is_file", "is_dir", "endswith", "strip",
        "lower", "upper", "print", "split", "read", "join", "append", "encode", "decode",
        "info", "debug", "warning", "error",
    }
)  # fmt: skip
ONLY_SOME: Final = "only who asks from certain addresses or accounts reaches it"
ALLOWED: Final = "whoever runs the program allows it by a setting"
SIGNED: Final = "a signature or a key is compared first"
TESTED: Final = "something tests it on the way; whether that is enough is not known"

_SETTING: Final = re.compile(r"(?i)^(?:allow|enable)_\w+$|_(?:enabled|allowed)$")
_SETTINGS: Final = re.compile(
    r"(?i)(?:^|_)(?:args|settings?|config|cfg|conf|opts?|options|flags|env)$"
)
_COMPARES: Final = frozenset({"compare_digest", "constant_time_compare"})
_MAX_PARTS = 20  # of what is compared or given to a check

# An attribute that says that what carries it was checked where it was made.
_TRUST: Final = re.compile(r"(?:^|_)(?:is_)?(?:trusted|verified|approved|allowlisted)$")


def checked(
    evaluator: Evaluator, test: ast.expr, scope: NameScope, *, holds: bool
) -> dict[str, frozenset[str]]:
    """Names that are known to be checked where ``test`` holds, or where it does not.

    For each, the uses for which it is safe then.
    """
    found: set[str] = set()
    narrowed: dict[str, frozenset[str]] = {}
    pending = [(test, holds)]
    for _ in range(_MAX):
        if not pending:
            break
        node, wanted = pending.pop()
        if said := let_through(evaluator, node, scope, holds=wanted):
            narrowed |= dict.fromkeys(parts(said[0]), said[1])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            pending.append((node.operand, not wanted))
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And if wanted else ast.Or):
            pending += [(one, wanted) for one in node.values[:_MAX]]
        elif isinstance(node, ast.BoolOp):  # one of these: what each of them checks is checked
            found |= _by_each(evaluator, node.values, scope, holds=wanted)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            if isinstance(node.ops[0], ast.In if wanted else ast.NotIn):
                found |= parts(node.left)
                for one in node.comparators:
                    if isinstance(one, ast.Attribute) and one.attr == "parents":
                        found |= parts(one.value)  # folder in path.parents
        elif isinstance(node, ast.Call) and wanted and (each := _of_any(evaluator, node, scope)):
            pending.append((each, True))
        elif isinstance(node, ast.Attribute) and wanted and _TRUST.search(node.attr):
            found |= parts(node.value)
        elif isinstance(node, ast.Call) and wanted:
            receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
            if evaluator.flows.checks.match(evaluator.path_of(node.func, scope)):
                for one in (*node.args[:4], *((receiver,) if receiver is not None else ())):
                    found |= parts(one)
    return narrowed | dict.fromkeys(found, _EVERY)


def after_loop(evaluator: Evaluator, loop: ast.For, scope: NameScope) -> set[str]:
    """Let names be safe, or doubted, after a loop over what they hold that is left at some of it.

    Returns the names over which it raises.
    """
    names = parts(loop.iter)
    uses = let_through_by(evaluator, loop, scope)
    tests = [one for one in loop.body[:_MAX_EITHER] if isinstance(one, ast.If)]
    walks = _walks(evaluator, loop.iter, scope)
    if uses is None and not (walks and tests):
        for flag in flags_of(evaluator, loop, scope):
            scope.note_test(flag, names)
        return set()
    names = names.union(*map(scope.tested_by, names)) if walks else names
    clean(dict.fromkeys(names, uses or frozenset()), scope)
    doubt(names, scope)
    return names if any(isinstance(one, ast.Raise) for one in ast.walk(loop)) else set()


def _walks(evaluator: Evaluator, node: ast.expr, scope: NameScope) -> bool:
    """Whether the nodes of a syntax tree are gone through."""
    return isinstance(node, ast.Call) and evaluator.path_of(node.func, scope) == "ast.walk"


def examined(evaluator: Evaluator, test: ast.expr, scope: NameScope) -> set[str]:
    """Names of which a test asks more than whether they are given, have a type or a length.

    What that is may be enough or not. A name that holds what a call told of others stands for them.
    """
    found: set[str] = set()
    for node in islice(ast.walk(test), _MAX_NODES):
        if isinstance(node, ast.expr):
            found |= _of_signs(evaluator, node, scope)
        if isinstance(node, ast.Compare):
            found |= _compared(node)
        elif isinstance(node, (ast.GeneratorExp, ast.ListComp)):
            for one in node.generators:
                if _walks(evaluator, one.iter, scope):
                    found = found.union(parts(one.iter), *map(scope.tested_by, parts(one.iter)))
            inner = [one for one in ast.walk(node.elt) if isinstance(one, ast.Compare)]
            if any(map(_compared, inner)):
                found = found.union(*(parts(one.iter) for one in node.generators))
        elif isinstance(node, ast.Call):
            found |= asked(evaluator, node, scope)
        elif isinstance(node, ast.Name):
            found |= scope.tested_by(node.id)
    return found


def asks_who(test: ast.expr) -> bool:
    """Whether a test looks at the address or account from which a request comes."""
    return any(
        isinstance(one, ast.Attribute)
        and (
            one.attr == "remote_addr"
            or (one.attr == "host" and getattr(one.value, "attr", "") == "client")
            or (one.attr == "id" and getattr(one.value, "attr", "") in _SENDERS)
        )
        for one in islice(ast.walk(test), _MAX_NODES)
    )


def asks_setting(test: ast.expr) -> bool:
    """Whether a test asks for no more than a setting that allows something: ``if not x.allow_y``.

    A test with anything else in it is not meant, nor one of what somebody may do (``user.is_…``).
    """
    if not isinstance(test, ast.UnaryOp) or not isinstance(test.op, ast.Not):
        return False
    node = test.operand
    if not isinstance(node, ast.Attribute) or not _SETTING.search(node.attr):
        return False
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return bool(_SETTINGS.search(name))


def compares_signature(test: ast.expr) -> bool:
    """Whether a test compares a digest or a key in constant time, as signatures are checked."""
    return any(
        isinstance(one, ast.Call)
        and (one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", ""))
        in _COMPARES
        for one in islice(ast.walk(test), _MAX_NODES)
    )


def asked(evaluator: Evaluator, node: ast.expr, scope: NameScope) -> set[str]:
    """Names that a call asks something about; none where it asks nothing, or only makes a text."""
    node = node.value if isinstance(node, ast.Await) else node
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    if of_signs := _of_signs(evaluator, node, scope):
        return of_signs
    if not isinstance(node, ast.Call):
        return set()
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    path = evaluator.path_of(node.func, scope)
    if path == "ast.parse" and node.args:  # who looks at the tree looks at the text
        return parts(node.args[0])
    if name in ("get", "pop") and node.args:  # records.get(name), but not data.get("name")
        return parts(node.args[0])
    if name in _TRIVIAL or evaluator.flows.passes.match(path):
        return set()
    given = [*node.args, *(one.value for one in node.keywords)]
    if isinstance(node.func, ast.Attribute):
        given.append(node.func.value)
    return set().union(*map(parts, given[:_MAX_PARTS]))


def _of_signs(evaluator: Evaluator, node: ast.expr, scope: NameScope) -> set[str]:
    """Names of which a test says the signs, whether it holds then or not."""
    for holds in (True, False):
        if said := let_through(evaluator, node, scope, holds=holds):
            return parts(said[0])
    return set()


def _compared(node: ast.Compare) -> set[str]:
    """Names of which a comparison asks what they hold, or whether they are what they should be."""
    sides = [node.left, *node.comparators]
    if any(isinstance(one, (ast.In, ast.NotIn)) for one in node.ops):
        # Of ``name in known`` it is clear what holds, which ``checked`` says.
        return set() if _is_key(node.left) else set().union(*map(parts, node.comparators))
    if not any(isinstance(one, (ast.Eq, ast.NotEq)) for one in node.ops):
        return set()
    constants = [one.value for one in sides if isinstance(one, ast.Constant)]
    if any(map(_is_host, sides)) or all(
        isinstance(one, str) and _SIGNS.match(one) for one in constants
    ):
        return set().union(*map(parts, sides))
    return set()


def _is_key(node: ast.expr) -> bool:
    """Whether ``"name" in data`` asks for an entry; ``".." in name`` does not."""
    return isinstance(node, ast.Constant) and str(node.value).isidentifier()


def _is_host(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _HOSTS


def doubt(names: Iterable[str], scope: NameScope, why: str = "") -> None:
    """From here on, these names may do no harm, since something tests them."""
    for name in names:
        known = scope.find(name)
        if known is not None and known.taints:
            scope.bind(name, known.doubted(why or TESTED))
        whole = scope.whole_of(name)
        address = scope.find(whole) if whole else None
        if address is not None and address.taints:
            scope.bind(whole, address.doubted(TESTED))


def administrators_only(nodes: Iterable[ast.AST]) -> str:
    """What in decorators, parameters or options of a route lets only administrators in.

    That is a dependency or a decorator of such a name, or one that is given such a role; the path
    of a route says nothing.
    """
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            parts: list[ast.AST] = [*node.keywords]  # @router.get("/admin", dependencies=[…])
            if node.func.attr not in _ROUTES:
                parts += [node.func, *node.args]
        elif isinstance(node, ast.arguments):
            given = [*node.defaults, *filter(None, node.kw_defaults)]
            hints = [one.annotation for one in (*node.posonlyargs, *node.args, *node.kwonlyargs)]
            parts = [call for one in (*given, *filter(None, hints)) for call in _dependencies(one)]
        elif isinstance(node, ast.keyword):
            parts = list(_dependencies(node.value))
        else:
            parts = [node]
        for part in parts:
            for one in ast.walk(part):
                name = (
                    one.id if isinstance(one, ast.Name)
                    else one.attr if isinstance(one, ast.Attribute)
                    else one.value if isinstance(one, ast.Constant) else ""
                )  # fmt: skip
                if isinstance(name, str) and _ADMINISTRATOR.search(name) and "/" not in name:
                    return f"only administrators reach it: {name[:_MAX_SHOWN]}"
    return ""


def _dependencies(node: ast.expr) -> Iterator[ast.Call]:
    """``Depends(…)`` and ``Security(…)`` in an expression."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = one.func.attr if isinstance(one.func, ast.Attribute) else one.func
            if (name.id if isinstance(name, ast.Name) else name) in ("Depends", "Security"):
                yield one


def _of_any(evaluator: Evaluator, node: ast.Call, scope: NameScope) -> ast.expr | None:
    """The test in ``any(test for x in …)`` or ``all(…)``; None where the call is none."""
    if evaluator.path_of(node.func, scope) not in ("builtins.any", "builtins.all"):
        return None
    first = node.args[0] if node.args else None
    return first.elt if isinstance(first, (ast.GeneratorExp, ast.ListComp)) else None


def _by_each(
    evaluator: Evaluator, tests: list[ast.expr], scope: NameScope, *, holds: bool
) -> set[str]:
    """Names that each of some tests checks; that a name equals something does so, too."""
    found: set[str] | None = None
    for one in tests[:_MAX_EITHER]:
        if isinstance(one, ast.BoolOp):
            return set()  # one level only
        checks = checked(evaluator, one, scope, holds=holds)
        names = {name for name, uses in checks.items() if ALL in uses}
        same = ast.Eq if holds else ast.NotEq
        if isinstance(one, ast.Compare) and len(one.ops) == 1 and isinstance(one.ops[0], same):
            names |= parts(one.left) | parts(one.comparators[0])
        found = names if found is None else found & names
    return found or set() if len(tests) <= _MAX_EITHER else set()


def clean(names: Mapping[str, frozenset[str]], scope: NameScope) -> None:
    """From here on, these names are safe for these uses."""
    for name, uses in names.items():
        known = scope.find(name)
        if known is not None and known.taints:
            scope.bind(name, known.clean(uses))
        if ALL not in uses:
            continue
        whole = scope.whole_of(name)
        address = scope.find(whole) if whole else None
        if address is not None and address.taints:  # the host of an address was checked
            scope.bind(whole, address.clean(frozenset({"url"})))


def part_of(evaluator: Evaluator, node: ast.expr, scope: NameScope) -> str:
    """The name of the address that ``node`` takes apart, or a part of which it is; else nothing."""
    for _ in range(6):
        if isinstance(node, ast.Name):
            return scope.whole_of(node.id)
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
            parsers = evaluator.flows.parsers
            if isinstance(first, ast.Name) and parsers.match(evaluator.path_of(node.func, scope)):
                return first.id
            if not isinstance(node.func, ast.Attribute):
                return ""
            node = node.func.value
        else:
            return ""
    return ""


def ends(evaluator: Evaluator, body: list[ast.stmt], scope: NameScope) -> bool:
    """Whether what follows a block is not reached through it."""
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return evaluator.flows.exits.match(evaluator.path_of(last.value.func, scope))
    return isinstance(last, (ast.Raise, ast.Return, ast.Continue, ast.Break))


def parts(node: ast.expr) -> set[str]:
    """``x`` in ``x``, ``x.y``, ``x[0]``, ``f(x)``, ``os.path.join(y, x)`` and ``y / x``."""
    found: set[str] = set()
    pending = [node]
    for _ in range(_MAX_PARTS):
        if not pending:
            break
        node = pending.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            pending.append(node.value)
        elif isinstance(node, ast.BinOp):
            pending += [node.left, node.right]
        elif isinstance(node, (ast.List, ast.Tuple)):
            pending += node.elts[:_MAX_PARTS]
        elif isinstance(node, ast.Compare):
            pending.append(node.left)
        elif isinstance(node, ast.Call):
            pending += node.args
            if isinstance(node.func, ast.Attribute):
                pending.append(node.func.value)
    return found
