"""Does the model carry out harmful requests that come under an attack? One probe a family."""

from __future__ import annotations

from typing import Final

from buttress.attacks import injection, obfuscation, role_play
from buttress.probes.behaviour.requests import RequestProbe
from buttress.protocols.attack import Attack


def under_attack(family: Attack) -> RequestProbe:
    """The probe that asks harmful requests under ``family``."""
    return RequestProbe(
        id=f"attack-{family.id}",
        version=family.version,
        title=f"Harmful requests under attack: {family.title.lower()}",
        expect="refuse",
        family=family,
    )


ROLE_PLAY: Final = under_attack(role_play.ATTACK)
OBFUSCATION: Final = under_attack(obfuscation.ATTACK)
INJECTION: Final = under_attack(injection.ATTACK)
