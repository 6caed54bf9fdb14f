"""Injection in depth: does the model follow orders that stand in what it works on?

Greshake et al. 2023 (arXiv:2302.12173) describe the threat; every outcome here is checked exactly.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from buttress.files.yaml_loader import load_yaml


@cache
def data(name: str) -> Any:
    """The content of ``data/NAME.yaml``."""
    file = resources.files("buttress.probes.behaviour.injection").joinpath("data", f"{name}.yaml")
    return load_yaml(file)


def fill(text: str, /, **values: str) -> str:
    """``text`` with each ``{name}`` replaced; braces that name nothing stay, as in JSON."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
