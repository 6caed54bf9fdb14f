"""Base scores of CVSS v3.0 and v3.1 from their vectors (FIRST, CVSS v3.1 Specification, section 7).

Version 4 has no formula, only a table of macro vectors; its scores are not computed here.
"""

from __future__ import annotations

import re
from typing import Final

_VECTOR: Final = re.compile(r"CVSS:3\.[01]((?:/[A-Z]{1,3}:[A-Z]){8,22})/?")
_WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES: Final = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def base_score(vector: str) -> float | None:
    """The base score, 0 to 10 with one decimal; None where it is no vector of version 3."""
    match = _VECTOR.fullmatch(vector)
    if not match:
        return None
    metrics = dict(one.split(":") for one in match[1][1:].split("/"))
    try:
        weight = {name: table[metrics[name]] for name, table in _WEIGHTS.items()}
        changed = {"U": False, "C": True}[metrics["S"]]
        privileges = _PRIVILEGES[metrics["S"]][metrics["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    ease = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    total = 1.08 * (impact + ease) if changed else impact + ease
    return round_up(min(total, 10.0))


def round_up(value: float) -> float:
    """The least number with one decimal that is not less (Appendix A of the specification)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10
