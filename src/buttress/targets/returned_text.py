"""The text in what a function of the user's own returns: in the forms of the usual frameworks.

LangChain's chains return mappings with ``output``, ``result`` or ``answer``, its graphs a list of
messages; LlamaIndex an object with ``response``; agents of OpenAI's SDK ``final_output``; clients
of model servers a completion or, in a stream, its pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from buttress.targets import completion
from buttress.targets.base import TargetError
from buttress.targets.failures import tells_failure

FIELDS: Final = (
    "text", "content", "answer", "output", "response", "result", "reply", "final_output",
    "output_text", "generated_text", "raw", "message", "messages",
)  # fmt: skip
_EXPECTED: Final = "it may return a text or something with a field 'text', 'content' or 'answer'"
_DEEPEST: Final = 4


def returned_text(returned: Any) -> str:
    """The text in what a function returned.

    Raises:
        TargetError: there is none, or it tells of an error.
    """
    if tells_failure(returned) and not any(returned.get(name) for name in FIELDS[:-2]):
        raise TargetError(
            f"it returned an error: {completion.error_text(returned)}", retry=True, doubtful=True
        )
    text = _text(returned, 0)
    if text is None:
        raise TargetError(
            f"it returned {_described(returned)}, not text; {_EXPECTED}",
            retry=False,
            fatal=True,
            doubtful=True,
        )
    return text


def joined_pieces(pieces: Iterable[Any]) -> str:
    """The text of what a function yielded piece by piece.

    Raises:
        TargetError: a piece has no text.
    """
    return "".join(map(_piece, pieces))


def _piece(piece: Any) -> str:
    choices = _attribute(piece, "choices")
    if isinstance(choices, list | tuple):  # of a completion that is streamed
        delta = _attribute(choices[0], "delta") if choices else None
        if delta is None and not choices:
            return ""
        if delta is not None:
            content = _attribute(delta, "content")
            return content if isinstance(content, str) else ""
    return returned_text(piece)


def _attribute(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _text(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if value is None or depth == _DEEPEST:
        return None
    if isinstance(value, tuple):
        return _text(value[0], depth + 1) if value else None
    if isinstance(value, list):
        return _of_list(value, depth)
    if _is_completion(value):
        dump = getattr(value, "model_dump", None)
        payload = dump() if callable(dump) else value
        return completion.read(dict(payload), 0.0).text
    for name in FIELDS:
        found = _text(_attribute(value, name), depth + 1)
        if found is not None:
            return found
    return None


def _of_list(values: list[Any], depth: int) -> str | None:
    """The last of several messages, or the parts of one."""
    if values and all(isinstance(_attribute(each, "type"), str) for each in values):
        parts = completion.read({"choices": [{"message": {"content": _plain(values)}}]}, 0.0)
        if parts.text:
            return parts.text
    return _text(values[-1], depth + 1) if values else None


def _plain(parts: list[Any]) -> list[Any]:
    dumps = [getattr(part, "model_dump", None) for part in parts]
    return [dump() if callable(dump) else part for dump, part in zip(dumps, parts, strict=True)]


def _is_completion(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "choices" in value
    return hasattr(value, "choices") and callable(getattr(value, "model_dump", None))


def _described(returned: Any) -> str:
    if isinstance(returned, Mapping):
        return "a mapping with " + (", ".join(map(str, list(returned)[:5])) or "nothing")
    return "None" if returned is None else type(returned).__name__
