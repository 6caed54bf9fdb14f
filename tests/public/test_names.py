"""The public face: which names there are, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import buttress
import buttress.ext

NAMES = {
    "Assessment", "ButtressError", "ComparisonDocument", "EvidenceStore", "Finding", "InputError",
    "Measurement", "MissingExtraError", "PluginError", "ScanDocument", "System", "Trial", "Verdict",
    "WhiteBoxDocument", "__version__", "assess", "diff", "load_manifest", "measure", "scan",
}  # fmt: skip
FOR_PLUGINS = {
    "Answer", "Attack", "ButtressError", "Calibration", "CallsSpentError", "ComputingJudge",
    "Conversation",
    "AttackDescription", "Dialogue", "Exchange", "Expect", "Finding", "InputError", "Inspection",
    "InspectionContext", "InspectionProbe", "Judge", "Judgement", "Location", "Message",
    "MissingExtraError", "NotCoveredError", "Procedure", "Request", "Sampling", "Severity",
    "TakesOptions", "Target",
    "TargetError", "TemplateAttack", "Tree", "Trial", "TrialContext", "TrialProbe", "TrialSpec",
    "UnjudgedError", "abstention", "settings_schema", "takes_settings", "under_attack",
}  # fmt: skip


def test_the_exported_names() -> None:
    """Whoever changes this list breaks somebody's program: say so in the release notes."""
    assert set(buttress.__all__) == NAMES
    assert set(buttress.ext.__all__) == FOR_PLUGINS
    for name in NAMES:
        assert getattr(buttress, name) is not None
        assert name in dir(buttress)
    for name in FOR_PLUGINS:
        assert getattr(buttress.ext, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'buttress' has no attribute 'poem'"):
        _ = buttress.poem


def test_importing_it_imports_nothing_else() -> None:
    code = (
        "import sys, buttress\n"
        "print([name for name in sys.modules if name.startswith('buttress.')],"
        " 'numpy' in sys.modules, 'msgspec' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[] False False\n"
