"""Base scores of CVSS 2.0, 3.0, 3.1 and 4.0 from their vectors, by Red Hat's library ``cvss``.

Only the base metrics count: what an advisory says of threat or environment is not true everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_VECTOR: Final = re.compile(r"(?:CVSS:(3\.0|3\.1|4\.0)/)?((?:[A-Za-z]{1,3}:[A-Za-z]{1,6}/?){6,40})")
_BASE: Final[Mapping[str, frozenset[str]]] = {
    "2.0": frozenset({"AV", "AC", "Au", "C", "I", "A"}),
    "3.0": frozenset({"AV", "AC", "PR", "UI", "S", "C", "I", "A"}),
    "3.1": frozenset({"AV", "AC", "PR", "UI", "S", "C", "I", "A"}),
    "4.0": frozenset(
        {"AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"}
    ),
}  # fmt: skip


def version(vector: str) -> str:
    """The version of the standard that a vector is of; empty where it has no vector's form.

    Vectors of version 2 do not name theirs (CVSS v2 guide, section 2.4).
    """
    match = _VECTOR.fullmatch(vector)
    return (match[1] or "2.0") if match else ""


@lru_cache(maxsize=4096)
def base_score(vector: str) -> float | None:
    """The base score, 0 to 10 with one decimal; None where it is no whole vector."""
    match = _VECTOR.fullmatch(vector)
    if not match:
        return None
    which = match[1] or "2.0"
    base = [one for one in match[2].split("/") if one.partition(":")[0] in _BASE[which]]
    head = f"CVSS:{which}/" if match[1] else ""
    from cvss import CVSS2, CVSS3, CVSS4  # only where there is something to score
    from cvss.exceptions import CVSSError

    kind = {"2.0": CVSS2, "4.0": CVSS4}.get(which, CVSS3)
    try:
        return float(kind(head + "/".join(base)).base_score)
    except CVSSError:
        return None
