"""Encrypts stores, and makes records of encrypted ones unreadable by deleting their keys."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
import re2

from buttress.errors import InputError
from buttress.evidence.chain import verify
from buttress.evidence.codec import decode
from buttress.evidence.encryption import PREFIX, VARIABLE, master_key
from buttress.evidence.records import Erasure
from buttress.evidence.store import EvidenceStore

_BATCH: Final = 2000
_DAY: Final = 86_400.0
_SIDE_FILES: Final = ("", "-wal", "-shm", "-journal")


def encrypt(path: Path) -> tuple[str, str, int]:
    """Encrypt a store in place; its head before and after, and the number of records.

    The chain is made anew over the ciphertext, so the head changes. The new store is written beside
    the old one and takes its place when it is whole; the old bytes are then overwritten with
    zeros, as far as the file system writes in place.

    Raises:
        InputError: no key, no store, encrypted already, or a chain that is broken.
    """
    if master_key() is None:
        raise InputError("not set", field=VARIABLE, expected="a key of 64 hexadecimal digits")
    EvidenceStore.open(path, read_only=True).close()  # a wrong path must not make a new store
    beside = path.with_name(f".{path.name}.encrypting")
    _remove(beside)
    try:
        with EvidenceStore.open(path) as old:
            if old.encrypted:
                raise InputError("encrypted already", file=str(path), expected="a plain store")
            result = verify(old)
            if not result.ok:
                raise InputError(
                    f"record {result.problems[0].sequence}: {result.problems[0].what}",
                    file=str(path), expected="a store that `buttress evidence verify` finds intact",
                )  # fmt: skip
            with EvidenceStore.open(beside) as new:
                rows = old.rows()
                while batch := list(islice(rows, _BATCH)):
                    new.append_encoded(
                        [(row.kind, decode(row.kind, row.payload), row.payload) for row in batch]
                    )
                after = new.head
            before, count = old.head, old.count
        with path.open("r+b") as file:
            beside.replace(path)
            _overwrite(file.fileno())
    finally:
        _remove(beside)
    for suffix in _SIDE_FILES[1:]:
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    return before, after, count


def _overwrite(file: int) -> None:
    left = os.fstat(file).st_size
    os.lseek(file, 0, os.SEEK_SET)
    while left > 0:
        left -= os.write(file, bytes(min(left, 1 << 20)))
    os.fsync(file)


def _remove(path: Path) -> None:
    for suffix in (*_SIDE_FILES, ".lock"):
        with suppress(OSError):
            Path(f"{path}{suffix}").unlink()


def erase_subject(store: EvidenceStore, subject: str) -> int:
    """Erase all records of a subject; how many they were.

    Raises:
        InputError: the store is not encrypted, the key is missing, or no record is of the subject.
    """
    name = store.cipher.key_of_subject(subject)
    if name is None:
        raise InputError(
            "no record is of this subject", file=store.name, field="--subject",
            expected="the `subject` of a record that was not erased",
        )  # fmt: skip
    return _forget(store, {name}, "subject")


def erase_by_pattern(store: EvidenceStore, pattern: str) -> int:
    """Erase records with a text in which RE2 finds ``pattern``, and all records of their subjects.

    Raises:
        InputError: as ``erase_subject``, or the pattern is not usable or matches everything.
    """
    quiet = re2.Options()
    quiet.log_errors = False
    try:
        search = re2.compile(pattern, quiet).search
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise InputError(
            f"no regular expression ({why})", field="--pattern", expected="RE2 syntax"
        ) from None
    if search(""):
        raise InputError(
            "matches every record", field="--pattern", expected="one that no empty text matches"
        )

    def matches(values: dict[str, Any]) -> bool:
        return any(search(text) is not None for text in _texts(values))

    names = {name for name, _, values in _opened(store) if matches(values)}
    if not names:
        raise InputError("no record matches", file=store.name, field="--pattern")
    return _forget(store, names, "pattern")


def erase_by_age(store: EvidenceStore, days: str, now: Callable[[], float] = time.time) -> int:
    """Erase records older than ``days``. A subject's records go when its newest is so old.

    Records without a time, such as provenance and plans, stay.

    Raises:
        InputError: as ``erase_subject``, or no number of days.
    """
    try:
        limit = now() - float(days.removesuffix("d")) * _DAY
        usable = float(days.removesuffix("d")) >= 0
    except ValueError:
        usable, limit = False, 0.0
    if not usable:
        raise InputError(f"'{days}'", field="--older-than", expected="a number of days, e.g. 90")
    newest: dict[str, float] = {}
    for name, kind, values in _opened(store):
        said = values.get("time")
        last = float("inf")
        if isinstance(said, (int, float)) and said > 0 and kind not in ("plan", "provenance"):
            last = float(said)
        newest[name] = max(newest.get(name, 0.0), last)
    return _forget(store, {name for name, last in newest.items() if last < limit}, "age")


def _opened(store: EvidenceStore) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Data key, kind and fields of each encrypted record that was not erased."""
    cipher = store.cipher
    for row in list(store.rows()):
        if not row.kind.startswith(PREFIX):
            continue
        payload = cipher.opened(row.kind, row.payload)
        if payload is not None:
            name = str(orjson.loads(row.payload)["data_key"])
            yield name, row.kind.removeprefix(PREFIX), orjson.loads(payload)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _forget(store: EvidenceStore, names: set[str], reason: str) -> int:
    """Delete the keys; an ``Erasure`` says how many records that was."""
    count = sum(name in names for name, _, _ in _opened(store))
    if names:
        store.append([Erasure(reason=reason, records=count, time=time.time())])
        with store.changing() as cipher:
            cipher.forget(sorted(names))
    return count
