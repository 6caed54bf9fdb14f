"""What the call opcodes do: which callable, with which arguments, and what that means."""

from __future__ import annotations

import re
from typing import Any, Final

from buttress.probes.artifacts.pickles.arrays import joblib_array, numpy_array, wrapped_array
from buttress.probes.artifacts.pickles.state import MachineState
from buttress.probes.artifacts.pickles.texts import among, spelled, suspicious
from buttress.probes.artifacts.pickles.usage import examine, examine_kept
from buttress.probes.artifacts.pickles.values import (
    PLAIN,
    ArrayWrapper,
    Blob,
    Computed,
    Dtype,
    Import,
    LongText,
    ValueSequence,
)

_SIMPLE_DTYPE: Final = re.compile(rb"[|<>=]?([biufcOSUVMm])([0-9]{1,9})\Z")
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_RECONSTRUCTORS: Final = {"_reconstructor", "__newobj__", "__newobj_ex__"}
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_TUPLE_KEPT: Final = 64
_NAME_LIMIT: Final = 300
_WRAPPER: Final = "NumpyArrayWrapper"


def call(state: MachineState, what: Any, arguments: Any, at: int, *, new: bool = False) -> Any:
    """Call ``what``; the value that stands for the result. ``new``: no constructor runs."""
    if type(what) is Import:
        return _call_import(state, what, arguments, at, new)
    if type(what) is Computed:
        if what.by is None and what.partial:
            sentence = f"it calls what {what.made_by} made"
            state.notes.remark("pickle-computed-call", at, sentence)
        return what
    sentence = "it calls a value that was itself computed"
    state.notes.remark("pickle-computed-call", at, sentence)
    return PLAIN


def _call_import(state: MachineState, what: Import, arguments: Any, at: int, new: bool) -> Any:
    given = arguments if type(arguments) is tuple else None
    if what.called_at is None:
        what.called_at, what.arguments = at, given
        if what.judgement.kind == "unknown":
            what.texts = tuple(among(given) or spelled(state, what.pushed_at, at))
    kind = what.judgement.kind
    if kind == "conditional":
        result = _harmless(state, what, arguments, at)
        if result is not None:
            what.harmless += 1
            return result
        what.called_at, what.arguments = at, given
        return Computed(what.full)
    if kind != "allowed":
        return Computed(what.full, what)
    examine(state, what, arguments, at, new=new)
    return _made(state, what, given, at)


def _made(state: MachineState, what: Import, given: tuple[Any, ...] | None, at: int) -> Any:
    """The value that stands for what an allowed callable gives."""
    first = given[0] if given else None
    if what.name in _RECONSTRUCTORS and type(first) is Import:
        if first.judgement.kind != "allowed":
            return call(state, first, None, at)
        return _made(state, first, None, at)
    if what.name == _WRAPPER:
        what.shortcut = joblib_array
        state.count_exactly(+1)
        return ArrayWrapper()
    if what.name == "dtype" and type(first) is bytes:
        return _dtype(state, first)
    if what.full == "_codecs.encode":
        if type(first) is LongText:
            state.notes.look_into(first.blob)
            return first.blob
    elif what.name != "dtype" and what.name not in _RECONSTRUCTORS:
        what.gives_plain = what.judgement.calls != "never"
        what.any_arguments = what.judgement.calls == "any"
        if what.name == "_reconstruct":
            what.shortcut = numpy_array
    return PLAIN


def _harmless(state: MachineState, what: Import, arguments: Any, at: int) -> Any:
    """The result of a conditional callable where the arguments show it harmless, else None."""
    given = arguments if type(arguments) is tuple else None
    if what.name == "type" and arguments is PLAIN:
        return PLAIN  # type(None) and the like: nothing that was imported is in it
    if what.name == "itemgetter" and not any(type(one) is not bytes for one in given or ()):
        return Computed(what.full, partial=True)  # constants; that it is called would be told
    if not given:
        return None
    first = given[0]
    if what.name == "getattr":
        named = len(given) == 2 and type(first) is Import and type(given[1]) is bytes
        if named and len(first.name) < _NAME_LIMIT:
            name = given[1].decode("utf-8", "replace")
            if first.judgement.kind == "allowed" and (_CONSTANT.match(name) or name == "__new__"):
                return PLAIN if name != "__new__" else first
            return state.imported(first.module, f"{first.name}.{name}", at)
    elif what.name == "_ufunc_reconstruct":
        if len(given) == 2 and type(first) is bytes and type(given[1]) is bytes:
            module, name = (part.decode("utf-8", "replace") for part in given)
            if len(module) < _NAME_LIMIT and _MODULE.match(module):
                return state.imported(module, name, at)
    elif what.name == "partial":
        if type(first) is Import and first.judgement.kind == "allowed":
            examine_kept(state, first, given[1:], at)
            # Not ``first``: BUILD gives the partial its state, not that.
            return Computed(what.full, partial=True)
    elif what.name == "_create_array":  # dill's: call the first with the second, then set a state
        if type(first) is Import and first.name == "_reconstruct":
            return PLAIN if first.judgement.kind == "allowed" else None
    elif what.name == "_load_from_bytes" and type(first) is Blob:
        state.notes.look_into(first)
        return PLAIN
    return None


def _dtype(state: MachineState, spelled: bytes) -> Any:
    """``numpy.dtype`` of a kind and a size, as NumPy pickles its dtypes: "f8", "U3", "V16"."""
    found = _SIMPLE_DTYPE.match(spelled)
    if found is None:
        return PLAIN
    kind, size = found[1], int(found[2])
    state.count_exactly(+1)
    return Dtype(size * 4 if kind == b"U" else size, kind == b"O")


def build(state: MachineState, at: int) -> int:
    """BUILD: give an object its state; the offset of the next opcode."""
    given = state.pop(at)
    target = state.top(at)
    if type(target) is Import:
        sentence = f"it changes {target.full} itself, which it imports, instead of an object"
        state.notes.remark("pickle-patches-import", at, sentence)
    elif type(target) is Computed and target.by is not None and not target.by.code:
        # A class that nobody here knows may evaluate its state, as SciPy's distributions do.
        if odd := suspicious(spelled(state, target.by.pushed_at, at), ("code",)):
            target.by.code = odd[1]
    elif type(target) is Computed and target.partial:
        # Its state is what it calls, with which arguments.
        if type(given) is tuple and given and type(given[0]) is Import:
            inner = given[0]
            if inner.judgement.kind == "allowed" and inner.judgement.calls != "any":
                examine_kept(state, inner, given[1] if len(given) > 1 else PLAIN, at)
    elif type(target) is Dtype:
        state.count_exactly(-1)
        if type(given) is tuple and len(given) >= 8 and type(given[7]) is int:
            # Bit 0 of a dtype's flags: its items hold references. Item 5 is the size, where set.
            target.objects = target.objects or bool(given[7] & 1)
            if type(given[5]) is int and given[5] > 0:
                target.itemsize = given[5]
    elif type(target) is ArrayWrapper:
        state.count_exactly(-1)
        state.stack[-1] = PLAIN
        return wrapped_array(state, given, at + 1, at)
    return at + 1


def as_tuple(items: list[Any], *, exact: bool = False) -> Any:
    """A tuple of the items, ``PLAIN`` where all of them are, unless ``exact``.

    Kept small: its first items only, dicts and tuples of tuples as plain. Otherwise a stream could
    build structures in here that are far larger than itself. A dtype in a tuple is plain: it
    matters as an attribute of joblib's wrapper only.
    """
    if not exact and all(item is PLAIN or type(item) in (ValueSequence, Dtype) for item in items):
        return PLAIN if items else ()
    values: list[Any] = []
    for item in items[:_TUPLE_KEPT]:
        if type(item) is ValueSequence:
            values += [PLAIN] * min(item.count, _TUPLE_KEPT)
        elif type(item) in (dict, Dtype) or (
            type(item) is tuple and any(type(one) is tuple for one in item)
        ):
            values.append(PLAIN)
        else:
            values.append(item)
    return tuple(values)


def describe(arguments: tuple[Any, ...] | None) -> str:
    """Arguments for a report, cut to a readable length."""
    if arguments is None:
        return "…"
    return ", ".join(_describe(one, 0) for one in arguments[:4]) + (
        ", …" if len(arguments) > 4 else ""
    )


def _describe(value: Any, depth: int) -> str:
    if type(value) is bytes:
        return repr(value[:80].decode("utf-8", "replace"))
    if type(value) is Import:
        return value.full
    if type(value) is tuple:
        return (
            "(…)" if depth > 1 else f"({', '.join(_describe(one, depth + 1) for one in value[:4])})"
        )
    return repr(value)[:80]
