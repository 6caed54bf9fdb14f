"""Values of configurations that name a class or function under a key which asks for one."""

from __future__ import annotations

import re
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.probes.artifacts.named_code import verdict
from buttress.probes.artifacts.pickles.judge import NameLists

# Keys whose value a loader imports: Hydra and NeMo, jsonargparse (LightningCLI).
IMPORTING: Final = ("_target_", "class_path")
_CALLABLE: Final = re.compile(
    r"(?:\A|_)(?:target|class|cls|fn|func|function|callable|hook|handler|factory|builder|loader|"
    r"impl|callback|op|operator|metric|transform|initializer|activation|entry_?point|processor)"
    r"s?(?:_name|_path|_type)?\Z"
)
_PART: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")


def named(key: str, value: str, names: NameLists) -> tuple[Severity, str] | None:
    """Verdict on ``value`` under ``key``; where the key may mean anything, the dangerous only."""
    if key in IMPORTING:
        return verdict(value, names)
    if "." in value and len(value) < 200 and _CALLABLE.search(key.lower()):
        found = verdict(value, names) if _PART.match(value) else None
        return found if found and found[0] == "critical" else None
    return None


def paired(module: object, name: object, names: NameLists) -> tuple[Severity, str] | None:
    """Verdict on a class that is given as two values; the dangerous only."""
    if not (isinstance(module, str) and isinstance(name, str) and _PART.match(module)):
        return None
    if not _PART.match(name):
        return None
    found = verdict(f"{module}.{name}", names)
    return found if found and found[0] == "critical" else None


def is_keras(value: Any, text: bytes) -> bool:
    """Whether a JSON document is a configuration of Keras, and not rows that have classes."""
    return b'"class_name"' in text[:512] or (isinstance(value, dict) and "class_name" in value)
