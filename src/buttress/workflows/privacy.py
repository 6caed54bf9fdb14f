"""What a model gives away of its training data: one run, its folder and its document."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import orjson

from buttress import __version__
from buttress.data.reading import Readable, expand, read
from buttress.data.records import Record
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.probes.privacy.attributes import read_attributes
from buttress.probes.privacy.canaries import read_canaries
from buttress.probes.privacy.membership_result import membership_result
from buttress.probes.privacy.token_scores import read_token_scores
from buttress.targets.adapters import CONFIG, base_of
from buttress.targets.fingerprint import file_digest, files_digest

if TYPE_CHECKING:
    from buttress.workflows.privacy_scoring import LabelledText, LoadedModel

DOCUMENT: Final = "privacy.json"
RUN: Final = "privacy-run.json"
METHODS: Final = (
    "membership", "exposure", "extraction", "divergence", "attributes", "preferences"
)  # fmt: skip
_ON_REQUEST: Final = ("divergence",)  # takes as long as all others
Say = Callable[[str], None]


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


def measure_privacy(request: PrivacyRequest, say: Say = lambda _: None) -> dict[str, Any]:
    """Carry out a request; its document.

    Raises:
        InputError: weights, data or the folder of an earlier run is not usable.
        MissingExtraError: weights without torch and transformers.
    """
    if request.weights.suffix == ".jsonl" and request.weights.is_file():
        return _of_scores(request)
    methods = _methods(request)
    from buttress.white_box import need_torch

    need_torch()
    weights = _weights(request.weights)
    run = _Run(request, weights, say)
    run.begin()
    parts = {name: run.part(name) for name in methods}
    document = _document(request, str(weights), run.identity, parts)
    if request.out is not None:
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(request.out / DOCUMENT, data, "--out")
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
        data = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(request.out / DOCUMENT, data, "--out")
    return document


def _methods(request: PrivacyRequest) -> list[str]:
    """The methods that were asked for, or all for which there is data."""
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


def _weights(path: Path) -> Path:
    """The folder with the weights, by the manifest where ``path`` is one."""
    from buttress.system.manifest import FILE_NAME
    from buttress.workflows.manifest import load

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
            if one.is_dir() and any((one / name).is_file() for name in ("config.json", CONFIG)):
                return one
    raise InputError(
        "no asset with weights", file=str(path), field="assets",
        expected="a model whose path is a Hugging Face folder",
    )  # fmt: skip


@dataclass(slots=True)
class _Run:
    request: PrivacyRequest
    weights: Path
    say: Say
    identity: str = ""
    left_out: Counter[str] = field(default_factory=Counter)
    _loaded: dict[Path, LoadedModel] = field(default_factory=dict)
    _read: list[LabelledText] | None = None

    def begin(self) -> None:
        """Make the folder, or check that what lies there is of the same run."""
        request = self.request
        self.identity = _digest(self.weights)
        if request.out is None:
            if request.resume:
                raise InputError("needs a folder", field="--resume", expected="--out DIR")
            return
        given = {
            "weights": self.identity,
            "reference": _digest(request.reference) if request.reference else None,
            "seed": request.seed,
            "field": request.field,
            "most": request.most,
            "references": request.references,
            "neighbours": request.neighbour_count,
            "draws": request.draws,
            "files": {
                name: _data_digest(path)
                for name in ("members", "non_members", "canaries", "attributes")
                if (path := getattr(request, name)) is not None
            },
        }
        path = request.out / RUN
        if path.exists():
            if not request.resume:
                raise InputError(
                    "holds a run", file=str(request.out), field="--out",
                    expected="a new folder, or --resume",
                )  # fmt: skip
            if orjson.loads(path.read_bytes()) != given:
                raise InputError(
                    "another run is to be resumed", file=str(request.out), field="--resume",
                    expected="the same weights, files and settings",
                )  # fmt: skip
            return
        try:
            request.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                error.strerror or str(error), file=str(request.out), field="--out"
            ) from None
        write_whole(path, orjson.dumps(given) + b"\n", "--out")

    def part(self, name: str) -> dict[str, Any]:
        """One part of the document."""
        from buttress.workflows.privacy_measures import exposure_part, extraction_part
        from buttress.workflows.privacy_scoring import ScoringPlan, score_texts

        request = self.request
        model = self.model(self.weights)
        reference = self.model(request.reference) if request.reference else None
        if name == "exposure":
            assert request.canaries is not None
            return exposure_part(
                read_canaries(request.canaries), model, references=request.references,
                seed=request.seed, out=request.out, say=self.say,
            )  # fmt: skip
        if name == "extraction":
            return extraction_part(self.texts(), model, reference, self.say)
        if name in ("divergence", "attributes", "preferences"):
            return self._attack(name, model, reference)
        plan = ScoringPlan(model, reference, request.neighbour_count, request.seed)
        scored = score_texts(self.texts(), plan, request.out, self.say)
        return membership_result(scored, seed=request.seed, left_out=self.left_out)

    def _attack(
        self, name: str, model: LoadedModel, reference: LoadedModel | None
    ) -> dict[str, Any]:
        from buttress.workflows.privacy_attacks import (
            attributes_part,
            divergence_part,
            preferences_part,
        )

        request = self.request
        if name == "divergence":
            return divergence_part(
                self.texts(), model, reference, draws=request.draws, seed=request.seed,
                say=self.say,
            )  # fmt: skip
        if name == "attributes":
            assert request.attributes is not None
            return attributes_part(read_attributes(request.attributes), model, reference, self.say)
        return preferences_part(
            self._pairs(), model, reference, seed=request.seed, left_out=self.left_out,
            say=self.say,
        )  # fmt: skip

    def _pairs(self) -> list[tuple[dict[str, Any], bool]]:
        """Records of members and of non-members, at most ``most`` of each."""
        found: list[tuple[dict[str, Any], bool]] = []
        for path, member in ((self.request.members, True), (self.request.non_members, False)):
            assert path is not None
            rows: list[tuple[dict[str, Any], bool]] = []
            for one in read(expand([path])):
                if isinstance(one, Readable):
                    rows.append((Record(one.line, one.position).data, member))
                else:
                    self.left_out[f"unreadable {'member' if member else 'non-member'}"] += 1
            if len(rows) > self.request.most:
                self.left_out["pairs not drawn"] += len(rows) - self.request.most
                rows = Random(f"{member} {self.request.seed}").sample(rows, self.request.most)
            found += rows
        return found

    def model(self, folder: Path) -> LoadedModel:
        """The model of a folder, loaded once."""
        from buttress.white_box.loading import load
        from buttress.workflows.privacy_scoring import LoadedModel

        if folder not in self._loaded:
            self.say(f"loading {folder}")
            self._loaded[folder] = LoadedModel(*load(folder, device=self.request.device))
        return self._loaded[folder]

    def texts(self) -> list[LabelledText]:
        """Members and non-members, at most ``most`` of each."""
        if self._read is None:
            self._read = [
                *self._texts(self.request.members, member=True),
                *self._texts(self.request.non_members, member=False),
            ]
        return self._read

    def _texts(self, path: Path | None, *, member: bool) -> list[LabelledText]:
        from buttress.workflows.privacy_scoring import LabelledText

        if path is None:
            return []
        name = "member" if member else "non-member"
        found: list[LabelledText] = []
        for one in read(expand([path]), self.request.field):
            if isinstance(one, Readable):
                text = Record(one.line, one.position, field=self.request.field).text
                found.append(LabelledText(f"{name}-{one.position.number}", text, member))
            else:
                self.left_out[f"unreadable {name}"] += 1
        if not found:
            raise InputError("no text", file=str(path), field=f"--{name}s")
        if len(found) <= self.request.most:
            return found
        self.left_out[f"{name} not drawn"] += len(found) - self.request.most
        return Random(f"{name} {self.request.seed}").sample(found, self.request.most)


def holds_pairs(path: Path) -> bool:
    """Whether the first record that can be read is a prompt with a chosen and a rejected answer.

    Raises:
        InputError: there is no such file.
    """
    for one in read(expand([path])):
        if isinstance(one, Readable):
            data = Record(one.line, one.position).data
            return {"chosen", "rejected"} <= data.keys()
    return False


def _digest(folder: Path) -> str:
    files = [*folder.glob("*.safetensors"), *folder.glob("*.json")]
    if not files:
        raise InputError(
            "no weights in it", file=str(folder), expected="a Hugging Face folder with safetensors"
        )
    base = base_of(folder)
    if base is None:
        return files_digest(files)
    both = f"{_digest(base)}\n{files_digest(files)}"
    return hashlib.sha256(both.encode()).hexdigest()


def _data_digest(path: Path) -> str:
    files = expand([path])
    said = "\n".join(f"{one.name} {file_digest(one)}" for one in files)
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


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


def _outcome(parts: Mapping[str, dict[str, Any]]) -> str:
    if any(part["leak"] for part in parts.values()):
        return "leak"
    if any(part["leak"] is None or not part.get("usable", True) for part in parts.values()):
        return "undecided"
    return "no leak shown"
