"""Package URLs (ECMA-427) of packages in a registry."""

from __future__ import annotations


def package_url(ecosystem: str, name: str, version: str = "") -> str:
    """The package URL, with ``version`` where there is one; empty for a name that has no URL.

    ``name`` may hold a scope (``@scope/name``). A name of which nothing is left once it is
    normalised, as a file of a stranger may hold, has no URL.
    """
    from packageurl import PackageURL  # not needed where no package is found

    scope, _, last = name.rpartition("/")
    try:
        return PackageURL(ecosystem.lower(), scope or None, last, version or None).to_string()
    except (TypeError, ValueError):
        return ""
