"""What `buttress privacy` is asked: weights, data and methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from buttress.data.inputs import expand
from buttress.data.reading import Readable, read
from buttress.errors import InputError
from buttress.system.manifest import FILE_NAME
from buttress.targets.adapters import holds_model
from buttress.workflows.manifest import load

METHODS: Final = (
    "membership", "exposure", "extraction", "divergence", "attributes", "preferences"
)  # fmt: skip
_ON_REQUEST: Final = ("divergence",)  # takes as long as all others


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """What to measure on which weights.

    ``weights`` is a Hugging Face folder, a manifest with one, or a file of token scores. ``most``:
    texts of each group, drawn where there are more. ``references``: secrets beside each canary.
    ``attributes``: file of records with a hidden attribute. ``draws``: answers to a repeated word.
    """

    weights: Path
    methods: Sequence[str] = ()
    members: Path | None = None
    non_members: Path | None = None
    canaries: Path | None = None
    reference: Path | None = None
    attributes: Path | None = None
    field: str = ""
    most: int = 300
    references: int = 1000
    neighbour_count: int = 4
    draws: int = 64
    out: Path | None = None
    resume: bool = False
    seed: int = 0
    device: str = "auto"


def methods_of(request: PrivacyRequest) -> list[str]:
    """The methods that were asked for, or all for which there is data.

    Raises:
        InputError: a method is unknown or has no data, or there is nothing to measure.
    """
    groups = request.members is not None and request.non_members is not None
    pairs = request.members is not None and holds_pairs(request.members)
    has = {
        "membership": groups and not pairs,
        "exposure": request.canaries is not None,
        "extraction": request.members is not None and not pairs,
        "divergence": request.members is not None,
        "attributes": request.attributes is not None,
        "preferences": groups and pairs,
    }
    needs = {
        "membership": "--members and --non-members with texts",
        "exposure": "--canaries",
        "extraction": "--members with texts",
        "divergence": "--members",
        "attributes": "--attributes",
        "preferences": "--members and --non-members with pairs: prompt, chosen, rejected",
    }
    for name in request.methods:
        if name not in METHODS:
            raise InputError(
                f"unknown method '{name}'", field="--method", expected=", ".join(METHODS)
            )
        if not has[name]:
            raise InputError(f"'{name}' has no data", field="--method", expected=needs[name])
    usual = [name for name in METHODS if name not in _ON_REQUEST]
    found = [name for name in METHODS if has[name] and name in (request.methods or usual)]
    if not found:
        raise InputError(
            "nothing to measure", field="--members",
            expected="--members FILE, --members with --non-members, --canaries FILE, or "
            "--attributes FILE",
        )  # fmt: skip
    return found


def weights_folder(path: Path) -> Path:
    """The folder with the weights, by the manifest where ``path`` is one.

    Raises:
        InputError: there is no folder with weights.
    """
    if path.is_dir() and not (path / FILE_NAME).is_file():
        return path
    if path.suffix not in (".yaml", ".yml") and not path.is_dir():
        raise InputError(
            "no such folder" if not path.exists() else "not usable", file=str(path), field="PATH",
            expected="a Hugging Face folder, a manifest, or token scores in .jsonl",
        )  # fmt: skip
    system = load(path)
    for asset in system.assets:
        for one in asset.paths:
            if one.is_dir() and holds_model(one):
                return one
    raise InputError(
        "no asset with weights", file=str(path), field="assets",
        expected="a model whose path is a Hugging Face folder",
    )  # fmt: skip


def holds_pairs(path: Path) -> bool:
    """Whether the first record that can be read is a prompt with a chosen and a rejected answer.

    Raises:
        InputError: there is no such file.
    """
    for one in read(expand([path])):
        if isinstance(one, Readable):
            data = one.data
            return {"chosen", "rejected"} <= data.keys()
    return False
