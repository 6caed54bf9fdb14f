"""Checks that patterns alone can't make, by the names that rules give them."""

from __future__ import annotations

from typing import Final

from buttress.probes.deployment.checks import (
    artifacts,
    ci_agents,
    containers,
    downloads,
    pipelines,
    pods,
    shells,
    strangers_code,
)
from buttress.rules import values
from buttress.rules.subject import Check

CHECKS: Final[dict[str, Check]] = {
    **values.CHECKS,
    **ci_agents.CHECKS,
    **containers.CHECKS,
    **downloads.CHECKS,
    **pods.CHECKS,
    **pipelines.CHECKS,
    **shells.CHECKS,
    **artifacts.CHECKS,
    **strangers_code.CHECKS,
}
