"""Package URLs (ECMA-427) of packages, and of models and data on a model hub."""

from __future__ import annotations

import re
from typing import Final

from packageurl import PackageURL

from buttress.provenance import purl
from buttress.provenance.inventory.component import Component

_HUB: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def package_url(one: Component) -> str:
    """The URL, empty where there is none for this part."""
    if one.role == "package" and one.ecosystem in ("PyPI", "npm"):
        return purl.package_url(one.ecosystem, one.name, one.version)
    # Only what is named as on the hub: a folder's name says nothing of where it came from.
    if one.role in ("model", "adapter") and one.external and _HUB.fullmatch(one.name):
        owner, _, name = one.name.partition("/")
        return PackageURL("huggingface", owner, name).to_string()
    return ""
