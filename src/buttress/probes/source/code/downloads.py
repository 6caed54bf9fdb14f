"""Files that are written with what was downloaded, and calls that are given their names."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from buttress.probes.source.code.values import Taint, Value, taints_of

if TYPE_CHECKING:
    from buttress.probes.source.code.calls import Given

_LABELS: Final = ("download", "reply")
_NAMED: Final = {  # functions that save what they fetch, and which argument names the file
    "urllib.request.urlretrieve": (1, "filename"),
    "wget.download": (1, "out"),
    "torch.hub.download_url_to_file": (1, "dst"),
    "gdown.download": (1, "output"),
}
_WRITES: Final = ("write", "write_bytes", "write_text", "writelines")
_LEAST: Final = 3  # characters of a name; shorter ones are parts of many others
_MAX_FILES: Final = 100


def note(
    downloads: dict[str, Taint], path: str, node: ast.Call, given: Given, result: Value
) -> None:
    """Keep the name of a file that a call writes with something downloaded."""
    if path in _NAMED:
        position, name = _NAMED[path]
        target = given.named.get(name)
        if target is None and position < len(given.positions):
            target = given.positions[position]
        _keep(downloads, target, result)
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _WRITES:
        _keep(downloads, _file(given.receiver), *given.positions)
    elif path == "shutil.copyfileobj" and len(given.positions) > 1:
        _keep(downloads, _file(given.positions[1]), given.positions[0])
    elif path in ("os.chmod", "os.rename", "shutil.move", "shutil.copy", "os.replace"):
        names = [one.const for one in given.positions[:2]]
        if len(names) > 1 and names[0] in downloads and isinstance(names[1], str):
            downloads[names[1]] = downloads[names[0]]


def mark(downloads: dict[str, Taint], path: str, given: Given) -> None:
    """Let the names of such files that a call is given carry the taint of what is in them."""
    if not downloads or not path:
        return
    given.positions[:] = [_marked(downloads, one) for one in given.positions]
    for name, value in given.named.items():
        given.named[name] = _marked(downloads, value)


def _keep(downloads: dict[str, Taint], target: Value | None, *written: Value) -> None:
    taint = next((one for one in taints_of(*written) if one.label in _LABELS), None)
    if taint is None or target is None or len(downloads) >= _MAX_FILES:
        return
    if isinstance(target.const, str) and len(target.const) >= _LEAST:
        downloads[target.const] = taint


def _file(handle: Value) -> Value:
    """The name with which a file was opened, or a path made."""
    return handle.elements[0] if handle.elements else handle


def _marked(downloads: dict[str, Taint], value: Value) -> Value:
    if value.elements is not None:
        elements = tuple(_marked(downloads, one) for one in value.elements)
        if any(new is not old for new, old in zip(elements, value.elements, strict=True)):
            return replace(value, elements=elements, taints=taints_of(value, *elements))
        return value
    text = value.known_text
    if text is None:
        return value
    for name, taint in downloads.items():
        if name in text and all(one.label != taint.label for one in value.taints):
            return replace(value, taints=(*value.taints, taint))
    return value
