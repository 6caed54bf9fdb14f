"""Rules for credentials as contents of packs: how their examples are tried."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

from buttress.rules.credentials.examples import fill
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.credentials.rule import CredentialRule
from buttress.rules.credentials.scanner import candidates, verdict_on
from buttress.rules.packed import PackedRules
from buttress.rules.patterns import compiled_bytes
from buttress.rules.rule import Example
from buttress.rules.rule_files import ExampleError

_SEEDS: Final = range(5)  # of random text in examples; each must come out right
_MAX_EXAMPLE: Final = 20_000
_NUMBERS: Final = re.compile(r"\{(?!jwt:)[A-Za-z0-9]+:([0-9]+)\}")  # of a JWT: its subject


def _trial(rule: CredentialRule) -> Callable[[Example], set[bool]]:
    """As the scanner decides it: keyword, pattern, check."""
    keywords = [compiled_bytes(word, case_sensitive=False) for word in rule.keywords]

    def found(data: bytes) -> bool:
        return any(one.search(data) for one in keywords) and any(
            verdict_on(one) is not None for one in candidates(rule, data)
        )

    return lambda example: {found(_filled(example.text, seed)) for seed in _SEEDS}


def _filled(template: str, seed: int) -> bytes:
    try:
        if any(int(number) > _MAX_EXAMPLE for number in _NUMBERS.findall(template)):
            raise ValueError("too long")
        return fill(template, random.Random(seed)).encode()
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ExampleError(
            f"its example '{template[:60]}' can't be filled in: {error}; "
            "expected places such as {base62:24}, {hex:32}, {uuid}"
        ) from None


SECRET_RULES: Final = PackedRules(CREDENTIALS, _trial)
