"""A terminal for people who judge: how much fits, and texts of unknown origin page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from buttress.labelling.keys import Keys
from buttress.labelling.pages import escaped, pages

_MARGIN: Final = 6  # lines kept for what stands under a page


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the session writes, and how much fits there."""

    write: Callable[[str], None]
    width: int = 80
    height: int = 24

    def sheets(self, text: str) -> list[list[str]]:
        """The pages of a text, escaped, each a list of lines; at least one page."""
        return pages(escaped(text), self.width, self.height - _MARGIN)

    def show(self, text: str, keys: Keys, turn: Callable[[int, int], None]) -> None:
        """A text page by page: a key leads on, ``e`` to the end.

        Args:
            text: what is shown; it is escaped.
            keys: where keys come from.
            turn: called between pages with the page's number and how many there are.
        """
        sheets = self.sheets(text)
        for number, sheet in enumerate(sheets, 1):
            self.write("\n".join(sheet))
            if number == len(sheets):
                return
            turn(number, len(sheets))
            if keys.key() in ("e", ""):
                self.write("\n".join(sheets[-1]))
                return
