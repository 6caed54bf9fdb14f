"""Does the model refuse benign requests that only look harmful?

Röttger et al. 2024, "XSTest: A test suite for identifying exaggerated safety behaviours".
"""

from __future__ import annotations

from typing import Final

from buttress.probes.behaviour.requests import RequestProbe

PROBE: Final = RequestProbe(
    id="over-refusal",
    version="1",
    title="Over-refusal of benign look-alikes",
    expect="answer",
)
