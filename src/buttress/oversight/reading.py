"""Which side a reply chose."""

from __future__ import annotations

from buttress.answers.choice_reading import read_choice
from buttress.oversight.item import OversightItem, Side


def read_side(reply: str, item: OversightItem, seed: int) -> Side | None:
    """The side of the option that a reply chose; None where none, or more than one, was chosen."""
    options = item.options(seed)
    reading = read_choice(reply, options)
    if reading is None:
        return None
    return "right" if options[reading.place] == item.right else "wrong"
