"""Records of training data as token ids: what is given, and what is learned.

Forms of records: ``messages`` (each turn of the assistant is learned, after what stands before it),
a prompt with a completion, a text, and a prompt with a chosen and a rejected answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from buttress.errors import InputError
from buttress.targets.base import Message
from buttress.targets.chat import as_dicts
from buttress.training.record_forms import (
    conversation,
    has_turns,
    pair_of,
    prompt_and_answer,
    question_of,
)
from buttress.white_box.chat_text import encode, question_text
from buttress.white_box.layout import target_tokens
from buttress.white_box.token_statistics import tokens_of

_FORMS: Final = "messages, a prompt with a completion, or a text"
_MIN_WINDOW: Final = 2  # tokens: one to be given, one to be learned


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """Token ids; those from ``start`` on are learned. ``record`` counts records from 0."""

    ids: tuple[int, ...]
    start: int
    record: int
    desirable: bool = True  # the answer's label, for kto

    @property
    def learned(self) -> int:
        """Number of tokens that are learned."""
        return len(self.ids) - self.start


@dataclass(frozen=True, slots=True)
class ExamplePair:
    """Two answers to the same prompt, the better one first."""

    chosen: TrainingExample
    rejected: TrainingExample

    @property
    def record(self) -> int:
        """Number of the record, from 0."""
        return self.chosen.record


@dataclass(slots=True)
class ExampleSet:
    """Examples of records, and what was left out: reasons with numbers of records."""

    examples: list[TrainingExample] = field(default_factory=list)
    pairs: list[ExamplePair] = field(default_factory=list)
    records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Examples, or pairs."""
        return len(self.pairs) or len(self.examples)


@dataclass(slots=True)
class PromptSet:
    """Conversations that each end with a question, and what was left out."""

    prompts: list[tuple[Message, ...]] = field(default_factory=list)
    records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Prompts."""
        return len(self.prompts)


class ExampleReader:
    """Turns records into examples for one tokenizer; at most ``max_tokens`` tokens each."""

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._most = max_tokens

    def examples(
        self, records: Sequence[Mapping[str, Any]], *, labelled: bool = False, whole: bool = False
    ) -> ExampleSet:
        """Examples of records.

        Args:
            records: parsed JSON objects.
            labelled: each record has a ``label``, true for an answer that is desired.
            whole: one example a record, as differential privacy needs it: a longer record is cut.

        Raises:
            InputError: no record has an example.
        """
        made = ExampleSet(records=len(records))
        for number, record in enumerate(records):
            label = record.get("label") if labelled else True
            if not isinstance(label, bool):
                made.left_out["no label true or false"] += 1
                continue
            found = list(self._of(record, number, made.left_out))
            if whole:
                made.left_out["cut to one example"] += len(found) > 1
                found = found[:1]
            made.examples += [TrainingExample(one.ids, one.start, number, label) for one in found]
        if not made.examples:
            raise _nothing(made, _FORMS + (", with label: true or false" if labelled else ""))
        return made

    def pairs(self, records: Sequence[Mapping[str, Any]]) -> ExampleSet:
        """Pairs of records with ``chosen`` and ``rejected``, and ``prompt`` or turns in common.

        Raises:
            InputError: no record has a pair.
        """
        made = ExampleSet(records=len(records))
        for number, record in enumerate(records):
            parts = pair_of(record)
            if parts is None:
                made.left_out["no pair"] += 1
                continue
            prompt, chosen, rejected = parts
            if chosen == rejected:
                made.left_out["equal answers"] += 1
                continue
            both = [self._answer(prompt, one, number, made.left_out) for one in (chosen, rejected)]
            if both[0] is not None and both[1] is not None:
                made.pairs.append(ExamplePair(both[0], both[1]))
        if not made.pairs:
            raise _nothing(
                made,
                "prompt, chosen and rejected (`buttress preferences import` reads other forms)",
            )
        return made

    def prompts(self, records: Sequence[Mapping[str, Any]], answer_tokens: int) -> PromptSet:
        """Prompts that leave room for an answer of ``answer_tokens`` tokens.

        Of records with turns, what stands before the last answer is the prompt.

        Raises:
            InputError: no record has a prompt.
        """
        made = PromptSet(records=len(records))
        for record in records:
            messages = question_of(record)
            example = self.answered(messages, "") if messages else None
            if example is None:
                made.left_out["no prompt, or longer than max_tokens"] += 1
            elif example.start + answer_tokens > self._most:
                made.left_out["no room for an answer"] += 1
            else:
                made.prompts.append(messages)
        if not made.prompts:
            raise _nothing(made, "prompt, or messages")
        return made

    def answered(self, messages: Sequence[Message], answer: str) -> TrainingExample | None:
        """An answer to a conversation; None where it doesn't fit or the template refuses it."""
        return self._answer(messages, answer, 0, Counter())

    def _of(
        self, record: Mapping[str, Any], number: int, left_out: Counter[str]
    ) -> Iterator[TrainingExample]:
        if has_turns(record):
            messages, answers = conversation(record)
            if not messages:
                left_out["a turn of another role, or without text"] += 1
            elif not answers:
                left_out["no answer of the assistant to a user"] += 1
            for place in answers:
                one = self._answer(messages[:place], messages[place].content, number, left_out)
                if one is not None:
                    yield one
            return
        parts = prompt_and_answer(record)
        if parts is not None:
            messages, said = parts
            if not messages or not said:
                left_out["no example in it"] += 1
                return
            one = self._answer(messages, said, number, left_out)
            if one is not None:
                yield one
            return
        text = record.get("text") or record.get("content")
        if isinstance(text, str) and text.strip():
            yield from self._windows(text, number)
        else:
            left_out["no example in it"] += 1

    def _windows(self, text: str, number: int) -> Iterator[TrainingExample]:
        """A text and its end; a longer one in pieces, all of whose tokens are learned."""
        ids = tokens_of(self._tokenizer, text, len(text) + 1)
        end = self._tokenizer.eos_token_id
        if end is not None:
            ids = [*ids, end]
        start = 0
        while len(ids) - start >= _MIN_WINDOW:
            yield TrainingExample(tuple(ids[start : start + self._most]), 1, number)
            start += self._most - 1  # the last token of a piece is given to the next

    def _answer(
        self, messages: Sequence[Message], answer: str, number: int, left_out: Counter[str]
    ) -> TrainingExample | None:
        try:
            text = question_text(self._tokenizer, messages)
        except InputError as error:
            left_out[error.problem] += 1
            return None
        given = encode(self._tokenizer, [text])[0]
        if len(given) >= self._most:
            left_out["prompt longer than max_tokens"] += 1
            return None
        said = target_tokens(self._tokenizer, text, given, self._with_end(text, messages, answer))
        if len(given) + len(said) > self._most:
            left_out["answer cut"] += 1
        return TrainingExample((*given, *said)[: self._most], len(given), number)

    def _with_end(self, text: str, messages: Sequence[Message], answer: str) -> str:
        """The answer as the template writes it, up to the token that ends it."""
        end = self._tokenizer.eos_token or ""
        if not self._tokenizer.chat_template:
            return answer + end
        said = (*messages, Message("assistant", answer))
        try:
            whole = str(self._tokenizer.apply_chat_template(as_dicts(said), tokenize=False))
        except Exception:  # jinja2's: a template that writes no answers
            return answer + end
        if not whole.startswith(text):
            return answer + end
        return whole[len(text) :].rstrip()


def _nothing(made: ExampleSet | PromptSet, expected: str) -> InputError:
    why = ", ".join(f"{reason}: {count}" for reason, count in made.left_out.most_common(3))
    return InputError(
        f"no example in {made.records} records" + (f" ({why})" if why else ""), expected=expected
    )
