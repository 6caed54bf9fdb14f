"""Where an adversarial suffix stands among the tokens of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.white_box.chat_text import encode, question_text

_MARK: Final = "⟦suffix⟧"
_TAIL: Final = 8  # tokens before the suffix that decide how its first token is decoded


class PromptLayout:
    """``before``, ``initial`` (the first suffix), ``after`` and ``target``, as token ids.

    The suffix ends the last question; ``after`` is what the chat template puts between question
    and answer; ``target`` is how the answer is to begin. ``tokenizer`` must be a fast one.

    Raises:
        InputError: the messages, the suffix or the target can't be laid out so.
    """

    def __init__(
        self, tokenizer: Any, messages: Sequence[Message], target: str, initial: str
    ) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise InputError("the tokenizer has no offsets", expected="a fast tokenizer")
        self._tokenizer = tokenizer
        self._start, self._end, self._strips = _around(tokenizer, messages)
        text = self._start + initial + self._end
        whole = encode(tokenizer, [text])[0]
        edges = (len(self._start), len(self._start) + len(initial))
        first, last = _span(tokenizer, text, edges, "the suffix")
        self.before: tuple[int, ...] = tuple(whole[:first])
        self.initial: tuple[int, ...] = tuple(whole[first:last])
        self.after: tuple[int, ...] = tuple(whole[last:])
        self.target: tuple[int, ...] = target_tokens(tokenizer, text, whole, target)
        if not self.initial or not self.before:
            raise InputError("no tokens in or before the suffix", field="initial")
        if not self.faithful([self.initial])[0]:
            raise InputError(
                f"the suffix {initial!r} does not survive the tokenizer",
                field="initial",
                expected="words, each with a space before it",
            )

    def question(self, suffix: Sequence[int]) -> list[int]:
        """All tokens up to the answer."""
        return [*self.before, *suffix, *self.after]

    def texts(self, suffixes: Sequence[Sequence[int]]) -> list[str]:
        """Each suffix as text, to be put right behind the question."""
        tail = list(self.before[-_TAIL:])
        head = len(self._decode([tail])[0])
        return [text[head:] for text in self._decode([[*tail, *one] for one in suffixes])]

    def faithful(self, suffixes: Sequence[Sequence[int]]) -> list[bool]:
        """Whether each suffix, sent as text, reaches the model as the same tokens."""
        texts = self.texts(suffixes)
        encoded = encode(self._tokenizer, [self._start + text + self._end for text in texts])
        return [
            ids == self.question(suffix) and not (self._strips and text != text.rstrip())
            for ids, suffix, text in zip(encoded, suffixes, texts, strict=True)
        ]

    def _decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        return list(
            self._tokenizer.batch_decode(
                [list(row) for row in rows],
                skip_special_tokens=False,
                clean_up_tokenization_spaces=False,
            )
        )


def _around(tokenizer: Any, messages: Sequence[Message]) -> tuple[str, str, bool]:
    """Text before and after a suffix, and whether the template cuts white space off its end."""
    if not messages:
        raise InputError("no question", field="messages")
    question = messages[-1]

    def rendered(suffix: str) -> str:
        return question_text(
            tokenizer, [*messages[:-1], replace(question, content=question.content + suffix)]
        )

    parts = rendered(_MARK).split(_MARK)
    if len(parts) != 2:
        raise InputError(
            f"the chat template shows the last question {len(parts) - 1} times",
            field="messages",
            expected="once",
        )
    return parts[0], parts[1], f"{_MARK} " not in rendered(f"{_MARK} ")


def _span(tokenizer: Any, text: str, edges: tuple[int, int], what: str) -> tuple[int, int]:
    """Indices of the tokens that lie between two places of ``text``."""
    special = not tokenizer.chat_template
    offsets = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    # Special tokens that the tokenizer adds have the empty span (0, 0): they belong in front.
    marks = [sum(start < edge for start, _ in offsets) for edge in edges]
    for mark, edge in zip(marks, edges, strict=True):
        if mark and offsets[mark - 1][1] > edge:
            raise InputError(
                f"a token reaches across an edge of {what}: {text[max(0, edge - 20) : edge + 20]!r}",
                field="messages",
                expected="a question that does not end with white space",
            )
    return marks[0], marks[1]


def target_tokens(tokenizer: Any, text: str, whole: list[int], target: str) -> tuple[int, ...]:
    """Tokens of the answer's beginning, as they follow the question."""
    both = encode(tokenizer, [text + target])[0]
    ids = both[len(whole) :]
    if both[: len(whole)] != whole:  # merged across the edge; the model would not write it so
        ids = list(tokenizer(target, add_special_tokens=False)["input_ids"])
    if not ids:
        raise InputError("has no tokens", field="target")
    return tuple(ids)
