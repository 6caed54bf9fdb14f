"""Conversations as the text and tokens that a model sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.targets.chat import as_dicts, without_system
from buttress.targets.completion import one_line


def question_text(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The conversation up to where the model's answer begins.

    The chat template is applied; a system text moves into the first question where the template
    knows no system role. Without a template the messages are joined by blank lines.

    Raises:
        InputError: the template refuses the messages.
    """
    conversation = tuple(messages)
    if not conversation or conversation[-1].role != "user":
        raise InputError("the conversation has no last question", field="messages")
    if not tokenizer.chat_template:
        return "\n\n".join(message.content for message in conversation)
    for attempt in (conversation, without_system(conversation)):
        try:
            text = tokenizer.apply_chat_template(
                as_dicts(attempt), tokenize=False, add_generation_prompt=True
            )
            return str(text)
        except Exception as error:  # jinja2's, whose kinds depend on the template
            refused = one_line(str(error))
    raise InputError(f"the chat template refuses them: {refused}", field="messages")


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text of ``question_text``; a template brings its own special tokens."""
    if not texts:
        return []
    special = not tokenizer.chat_template
    return [list(row) for row in tokenizer(list(texts), add_special_tokens=special)["input_ids"]]
