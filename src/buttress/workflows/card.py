"""Cards from the folders of assessments: for a hub, for people, for the AI Act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from buttress.documents import reading
from buttress.documents.schemas import as_object
from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import read_json
from buttress.files.located_yaml import load as load_located
from buttress.report import language as languages
from buttress.report.card.render import field_ids, render_card
from buttress.report.card.source import CardSource, CardVersion
from buttress.report.card.words import CardWords, forms

OVERSIGHT: Final = "oversight.json"


def card(
    paths: Sequence[Path], form: str, *, language: str = "en", facts: Path | None = None
) -> str:
    """The card, in Markdown, of the newest of these assessments, with what changed before it.

    Args:
        paths: folders of assessments, or their ``assessment.json``, in any order.
        form: ``hf``, ``system``, ``annex-iv`` or ``gpai``.
        language: ``en`` or ``zh``.
        facts: YAML file with what only the provider knows, by id of the field.

    Raises:
        InputError: a document is not there or not usable, its evidence is not what it was made
            from, or the facts are of no field of the form.
    """
    if form not in forms():
        raise InputError(
            f"unknown form '{form}'", field="--format", expected="one of " + ", ".join(forms())
        )
    versions = sorted(_versions(paths), key=lambda one: one.document["run"]["finished"])
    source = CardSource(
        versions=versions,
        facts=_facts(facts, form) if facts is not None else {},
        words=CardWords(language),
        language=languages.load(language),
    )
    return render_card(source, form)


def _versions(paths: Sequence[Path]) -> list[CardVersion]:
    files = [reading.resolve(path) for path in paths]
    for at, file in enumerate(files):
        if any(file.samefile(other) for other in files[:at]):
            raise InputError("named twice", file=str(file), expected="each assessment once")
    names = [file.name for file in files]
    if len(files) > 1:
        names = [f"{file.resolve().parent.name}/{file.name}" for file in files]
        names = [name if names.count(name) == 1 else str(file) for name, file in
                 zip(names, files, strict=True)]  # fmt: skip
    return [_version(file, name) for file, name in zip(files, names, strict=True)]


def _version(file: Path, name: str) -> CardVersion:
    document = reading.load(file)
    oversight = file.parent / OVERSIGHT
    found = _oversight(oversight) if oversight.is_file() else None
    shown = name.removesuffix(file.name) + OVERSIGHT if found is not None else ""
    return CardVersion(document, name, _evidence_whole(file, document), found, shown)


def _oversight(file: Path) -> Mapping[str, Any]:
    data = read_json(file, "DIR", "a document of buttress oversee")
    if not isinstance(data, dict):
        raise InputError("not an object", file=str(file), expected="a document of buttress oversee")
    built: dict[str, Any] = msgspec.to_builtins(as_object("oversight", data))
    return built


def _evidence_whole(file: Path, document: Mapping[str, Any]) -> bool:
    """Whether the evidence lies beside the document and is whole.

    Raises:
        InputError: it is damaged, or not what the document was made from.
    """
    path = file.parent / FILE_NAME
    if not path.is_file():
        return False
    known = document["evidence"]
    with EvidenceStore.open(path, read_only=True) as store:
        checked = verify(store)
        if not checked.ok:
            raise InputError(
                f"damaged: {checked.problems[0].what}", file=str(path), expected="whole evidence"
            )
        head = next(
            (row.hash.hex() for at, row in enumerate(store.rows(), 1) if at == known["records"]), ""
        )
    if head != known["head"]:
        raise InputError(
            f"record {known['records']} is not the one that {file.name} was made from",
            file=str(path), expected=f"the head {known['head']}",
        )  # fmt: skip
    return True


def _facts(path: Path, form: str) -> dict[str, str]:
    file = load_located(path)
    known = field_ids(form)
    if not isinstance(file.data, dict):
        raise file.error((), "not a mapping", "fields and what is stated for them")
    for name, value in file.data.items():
        if name not in known:
            problem = f"no field of the form {form}"
            raise file.error((str(name),), problem, "one of " + ", ".join(known))
        if not isinstance(value, str):
            raise file.error((str(name),), "not text", "text")
    return dict(file.data)
