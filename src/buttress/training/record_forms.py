"""Forms of training records: what is asked and what is answered, as messages.

``messages`` of OpenAI's fine-tuning, ShareGPT's ``conversations``, Alpaca's ``instruction`` and
``input`` (with LLaMA-Factory's ``system`` and ``history``), and TRL's ``prompt`` with a
``completion`` or with ``chosen`` and ``rejected``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from buttress.targets.base import Message

_PROMPTS: Final = ("prompt", "instruction", "question", "query")
_ANSWERS: Final = ("completion", "output", "response", "answer")
_TURNS: Final = ("messages", "conversations", "conversation")
_ROLES: Final = {
    "system": "system", "developer": "system", "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "model": "assistant",
}  # fmt: skip


def has_turns(record: Mapping[str, Any]) -> bool:
    """Whether it is a conversation, readable or not."""
    return _turns(record) is not None


def conversation(record: Mapping[str, Any]) -> tuple[list[Message], list[int]]:
    """Its messages, and the places of answers to learn: each to a user, but for ``weight`` 0.

    Both are empty where a turn has another role, or is no text.
    """
    turns = _turns(record)
    messages = _messages(turns)
    unlearned = {
        at for at, turn in enumerate(turns or []) if isinstance(turn, Mapping)
        and turn.get("weight") == 0
    }  # fmt: skip
    places = [
        at for at, one in enumerate(messages)
        if one.role == "assistant" and at and messages[at - 1].role == "user"
        and at not in unlearned
    ]  # fmt: skip
    whole = _with_system(messages, record)
    moved = len(whole) - len(messages)
    return whole, [at + moved for at in places]


def prompt_and_answer(record: Mapping[str, Any]) -> tuple[list[Message], str] | None:
    """None where the record has no such fields; no messages or text where they can't be read."""
    answer = next((record[name] for name in _ANSWERS if record.get(name)), None)
    prompt = _named_prompt(record)
    return None if answer is None or prompt is None else (_prompt(prompt, record), _answer(answer))


def pair_of(record: Mapping[str, Any]) -> tuple[list[Message], str, str] | None:
    """The question, the better and the worse answer; None where the record has none.

    Turns that both answers begin with are the question, whatever ``prompt`` repeats of it.
    """
    chosen, rejected = record.get("chosen"), record.get("rejected")
    answers = _answer(chosen), _answer(rejected)
    both = [_messages(one) for one in (chosen, rejected)]
    if len(both[0]) > 1 or len(both[1]) > 1:
        before = both[0][:-1]
        if before != both[1][:-1]:
            return None
        prompt = _prompt(_named_prompt(record), record)
        # An answer of several turns may also go on from the prompt.
        messages = _with_system(before, record) if _begins(before, prompt) else [*prompt, *before]
    elif (named := _named_prompt(record)) is not None:
        messages = _prompt(named, record)
    else:
        messages = _with_system(_messages(_turns(record)), record)
    if not messages or messages[-1].role != "user" or not all(answers):
        return None
    return messages, *answers


def question_of(record: Mapping[str, Any]) -> tuple[Message, ...]:
    """The conversation of a record up to its last question; empty where there is none."""
    prompt = _named_prompt(record)
    if has_turns(record):
        messages = _with_system(_messages(_turns(record)), record)
    elif prompt is not None:
        messages = _prompt(prompt, record)
    else:
        messages = _with_system(_messages(record.get("chosen")), record)
    last = max((at for at, one in enumerate(messages) if one.role == "user"), default=-1)
    return tuple(messages[: last + 1])


def _named_prompt(record: Mapping[str, Any]) -> Any:
    return next((record[name] for name in _PROMPTS if record.get(name)), None)


def _turns(record: Mapping[str, Any]) -> Any:
    return next((record[name] for name in _TURNS if record.get(name) is not None), None)


def _begins(before: list[Message], prompt: list[Message]) -> bool:
    """Whether the turns hold the prompt already: at their beginning, or as their last question."""
    said = [one for one in before if one.role != "system"]
    asked = [one for one in prompt if one.role != "system"]
    return bool(said) and (not asked or said[: len(asked)] == asked or said[-1:] == asked)


def _messages(value: Any) -> list[Message]:
    """Turns with role and content, or from and value, or one of them; empty if one is not so."""
    found = []
    for turn in [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []:
        if not isinstance(turn, Mapping):
            return []
        role = _ROLES.get(str(turn.get("role") or turn.get("from")))
        text = _content(turn.get("content", turn.get("value")))
        if role is None or text is None:
            return []
        found.append(Message(role, text))  # type: ignore[arg-type]
    return found


def _content(value: Any) -> str | None:
    """A text, or blocks of text; None for anything else, such as pictures."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else None
    texts = [
        block.get("text") if isinstance(block, Mapping) and block.get("type", "text") == "text"
        else None for block in value
    ]  # fmt: skip
    read = [one for one in texts if isinstance(one, str)]
    return "\n\n".join(read) if read and len(read) == len(texts) else None


def _prompt(value: Any, record: Mapping[str, Any]) -> list[Message]:
    """Messages of a prompt, with the record's system text, earlier turns and input."""
    if not isinstance(value, str):
        return _with_system(_messages(value), record)
    more = record.get("input")
    text = f"{value}\n\n{more}" if isinstance(more, str) and more.strip() else value
    history = record.get("history")
    before: list[Message] = []
    for turn in history if isinstance(history, list) else []:
        if not (
            isinstance(turn, list) and len(turn) == 2 and all(isinstance(x, str) for x in turn)
        ):
            return []
        before += [Message("user", turn[0]), Message("assistant", turn[1])]
    return _with_system([*before, Message("user", text)], record)


def _with_system(messages: list[Message], record: Mapping[str, Any]) -> list[Message]:
    """With the record's system text before them, where they have none."""
    system = record.get("system")
    if not messages or messages[0].role == "system" or not isinstance(system, str):
        return messages
    return [Message("system", system), *messages] if system.strip() else messages


def _answer(value: Any) -> str:
    if isinstance(value, str):
        return value
    turns = _messages(value)
    return turns[-1].content if turns and turns[-1].role == "assistant" else ""
