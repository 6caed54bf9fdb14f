"""Examples of the rules, filled in."""

from __future__ import annotations

import random

from buttress.rules.credentials.examples import fill
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.credentials.rule import CredentialRule

# With these, no positive example is so unlucky a draw that it looks like words.
SEEDS = range(10)
VERIFIED = [rule for rule in CREDENTIALS.own.values() if rule.verified]
POSITIVE = [(rule, one.text) for rule in CREDENTIALS.own.values() for one in rule.bad]
NEGATIVE = [(rule, one.text) for rule in CREDENTIALS.own.values() for one in rule.good]


def file_name(rule: CredentialRule) -> str:
    """A name that the rule reads."""
    return next(
        name
        for name in (
            "app.py",
            "settings.env",
            "pod.yaml",
            "main.tf",
            ".pgpass",
            ".netrc",
            ".npmrc",
            "a.toml",
            "a.xml",
            "a.csv",
            "master.key",
            "wpa.conf",
        )
        if rule.reads(name)
    )


def sample(template: str, seed: int) -> str:
    return fill(template, random.Random(seed))


def the_rule(name: str) -> CredentialRule:
    return next(rule for rule in CREDENTIALS.own.values() if rule.id == name)


def key(name: str, seed: int = 0) -> str:
    """The first positive example of a rule."""
    return sample(the_rule(name).bad[0].text, seed)
