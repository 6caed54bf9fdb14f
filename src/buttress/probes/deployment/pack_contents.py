"""Rules of this probe as contents of packs."""

from __future__ import annotations

from typing import Final

from buttress.probes.deployment.checks import CHECKS
from buttress.probes.deployment.probe import RULES, limit, subjects
from buttress.rules.packed_subjects import RuleDomain, packed_subject_rules

INFRASTRUCTURE_RULES: Final = packed_subject_rules(RULES, RuleDomain(limit, subjects, CHECKS))
