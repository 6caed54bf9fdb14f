"""The blobs of a history: each once, with the commit that brought it, and its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Final

from buttress.probes.source.git.isolated import GitError, Isolated
from buttress.probes.source.git.layout import References

MAX_BLOBS: Final = 1_000_000
_CHUNK: Final = 1 << 16
_MAX_FIELD: Final = 1 << 16  # of git's output between two zero bytes; paths are far shorter
_FILE: Final = b"100"  # mode of regular files, executable or not: 100644, 100755


@dataclass(frozen=True, slots=True)
class BlobOrigin:
    """The oldest commit that holds a blob: its id, author's time in Unix seconds, and path.

    ``age`` counts commits from the newest on, so that a larger one is older in the history's order.
    """

    commit: str
    seconds: int
    path: bytes
    age: int


@dataclass(slots=True)
class Contents:
    """Which blobs are to be read, after a look at their sizes."""

    wanted: list[str] = field(default_factory=list)
    large: int = 0
    beyond: int = 0  # would have gone beyond the total
    missing: int = 0
    bytes: int = 0


def origins(git: Isolated, references: References, below: bytes = b"") -> dict[str, BlobOrigin]:
    """Blobs of files by id, in the order of their age, newest first.

    Args:
        below: only paths that begin with this.

    Raises:
        GitError: the history can't be read.
    """
    arguments = [
        "log", "--stdin", "--ignore-missing", "--topo-order", "--format=%H %at", "-z", "--raw",
        "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature",
        "--no-mailmap", "--diff-merges=combined", "--ignore-submodules",
    ]  # fmt: skip
    found: dict[str, BlobOrigin] = {}
    with git.run(arguments, references.tips) as output:
        commit, seconds, age = "", 0, 0
        fields = _fields(output)
        for whole in fields:
            one = whole.lstrip(b"\n")  # stands before a commit's first file
            if one.startswith(b":"):
                blob = _new_blob(one)
                path = next(fields, b"")
                if blob is None or not path.startswith(below):
                    continue
                if blob not in found and len(found) >= MAX_BLOBS:
                    raise GitError(f"it has more than {MAX_BLOBS:,} versions of files")
                # Taken out first: the order is that of the last, oldest place.
                found.pop(blob, None)
                found[blob] = BlobOrigin(commit, seconds, path, age)
            elif text := one.strip().decode("ascii", "replace"):
                commit, _, written = text.partition(" ")
                digits = written.removeprefix("-")
                seconds = int(written) if digits.isdecimal() and len(digits) < 13 else 0
                age += 1
    return found


def _new_blob(raw: bytes) -> str | None:
    """The id after the change, of a line of raw output; None where there is no file then.

    ``:100644 100644 ID ID M`` with one parent; with more, one colon, mode and id for each.
    """
    parents = len(raw) - len(raw.lstrip(b":"))
    parts = raw[parents:].split(b" ")
    if len(parts) != 2 * parents + 3 or not parts[parents].startswith(_FILE):
        return None
    return parts[2 * parents + 1].decode("ascii", "replace")


def _fields(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := output.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
        if len(rest) > _MAX_FIELD:
            raise GitError("git's output can't be read")
    if rest:
        yield rest


def at_head(git: Isolated, references: References) -> set[str]:
    """Ids of the blobs in HEAD's tree."""
    if not references.head:
        return set()
    with git.run(["ls-tree", "-r", "-z", references.head], ()) as output:
        return {
            parts[2].decode("ascii", "replace")
            for one in _fields(output)
            if len(parts := one.partition(b"\t")[0].split(b" ")) == 3
        }


def choose(git: Isolated, found: Mapping[str, BlobOrigin], *, largest: int, total: int) -> Contents:
    """Those that are small enough, newest first until ``total`` bytes are reached."""
    contents = Contents()
    with git.run(["cat-file", "--batch-check", "--buffer"], tuple(found)) as output:
        for line in output:
            parts = line.split()
            if len(parts) != 3 or parts[1] != b"blob" or not parts[2].isdigit():
                contents.missing += 1
                continue
            size = int(parts[2])
            if size > largest:
                contents.large += 1
            elif contents.bytes + size > total:
                contents.beyond += 1
            else:
                contents.wanted.append(parts[0].decode("ascii", "replace"))
                contents.bytes += size
    return contents


def read(git: Isolated, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Id and content of blobs, in that order."""
    with git.run(["cat-file", "--batch", "--buffer"], wanted) as output:
        while line := output.readline(_MAX_FIELD):
            parts = line.split()
            if len(parts) != 3 or not parts[2].isdigit():
                continue  # "ID missing": gone since, or damaged
            data = output.read(int(parts[2]))
            output.read(1)
            yield parts[0].decode("ascii", "replace"), data
