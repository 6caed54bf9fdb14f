"""A target named in one word on the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping

NAMED = "URL#MODEL, weights, package:NAME or a script (*.yaml)"


def settings_of(name: str) -> Mapping[str, str]:
    """The settings that a manifest has for the target: an endpoint, a script or weights."""
    if is_url(name):
        endpoint, _, model = name.partition("#")
        return {"endpoint": endpoint, "model": model or "default"}
    if name.endswith((".yaml", ".yml")):
        return {"script": name}
    return {"weights": name}


def names_target(name: str) -> bool:
    """Whether it can be a target: a URL, a package, or a file or folder that there is."""
    return is_url(name) or name.startswith("package:") or os.path.exists(name)


def is_url(name: str) -> bool:
    """Whether it is the URL of an endpoint."""
    return name.startswith(("http://", "https://"))
