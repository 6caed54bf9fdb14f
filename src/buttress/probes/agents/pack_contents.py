"""Rules of this probe as contents of packs."""

from __future__ import annotations

from typing import Final

from buttress.probes.agents.checks import CHECKS
from buttress.probes.agents.probe import KIND, limit, own_rules, subjects
from buttress.rules.pack_rules import Field, SubjectRules

AGENT_RULES: Final = SubjectRules(KIND, Field(limit, subjects, own_rules, CHECKS))
