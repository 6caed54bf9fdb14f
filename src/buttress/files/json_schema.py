"""JSON Schema validators, imported without what makes that slow."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

_GRAMMAR: Final = "rfc3987_syntax"


def validator(schema: Mapping[str, Any]) -> Any:
    """A validator of draft 2020-12.

    Where ``rfc3987_syntax`` is installed (Jupyter brings it), ``jsonschema`` imports it at once,
    and that builds a parser for a second. It serves the formats ``iri`` and ``iri-reference``,
    which no schema of ours has.
    """
    hidden = _GRAMMAR not in sys.modules
    if hidden:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # an import of it fails
    try:
        from jsonschema import Draft202012Validator
    finally:
        if hidden:
            del sys.modules[_GRAMMAR]
    return Draft202012Validator(schema)
