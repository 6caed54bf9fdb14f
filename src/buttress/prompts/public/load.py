"""From a set's name and its files to prompts."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from buttress.errors import InputError
from buttress.files.text_language import guess_language
from buttress.prompts.base import Prompt
from buttress.prompts.pack import LANGUAGES
from buttress.prompts.public.categories import our_category
from buttress.prompts.public.rows import DatasetRow, read_rows, readable
from buttress.prompts.public.sets import KnownSet, known_sets

Expect = Literal["refuse", "answer"]
MAX_FILES: Final = 2_000  # of a folder, of whatever kind
MAX_TEXT: Final = 100_000  # characters of one prompt
_NO_ROWS: Final = {"readme", "license", "licence", "requirements", "notice", "dataset_infos"}
_EXPECT: Final[dict[str, Expect]] = {
    "refuse": "refuse",
    "answer": "answer",
    "unsafe": "refuse",
    "safe": "answer",
}


def load_public(name: str, path: Path | str | None, *, split: str | None = None) -> list[Prompt]:
    """The prompts of a set.

    A prompt that a file repeats from an earlier file of the set is taken once. Ids are the set's
    name and a digest of the text, so that they are the same for every release and copy.

    Args:
        name: one of ``known_sets()``.
        path: file or folder that holds the set; None takes it from the Hugging Face hub.
        split: a part of the set, one of its ``splits``; all of it where None.

    Raises:
        InputError: no such set, split or path; a malformed file (naming file, line or row, and
            column); or the hub can't be reached.
        MissingExtraError: the hub or a Parquet file needs a package that isn't installed.
    """
    known = known_sets().get(name)
    if known is None:
        raise InputError(
            f"unknown prompt set '{name}'", expected="one of " + ", ".join(known_sets())
        )
    if split is not None and split not in known.splits:
        raise InputError(
            f"'{name}' has no split '{split}'",
            field="split",
            expected="one of " + ", ".join(known.splits) if known.splits else "none",
        )
    if path is None:
        from buttress.prompts.public.hub import download

        path = download(name, known)
    path = Path(path)
    files = _files(path, known)
    prompts = _unique(_chosen(name, known, files, path, split), own=name == "own")
    if not prompts:
        raise InputError(
            f"no prompt of '{name}'" + (f", split '{split}'" if split else ""),
            file=str(path),
            expected=known.form,
        )
    return prompts


def _files(path: Path, known: KnownSet) -> list[Path]:
    """The file itself, or the set's files in the folder, sorted."""
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            raise InputError("no such file or folder", file=str(path), expected=known.form)
        found = []
        for number, each in enumerate(path.rglob("*"), 1):
            if number > MAX_FILES:
                raise InputError(
                    f"more than {MAX_FILES} files", file=str(path), expected="the set's folder"
                )
            parts = [part.lower() for part in each.relative_to(path).parts]
            hidden = any(part.startswith(".") for part in parts)
            if readable(each) and not hidden and each.stem.lower() not in _NO_ROWS:
                found.append((parts, each))
    except (OSError, ValueError) as error:
        raise InputError(str(error), file=str(path), expected=known.form) from None
    named = [
        each
        for parts, each in found
        if any(fnmatch.fnmatchcase(part, pattern) for part in parts for pattern in known.files)
    ]
    return sorted(named or [each for _, each in found])


def _chosen(
    name: str, known: KnownSet, files: list[Path], root: Path, split: str | None
) -> Iterator[tuple[Prompt, DatasetRow]]:
    for file in files:
        inside = file.name if file == root else str(file.relative_to(root))
        tokens = set(re.split(r"[^a-z0-9]+", inside.lower()))
        for row in read_rows(file):
            expect = _expect(known, row, tokens)
            if split is not None and split not in _splits(known, row, tokens, expect):
                continue
            yield _prompt(name, known, row, expect), row


def _splits(known: KnownSet, row: DatasetRow, tokens: set[str], expect: Expect) -> set[str]:
    values = {str(row.fields.get(column, "")).lower() for column in known.split_columns}
    implied = {"harmful", "unsafe"} if expect == "refuse" else {"benign", "safe"}
    return tokens | values | implied


def _expect(known: KnownSet, row: DatasetRow, tokens: set[str]) -> Expect:
    if known.expect == "refuse":
        return "answer" if "benign" in known.splits and "benign" in tokens else "refuse"
    for column in ("expect", "label"):
        value = row.fields.get(column)
        if value is None or value == "":
            continue
        found = _EXPECT.get(value.strip().lower()) if isinstance(value, str) else None
        if found is None:
            raise row.error(
                f"{_short(value)} is not usable", column, "refuse or answer (or unsafe, safe)"
            )
        return found
    # The second version of XSTest has no label: the types of its unsafe prompts say it.
    kind = row.fields.get("type")
    if "type" in known.category and isinstance(kind, str) and kind:
        return "refuse" if kind.startswith("contrast_") else "answer"
    wanted = "label or type" if "type" in known.category else "expect"
    raise row.error("doesn't say what a safe model does", expected=f"a column {wanted}")


def _prompt(name: str, known: KnownSet, row: DatasetRow, expect: Expect) -> Prompt:
    text = _request(known, row)
    for column in known.context:
        context = row.fields.get(column)
        if isinstance(context, str) and context.strip():
            text = f"{context.strip()}\n\n---\n\n{text}"
            break
    if len(text) > MAX_TEXT:
        raise row.error(f"{len(text)} characters", expected=f"at most {MAX_TEXT}")
    own = name == "own"
    key = _optional(row, "id") if own else ""
    language = _optional(row, "language") if own else ""
    if language and language not in LANGUAGES:
        raise row.error(f"'{language}' is not valid", "language", "one of " + ", ".join(LANGUAGES))
    return Prompt(
        id=f"{name}/{key or hashlib.sha256(text.encode()).hexdigest()[:12]}",
        text=text,
        expect=expect,
        category=_category(name, known, row),
        language=language or guess_language(text),
        source=name,
    )


def _request(known: KnownSet, row: DatasetRow) -> str:
    column = next((each for each in known.text if each in row.fields), None)
    if column is None:
        columns = ", ".join(sorted(row.fields)[:12]) or "none"
        raise row.error(
            "no column holds the request", expected=f"{' or '.join(known.text)}; it has {columns}"
        )
    text = row.fields[column]
    if not isinstance(text, str):
        raise row.error(f"{_short(text)} is not text", column, "a request")
    if not text.strip():
        raise row.error("empty", column, "a request")
    return text.strip()


def _category(name: str, known: KnownSet, row: DatasetRow) -> str:
    theirs = next((text for each in known.category if (text := _optional(row, each))), "")
    if name == "do-not-answer" and not any(each in row.fields for each in known.category):
        theirs = Path(row.file).stem  # one file a risk area
    return our_category(name, theirs.removeprefix("contrast_"))


def _optional(row: DatasetRow, column: str) -> str:
    value = row.fields.get(column)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise row.error(f"{_short(value)} is not text", column, "text")
    return value.strip()


def _unique(found: Iterator[tuple[Prompt, DatasetRow]], *, own: bool) -> list[Prompt]:
    """Without what later files repeat; ids of repetitions within a file get a number."""
    prompts: list[Prompt] = []
    files: dict[tuple[str, str], str] = {}
    taken: dict[str, DatasetRow] = {}
    for prompt, row in found:
        first = files.setdefault((prompt.text, prompt.expect), row.file)
        if first != row.file:
            continue
        name = prompt.id
        number = 1
        while name in taken:
            if own and _optional(row, "id"):
                other = taken[name]
                place = (
                    f"{other.file}:{other.line}" if other.line else f"{other.file} {other.place}"
                )
                raise row.error(f"taken by {place}", "id", "unique ids")
            number += 1
            name = f"{prompt.id}-{number}"
        taken[name] = row
        prompts.append(replace(prompt, id=name))
    return prompts


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
