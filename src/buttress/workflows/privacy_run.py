"""A run of `buttress privacy`: its folder, its texts, its models, and each part of its document."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import orjson

from buttress.data.inputs import expand
from buttress.data.reading import Readable, read
from buttress.data.records import Record
from buttress.errors import InputError
from buttress.files.atomic import write_whole
from buttress.files.run_folder import begin_run, holds_this_run
from buttress.files.visible import printable_name
from buttress.probes.privacy.attributes import read_attributes
from buttress.probes.privacy.canaries import read_canaries
from buttress.probes.privacy.membership_result import membership_result
from buttress.targets.adapters import base_of
from buttress.targets.fingerprint import file_digest, files_digest
from buttress.workflows.privacy_request import PrivacyRequest

if TYPE_CHECKING:
    from buttress.workflows.privacy_scoring import LabelledText, LoadedModel

RUN: Final = "privacy-run.json"
_PART: Final = ".part.json"
Say = Callable[[str], None]


@dataclass(slots=True)
class PrivacyRun:
    """A run: its folder, its texts and its models. What was measured is kept, by part."""

    request: PrivacyRequest
    weights: Path
    say: Say
    identity: str = ""
    left_out: Counter[str] = field(default_factory=Counter)
    _loaded: dict[Path, LoadedModel] = field(default_factory=dict)
    _read: list[LabelledText] | None = None

    def begin(self) -> None:
        """Make the folder, or check that what lies there is of the same run.

        Raises:
            InputError: the folder holds another run, or can't be written.
        """
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
        if not holds_this_run(request.out, RUN, given, resume=request.resume):
            begin_run(request.out, RUN, given)

    def part(self, name: str) -> dict[str, Any]:
        """One part of the document; one that was finished before a kill is not measured again."""
        out = self.request.out
        path = out / f"{name}{_PART}" if out is not None else None
        if path is not None and path.exists():
            kept: dict[str, Any] = orjson.loads(path.read_bytes())
            return kept
        found = self._measured(name)
        if path is not None:
            write_whole(path, orjson.dumps(found) + b"\n", "--out")
        return found

    def _measured(self, name: str) -> dict[str, Any]:
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
        scored = score_texts(self._of_one_group(), plan, request.out, self.say)
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
        pairs, left_out = self._pairs()
        return preferences_part(
            pairs, model, reference, seed=request.seed, left_out=left_out, say=self.say
        )

    def _pairs(self) -> tuple[list[tuple[dict[str, Any], bool]], Counter[str]]:
        """Records of members and non-members, at most ``most`` of each; what was left out."""
        left_out: Counter[str] = Counter()
        found: list[tuple[dict[str, Any], bool]] = []
        for path, member in ((self.request.members, True), (self.request.non_members, False)):
            assert path is not None
            rows: list[tuple[dict[str, Any], bool]] = []
            for one in read(expand([path])):
                if isinstance(one, Readable):
                    rows.append((one.data, member))
                else:
                    left_out[f"unreadable {'member' if member else 'non-member'}"] += 1
            if len(rows) > self.request.most:
                left_out["pairs not drawn"] += len(rows) - self.request.most
                rows = Random(f"{member} {self.request.seed}").sample(rows, self.request.most)
            found += rows
        return found, left_out

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

    def _of_one_group(self) -> list[LabelledText]:
        """The texts but those that are in both files: they are of no group."""
        texts = self.texts()
        both = {one.text for one in texts if one.member} & {
            one.text for one in texts if not one.member
        }
        left = [one for one in texts if one.text not in both]
        if both:
            self.left_out["in both files"] += len(texts) - len(left)
        return left

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
    said = "\n".join(f"{printable_name(one.name)} {file_digest(one)}" for one in files)
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()
