"""Whether an allowed name is used as frameworks use it.

A class may be harmless when an unpickler makes it empty and gives it a state, and yet fetch, read
or evaluate what its constructor is given. So each entry of the allowlist says how it may be called
(``judge.Calls``); this looks at each call, and through the few functions that call what they are
given.
"""

from __future__ import annotations

from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.visible import shortened
from buttress.probes.artifacts.pickles.state import MachineState
from buttress.probes.artifacts.pickles.texts import among, spelled, suspicious
from buttress.probes.artifacts.pickles.values import EMPTY, PLAIN, Import, Misuse

_BUILTINS: Final = ("builtins", "__builtin__")
# Functions that keep a class that they are given, by its index, and never call it with anything.
_KEEPING: Final = {
    "_reconstruct": 0, "_rebuild_wrapper_subclass": 0, "defaultdict": 0, "_mareconstruct": 1,
    "dtype": 0,
}  # fmt: skip
# They keep what they are given, in a list or dictionary, which is plain data to the machine.
_CONTAINERS: Final = ("collections.OrderedDict", "collections.Counter", "collections.deque")
_UNPICKLING: Final = "__pyx_unpickle_"


def examine(state: MachineState, what: Import, arguments: Any, at: int, *, new: bool) -> None:
    """Note it where ``what``, which is allowed, is called in another way than frameworks call it.

    Args:
        arguments: of the call; ``EMPTY`` for none, ``PLAIN`` for plain data.
        new: only ``__new__`` runs, no constructor.
    """
    if type(arguments) is tuple and arguments and arguments[0] is what:  # cls.__new__(cls, …)
        arguments, new = arguments[1:], True
    calls = what.judgement.calls
    if calls == "never":
        _note(state, what, arguments, at, ("calls it, where frameworks only keep it", "medium"))
    elif arguments != EMPTY and calls != "any":
        how = (
            "makes it with arguments, where frameworks make it without and give it a state"
            if new
            else "runs its constructor with arguments, where frameworks make it without and give "
            "it a state"
        )
        _note(state, what, arguments, at, (how, "medium" if new else "high"))
    elif calls == "bare" and not new:
        how = "runs its constructor, where frameworks make it without and give it a state"
        _note(state, what, arguments, at, (how, "medium"))
    elif arguments is PLAIN and what.full in _CONTAINERS and what.misuse is None:
        if suspicious(spelled(state, what.pushed_at, at), ("code", "a URL")) is not None:
            _note(state, what, arguments, at, ("calls it", "low"))
    elif type(arguments) is tuple and arguments:
        _look_through(state, what, arguments, at)
        if what.judgement.texts or what.misuse is not None:
            return
        if (odd := suspicious(among(arguments))) is not None:
            severity: Severity = "medium" if odd[0] == "code" else "low"
            _note(state, what, arguments, at, ("calls it", severity))


def examine_kept(state: MachineState, what: Import, arguments: Any, at: int) -> None:
    """As ``examine``, for what a partial keeps: it is called later, if ever.

    Programs keep functions so, ``partial(numpy.mean, axis=0)``, as they keep them by reference.
    """
    texts = among(arguments) or spelled(state, what.pushed_at, at)
    if what.judgement.calls != "never" or suspicious(texts) is not None:
        examine(state, what, arguments, at, new=False)


def _look_through(state: MachineState, what: Import, given: tuple[Any, ...], at: int) -> None:
    """What a function does with the callables among its arguments."""
    first, name = given[0], what.name
    if name == "_reconstructor" and what.module in ("copyreg", "copy_reg"):
        _called(state, first, EMPTY, at, new=True)
        base = given[1] if len(given) > 1 else None
        if type(base) is Import and base.module not in _BUILTINS:
            _called(state, base, PLAIN, at)
    elif name == "__newobj__":
        _called(state, first, given[1:], at, new=True)
    elif name == "__newobj_ex__":
        _called(state, first, PLAIN, at, new=True)
    elif name in ("_rebuild_from_type", "_rebuild_from_type_v2"):
        _called(state, first, given[2] if len(given) > 2 else PLAIN, at)
    elif name == "newObj" or name.startswith(_UNPICKLING):
        _called(state, first, EMPTY, at, new=True)
    else:
        late = type(first) is Import and first.judgement.calls in ("bare", "never")
        if name == "defaultdict" and late:
            _handed(state, first, what, at)
        kept = _KEEPING.get(name)
        for index, value in enumerate(given):
            for one in value if type(value) is tuple else (value,):
                if index != kept and type(one) is Import and one.module not in _BUILTINS:
                    _handed(state, one, what, at)


def _called(state: MachineState, one: Any, arguments: Any, at: int, *, new: bool = False) -> None:
    if type(one) is Import and one.judgement.kind == "allowed":
        examine(state, one, arguments, at, new=new)


def _handed(state: MachineState, one: Import, to: Import, at: int) -> None:
    if one.judgement.kind == "allowed" and one.judgement.calls != "any":
        _note(state, one, PLAIN, at, (f"hands it to {to.full}, which may call it", "medium"))


def _note(
    state: MachineState, what: Import, arguments: Any, at: int, told: tuple[str, Severity]
) -> None:
    """Keep the first misuse of a name; ``told``: how it is used, and how grave that is."""
    if what.misuse is not None:
        return
    how, severity = told
    texts = among(arguments) or spelled(state, what.pushed_at, at)
    sentence = f"and at byte {at} {how}"
    if (odd := suspicious(texts)) is not None:
        sentence += f"; a text among the arguments looks like {odd[0]}: {shortened(odd[1])!r}"
        if severity == "medium" and what.judgement.calls != "any":
            severity = "high"
        texts = [odd[1].encode("utf-8", "replace"), *texts]
    shown = [repr(text[:80].decode("utf-8", "replace")) for text in dict.fromkeys(texts)][:4]
    if arguments != EMPTY and not shown:
        shown = ["…"]
    what.misuse = Misuse(at, sentence, severity, f"{what.full}({', '.join(shown)})")
