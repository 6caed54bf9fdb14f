"""Encryption of evidence at rest: AES-256-GCM, one key a subject, so that one can be forgotten.

The master key comes from ``BUTTRESS_EVIDENCE_KEY`` and is never stored. Under it each subject has a
data key of its own, kept wrapped in the store; records without a subject have one each. Deleting a
data key makes its records unreadable for good, while their ciphertext stays where it is: the hash
chain covers the ciphertext, so it still verifies.

An encrypted record of kind K is stored as kind ``encrypted-K``, a JSON object with ``ciphertext``,
``nonce``, ``data_key``, and in the clear ``run`` and ``probe``; ``key``, by which answers are
found, is a keyed digest. A version that does not know such records keeps them as it keeps all that
it does not know. Ids of subjects are nowhere in the store but as keyed digests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from buttress.errors import InputError
from buttress.evidence.chain import columns
from buttress.evidence.records import Record, UnknownRecord

VARIABLE: Final = "BUTTRESS_EVIDENCE_KEY"
PREFIX: Final = "encrypted-"
_EXPECTED: Final = "64 hexadecimal digits, as of `openssl rand -hex 32`"
_KNOWN: Final = b"buttress evidence"
_TABLES: Final = (
    """CREATE TABLE encryption (
  id INTEGER PRIMARY KEY CHECK (id = 1), salt BLOB NOT NULL, proof BLOB NOT NULL
)""",
    """CREATE TABLE data_keys (
  id TEXT PRIMARY KEY, label BLOB NOT NULL UNIQUE, wrapped BLOB NOT NULL
)""",
)
Encoded = tuple[str, Record, bytes]


def master_key() -> bytes | None:
    """The 32 bytes of ``BUTTRESS_EVIDENCE_KEY``; None where it is not set.

    Raises:
        InputError: it is no key.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError("no key", field=VARIABLE, expected=_EXPECTED)
    return key


def is_encrypted(connection: sqlite3.Connection) -> bool:
    """Whether the store is."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'encryption'"
    return connection.execute(query).fetchone() is not None


def begin(connection: sqlite3.Connection, master: bytes) -> None:
    """Make an empty store an encrypted one."""
    salt = os.urandom(32)
    proof = _sealed(_derived(master, salt, b"wrap"), _KNOWN, b"proof")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO encryption (id, salt, proof) VALUES (1, ?, ?)", (salt, proof))


@dataclass(slots=True)
class EvidenceCipher:
    """Encrypts and decrypts the records of one store."""

    connection: sqlite3.Connection
    wrapping: bytes
    digesting: bytes
    _keys: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def open(cls, connection: sqlite3.Connection, file: str) -> EvidenceCipher | None:
        """The cipher of an encrypted store; None where the variable is not set.

        Raises:
            InputError: the key is not the store's.
        """
        master = master_key()
        if master is None:
            return None
        salt, proof = connection.execute("SELECT salt, proof FROM encryption").fetchone()
        wrapping = _derived(master, salt, b"wrap")
        if _opened(wrapping, proof, b"proof") != _KNOWN:
            raise InputError("is not the key of this store", file=file, field=VARIABLE)
        return cls(connection, wrapping, _derived(master, salt, b"digest"))

    def digest(self, text: str) -> str:
        """A keyed digest of a text, in hex."""
        data = text.encode("utf-8", "surrogatepass")
        return hmac.new(self.digesting, data, hashlib.sha256).hexdigest()

    def sealed(self, encoded: Iterable[Encoded]) -> list[Encoded]:
        """The records encrypted, each under its subject's key; within a transaction.

        Those that another store encrypted stay as they are.
        """
        return [one if one[0].startswith(PREFIX) else self._sealed_one(*one) for one in encoded]

    def _sealed_one(self, kind: str, record: Record, payload: bytes) -> Encoded:
        key, run, probe = columns(record)
        name, data_key = self._data_key(subject_of(record))
        kind = PREFIX + kind
        nonce = os.urandom(12)
        bound = _bound(kind, run, probe)
        fields = {
            "ciphertext": base64.b64encode(
                AESGCM(data_key).encrypt(nonce, payload, bound)
            ).decode(),
            "nonce": base64.b64encode(nonce).decode(),
            "data_key": name,
            "key": None if key is None else self.digest(key),
            "run": run,
            "probe": probe,
        }
        data = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        return kind, UnknownRecord(kind, fields), data

    def opened(self, kind: str, payload: bytes) -> bytes | None:
        """The payload of an encrypted record; None where its key was erased.

        Raises:
            InputError: changed, or not under this key.
        """
        try:
            fields = orjson.loads(payload)
            data_key = self._known_key(fields["data_key"])
            if data_key is None:
                return None
            return AESGCM(data_key).decrypt(
                base64.b64decode(fields["nonce"]),
                base64.b64decode(fields["ciphertext"]),
                _bound(kind, fields["run"], fields["probe"]),
            )
        except (InvalidTag, KeyError, TypeError, ValueError):
            raise InputError("an encrypted record was changed") from None

    def forget(self, names: Sequence[str]) -> int:
        """Delete data keys; how many there were. The bytes are overwritten."""
        self.connection.execute("PRAGMA secure_delete = ON")
        gone = 0
        for name in names:
            done = self.connection.execute("DELETE FROM data_keys WHERE id = ?", (name,))
            gone += done.rowcount
            self._keys.pop(name, None)
        return gone

    def key_of_subject(self, subject: str) -> str | None:
        """Id of a subject's data key, if there is one."""
        row = self.connection.execute(
            "SELECT id FROM data_keys WHERE label = ?", (self._label(subject),)
        ).fetchone()
        return row[0] if row else None

    def _label(self, subject: str) -> bytes:
        return bytes.fromhex(self.digest(f"subject {subject}"))

    def _data_key(self, subject: str) -> tuple[str, bytes]:
        """Id and key of a subject; a new key where it has none, and always without a subject."""
        name = self.key_of_subject(subject) if subject else None
        if name is not None:
            known = self._known_key(name)
            assert known is not None
            return name, known
        name, key = os.urandom(12).hex(), AESGCM.generate_key(256)
        label = self._label(subject) if subject else os.urandom(32)
        self.connection.execute(
            "INSERT INTO data_keys (id, label, wrapped) VALUES (?, ?, ?)",
            (name, label, _sealed(self.wrapping, key, name.encode())),
        )
        if subject:
            self._keys[name] = key
        return name, key

    def _known_key(self, name: str) -> bytes | None:
        if name in self._keys:
            return self._keys[name]
        row = self.connection.execute(
            "SELECT wrapped FROM data_keys WHERE id = ?", (name,)
        ).fetchone()
        return _opened(self.wrapping, row[0], name.encode()) if row else None


def erased(connection: sqlite3.Connection, payload: bytes) -> bool:
    """Whether the data key of an encrypted record is gone; needs no master key."""
    try:
        name = orjson.loads(payload)["data_key"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
    query = "SELECT 1 FROM data_keys WHERE id = ?"
    return connection.execute(query, (str(name),)).fetchone() is None


def subject_of(record: Record) -> str:
    """The person that a record is about, where it says so; else empty."""
    if isinstance(record, UnknownRecord):
        value = record.fields.get("subject", "")
    else:
        value = getattr(record, "subject", "") or record.extra.get("subject", "")
    return value if isinstance(value, str) else str(value)


def _derived(master: bytes, salt: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"buttress " + use).derive(master)


def _sealed(key: bytes, data: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _opened(key: bytes, data: bytes, bound: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(data[:12], data[12:], bound)
    except (InvalidTag, ValueError):
        return None


def _bound(kind: str, run: str, probe: str) -> bytes:
    """What a ciphertext is bound to, so that it can't be moved under another heading."""
    return orjson.dumps([kind, run, probe])
