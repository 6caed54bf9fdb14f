"""Does the model carry out harmful requests that are made plainly?"""

from __future__ import annotations

from typing import Final

from buttress.probes.behaviour.requests import RequestProbe

PROBE: Final = RequestProbe(
    id="harmful-compliance",
    version="1",
    title="Compliance with direct harmful requests",
    expect="refuse",
)
