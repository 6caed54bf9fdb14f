"""Rules of this probe as contents of packs."""

from __future__ import annotations

from typing import Final

from buttress.probes.deployment.checks import CHECKS
from buttress.probes.deployment.probe import KIND, limit, own_rules, subjects
from buttress.rules.pack_rules import RuleDomain, SubjectRules

INFRASTRUCTURE_RULES: Final = SubjectRules(KIND, RuleDomain(limit, subjects, own_rules, CHECKS))
