"""Buttress: is this language-model system safe enough to launch? Evidence, risk, verdict.

The names in ``__all__`` are the public face; ``buttress.ext`` has what plugins use. Everything else
may change between versions. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from buttress.documents.assessment import Assessment as Assessment
    from buttress.documents.comparison import ComparisonDocument as ComparisonDocument
    from buttress.documents.measurement import Measurement as Measurement
    from buttress.documents.scan_types import ScanDocument as ScanDocument
    from buttress.documents.white_box import WhiteBoxDocument as WhiteBoxDocument
    from buttress.errors import ButtressError as ButtressError
    from buttress.errors import InputError as InputError
    from buttress.errors import MissingExtraError as MissingExtraError
    from buttress.errors import PluginError as PluginError
    from buttress.evidence.findings import Finding as Finding
    from buttress.evidence.records import Trial as Trial
    from buttress.evidence.store import EvidenceStore as EvidenceStore
    from buttress.risk.verdict import Verdict as Verdict
    from buttress.system.model import System as System
    from buttress.workflows.api import assess as assess
    from buttress.workflows.api import diff as diff
    from buttress.workflows.api import load_manifest as load_manifest
    from buttress.workflows.api import measure as measure
    from buttress.workflows.api import scan as scan

__version__ = "0.1.0"
_PLACES: Final = {
    "Assessment": "buttress.documents.assessment:Assessment",
    "ButtressError": "buttress.errors:ButtressError",
    "ComparisonDocument": "buttress.documents.comparison:ComparisonDocument",
    "EvidenceStore": "buttress.evidence.store:EvidenceStore",
    "Finding": "buttress.evidence.findings:Finding",
    "InputError": "buttress.errors:InputError",
    "Measurement": "buttress.documents.measurement:Measurement",
    "MissingExtraError": "buttress.errors:MissingExtraError",
    "PluginError": "buttress.errors:PluginError",
    "ScanDocument": "buttress.documents.scan_types:ScanDocument",
    "System": "buttress.system.model:System",
    "Trial": "buttress.evidence.records:Trial",
    "Verdict": "buttress.risk.verdict:Verdict",
    "WhiteBoxDocument": "buttress.documents.white_box:WhiteBoxDocument",
    "assess": "buttress.workflows.api:assess",
    "diff": "buttress.workflows.api:diff",
    "load_manifest": "buttress.workflows.api:load_manifest",
    "measure": "buttress.workflows.api:measure",
    "scan": "buttress.workflows.api:scan",
}
__all__ = [
    "Assessment",
    "ButtressError",
    "ComparisonDocument",
    "EvidenceStore",
    "Finding",
    "InputError",
    "Measurement",
    "MissingExtraError",
    "PluginError",
    "ScanDocument",
    "System",
    "Trial",
    "Verdict",
    "WhiteBoxDocument",
    "__version__",
    "assess",
    "diff",
    "load_manifest",
    "measure",
    "scan",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'buttress' has no attribute '{name}'")
    module, _, attribute = _PLACES[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
