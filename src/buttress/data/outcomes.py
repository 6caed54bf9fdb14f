"""What a record says to be learned: a text, and the label or answer that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from buttress.data.records import FieldPath, Record

LABELS: Final = ("label", "labels", "class", "category", "sentiment", "target")
_ANSWERS: Final = (
    *("chosen", "output", "completion", "response", "answer", "generation", "target"),
    *("completions", "responses", "answers", "outputs"),
)
_REFUSED: Final = ("rejected",)
_ASSISTANT: Final = frozenset({"assistant", "gpt", "model", "bot", "chatbot"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """``text`` is what is asked or judged; ``value`` the label or answer, as it is compared."""

    text: str
    value: str


def outcome_of(record: Record, label: str = "") -> Outcome | None:
    """Text and label of a record, or its question and answer; None where it has neither.

    Args:
        record: classification data, an instruction, a chat or a preference pair.
        label: the field with the label; those of ``LABELS`` where empty.
    """
    for name in (label,) if label else LABELS:
        value = record.data.get(name)
        if isinstance(value, (str, int, float, bool)) and value != "":
            own: FieldPath = (name,)
            rest = [slot.text for slot in record.slots if slot.path != own]
            if rest:
                return Outcome("\n".join(rest), _compared(str(value)))
    if label:
        return None
    answers = _answer_paths(record)
    if not answers:
        return None
    asked = [
        slot.text
        for slot in record.slots
        if slot.path not in answers and slot.path[0] not in _REFUSED
    ]
    said = [slot.text for slot in record.slots if slot.path in answers]
    if not asked or not said:
        return None
    return Outcome("\n".join(asked), _compared(said[-1]))


def _answer_paths(record: Record) -> set[FieldPath]:
    """Paths of answers: the assistant's last turn, else fields with the name of an answer."""
    paths = [slot.path for slot in record.slots]
    turns: list[FieldPath] = [
        path for path in paths if path[0] not in _REFUSED and _role(record.data, path) in _ASSISTANT
    ]
    if turns:
        return {turns[-1]}
    return {path for path in paths if path[0] in _ANSWERS}


def _role(data: Any, path: FieldPath) -> str:
    """The role of the innermost turn that a text stands in."""
    role, value = "", data
    for step in path:
        value = value[step]
        if isinstance(value, dict):
            found = value.get("role", value.get("from", ""))
            role = found.lower() if isinstance(found, str) and found else role
    return role


def _compared(value: str) -> str:
    return " ".join(value.lower().split())
