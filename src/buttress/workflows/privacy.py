"""What a model gives away of its training data: the document of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from buttress import __version__
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.probes.privacy.membership_result import membership_result
from buttress.probes.privacy.token_scores import read_token_scores
from buttress.targets.fingerprint import file_digest
from buttress.workflows.privacy_request import PrivacyRequest, methods_of, weights_folder
from buttress.workflows.privacy_run import PrivacyRun

DOCUMENT: Final = "privacy.json"
Say = Callable[[str], None]


def measure_privacy(request: PrivacyRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """Carry out a request; its document.

    Raises:
        InputError: weights, data or the folder of an earlier run is not usable.
        MissingExtraError: weights without torch and transformers.
    """
    if request.weights.suffix == ".jsonl" and request.weights.is_file():
        return _of_scores(request)
    methods = methods_of(request)
    from buttress.white_box import need_torch

    need_torch()
    weights = weights_folder(request.weights)
    run = PrivacyRun(request, weights, say)
    run.begin()
    parts = {name: run.part(name) for name in methods}
    document = _document(request, str(weights), run.identity, parts)
    if request.out is not None:
        _write(document, request.out)
    return document


def exit_code(document: Mapping[str, Any]) -> int:
    """0, 1 for a leak, 3 where a part can't say."""
    return {"no leak shown": 0, "leak": 1}.get(document["outcome"], 3)


def _of_scores(request: PrivacyRequest) -> dict[str, Any]:
    wrong = [name for name in request.methods if name != "membership"]
    if wrong:
        raise InputError(
            f"'{wrong[0]}' needs weights", file=str(request.weights), field="--method",
            expected="membership, for a file of token scores",
        )  # fmt: skip
    for name in ("members", "non_members", "canaries", "reference", "attributes"):
        if getattr(request, name) is not None:
            raise InputError(
                "needs weights", file=str(request.weights),
                field=f"--{name.replace('_', '-')}", expected="weights, or scores alone",
            )  # fmt: skip
    texts = list(read_token_scores(request.weights))
    part = membership_result(texts, seed=request.seed)
    document = _document(
        request, str(request.weights), file_digest(request.weights), {"membership": part}
    )
    if request.out is not None:
        request.out.mkdir(parents=True, exist_ok=True)
        _write(document, request.out)
    return document


def _document(
    request: PrivacyRequest, subject: str, identity: str, parts: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": "buttress-privacy/1",
        "version": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "subject": subject,
        "identity": identity,
        "reference": str(request.reference) if request.reference else None,
        "seed": request.seed,
        "membership": parts.get("membership"),
        "exposure": parts.get("exposure"),
        "extraction": parts.get("extraction"),
        "divergence": parts.get("divergence"),
        "attributes": parts.get("attributes"),
        "preferences": parts.get("preferences"),
        "outcome": _outcome(parts),
    }


def _write(document: Mapping[str, Any], out: Path) -> None:
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    write_whole(out / DOCUMENT, data, "--out")


def _outcome(parts: Mapping[str, dict[str, Any]]) -> str:
    if any(part["leak"] for part in parts.values()):
        return "leak"
    if any(part["leak"] is None or not part.get("usable", True) for part in parts.values()):
        return "undecided"
    return "no leak shown"
