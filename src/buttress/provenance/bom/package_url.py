"""Package URLs (ECMA-427) of packages, and of models and data on a model hub."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from buttress.provenance.inventory.component import Component

_HUB: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def package_url(one: Component) -> str:
    """The URL, empty where there is none for this part."""
    version = f"@{quote(one.version, safe='')}" if one.version else ""
    if one.role == "package" and one.ecosystem == "PyPI":
        return f"pkg:pypi/{quote(one.name.lower().replace('_', '-'), safe='')}{version}"
    if one.role == "package" and one.ecosystem == "npm":
        scope, _, name = one.name.rpartition("/")
        space = f"{quote(scope, safe='')}/" if scope else ""
        return f"pkg:npm/{space}{quote(name, safe='')}{version}"
    # Only what is named as on the hub: a folder's name says nothing of where it came from.
    if one.role in ("model", "adapter") and one.external and _HUB.fullmatch(one.name):
        owner, _, name = one.name.partition("/")
        return f"pkg:huggingface/{quote(owner, safe='')}/{quote(name, safe='')}"
    return ""
