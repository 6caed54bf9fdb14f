"""Cards from the folders of assessments: for a hub, for people, for the AI Act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from buttress.documents import reading
from buttress.documents.schemas import of_any_version
from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import read_json
from buttress.files.located_yaml import load as load_located
from buttress.report import language as languages
from buttress.report.card.parts import NAMES
from buttress.report.card.render import field_ids, render_card
from buttress.report.card.source import CardPart, CardSource, CardVersion, told
from buttress.report.card.words import CardWords, forms

PARTS: Final = {name: f"{name}.json" for name in NAMES}
_EXPECTED: Final = "assessment.json, or one of " + ", ".join(PARTS.values())


def card(
    paths: Sequence[Path], form: str, *, language: str = "en", facts: Path | None = None
) -> str:
    """The card, in Markdown, of the newest of these assessments, with what changed before it.

    Args:
        paths: folders of assessments, or their ``assessment.json``, in any order; or one folder
            with documents of other commands alone.
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
    alone = _parts_alone(paths[0]) if len(paths) == 1 else None
    versions = [alone] if alone is not None else _versions(paths)
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
    versions = [_version(file, name) for file, name in zip(files, names, strict=True)]
    return sorted(versions, key=lambda one: (one.document or {})["run"]["finished"])


def _version(file: Path, name: str) -> CardVersion:
    document = reading.load(file)
    parts = _parts(file.parent, name.removesuffix(file.name))
    return CardVersion(document, name, _evidence_whole(file, document), parts)


def _parts_alone(folder: Path) -> CardVersion | None:
    """A folder with documents of other commands; None where it holds an assessment as well.

    Raises:
        InputError: it holds neither, or damaged evidence.
    """
    if not folder.is_dir() or (folder / reading.FILE_NAME).is_file():
        return None
    parts = _parts(folder, "")
    if not parts:
        raise InputError("no document to make a card of", file=str(folder), expected=_EXPECTED)
    evidence = folder / FILE_NAME
    if evidence.is_file():
        with EvidenceStore.open(evidence, read_only=True) as store:
            _check_chain(store, evidence)
    return CardVersion(None, folder.resolve().name, evidence.is_file(), parts)


def _parts(folder: Path, shown: str) -> dict[str, CardPart]:
    """The documents of other commands in the folder, with the names of their files as shown."""
    found = {}
    for name, file_name in PARTS.items():
        file = folder / file_name
        if file.is_file():
            data = read_json(file, "DIR", f"a document of schema {name}")
            if not isinstance(data, dict):
                raise InputError("not an object", file=str(file), expected="an object")
            try:
                document = told(of_any_version(name, data))
            except InputError as error:
                raise InputError(error.problem, file=str(file), expected="its schema") from None
            found[name] = CardPart(document, shown + file_name)
    return found


def _check_chain(store: EvidenceStore, path: Path) -> None:
    checked = verify(store)
    if not checked.ok:
        raise InputError(
            f"damaged: {checked.problems[0].what}", file=str(path), expected="whole evidence"
        )


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
        _check_chain(store, path)
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
