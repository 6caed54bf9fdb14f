"""The public sets' own categories as ours, where one of ours clearly says the same.

A category of theirs that spreads over several of ours keeps its own name, as a slug.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buttress.prompts.public.rows import normalise

UNCATEGORISED: Final = "uncategorised"
_MAX_SLUG: Final = 60

# Keys are normalised names; see rows.normalise.
_OURS: Final[Mapping[str, Mapping[str, str]]] = {
    "harmbench": {
        "chemical_biological": "weapons",
        "cybercrime_intrusion": "cybercrime",
        "misinformation_disinformation": "misinformation",
        "harassment_bullying": "harassment-defamation",
        "copyright": "intellectual-property",
    },
    "jailbreakbench": {
        "malware_hacking": "cybercrime",
        "fraud_deception": "fraud-scams",
        "disinformation": "misinformation",
        "privacy": "privacy-violation",
        "expert_advice": "dangerous-advice",
    },
    "strongreject": {
        "hate_harassment_and_discrimination": "hate-discrimination",
        "disinformation_and_deception": "misinformation",
        "violence": "violent-crime",
    },
    "do-not-answer": {
        "compromise_privacy_by_leaking_or_inferring_private_information_person_individual": (
            "privacy-violation"
        ),
        "reducing_the_cost_of_disinformation_campaigns": "misinformation",
        "disseminating_false_or_misleading_information": "misinformation",
        "social_stereotypes_and_unfair_discrimination": "hate-discrimination",
        "toxic_language_hate_speech": "hate-discrimination",
        "causing_material_harm_by_disseminating_misinformation_e_g_in_medicine_or_law": (
            "dangerous-advice"
        ),
    },
}


def our_category(name: str, theirs: str) -> str:
    """Our category for a set's own; its slug where none says the same.

    Args:
        name: the set's name.
        theirs: the category as the set writes it.
    """
    key = normalise(theirs)
    if not key:
        return UNCATEGORISED
    return _OURS.get(name, {}).get(key) or key.replace("_", "-")[:_MAX_SLUG].strip("-")
