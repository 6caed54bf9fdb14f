"""The rules that come with Buttress, tried as those of packs are: each against its own examples."""

from __future__ import annotations

from pathlib import Path

from buttress.probes.deployment import pack_rules as subject_rules


def try_examples() -> int:
    """How many rules about code, containers, pipelines and agents there are, all of which pass.

    Raises:
        InputError: a rule fails one of its examples.
    """
    from buttress.probes.source.code import rulebook

    count = len(rulebook.load_rules(rulebook.RULES, verify=True))
    for kind in subject_rules.KINDS:
        field = subject_rules.field_of(kind)
        rules = list(field.own().values())
        subject_rules.try_examples(rules, field, Path(f"own {kind}"))
        count += len(rules)
    return count
