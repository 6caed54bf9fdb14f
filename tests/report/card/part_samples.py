"""A document of each command whose figures a card shows, as its schema says."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from buttress.documents.fields import DocumentPart
from buttress.documents.schemas import DOCUMENTS
from tests.report.test_alignment_page import document as alignment

DIGEST: Final = "0" * 64
_SHARE: Final = {"items": 40, "estimate": 0.5, "low": 0.3, "high": 0.7, "unread": 0}
_CHANGE: Final = {"estimate": 0.25, "low": 0.1, "high": 0.4}
_EXTRACTED: Final = {
    "texts": 50, "verbatim": 3, "near": 5, "near_low": 0.03, "near_high": 0.2, "longest_run": 41,
    "chance": {}, "personal_data": {},
}  # fmt: skip
_KEPT: Final = {
    "questions": 12, "trials": 48, "estimate": 0.875, "low": 0.6, "high": 0.98, "unread": 0,
}  # fmt: skip
_DATA: Final = {
    "path": "set.jsonl", "digest": DIGEST, "records": 132, "examples": 120, "tokens": 9000,
    "left_out": {},
}  # fmt: skip
PRIVACY: Final[dict[str, Any]] = {
    "schema": "buttress-privacy/1", "version": "0", "finished": "2026-01-01T00:00:00Z",
    "subject": "weights", "identity": DIGEST, "reference": None, "seed": 0,
    "membership": {
        "usable": False, "reason": "texts alone tell the groups apart", "members": 60,
        "non_members": 57, "left_out": {}, "blind": None, "skipped": {}, "leak": False,
        "attacks": [{"attack": "min-k", "auc": 0.537, "auc_low": 0.43, "auc_high": 0.63,
                     "tpr": []}],
    },
    "exposure": {
        "references": 200, "chance_bits": 1.42, "most_bits": 7.65, "canaries": [], "leak": True,
        "groups": [{"repeats": 16, "canaries": 6, "mean_bits": 9.9, "low": 9.1, "high": 10.0,
                    "verbatim": 2, "p_value": 0.001}],
    },
    "extraction": {
        "prefix_tokens": 50, "suffix_tokens": 50, "left_out": {}, "members": _EXTRACTED,
        "non_members": None, "reference": None, "leak": None,
    },
    "divergence": None, "attributes": None, "preferences": None,
    "outcome": "leak",
}  # fmt: skip
OVERSIGHT: Final[dict[str, Any]] = {
    "schema": "buttress/oversight/1", "protocol": "debate", "task": "hidden-text (en)",
    "task_digest": "0", "hidden_text": True, "overseer_asset": "a", "worker_asset": "b",
    "rounds": 1, "seed": 0, "run": "r", "evidence_head": "0", "margin": 0.1, "items": 40,
    "lost": {}, "calls": 200, "stopped": "decided", "overseer": _SHARE, "worker": _SHARE,
    "with_protocol": _SHARE | {"estimate": 0.75}, "gap": _CHANGE, "gain": _CHANGE,
    "gap_recovered": None, "wrong_side_convinced": None, "right_side_convinced": None,
    "principles": [], "verdict": "helps", "outcomes": [],
}  # fmt: skip
VALUES: Final[dict[str, Any]] = {
    "schema": "buttress/values/1", "charter": "charter.yaml", "charter_digest": DIGEST,
    "asset": "bot", "run": "r", "review": {"accepted": 12, "rejected": 0, "pending": 0}, "lost": 0,
    "all": _KEPT, "wordings": None, "languages": None, "disagreements": [],
    "principles": [
        {"principle": "honesty", "text": "Be honest.", "source": "house rules", "kept": _KEPT,
         "wordings": None, "languages": None},
        {"principle": "care", "text": "Care.", "source": "", "kept": None, "wordings": None,
         "languages": None},
    ],
}  # fmt: skip
TUNE: Final[dict[str, Any]] = {
    "schema": "buttress-tune/1", "version": "0", "finished": "2026-01-01T00:00:00Z",
    "method": "dp-sft",
    "weights": {"path": "base", "digest": DIGEST, "parameters": 135_000_000, "trained": 4_900_000},
    "data": _DATA, "retain": None, "settings": {}, "seed": 0, "steps": 30, "loss": None,
    "reload": {"examples": 4, "largest_difference": 0.0, "change": None},
    "privacy": {"epsilon": 7.97, "delta": 1e-5, "target_epsilon": 8.0, "noise_multiplier": 1.1,
                "sample_rate": 0.1, "clip": 1.0, "accountant": "rdp"},
    "unlearning": None,
}  # fmt: skip
DATA: Final[dict[str, Any]] = {
    "schema": "buttress-data/1", "version": "0", "finished": "2026-01-01T00:00:00Z",
    "dry_run": False, "inputs": ["corpus.jsonl"], "field": "", "source_field": "", "seed": 0,
    "records": {"in": 1000, "kept": 900, "removed": 98, "changed": 12, "unreadable": 2},
    "digest": DIGEST, "sources": [], "alarms": [], "restored": 0,
    "stages": [{"name": "exact", "options": {}, "max_removed_share": 0.5, "seen": 998,
                "removed": 98, "changed": 0, "rules": {}, "types": {}, "notes": [],
                "examples": []}],
}  # fmt: skip


def _whole(name: str, sample: dict[str, Any]) -> dict[str, Any]:
    """The sample with empty values for what no card shows, as its class asks for."""
    return sample | _empty_fields(DOCUMENTS[name], sample)


def _empty_fields(part: type[DocumentPart], sample: dict[str, Any]) -> dict[str, Any]:
    return {
        field.encode_name: _empty(msgspec.inspect.type_info(field.type))
        for field in msgspec.structs.fields(part)
        if field.required and field.encode_name not in sample
    }


def _empty(kind: Any) -> Any:
    if isinstance(kind, msgspec.inspect.Metadata):
        return _empty(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return None if kind.includes_none else _empty(kind.types[0])
    if isinstance(kind, msgspec.inspect.StructType):
        return _empty_fields(kind.cls, {})
    if isinstance(kind, msgspec.inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, msgspec.inspect.StrType):
        return ""
    if isinstance(kind, msgspec.inspect.BoolType):
        return False
    if isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return 0
    return {} if isinstance(kind, msgspec.inspect.DictType) else []


SAMPLES: Final[dict[str, dict[str, Any]]] = {
    name: _whole(name, sample)
    for name, sample in (
        ("align", alignment()), ("privacy", PRIVACY), ("oversight", OVERSIGHT),
        ("values", VALUES), ("tune", TUNE), ("data", DATA),
    )
}  # fmt: skip
