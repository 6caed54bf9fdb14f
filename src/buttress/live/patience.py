"""How long a host is put up with: its failures, its silence, the bytes and the money it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from buttress.live.limits import Limits
from buttress.protocols.live import LiveRequest, Reply

_USUAL_S: Final = 0.25


@dataclass
class Patience:
    """Counts what a host does. ``ended`` says why it is to be left, empty as long as it is not."""

    limits: Limits
    ended: str = ""
    late: int = 0
    _failures: int = 0
    _waited: float = 0.0
    _shaking: float = 0.0
    _received: int = 0
    _spent: int = 0

    def affords(self, count: int = 1) -> bool:
        """Whether the budget has room for so many costly requests; if so they are spent."""
        if self._spent + count > self.limits.budget:
            return False
        self._spent += count
        return True

    def begin_again(self) -> None:
        """What failed until now was no fault of the host's."""
        self._failures = 0

    def note(
        self, request: LiveRequest, reply: Reply | None, seconds: float, why: str, *, late: bool
    ) -> None:
        """Take how a request went; ``why`` is what came in place of an answer.

        A quarter of a second is the way there and the load of this machine, so only what goes
        beyond is waiting. Time that costs money is bounded by the budget.
        """
        waited = max(0.0, seconds - _USUAL_S)
        if request.script is not None:
            self._shaking += waited
        elif not request.costs:
            self._waited += waited
        if reply is None:
            self._failures += 1
            self.late += late
        else:
            self._failures = 0
            if request.script is None:
                self._received += len(reply.body)
                self.late += reply.cut.endswith("in time") and not request.costs
        self._judge(why)

    def _judge(self, why: str) -> None:
        limits = self.limits
        if self.late >= 2:
            self.ended = "two answers were not there in time"
        elif self._failures >= limits.failures:
            self.ended = f"{self._failures} requests in a row failed: {why}"
        elif max(self._waited, self._shaking) > limits.waiting_s:
            self.ended = f"it kept us waiting for more than {limits.waiting_s:g} s"
        elif self._received > limits.host_bytes:
            self.ended = f"it sent more than {limits.host_bytes:,} bytes"
