"""Texts in configurations and metadata that are commands or code, not text about them.

Nothing here says that a program would run the text. A value that *is* a command has no business in
a model's metadata; a sentence that mentions one has, so prose around it makes it harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

_SHELL: Final = (
    r"\b(?:curl|wget)\b[^\n]{0,160}(?:\||&&|;)\s*(?:sudo\s+)?(?:(?:ba|z|da|k)?sh|python3?|perl)\b",
    r"\b(?:curl|wget)\b[^\n]{0,160}\bchmod\s+[+0-7ugoa]+[rwx0-7]*",
    r"(?:\$\(|`)\s*(?:curl|wget|nc|(?:ba)?sh|python3?|perl|rm|cat|id|whoami|env)\b[^\n]{0,160}[)`]",
    r"\b(?:ba|z|da)?sh\s+-i\s+(?:>|2>)&",
    r"/dev/(?:tcp|udp)/",
    r"\bnc(?:at)?\s[^\n]{0,80}-[ec]\s*/?\w",
    r"\brm\s+-\w*[rR]\w*\s+(?:--?\S+\s+)*(?:/|~/?|\$HOME/?)(?=[\s*'\"]|$)",
    r"\bpowershell(?:\.exe)?\s[^\n]{0,200}-e(?:nc|ncodedcommand)?\s",
    r"\bcmd(?:\.exe)?\s+/c\s",
    r"\bbase64\s+(?:-d|--decode)\b[^\n|]{0,200}\|\s*(?:ba)?sh\b",
    r"\bmkfifo\s[^\n]{0,200}\|",
)
_PYTHON: Final = (
    r"__import__\s*\(", r"__builtins__|__globals__|__subclasses__",
    r"\bos\.(?:system|popen|exec[lv]\w{0,3}|spawn\w{1,4}|remove|unlink)\s*\(",
    r"\bsubprocess\.(?:run|call|Popen|check_output|check_call|getoutput|getstatusoutput)\s*\(",
    r"\b(?:eval|exec)\s*\(\s*(?:compile|base64|__|open|requests|urllib|bytes|zlib|codecs|marshal)",
    r"\blambda\b[^:\n]{0,80}:\s*(?:eval|exec|os\.|subprocess\.)",
    r"\b(?:pickle|marshal|cloudpickle|dill)\.loads?\s*\(",
)  # fmt: skip
_CODE: Final = re.compile("|".join((*_SHELL, *_PYTHON)))
# Each of the patterns needs one of these; looking for them costs next to nothing.
_NEEDED: Final = (
    "curl", "wget", "/dev/", "sh -i", "nc", "rm", "powershell", "cmd", "base64", "mkfifo", "__",
    "os.", "subprocess.", "eval", "exec", "pickle", "marshal", "dill", "$(", "`",
)  # fmt: skip
# By what each group has in common, since looking for one word takes 0.5 ms per MB.
_RARE: Final = (
    (b"curl", b""), (b"wget", b""), (b"powershell", b""), (b"mkfifo", b""), (b"subprocess.", b""),
    (b"$(", b""), (b"rm -", b""), (b"/dev/", b"/dev/tcp", b"/dev/udp"),
    (b"nc", b"nc -", b"ncat ", b"nc "), (b"cmd", b"cmd /c", b"cmd.exe"),
    (b"__", b"__import__", b"__builtins__", b"__globals__", b"__subclasses__"),
    (b"os.", b"os.system", b"os.popen", b"os.exec", b"os.spawn"),
    (b"eval", b"eval(", b": eval"), (b"exec", b"exec(", b": exec"),
    (b".load", b"pickle.load", b"marshal.load"),
)  # fmt: skip
_PROSE: Final = re.compile(r"(?:\b[A-Za-z][a-z']*[ ,]+){3}")
_MARKUP: Final = re.compile(r"\{\{.{0,4000}?\}\}|\{%.{0,4000}?%\}", re.S)
_OPERATORS: Final = re.compile(r"[;&|$`(=<>{]")
_PIECE: Final = 4_000  # characters that are looked at in one go, as patterns have a bounded span
_OVERLAP: Final = 600  # of two pieces: more than the longest match
# What people write, and what models were trained on or are asked.
_TEXT_KEYS: Final = """
    text content description readme license licence comment comments note notes summary title
    body message messages instruction instructions input output question answer prompt prompts
    response completion chosen rejected query example examples conversations value system user
    assistant docstring doc documentation card help usage changelog citation train_command
    command_line
"""
_TEXTS: Final = frozenset(_TEXT_KEYS.split())


def possible(raw: bytes) -> bool:
    """Whether the bytes hold a word that such a text needs."""
    return any(first in raw and any(word in raw for word in words) for first, *words in _RARE)


def code_in(text: str, *, prose: bool = False) -> str | None:
    """The part of ``text`` that makes it a command or code, None where it is none.

    ``prose``: a text that people write; it counts only where the command begins it.
    """
    if not any(word in text for word in _NEEDED):
        return None
    if len(text) > _PIECE:
        starts = range(0, 1 if prose else len(text), _PIECE - _OVERLAP)
        pieces = (text[start : start + _PIECE] for start in starts)
        return next(filter(None, (code_in(piece, prose=prose) for piece in pieces)), None)
    if "{" in text:  # what stands in the markup of a template is judged as a template
        text = _MARKUP.sub(" ", text)
    found = _CODE.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    if prose and before.strip(" \t\n;&|\"'({"):
        return None
    if "```" in text or (_PROSE.search(before) and not _OPERATORS.search(before)):
        return None
    return found[0][:60]


def in_values(value: Any) -> Iterator[tuple[str, str]]:
    """Key and found part of each value in a configuration that is code.

    Rows of a data set (objects in a list, all with the same keys, of them one for texts) are
    passed over, and so are values under keys that hold texts.
    """
    todo: list[tuple[str, Any]] = [("", value)]
    while todo:
        key, one = todo.pop()
        if isinstance(one, dict):
            todo += [(str(name), inner) for name, inner in one.items()]
        elif isinstance(one, list):
            rows = [row for row in one[:3] if isinstance(row, dict)]
            if not any(_TEXTS & {str(name).lower() for name in row} for row in rows):
                joined = " ".join(part for part in one[:64] if isinstance(part, str))
                todo += [(key, inner) for inner in one]
                if one and isinstance(one[0], str) and len(one) < 16:  # an argument vector
                    todo.append((key, joined))
        elif isinstance(one, str) and key.lower() not in _TEXTS and (found := code_in(one)):
            yield key, found
