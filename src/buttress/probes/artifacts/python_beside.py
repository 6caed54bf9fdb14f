"""Python source that lies beside a model: what in it reaches the system, by its syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from buttress.files.python_modules import decoded, readable, syntax_tree
from buttress.probes.artifacts.pickles.judge import NameLists

MAX_BYTES: Final = 2 << 20
_BUILTINS: Final = {"eval", "exec", "compile", "__import__"}
_HARMLESS: Final = (
    "os.path", "os.environ", "os.getenv", "os.makedirs", "os.listdir", "os.getcwd", "os.cpu_count",
    "torch.compile", "torch.load", "shutil.copyfile", "shutil.copy", "importlib.metadata",
    "importlib.util.find_spec", "sys.version", "sys.version_info", "sys.maxsize", "sys.platform",
    "threading", "weakref", "json.load", "glob", "tempfile", "asyncio", "concurrent.futures",
    "multiprocessing.cpu_count", "logging", "typing", "string", "sys.modules", "sys.stdout",
    "gc.collect", "numpy.load", "zipfile", "gzip", "lzma", "numpy.save", "torch.save",
    "collections.namedtuple", "dataclasses.make_dataclass", "torch.utils.data.DataLoader",
    "functools.partial", "functools.wraps", "functools.lru_cache", "functools.reduce",
    "functools.cached_property", "functools.cache", "itertools", "types.MethodType",
    "operator.attrgetter", "operator.itemgetter", "os.sep", "os.fspath",
)  # fmt: skip
_TOLD: Final = 6


def reaches(path: Path, names: NameLists) -> list[str] | None:
    """Names that the file calls and that run programs or code, or reach the network.

    None where it can't be read or is no Python.
    """
    try:
        with path.open("rb") as file:
            return calls(file.read(MAX_BYTES), names)
    except OSError:
        return None


def calls(source: bytes, names: NameLists) -> list[str] | None:
    """As ``reaches``, for the source itself."""
    try:
        tree = syntax_tree(decoded(readable(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    known: dict[str, str] = {}
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name if one.asname else one.name.partition(".")[0]
                known[one.asname or first] = first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    found: dict[str, None] = {}
    for node in nodes:
        if isinstance(node, ast.Call):
            name = _dotted(node.func, known)
            if name and _grave(name, names):
                found[name] = None
    return list(found)[:_TOLD]


def _dotted(node: ast.expr, known: dict[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < 8:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    if not parts and node.id in _BUILTINS:
        return f"builtins.{node.id}"
    if node.id not in known:
        return None
    return ".".join((known[node.id], *reversed(parts)))


def _grave(name: str, names: NameLists) -> bool:
    if name.startswith(_HARMLESS):
        return False
    module, _, last = name.rpartition(".")
    return names.judge(module, last).kind in ("dangerous", "code")
