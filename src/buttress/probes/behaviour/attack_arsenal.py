"""Does the model carry out harmful requests under some known attack? All families in one probe.

A module of its own, because making it loads every family, those of other packages too.
"""

from __future__ import annotations

from typing import Final

from buttress.attacks import arsenal
from buttress.probes.behaviour.attack_resistance import under_attack

PROBE: Final = under_attack(arsenal.ATTACK)
