"""Whom a Sigstore client trusts: authorities and logs, from a file instead of the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from buttress.errors import InputError
from buttress.files.bounded_json import JsonError, parse
from buttress.provenance.library import readable

MAX_BYTES: Final = 4 << 20
_CLIENT: Final = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_ROOT: Final = "application/vnd.dev.sigstore.trustedroot"  # with the version after it
_SIGNING: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_FIELD: Final = "--trust"
_EXPECTED: Final = "a Sigstore trusted root or client trust configuration in JSON"


def client_trust(file: Path) -> str:
    """A client trust configuration in JSON.

    ``file`` holds one, or only a trusted root (as the public instance publishes it, and as others
    keep theirs); that is enough to verify, and gets a configuration around it that signs nowhere.

    Raises:
        InputError: neither, or the file can't be read.
    """
    readable(file, _FIELD, _EXPECTED)
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _error(file, f"larger than {MAX_BYTES >> 20} MiB")
    try:
        value, twice = parse(data)
    except JsonError as error:
        raise _error(file, f"no JSON: {error}") from None
    if twice:  # readers differ in which of the two they take
        raise _error(file, f"the key {min(twice)[:80]!r} stands there twice")
    kind = value.get("mediaType") if isinstance(value, dict) else None
    if kind == _CLIENT:
        return json.dumps(value)
    if isinstance(kind, str) and kind.startswith(_ROOT):
        return json.dumps(_around(value))
    raise _error(file, f"holds {str(kind)[:80]!r}")


def _around(root: dict[str, Any]) -> dict[str, Any]:
    return {"mediaType": _CLIENT, "trustedRoot": root, "signingConfig": {"mediaType": _SIGNING}}


def _error(file: Path, problem: str) -> InputError:
    return InputError(problem, file=str(file), field=_FIELD, expected=_EXPECTED)
