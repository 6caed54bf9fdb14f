"""Rules of this probe as contents of packs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.probes.agents import bytecode
from buttress.probes.agents.checks import CHECKS, RULES
from buttress.probes.agents.probe import limit, subjects
from buttress.rules.packed_subjects import RuleDomain, packed_subject_rules


def _limit(path: Path) -> int:
    """Of a file of that path; compiled code is read in the folders of skills alone."""
    return bytecode.MOST if path.suffix == bytecode.ENDING else limit(path)


AGENT_RULES: Final = packed_subject_rules(RULES, RuleDomain(_limit, subjects, CHECKS))
