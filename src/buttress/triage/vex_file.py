"""Reading a file of statements about vulnerabilities, in whichever of three formats it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buttress.errors import InputError
from buttress.files.atomic import read_json
from buttress.triage import vex_csaf, vex_cyclonedx, vex_openvex
from buttress.triage.vex import Statements

_EXPECTED: Final = "OpenVEX, CSAF or CycloneDX VEX in JSON"


def load(path: Path) -> Statements:
    """The statements of a file, the oldest first.

    Raises:
        InputError: not readable, no known format, or naming the field that is wrong.
    """
    data = read_json(path, "--vex", _EXPECTED)
    if isinstance(data, dict):
        for form in (vex_openvex, vex_cyclonedx, vex_csaf):
            if form.is_one(data):
                return Statements(sorted(form.statements(data, path), key=lambda one: one.time))
    raise InputError("not a VEX document", file=str(path), expected=_EXPECTED)
