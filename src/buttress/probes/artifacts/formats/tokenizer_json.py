"""tokenizer.json (tokenizers): tokens that look like others, text that is rewritten."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from buttress.files.bounded_json import JsonError
from buttress.files.byte_source import MAX_READ, ByteSource
from buttress.files.visible import shortened
from buttress.probes.artifacts.encodings.json_members import MAX_BYTES, members
from buttress.probes.artifacts.formats import config_keys
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope
from buttress.rules.skeleton import skeleton

_ADDED: Final = re.compile(rb'"added_tokens"\s*:\s*\[')
_MODEL: Final = re.compile(rb'"(?:vocab|pre_tokenizer|post_processor|truncation|normalizer)"\s*:')
_MAX_ADDED: Final = 50_000
_TOLD: Final = 5
# Zero-width, direction, tag and other characters that nobody sees (Unicode general category Cf).
_EXPECTED: Final = {"\u200c", "\u200d", "\ufeff", "\u00ad", "\u200b", "\u200e", "\u200f", "\u2060"}
_LONG: Final = 256
_CONTROL: Final = re.compile(r"<[|/]?[A-Za-z0-9_:.-]{2,60}\|?>|\[/?[A-Za-z_]{2,40}\]")


def is_one(text: bytes) -> bool:
    """Whether the beginning of the file is a tokenizer's."""
    return bool(_ADDED.search(text[: 1 << 20]) and _MODEL.search(text))


def inspect(source: ByteSource, scope: Scope) -> Iterator[ArtifactIssue]:
    """Look at everything but the vocabulary."""
    pieces, at = [], 0
    while at <= MAX_BYTES and (piece := source.read_at(at, MAX_READ)):
        pieces.append(piece)
        at += len(piece)
    if at > MAX_BYTES:
        message = f"The tokenizer has more than {MAX_BYTES >> 20} MB, and was not read."
        yield scope.issue("tokenizer-tricks", 0, message)
        return
    text = b"".join(pieces).decode("utf-8", "replace")
    pieces.clear()
    try:
        for name, value in members(text, frozenset(("model",))):
            if name == "added_tokens":
                yield from _added(value, scope)
            elif name in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
                yield from _rewriting(name, value, scope)
                yield from _kinds(name, value, scope)
            elif value is not None:
                yield from config_keys.issues({name: value}, b"", scope)
    except JsonError as error:
        yield scope.issue("config-malformed", 0, f"The tokenizer can't be used: {error}.")


def _added(value: Any, scope: Scope) -> Iterator[ArtifactIssue]:
    tokens = value if isinstance(value, list) else []
    if len(tokens) > _MAX_ADDED:
        message = f"The tokenizer has {len(tokens)} added tokens; not all were read."
        yield scope.issue("tokenizer-tricks", 0, message)
    seen: dict[str, str] = {}
    ids: dict[int, str] = {}
    told = 0
    for one in tokens[:_MAX_ADDED]:
        content = one.get("content") if isinstance(one, dict) else None
        if not isinstance(content, str):
            continue
        problem = _problem(content, one, seen, ids)
        if problem and told == _TOLD:
            scope.more_than(_TOLD)
            return
        if problem:
            told += 1
            shown = content[:80].encode("unicode_escape").decode()
            yield scope.issue("tokenizer-tricks", 0, f"The added token {shown!r} {problem}.")


def _problem(
    content: str, token: dict[str, Any], seen: dict[str, str], ids: dict[int, str]
) -> str | None:
    number = token.get("id")
    if isinstance(number, int):
        other = ids.setdefault(number, content)
        if other != content:
            return f"has the id {number} of {shortened(other)!r}"
    hidden = [one for one in content if _unseen(one)] or _between_letters(content)
    plain = "".join(one for one in content if unicodedata.category(one) != "Cf")
    key = unicodedata.normalize("NFKC", plain).strip()
    if _CONTROL.fullmatch(skeleton(key)):  # <|im_start|> with a letter of another script
        key = skeleton(key)
    other = seen.setdefault(key, content) if key else content
    if hidden:
        return f"holds {len(hidden)} characters that nobody sees, such as U+{ord(hidden[0]):04X}"
    if other != content and token.get("special"):
        return f"looks like {other!r}"
    if len(content) > _LONG and not content.isspace() and len(set(content)) > 4:
        return f"has {len(content)} characters"
    return None


def _between_letters(content: str) -> list[str]:
    """Characters of no width within a token of plain letters, where no script needs them."""
    within = re.findall(r"(?<=[!-~])([^\x00-\x7f])(?=[!-~])", content)
    rest = re.sub(r"[^\x00-\x7f]", "", content)
    unseen = [one for one in within if unicodedata.category(one) == "Cf"]
    return unseen if len(rest) + len(within) == len(content) else []


def _unseen(one: str) -> bool:
    """Tags (U+E0000 on), direction overrides and fillers; single joiners occur in real scripts."""
    if one in _EXPECTED:
        return False
    return unicodedata.category(one) == "Cf" or one in "\u115f\u1160\u3164\uffa0"


def _rewriting(name: str, value: Any, scope: Scope) -> Iterator[ArtifactIssue]:
    """Replacements that turn one word into another: what is read is not what was written."""
    todo, told = [value], 0
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
            if one.get("type") != "Replace" or told >= _TOLD:
                continue
            pattern, content = one.get("pattern"), one.get("content")
            old = next(iter(pattern.values()), "") if isinstance(pattern, dict) else ""
            if _word(old) and isinstance(content, str) and old != content:
                told += 1
                message = f"The {name} turns {shortened(str(old))!r} into {shortened(content)!r}."
                yield scope.issue("tokenizer-tricks", 0, message)


def _kinds(name: str, value: Any, scope: Scope) -> Iterator[ArtifactIssue]:
    """A step's ``type`` is one of a fixed list of words in the library."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
            kind = one.get("type")
            if isinstance(kind, str) and not kind.isidentifier():
                message = (
                    f"The {name} has a step of the type {shortened(kind)!r}, which is no name."
                )
                yield scope.issue("tokenizer-tricks", 0, message)
                return


def _word(text: Any) -> bool:
    return isinstance(text, str) and sum(one.isalpha() for one in text) >= 3 and "\\" not in text
