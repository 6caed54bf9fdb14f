"""Lock files of Poetry, uv, PDM, pip (PEP 751) and Pipenv."""

from __future__ import annotations

from typing import Any

from buttress.files.bounded_json import JsonError
from buttress.files.bounded_json import parse as parse_json
from buttress.provenance.dependencies.dependency import Dependency, FormatError, LineFinder, Parsed
from buttress.provenance.dependencies.formats.projects import at, load_toml
from buttress.provenance.dependencies.formats.requirements import plain_http


def toml_lock(text: str) -> Parsed:
    """The packages of poetry.lock, uv.lock, pdm.lock or pylock.toml.

    Raises:
        FormatError: it is not TOML, or has no list of packages.
    """
    data, parsed, places = load_toml(text), Parsed(), LineFinder(text)
    packages = data.get("package") or data.get("packages") or []
    if not isinstance(packages, list):
        raise FormatError("it has no list of packages")
    old = at(data, "metadata", "files")  # where Poetry before 1.3 kept the hashes
    for one in packages:
        name, version = at(one, "name"), at(one, "version")
        if not isinstance(name, str):
            continue
        line = places.line(f'name = "{name}"', f'"{name}"')
        source = at(one, "source")
        address = _address(one, source)
        if _is_local(one, source):
            continue  # the project itself, a part of it, or a folder beside it
        registry = at(source, "registry")
        if isinstance(registry, str):
            parsed.issues += plain_http(registry, line)
        hashed = _hashed(one) or bool(at(old, name))
        parsed.add(
            Dependency(
                name,
                "PyPI",
                line,
                version=version if isinstance(version, str) else "",
                specifier=f"=={version}" if isinstance(version, str) else "",
                address=address,
                hashed=None if address else hashed,
                locked=True,
            )
        )
    return parsed


def _is_local(one: Any, source: Any) -> bool:
    """Whether a package is a folder or file of the project, and none of the index's."""
    kinds = ("virtual", "editable", "directory", "path")  # uv
    if any(at(source, kind) for kind in kinds) or at(source, "type") in ("directory", "file"):
        return True
    # PDM writes a path; PEP 751 a table for a directory, or an archive with a path.
    paths = (at(one, "path"), at(one, "directory"), at(one, "archive", "path"))
    return any(paths)


def _address(one: Any, source: Any) -> str:
    if at(source, "type") == "git" or isinstance(at(one, "git"), str):
        url = at(source, "url") or at(one, "git")
        return f"git+{url}@{at(source, 'resolved_reference') or at(one, 'revision') or ''}"
    if isinstance(git := at(source, "git"), str):
        return f"git+{git.replace('#', '@')}"  # uv writes the commit after the sign
    vcs = at(one, "vcs")
    if isinstance(at(vcs, "url"), str):
        return f"git+{at(vcs, 'url')}@{at(vcs, 'commit-id') or ''}"
    return ""


def _hashed(one: Any) -> bool:
    files = [at(one, "sdist"), at(one, "archive")]
    for key in ("files", "wheels"):
        found = at(one, key)
        files += found if isinstance(found, list) else []
    return any(isinstance(one, dict) and ("hash" in one or "hashes" in one) for one in files)


def pipfile_lock(text: str) -> Parsed:
    """The packages of Pipfile.lock.

    Raises:
        FormatError: it is not JSON.
    """
    data, parsed, places = load_json(text), Parsed(), LineFinder(text)
    sources = at(data, "_meta", "sources")
    for one in sources if isinstance(sources, list) else ():
        address = at(one, "url")
        if isinstance(address, str):
            parsed.issues += plain_http(address, places.line(f'"{address}"'))
    for section in ("default", "develop"):
        packages = at(data, section)
        for name, one in packages.items() if isinstance(packages, dict) else ():
            line = places.line(f'"{name}": {{', f'"{name}"')
            version = at(one, "version")
            fixed = version[2:] if isinstance(version, str) and version.startswith("==") else ""
            git = at(one, "git")
            if at(one, "path") or at(one, "file"):
                continue  # a folder or file of the project
            address = f"git+{git}@{at(one, 'ref') or ''}" if isinstance(git, str) else ""
            parsed.add(
                Dependency(
                    name,
                    "PyPI",
                    line,
                    version=fixed,
                    specifier=f"=={fixed}" if fixed else "",
                    address=address,
                    hashed=None if address else bool(at(one, "hashes")),
                    locked=True,
                )
            )
    return parsed


def load_json(text: str) -> Any:
    """A JSON document.

    Raises:
        FormatError: it is none, or larger than is read.
    """
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))[0]
    except JsonError as error:
        raise FormatError(str(error)[:120]) from None
