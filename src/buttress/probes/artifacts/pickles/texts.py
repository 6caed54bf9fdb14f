"""Texts among the arguments of a call, and those of them that have no business there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from buttress.probes.artifacts.pickles.state import MachineState

_SPAN: Final = 1 << 16  # bytes of a stream between a name and its call that are looked at
_MAX_TEXTS: Final = 200
# By what they are, the gravest first; compiled only where a call is odd, as that takes a while.
_EXPRESSIONS: Final = {
    "code": r"(?:^|[;:\n]\s*)(?:import\s+[\w.]+|from\s+[\w.]+\s+import\b)|__\w+__|"
    r"\b(?:eval|exec|compile|getattr|open)\(|\blambda\b[^:\n]*:|"
    r"\bos\.\w+|\bsubprocess\b|\bsys\.\w+\(|\bbase64\b|powershell|cmd\.exe|\bsh -c|(?:curl|wget)\s",
    "a URL": r"(?i:https?|ftps?|file|s3|gs|hf|ssh|git(?:\+\w+)?|wss?|data|smb|abfss?|az)://",
    "a path": r"\A(?:/|~/|\.{1,2}/|[A-Za-z]:[\\/]|\\\\)[^\s/\\][^\n]*\Z",
    "a repository": r"\A[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}\Z",
}
LOOKS: Final = tuple(_EXPRESSIONS)
# Keys of the state that pydantic and Python write for an object: code only by their underscores.
_STATE_KEYS: Final = frozenset(
    f"__{name}__"
    for name in (
        "dict", "fields_set", "private_attribute_values", "pydantic_extra", "pydantic_fields_set",
        "pydantic_private",
    )
)  # fmt: skip


def among(value: Any, depth: int = 0) -> list[bytes]:
    """The texts of arguments, those in tuples within included."""
    if type(value) is bytes:
        return [value]
    if type(value) is tuple and depth < 4:
        return [text for inner in value for text in among(inner, depth + 1)]
    return []


def spelled(state: MachineState, begin: int, end: int) -> list[bytes]:
    """The texts that the stream has from ``begin`` to ``end``, wherever they are kept.

    Dictionaries and lists are plain data to the machine; this looks into those of one call. None
    where the call lies further than 64 KB from its name.
    """
    import pickletools  # only for the few streams that call something odd

    if not 0 < end - begin <= _SPAN:
        return []
    found: list[bytes] = []
    try:
        for opcode, argument, _ in pickletools.genops(state.source.read_at(begin, end - begin)):
            if opcode.name in ("GLOBAL", "INST"):
                continue
            if isinstance(argument, str):
                found.append(argument.encode("utf-8", "surrogatepass"))
            elif opcode.name in ("BINGET", "LONG_BINGET", "GET") and isinstance(argument, int):
                found += among(state.memo.get(argument))
            if len(found) >= _MAX_TEXTS:
                break
    except ValueError:  # it goes on with what is no opcode: the end of the part that was read
        pass
    return found


def suspicious(texts: Iterable[bytes], looks_like: Sequence[str] = LOOKS) -> tuple[str, str] | None:
    """What the gravest of the texts looks like, of ``looks_like``, and the text.

    A repository is spelled ``owner/name``; of texts that are no more than that, nobody can tell.
    """
    from buttress.probes.artifacts.code_text import code_in  # compiles much

    ranked: list[tuple[int, str, str]] = []
    expressions = {look: re.compile(_EXPRESSIONS[look]) for look in looks_like}
    for raw in texts:
        text = raw.decode("utf-8", "replace").strip()
        if text in _STATE_KEYS:
            continue
        for rank, (look, expression) in enumerate(expressions.items()):
            if expression.search(text) or (look == "code" and code_in(text)):
                ranked.append((rank, look, text))
    if not ranked:
        return None
    _, what, text = min(ranked)
    return what, text
