"""Rules of this probe as contents of packs."""

from __future__ import annotations

from typing import Final

from buttress.probes.agents.checks import CHECKS, RULES
from buttress.probes.agents.probe import limit, subjects
from buttress.rules.packed_subjects import RuleDomain, packed_subject_rules

AGENT_RULES: Final = packed_subject_rules(RULES, RuleDomain(limit, subjects, CHECKS))
