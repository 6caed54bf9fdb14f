"""Source code, notebooks, and the secrets in any text."""

from __future__ import annotations

from typing import Final

from buttress.files.notebook_code import notebook
from buttress.probes.source.code.probe import PROBE as UNSAFE_CODE
from buttress.probes.source.code.rulebook import CODE
from buttress.probes.source.secrets import PROBE as SECRETS
from buttress.rules.credentials.scanner import scan
from buttress.rules.rule_files import read
from fuzz.harness import InvariantError, Target, inspected, placed


def _python(data: bytes) -> object:
    return inspected(UNSAFE_CODE, "app.py", data)


def _notebook(data: bytes) -> object:
    notebook(data)
    return inspected(UNSAFE_CODE, "app.ipynb", data)


def _secrets(data: bytes) -> object:
    hits = scan(data, "settings.py")
    for hit in hits.found:
        if not 0 <= hit.start < hit.end <= len(data):
            raise InvariantError(f"a secret at {hit.start}:{hit.end} of {len(data)}")
    return hits


def _text(data: bytes) -> object:
    return inspected(SECRETS, "settings.env", data)


def _outputs(data: bytes) -> object:
    return inspected(SECRETS, "app.ipynb", data)


def _rules(data: bytes) -> object:
    return read(placed("rules.yaml", data), CODE.format).rules


TARGETS: Final = (
    Target("python-code", _python),
    Target("notebook-code", _notebook),
    Target("secrets", _secrets),
    Target("secrets-file", _text),
    Target("secrets-notebook", _outputs),
    Target("code-rules", _rules),
)
