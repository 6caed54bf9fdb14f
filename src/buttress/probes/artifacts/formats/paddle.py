"""PaddlePaddle's program (.pdmodel, framework.proto): operators that reach files or Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from buttress.evidence.findings import Severity
from buttress.files.protobuf_wire import LEN, VARINT
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

if TYPE_CHECKING:
    from buttress.probes.artifacts.formats.protobuf_model import Shape

FIELDS: Final = frozenset((one, LEN) for one in (1, 4, 5))  # of ProgramDesc
OPERATORS: Final[dict[str, tuple[Severity, str]]] = {
    "py_func": ("high", "calls back into Python"),
    "py_layer": ("high", "calls back into Python"),
    "pylayer": ("high", "calls back into Python"),
    "create_py_reader": ("high", "calls back into Python"),
    "read_file": ("high", "reads a file"),
    "load": ("high", "reads a file"),
    "load_combine": ("high", "reads a file"),
    "save": ("high", "writes a file"),
    "save_combine": ("high", "writes a file"),
    "listen_and_serv": ("high", "reaches the network"),
    "send": ("medium", "reaches the network"),
    "recv": ("medium", "reaches the network"),
    "read": ("medium", "reads from a reader of the program"),
    "run_program": ("medium", "runs another program"),
    "custom_operator": ("medium", "needs a native library"),
}


def fits(shape: Shape) -> bool:
    """Blocks that have a number and a parent, and operators with a type."""
    for block in shape.parts(1)[:2]:
        inner = shape.inner(block)
        numbers = {one.number for one in inner if one.wire == VARINT}
        parts = [one for one in inner if one.wire == LEN]
        if {1, 2} <= numbers and any(one.number in (3, 4) for one in parts):
            return True
    return False


def inspect(shape: Shape, scope: Scope) -> Iterator[ArtifactIssue]:
    """Every operator of every block, once each."""
    wire, told = shape.wire, set()
    for block in wire.fields(0, shape.end):
        if block.wire != LEN or block.number != 1:
            continue
        for operator in wire.fields(block.start, block.end):
            if operator.wire != LEN or operator.number != 4:
                continue
            for one in wire.fields(operator.start, operator.end):
                if one.wire != LEN or one.number != 3:
                    continue
                kind = wire.text(one)
                if kind in OPERATORS and kind not in told:
                    told.add(kind)
                    severity, what = OPERATORS[kind]
                    message = f"The operator {kind} of the program {what}."
                    yield scope.issue("paddle-operator", one.start, message, severity=severity)
