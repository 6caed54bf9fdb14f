"""Runs the rounds of a watch, one after the other, with jitter between them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from buttress.errors import ButtressError, InputError
from buttress.workflows.watch.round import RoundResult, check_once, opened
from buttress.workflows.watch.settings import WatchSettings
from buttress.workflows.watch.state import WatchState


def run_rounds(
    settings: WatchSettings,
    out: Path,
    done: Callable[[RoundResult], None],
    failed: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    rng: random.Random | None = None,
) -> None:
    """Check again and again, until the process is asked to end.

    The first check is due one interval after the last one that the evidence tells, so that a
    restart makes no check come early. A round that fails is told and tried again one interval
    later; what it had compared is kept.

    Args:
        settings: what to check, and how often.
        out: folder of the watch.
        done: is given each round's result.
        failed: is told why a round failed.
        clock, sleep, rng: time and chance.
    """
    rng = rng or random.Random()
    due = _last_check(settings, out) + _interval(settings, rng)
    while True:
        if (wait := due - clock()) > 0:
            sleep(wait)
        began = clock()
        try:
            done(check_once(settings, out, clock=clock))
        except ButtressError as error:
            failed(str(error))
        due = began + _interval(settings, rng)


def _interval(settings: WatchSettings, rng: random.Random) -> float:
    return settings.every * (1.0 + rng.uniform(-settings.jitter, settings.jitter))


def _last_check(settings: WatchSettings, out: Path) -> float:
    """Time of the oldest last check of what is watched; 0 where something was never checked."""
    try:
        with opened(out) as store:  # for writing: what a kill cut off is mended
            checked = WatchState.read(store).checked
    except InputError:
        return 0.0  # the first check says what is wrong
    return min((checked.get(one, 0.0) for one in settings.assets), default=0.0)
