"""The rules for credentials that hold in a run."""

from __future__ import annotations

from buttress.packs.knowledge import Knowledge
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.credentials.scanner import SecretRules, own


def secret_rules(knowledge: Knowledge) -> SecretRules:
    """Ours, and those of packs.

    Raises:
        InputError: a file of a pack is not valid.
    """
    files = knowledge.of_kind(CREDENTIALS.name)
    return SecretRules(CREDENTIALS.with_packs(files).values()) if files else own()
