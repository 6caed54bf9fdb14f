"""Reading packs: what is refused, and that nothing is written outside."""

from __future__ import annotations

import io
import stat
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.packs import bundle
from buttress.packs.manifest import parse
from tests.packs.making import SECRETS, make, manifest, zipped

FILES = {"rules/secrets.yaml": ("secret-rules", SECRETS)}


def test_a_folder_and_archives_of_it_are_the_same(tmp_path: Path) -> None:
    folder = make(tmp_path / "p")
    (folder / "README.md").write_text("Hello.\n")
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("not part of it")
    read = bundle.read(folder)
    assert set(read.files) == {"pack.yaml", "rules/secrets.yaml", "README.md"}
    (folder / ".git/config").unlink()
    assert bundle.read(zipped(folder, tmp_path / "a.zip")) == read
    assert bundle.read(zipped(folder, tmp_path / "b.zip", prefix="acme-1.0.0/")) == read


def archive(path: Path, *extra: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("pack.yaml", manifest(FILES))
        file.writestr("rules/secrets.yaml", SECRETS)
        for name, data in extra:
            file.writestr(name, data)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../evil.md", "name that is not allowed"),
        ("/etc/evil", "name that is not allowed"),
        ("a/../../evil", "name that is not allowed"),
        ("C:\\evil", "name that is not allowed"),
        ("a\\..\\evil", "name that is not allowed"),
        (".hidden", "name that is not allowed"),
        ("README\n.md", "name that is not allowed"),
        (link("README.md"), "a link"),
        ("PACK.yaml", "there twice"),
        ("pack.yaml", "there twice"),
        ("extra.py", "not named in pack.yaml"),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, name: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        bundle.read(archive(tmp_path / "a.zip", (name, b"/etc/passwd")))


def test_a_bomb_is_refused_early(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("README.md", bytes(bundle.MAX_FILE + 1)))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="too large"):
        bundle.read(path)
    many = [(f"README{n}.md", b"") for n in range(bundle.MAX_FILES)]
    with pytest.raises(InputError, match="over 2,000 files"):
        bundle.read(archive(tmp_path / "b.zip", *many))


def test_many_files_that_are_too_large_together(tmp_path: Path) -> None:
    parts = [(f"README{n}.md", bytes(bundle.MAX_FILE)) for n in range(5)]
    with pytest.raises(InputError, match="over 64 MiB"):
        bundle.read(archive(tmp_path / "a.zip", *parts))


def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "p")
    (folder / "README.md").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="a link"):
        bundle.read(folder)


def test_altered_and_missing_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "p")
    (folder / "rules/secrets.yaml").write_text(SECRETS + "\n")
    with pytest.raises(InputError, match="is not the file that"):
        bundle.read(folder)
    (folder / "rules/secrets.yaml").unlink()
    with pytest.raises(InputError, match="is missing"):
        bundle.read(folder)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"id": "Acme"}, "is no id"),
        ({"version": "1.0"}, "not a semantic version"),
        ({"requires": ">=99"}, "this is Buttress"),
        ({"requires": "soon"}, "not a bound"),
        ({"format": "buttress-pack/2"}, "buttress-pack/1"),
        ({"authors": []}, "authors"),
        ({"contents": []}, "contents"),
        ({"contents": [{"kind": "code", "path": "a", "sha256": "0" * 64}]}, "one of agent-rules"),
        ({"contents": [{"kind": "risks", "path": "../a", "sha256": "0" * 64}]}, "not allowed"),
        ({"contents": [{"kind": "risks", "path": "pack.yaml", "sha256": "0" * 64}]}, "not allowed"),
        ({"contents": [{"kind": "risks", "path": "a", "sha256": "0"}]}, "64 hex digits"),
        ({"contents": [{"kind": "risks", "path": "a", "sha256": "0" * 64}] * 2}, "given twice"),
        ({"colour": "red"}, "unknown field"),
    ],
)
def test_bad_manifests_name_file_line_and_field(
    tmp_path: Path, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        bundle.read(make(tmp_path / "p", **fields))
    assert "pack.yaml:" in str(caught.value)


@pytest.mark.parametrize("name", ["no/such", "text.zip", "empty"])
def test_what_is_no_pack(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.zip").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        bundle.read(tmp_path / name)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=6), one, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(
    ["id", "version", "requires", "contents", "authors", "format", "title", "x"]
)


@given(st.one_of(
    st.text(max_size=200),
    st.dictionaries(NAMES, VALUES, max_size=3).map(lambda one: manifest(FILES, **one)),
    st.tuples(st.integers(0, 300), st.text(max_size=4)).map(
        lambda one: manifest(FILES)[: one[0]] + one[1] + manifest(FILES)[one[0] :]),
))  # fmt: skip
def test_any_manifest_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        parse(located_yaml.parse(text, "pack.yaml"))


WHOLE = io.BytesIO()
with zipfile.ZipFile(WHOLE, "w", zipfile.ZIP_DEFLATED) as _file:
    _file.writestr("pack.yaml", manifest(FILES))
    _file.writestr("rules/secrets.yaml", SECRETS)


@given(st.one_of(
    st.binary(max_size=200),
    st.lists(st.tuples(st.integers(0, len(WHOLE.getvalue()) - 1), st.integers(0, 255)),
             min_size=1, max_size=8),
    st.integers(0, len(WHOLE.getvalue())),
))  # fmt: skip
def test_any_archive_is_read_or_refused(
    tmp_path_factory: Any, given: bytes | int | list[tuple[int, int]]
) -> None:
    data = bytearray(WHOLE.getvalue())
    if isinstance(given, bytes):
        data = bytearray(given)
    elif isinstance(given, int):
        del data[given:]
    else:
        for at, value in given:
            data[at] = value
    path = tmp_path_factory.mktemp("z") / "a.zip"
    path.write_bytes(data)
    with suppress(InputError):
        assert set(bundle.read(path).files) <= {"pack.yaml", "rules/secrets.yaml"}
