"""Sets from the Hugging Face hub, kept in its own cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from buttress.errors import InputError, MissingExtraError
from buttress.prompts.public.sets import KnownSet

_PATTERNS: Final = ["*.csv", "*.tsv", "*.json", "*.jsonl", "*.txt", "*.parquet"]


def download(name: str, known: KnownSet) -> Path:
    """The folder that holds the set's files, downloaded if the hub's cache doesn't have them.

    The variables of the hub's own client (HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE) count.

    Raises:
        InputError: the set isn't on the hub, the hub can't be reached, or it refuses.
        MissingExtraError: the hub's client isn't installed.
    """
    if known.hub is None:
        raise InputError(f"'{name}' is not on the hub", field="path", expected=known.form)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError(f"'{name}' without a path", "hub") from None
    try:
        return Path(snapshot_download(known.hub, repo_type="dataset", allow_patterns=_PATTERNS))
    # The client lets through errors of its own, of its HTTP library and of the system.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise InputError(
            f"'{known.hub}' can't be had from the hub ({type(error).__name__}: {reason})",
            field=f"prompt set '{name}'",
            expected="a reachable hub and, where the authors ask for it, their terms accepted and "
            f"HF_TOKEN set; or a path to the set: {known.form}",
        ) from None
