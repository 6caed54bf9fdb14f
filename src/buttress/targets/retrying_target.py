"""A target that asks again by itself, for those who only know targets: a judge's models."""

from __future__ import annotations

from buttress.targets.allowance import Allowance, Unlimited
from buttress.targets.base import Answer, Request, Target, TargetError, takes_images
from buttress.targets.metering import Meter
from buttress.targets.retrying import RetryingClient
from buttress.targets.waits import Waits
from buttress.targets.wrapped import WrappedTarget


class TimeAlone(Unlimited):
    """The time of an allowance, without its other limits.

    What a judge asks follows from answers that are paid for, so it is counted, and refused only
    when the time is over.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def admits(self) -> bool:
        """See ``Allowance``."""
        self._allowance.check_time()
        return True

    def check_pause(self, pause_s: float) -> None:
        """See ``Allowance``."""
        self._allowance.check_pause(pause_s)

    def check_time(self) -> None:
        """See ``Allowance``."""
        self._allowance.check_time()

    def seconds_left(self, wanted_s: float) -> float:
        """See ``Allowance``."""
        return self._allowance.seconds_left(wanted_s)


class RetryingTarget(WrappedTarget[Target]):
    """Asks through ``client``, so that each error that leaves it is the last word."""

    def __init__(
        self,
        target: Target,
        meter: Meter,
        allowance: Allowance,
        *,
        backoff_s: float = 0.5,
        waits: Waits | None = None,
        whom: str = "",
    ) -> None:
        super().__init__(target)
        self.client = RetryingClient(
            target,
            allowance=TimeAlone(allowance),
            meter=meter,
            backoff_s=backoff_s,
            waits=waits,
            whom=whom,
        )
        self.takes_images = takes_images(target)

    @property
    def needs_no_timeout(self) -> bool:
        """Always: it waits as long as the allowance lets it."""
        return True

    async def answer(self, request: Request) -> Answer:
        """The target's answer, in spite of throttling and errors that pass.

        Raises:
            TargetError: there is none; asking again does not help.
        """
        try:
            return await self.client.ask(request)
        except TargetError as error:
            raise TargetError(str(error), retry=False, fatal=error.fatal) from None
