"""The rules for credentials that hold in a run."""

from __future__ import annotations

from buttress.packs.knowledge import Knowledge
from buttress.rules.credentials.rules import rules
from buttress.rules.credentials.scanner import SecretRules, own


def secret_rules(knowledge: Knowledge) -> SecretRules:
    """Ours, and those of packs.

    Raises:
        InputError: a file of a pack is not valid.
    """
    files = knowledge.of_kind("secret-rules")
    if not files:
        return own()
    from buttress.rules.credentials.pack_rules import load

    return SecretRules([*rules(), *(rule for file in files for rule in load(file.path))])
