"""The OSV advisories of ``scan``, for products that live probes see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from buttress.probes.dependencies.osv.database import Database
from buttress.probes.dependencies.vulnerabilities import grouped
from buttress.protocols.live import Flaw
from buttress.provenance.dependencies.versions import key

if TYPE_CHECKING:
    from buttress.provenance.dependencies.versions import Ecosystem


class OsvAdvisories:
    """Implements ``protocols.live.AdvisorySource`` on a database of OSV advisories.

    Raises:
        InputError: there is none at ``path``.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def about(self, package: str, version: str) -> Sequence[Flaw]:
        """See ``protocols.live.AdvisorySource``."""
        ecosystem, _, name = package.partition("/")
        chosen = cast("Ecosystem", ecosystem)
        known = version if version and key(version, chosen) is not None else ""
        found = []
        for group in grouped(self._database.about(chosen, name)):
            first = group[0]
            names = tuple(dict.fromkeys(name for one in group for name in one.aliases))
            fixes = sorted(
                (
                    fix
                    for one in group
                    for fix in one.fixes()
                    if known and key(fix, chosen) > key(known, chosen)
                ),
                key=lambda fix: key(fix, chosen),
            )
            found.append(
                Flaw(
                    first.id,
                    names,
                    next((one.summary for one in group if one.summary), ""),
                    first.severity()[0],
                    any(one.affects(known) for one in group) if known else None,
                    fixes[0] if fixes else "",
                )
            )
        return found
