"""Texts that carry what a reader does not see, or orders addressed to a model.

Hidden text (tag characters, variation selectors, zero widths, markup that is not shown) is judged
by what it reads: in training data it has no honest use when it gives orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from buttress.data.records import Record
from buttress.data.stage import Outcome, Removal
from buttress.files.visible import shortened
from buttress.probes.agents.invisible import Hidden, concealed, invisible

_ORDER: Final = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:previous|prior|above|earlier|all|your)\b.{0,30}"
    r"\b(?:instruction|prompt|rule|guideline|direction)s?\b"
    r"|\byou (?:must|should|shall) (?:now |always |never )?"
    r"(?:reply|respond|answer|say|output|comply)\b"
    r"|\b(?:when(?:ever)?|if) (?:you (?:see|read)|the (?:user|prompt) (?:says|contains))\b"
    r"|\b(?:system prompt|as an ai|dear (?:ai|assistant|model|llm))\b"
    r"|(?:忽略|无视|忘记).{0,12}(?:指令|提示|规则|要求)|(?:你必须|你应当|你现在是)"
)
_SURE: Final = ("tag characters", "variation selectors")


class HiddenText:
    """Removes records with hidden text that carries a message or an order.

    Args:
        visible_orders: whether orders to a model that everyone can see count too. Texts *about*
            prompt injection have them as well.
    """

    def __init__(self, visible_orders: bool = False) -> None:
        self._visible = visible_orders

    def apply(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See ``RecordStage``."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: Record) -> Outcome:
        for slot in record.slots:
            for hidden in (*invisible(slot.text), *concealed(slot.text)):
                if _message(hidden):
                    return Removal("hidden-text", f"{hidden.how}: {shortened(hidden.text)}")
            if self._visible and (match := _ORDER.search(slot.text)):
                return Removal("order-to-model", f"reads: {shortened(match[0])}")
        return None


def _message(hidden: Hidden) -> bool:
    """Whether what is hidden is a message: text in characters without a shape, or an order."""
    if hidden.how in _SURE:
        return len(hidden.text.strip()) >= 3
    if hidden.how == "zero-width characters":
        return not hidden.text.startswith("(")
    return _ORDER.search(hidden.text) is not None
