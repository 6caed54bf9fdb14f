"""``buttress evidence``: check, read, export and import an evidence store."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

KINDS: Final = (  # of buttress.evidence.records, which takes long to import
    "trial", "turn", "label", "preference", "finding", "inspection", "provenance", "plan",
    "erasure", "event", "checkpoint",
)  # fmt: skip
_NO_KEYS: Final = ", encrypted; their keys stay in the store, without which nobody can read them"
_STORE: Final = "evidence.db, or the folder that holds it"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evidence",
        help="verify, show, export, import, encrypt or erase evidence",
        description="Works on an evidence store: evidence.db, or the folder that holds it.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    verify = actions.add_parser(
        "verify",
        help="detect changed, dropped or reordered records",
        description="Detect changed, dropped or reordered records.",
    )
    verify.add_argument("path", type=Path, metavar="PATH", help=_STORE)
    verify.add_argument(
        "--head", metavar="HEX", help="head hash that was kept elsewhere, e.g. from a report"
    )
    verify.set_defaults(run=_verify)

    show = actions.add_parser("show", help="print records", description="Print records.")
    show.add_argument("path", type=Path, metavar="PATH", help=_STORE)
    show.add_argument("--kind", choices=KINDS, help="only records of this kind")
    show.add_argument(
        "--limit", type=int, default=20, metavar="N", help="records to print (default: 20)"
    )
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    show.set_defaults(run=_show)

    export = actions.add_parser(
        "export", help="write all records to a file", description="Write all records to a file."
    )
    export.add_argument("path", type=Path, metavar="PATH", help=_STORE)
    export.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="FILE.jsonl|FILE.parquet",
        help="file to write; its ending gives the format",
    )
    export.set_defaults(run=_export)

    load = actions.add_parser(
        "import",
        help="read an exported file into a new store",
        description="Read an exported file into a new store.",
    )
    load.add_argument("source", type=Path, metavar="FILE", help="exported file")
    load.add_argument("--to", type=Path, required=True, metavar="PATH", help="store to create")
    load.set_defaults(run=_import)

    encrypt = actions.add_parser(
        "encrypt",
        help="encrypt a store, one key a subject",
        description="Encrypts a store with AES-256-GCM under the key in BUTTRESS_EVIDENCE_KEY (64 "
        "hexadecimal digits). Keep the key: without it nobody can read the store.",
    )
    encrypt.add_argument("path", type=Path, metavar="PATH", help=_STORE)
    encrypt.set_defaults(run=_encrypt)

    erase = actions.add_parser(
        "erase",
        help="make records of an encrypted store unreadable for good",
        description="Deletes the keys of records, so that nobody can read these any more. The "
        "chain still verifies. Copies of the store elsewhere keep their keys.",
    )
    erase.add_argument("path", type=Path, metavar="PATH", help=_STORE)
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("--subject", metavar="ID", help="records of this subject of a recording")
    which.add_argument(
        "--pattern",
        metavar="REGEX",
        help="records with such a text (RE2), and all of their subjects",
    )
    which.add_argument(
        "--older-than", metavar="DAYS", help="records older than so many days, e.g. 90"
    )
    erase.set_defaults(run=_erase)


def _verify(options: argparse.Namespace) -> int:
    from buttress.evidence.chain import verify
    from buttress.evidence.store import EvidenceStore, resolve

    path = resolve(options.path)
    with EvidenceStore.open(path, read_only=True) as store:
        result = verify(store, options.head)
        erased = store.erased_count()
        encrypted = store.encrypted
    for problem in result.problems:
        print(f"record {problem.sequence}: {problem.what}")
    state = "intact" if result.ok else f"{len(result.problems)} problems"
    if encrypted:
        state += f", encrypted, {erased} erased"
    print(f"{path}: {result.records} records, {state}; head {result.head}")
    return 0 if result.ok else 1


def _encrypt(options: argparse.Namespace) -> int:
    from buttress.evidence.erasure import encrypt
    from buttress.evidence.store import resolve

    path = resolve(options.path)
    before, after, count = encrypt(path)
    print(f"{path}: {count} records encrypted. The head was {before} and is {after}.")
    _tell_of_others(path)
    return 0


def _erase(options: argparse.Namespace) -> int:
    from buttress.evidence.erasure import erase_by_age, erase_by_pattern, erase_subject
    from buttress.evidence.store import EvidenceStore, resolve

    path = resolve(options.path)
    EvidenceStore.open(path, read_only=True).close()  # a wrong path must not make a new store
    with EvidenceStore.open(path) as store:
        if options.subject is not None:
            count = erase_subject(store, options.subject)
        elif options.pattern is not None:
            count = erase_by_pattern(store, options.pattern)
        else:
            count = erase_by_age(store, options.older_than)
        head = store.head
    print(f"{path}: {count} records erased; head {head}")
    _tell_of_others(path)
    return 0


def _tell_of_others(store: Path) -> None:
    """Which outputs beside the store may hold in plain what it no longer does."""
    from buttress.files.outputs import beside_evidence

    if names := beside_evidence(store.parent):
        print(f"Not changed, and may quote records: {', '.join(names)}")


def _show(options: argparse.Namespace) -> int:
    from itertools import islice

    from buttress.evidence.chain import describe
    from buttress.evidence.store import EvidenceStore, resolve

    with EvidenceStore.open(resolve(options.path), read_only=True) as store:
        rows = (row for row in store.plain_rows() if options.kind in (None, row.kind))
        for row in islice(rows, max(0, options.limit)):
            if options.json:
                print(row.payload.decode())
            else:
                print(f"{row.sequence:>8}  {row.hash.hex()[:12]}  {describe(row)}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from buttress.evidence import exchange
    from buttress.evidence.store import EvidenceStore, resolve

    with EvidenceStore.open(resolve(options.path), read_only=True) as store:
        count = exchange.export(store, options.to)
        encrypted = store.encrypted
    print(f"{options.to}: {count} records" + (_NO_KEYS if encrypted else ""))
    return 0


def _import(options: argparse.Namespace) -> int:
    from buttress.errors import InputError
    from buttress.evidence import exchange
    from buttress.evidence.store import EvidenceStore

    new = not options.to.exists()
    try:
        with EvidenceStore.open(options.to) as store:
            count = exchange.load(options.source, store)
            head = store.head
    except InputError:
        if new:  # an empty store would look like a run without evidence
            options.to.unlink(missing_ok=True)
        raise
    print(f"{options.to}: {count} records; head {head}")
    return 0
