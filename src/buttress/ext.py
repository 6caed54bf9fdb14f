"""What plugins use: protocols, records, settings, and helpers to make attacks and probes.

The names in ``__all__`` keep their meaning within a major version. See docs/extending.md.
"""

from buttress.attacks.template import TemplateAttack
from buttress.errors import ButtressError, InputError, MissingExtraError
from buttress.evidence.findings import Finding, Inspection, Severity
from buttress.evidence.locations import Location
from buttress.evidence.records import Expect, Trial
from buttress.extension.settings import settings_schema, takes_settings
from buttress.files.tree import Tree
from buttress.inspection.options import TakesOptions
from buttress.probes.behaviour.attack_resistance import under_attack
from buttress.protocols.attack import Attack, AttackDescription
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.judge import (
    Calibration,
    ComputingJudge,
    Exchange,
    Judge,
    Judgement,
    abstention,
)
from buttress.protocols.probe import (
    InspectionProbe,
    NotCoveredError,
    TrialContext,
    TrialProbe,
    TrialSpec,
)
from buttress.protocols.procedure import CallsSpentError, Conversation, Dialogue, Procedure
from buttress.protocols.unjudged import UnjudgedError
from buttress.targets.base import Answer, Message, Request, Sampling, Target, TargetError

__all__ = [
    "Answer",
    "Attack",
    "AttackDescription",
    "ButtressError",
    "Calibration",
    "CallsSpentError",
    "ComputingJudge",
    "Conversation",
    "Dialogue",
    "Exchange",
    "Expect",
    "Finding",
    "InputError",
    "Inspection",
    "InspectionContext",
    "InspectionProbe",
    "Judge",
    "Judgement",
    "Location",
    "Message",
    "MissingExtraError",
    "NotCoveredError",
    "Procedure",
    "Request",
    "Sampling",
    "Severity",
    "TakesOptions",
    "Target",
    "TargetError",
    "TemplateAttack",
    "Tree",
    "Trial",
    "TrialContext",
    "TrialProbe",
    "TrialSpec",
    "UnjudgedError",
    "abstention",
    "settings_schema",
    "takes_settings",
    "under_attack",
]
