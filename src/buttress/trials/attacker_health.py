"""Whether an attacker model is of any use, told from the searches that came to nothing."""

from __future__ import annotations

from typing import Final

from buttress.errors import ButtressError
from buttress.protocols.procedure import AttackerError

IN_VAIN: Final = 6  # searches in a row for which it wrote nothing that can be asked


class AttackerGoneError(ButtressError):
    """The attacker model answers nothing, or nothing of use: no more searches are begun."""


class AttackerHealth:
    """Counts searches in a row that the attacker model let down.

    Args:
        name: of the attacker model, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._in_vain = 0
        self._ended = False

    def end(self) -> bool:
        """It answers nothing any more; whether that is news."""
        news, self._ended = not self._ended, True
        return news

    def helped(self) -> None:
        """It wrote what a search asked."""
        self._in_vain = 0

    def failed(self, error: AttackerError) -> None:
        """Count a search that came to nothing.

        Raises:
            AttackerGoneError: too many in a row.
        """
        self._in_vain += 1
        if self._in_vain >= IN_VAIN:
            wrote = f"; it wrote: {error.said}" if error.said else ""
            raise AttackerGoneError(
                f"{self._name}: {error}, in {IN_VAIN} searches in a row{wrote}"
            ) from None
