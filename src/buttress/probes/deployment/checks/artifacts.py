"""Checks of artifacts: what another run left is used, or a token is left with the files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from buttress.rules.subject import Check, Subject, SubjectMatch, scalar


def of_artifact(subject: Subject) -> str:
    """That nobody from outside is seen to start the run which makes an artifact; else empty."""
    if any(one.startswith("pull_request") for one in subject.context["before"]):
        return ""
    return "whether a stranger's pull request makes the artifact is not seen here"


def _artifact(subject: Subject) -> Iterator[SubjectMatch]:
    """An artifact of an untrusted run is unpacked, and something is run after it."""
    step, index = subject.value, subject.context.get("index")
    text = f"{step.get('uses', '')} {scalar(step.get('run')) or ''}"
    downloads = "download-artifact" in text or "gh run download" in text
    if "workflow_run" not in subject.context["triggers"] or not downloads or index is None:
        return
    inputs = step.get("with")
    place = str(inputs.get("path", "")) if isinstance(inputs, dict) else ""
    later = subject.context["steps"][index + 1 :]
    if not re.search(r"runner\.temp|/tmp", place) and any(
        isinstance(one, dict) and ("run" in one or str(one.get("uses", "")).startswith("./"))
        for one in later
    ):
        yield SubjectMatch(subject.line(()))


def _kept_credentials(subject: Subject) -> Iterator[SubjectMatch]:
    """The whole work tree, with the token that checkout left in it, is uploaded."""
    step = subject.value
    inputs = step.get("with")
    if not str(step.get("uses", "")).startswith("actions/upload-artifact@"):
        return
    path = str(inputs.get("path", "")).strip() if isinstance(inputs, dict) else ""
    if path not in (".", "./", "${{ github.workspace }}", "*", "**"):
        return
    for one in subject.context["steps"]:
        if isinstance(one, dict) and str(one.get("uses", "")).startswith("actions/checkout@"):
            given = one.get("with")
            if not (isinstance(given, dict) and given.get("persist-credentials") is False):
                yield SubjectMatch(subject.line(()))
                return


CHECKS: Final[dict[str, Check]] = {
    "artifact": _artifact,
    "kept-credentials": _kept_credentials,
}
