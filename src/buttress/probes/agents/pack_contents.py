"""Rules of this probe as contents of packs."""

from __future__ import annotations

from typing import Final

from buttress.probes.agents.checks import CHECKS
from buttress.probes.agents.probe import KIND, limit, own_rules, subjects
from buttress.rules.pack_rules import RuleDomain, SubjectRules

AGENT_RULES: Final = SubjectRules(KIND, RuleDomain(limit, subjects, own_rules, CHECKS))
