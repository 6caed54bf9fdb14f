"""The opcodes one by one: what each does to stack and memo, given where it stands.

Each function takes the state and the offset of its opcode, and gives the offset of the next one.
"""

from __future__ import annotations

from typing import Any, Final

from buttress.probes.artifacts.pickles import opcodes as op
from buttress.probes.artifacts.pickles.calls import as_tuple, build, call
from buttress.probes.artifacts.pickles.literals import (
    INTEGER,
    Operation,
    push_bytes,
    push_long,
    push_number_line,
    push_plain,
    push_python2_string,
    push_string_line,
    push_text,
    push_unicode_line,
)
from buttress.probes.artifacts.pickles.state import BrokenError, MachineState
from buttress.probes.artifacts.pickles.values import EMPTY, PLAIN, Computed, Import

_DICT_KEPT: Final = 64
_NAME_CUT: Final = 512


class StopError(Exception):
    """The stream's STOP: ``end`` is the offset after it."""

    def __init__(self, end: int) -> None:
        super().__init__(end)
        self.end = end


def _unknown(state: MachineState, at: int) -> int:
    raise BrokenError(f"byte {state.take(at, 1)[0]:#04x} is no opcode")


def _stop(state: MachineState, at: int) -> int:
    state.pop(at)
    raise StopError(at + 1)


def _protocol(state: MachineState, at: int) -> int:
    state.protocol = state.number(at + 1, 1)
    if state.protocol > op.HIGHEST_PROTOCOL:
        raise BrokenError(f"protocol {state.protocol} does not exist")
    return at + 2


def _frame(state: MachineState, at: int) -> int:
    state.take(at + 1, 8)  # its length binds nobody: unpicklers read on over its end
    return at + 9


def _persistent_line(state: MachineState, at: int) -> int:
    end = state.line(at + 1)[1]
    state.push(PLAIN)
    return end


def _persistent(state: MachineState, at: int) -> int:
    """PyTorch's old format wraps a module's class so: ("module", class, file, source)."""
    wrapped = state.pop(at)
    is_class = type(wrapped) is tuple and len(wrapped) == 4 and wrapped[0] == b"module"
    state.push(wrapped[1] if is_class else PLAIN)
    return at + 1


def _buffer(state: MachineState, at: int) -> int:
    state.push(PLAIN)
    return at + 1


# --- stack


def _mark(state: MachineState, at: int) -> int:
    state.marks.append(len(state.stack))
    return at + 1


def _pop(state: MachineState, at: int) -> int:
    if state.marks and state.marks[-1] == len(state.stack):
        state.marks.pop()
    else:
        state.pop(at)
    return at + 1


def _pop_mark(state: MachineState, at: int) -> int:
    state.pop_mark(at)
    return at + 1


def _duplicate(state: MachineState, at: int) -> int:
    state.push(state.top(at))
    return at + 1


def _tuple(count: int) -> Operation:
    def operation(state: MachineState, at: int) -> int:
        items = [state.pop(at) for _ in range(count)]
        state.push(as_tuple(items[::-1], exact=state.exact > 0))
        return at + 1

    return operation


def _tuple_of_all(state: MachineState, at: int) -> int:
    state.push(as_tuple(state.pop_mark(at), exact=state.exact > 0))
    return at + 1


def _collection(state: MachineState, at: int) -> int:
    state.pop_mark(at)
    state.push(PLAIN)
    return at + 1


def _dictionary(state: MachineState, at: int) -> int:
    items = state.pop_mark(at)
    state.push({} if state.exact else PLAIN)
    _set(state, items, at)
    return at + 1


def _append(state: MachineState, at: int) -> int:
    state.pop(at)
    _changed(state, at)
    return at + 1


def _append_all(state: MachineState, at: int) -> int:
    state.pop_mark(at)
    _changed(state, at)
    return at + 1


def _set_item(state: MachineState, at: int) -> int:
    value, key = state.pop(at), state.pop(at)
    _set(state, [key, value], at)
    return at + 1


def _set_items(state: MachineState, at: int) -> int:
    _set(state, state.pop_mark(at), at)
    return at + 1


def _set(state: MachineState, items: list[Any], at: int) -> None:
    _changed(state, at)
    target = state.stack[-1]
    if type(target) is dict:
        for key, value in zip(items[::2], items[1::2], strict=False):
            if type(key) is bytes and len(target) < _DICT_KEPT and type(value) is not dict:
                target[key] = value


def _changed(state: MachineState, at: int) -> None:
    """The top value takes in others; that must not be something that was imported."""
    target = state.top(at)
    if type(target) is Import:
        sentence = f"it changes {target.full} itself, which it imports, instead of an object"
        state.notes.remark("pickle-patches-import", at, sentence)


# --- memo


def _put_line(state: MachineState, at: int) -> int:
    line, end = state.line(at + 1)
    state.store(_index(line), state.top(at), at)
    return end


def _put(width: int) -> Operation:
    def operation(state: MachineState, at: int) -> int:
        state.store(state.number(at + 1, width), state.top(at), at)
        return at + 1 + width

    return operation


def _memoise(state: MachineState, at: int) -> int:
    state.store(state.dense + len(state.sparse), state.top(at), at)
    return at + 1


def _get_line(state: MachineState, at: int) -> int:
    line, end = state.line(at + 1)
    state.push(state.recall(_index(line)))
    return end


def _get(width: int) -> Operation:
    def operation(state: MachineState, at: int) -> int:
        state.push(state.recall(state.number(at + 1, width)))
        return at + 1 + width

    return operation


def _index(line: bytes) -> int:
    if len(line) > 20 or not INTEGER.match(line):
        raise BrokenError("a memo index is not a number")
    return int(line)


# --- imports and calls


def _lines(state: MachineState, at: int) -> tuple[Import, int]:
    module, end = state.line(at + 1)
    name, end = state.line(end)
    return state.imported(_decoded(module), _decoded(name), at), end


def _decoded(name: bytes) -> str:
    return name[:_NAME_CUT].decode("utf-8", "backslashreplace")


def _global(state: MachineState, at: int) -> int:
    found, end = _lines(state, at)
    state.push(found)
    return end


def _stack_global(state: MachineState, at: int) -> int:
    name, module = state.pop(at), state.pop(at)
    if type(name) is bytes and type(module) is bytes:
        state.push(state.imported(_decoded(module), _decoded(name), at))
    else:
        sentence = "it imports by a name that is no constant, so that nobody can tell what"
        state.notes.remark("pickle-computed-name", at, sentence)
        state.push(Computed("an import by a computed name"))
    return at + 1


def _extension(width: int) -> Operation:
    def operation(state: MachineState, at: int) -> int:
        number = state.number(at + 1, width)
        sentence = f"it imports by the number {number} of an extension registry outside the file"
        state.notes.remark("pickle-extension-code", at, sentence)
        state.push(Computed(f"extension {number}"))
        return at + 1 + width

    return operation


def _reduce(state: MachineState, at: int) -> int:
    arguments, what = state.pop(at), state.pop(at)
    state.push(call(state, what, arguments, at))
    return at + 1


def _new_object(state: MachineState, at: int) -> int:
    arguments, what = state.pop(at), state.pop(at)
    state.push(call(state, what, arguments, at, new=True))
    return at + 1


def _new_object_with_names(state: MachineState, at: int) -> int:
    names, arguments, what = state.pop(at), state.pop(at), state.pop(at)
    given = arguments if names == {} else PLAIN
    state.push(call(state, what, given, at, new=True))
    return at + 1


def _instance(state: MachineState, at: int) -> int:
    found, end = _lines(state, at)
    found.pushes += 1
    arguments = as_tuple(state.pop_mark(at))
    state.push(call(state, found, arguments, at, new=arguments == EMPTY))
    return end


def _object(state: MachineState, at: int) -> int:
    items = state.pop_mark(at)
    if not items:
        state.underflow(at)
        state.push(PLAIN)
        return at + 1
    state.push(call(state, items[0], as_tuple(items[1:]), at, new=len(items) == 1))
    return at + 1


def _table() -> list[Operation]:
    table: list[Operation] = [_unknown] * 256
    for code, length in enumerate(op.PLAIN_LENGTH):
        if length:
            table[code] = push_plain
    table[op.STOP], table[op.PROTO], table[op.FRAME] = _stop, _protocol, _frame
    table[op.INT] = table[op.LONG] = table[op.FLOAT] = push_number_line
    table[op.LONG1], table[op.LONG4] = push_long(1), push_long(4)
    table[op.SHORT_BINUNICODE], table[op.BINUNICODE], table[op.BINUNICODE8] = map(
        push_text, (1, 4, 8)
    )
    table[op.SHORT_BINBYTES], table[op.BINBYTES], table[op.BINBYTES8] = map(push_bytes, (1, 4, 8))
    table[op.BYTEARRAY8] = push_bytes(8)
    table[op.SHORT_BINSTRING], table[op.BINSTRING] = push_python2_string(1), push_python2_string(4)
    table[op.STRING], table[op.UNICODE] = push_string_line, push_unicode_line
    table[op.PERSID], table[op.BINPERSID] = _persistent_line, _persistent
    table[op.NEXT_BUFFER] = _buffer
    table[op.READONLY_BUFFER] = lambda state, at: (state.top(at), at + 1)[1]
    table[op.MARK], table[op.POP], table[op.POP_MARK], table[op.DUP] = (
        _mark, _pop, _pop_mark, _duplicate,
    )  # fmt: skip
    table[op.TUPLE1], table[op.TUPLE2], table[op.TUPLE3] = map(_tuple, (1, 2, 3))
    table[op.TUPLE] = _tuple_of_all
    table[op.LIST] = table[op.FROZENSET] = _collection
    table[op.DICT] = _dictionary
    table[op.APPEND], table[op.SETITEM], table[op.SETITEMS] = _append, _set_item, _set_items
    table[op.APPENDS] = table[op.ADDITEMS] = _append_all
    table[op.PUT], table[op.BINPUT], table[op.LONG_BINPUT] = _put_line, _put(1), _put(4)
    table[op.GET], table[op.BINGET], table[op.LONG_BINGET] = _get_line, _get(1), _get(4)
    table[op.MEMOIZE] = _memoise
    table[op.GLOBAL], table[op.STACK_GLOBAL] = _global, _stack_global
    table[op.EXT1], table[op.EXT2], table[op.EXT4] = map(_extension, (1, 2, 4))
    table[op.REDUCE], table[op.NEWOBJ] = _reduce, _new_object
    table[op.NEWOBJ_EX], table[op.INST], table[op.OBJ] = _new_object_with_names, _instance, _object
    table[op.BUILD] = build
    return table


OPERATIONS: Final = _table()
