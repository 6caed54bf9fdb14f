"""Talks to running hosts: what runs there, what it offers to anybody, which flaws are known."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.places import LocatedFinding
from buttress.live.credential_file import DEFAULTS
from buttress.live.scope import Endpoint
from buttress.live.sent import Sent
from buttress.live.survey import HostResult, dry_run, planned, survey
from buttress.packs.installed import installed
from buttress.probes.infrastructure.aig.pack_contents import has_packed
from buttress.protocols.live import (
    LiveContext,
    LiveRequest,
)
from buttress.triage.filtering import FilteredFindings
from buttress.trials.loop import run_async
from buttress.workflows.advisories import OsvAdvisories
from buttress.workflows.survey_inspections import host_inspections
from buttress.workflows.survey_notes import survey_notes
from buttress.workflows.survey_settings import (
    IN_BROWSER,
    SurveySettings,
    canary_address,
    chosen_credentials,
    chosen_endpoints,
    chosen_probes,
    finding_filter,
    signed_request,
    unused_parts,
)

if TYPE_CHECKING:
    from buttress.packs.knowledge import Knowledge
    from buttress.workflows.survey_progress import SurveyProgress

ACCEPTABLE: Final = 0
FOUND: Final = 1
UNDECIDED: Final = 3
_BUSY: Final = 429  # status of a host that was asked too much


@dataclass(slots=True)
class SurveyResult:
    """What a survey sent and saw. ``notes`` are what the user should know of its rules.

    ``layers`` are those of the probes that ran.
    """

    id: str
    began: float
    settings: SurveySettings
    hosts: list[HostResult]
    filtered: FilteredFindings
    inspections: list[Inspection]
    notes: list[str]
    layers: dict[str, str]

    def fails(self, one: LocatedFinding) -> bool:
        """Whether a finding is as grave as ``fail_on``."""
        least = self.settings.fail_on
        return bool(least) and (
            SEVERITIES.index(one.finding.severity) >= list(SEVERITIES).index(least)  # type: ignore[arg-type]
        )

    @property
    def not_reached(self) -> list[tuple[str, str]]:
        """URLs of hosts that gave no answer, and why."""
        return [(one.url, one.why or "no answer") for one in self.hosts if not one.reached]

    @property
    def partly_asked(self) -> list[tuple[str, str]]:
        """URLs of hosts that were not asked all that was planned, and why."""
        found = []
        for one in self.hosts:
            why = [f"the probe {probe} failed ({error})" for probe, error in one.failed.items()]
            if one.not_sent:
                why.append(f"{one.not_sent} requests were not sent: {one.why or 'out of budget'}")
            if busy := sum(sent.status == _BUSY for sent in one.sent):
                why.append(f"{busy} requests were answered with {_BUSY} (too many requests)")
            if one.reached and why:
                found.append((one.url, "; ".join(why)))
        return found

    @property
    def code(self) -> int:
        """0 acceptable, 1 found, 3 where no host was reached or a probe failed.

        With ``fail_on_skipped`` 3 also where not all was asked.
        """
        if any(map(self.fails, self.filtered.counting)):
            return FOUND
        if self.settings.fail_on_skipped and (self.not_reached or self.partly_asked):
            return UNDECIDED
        failed = any(one.failed for one in self.hosts)
        return ACCEPTABLE if any(one.reached for one in self.hosts) and not failed else UNDECIDED

    def document(self) -> dict[str, Any]:
        """The document ``buttress-survey/1``."""
        from buttress.documents.survey import document

        system = self.settings.system
        return document(
            self.id,
            self.began,
            name=system.name if system else "survey",
            hosts=self.hosts,
            filtered=self.filtered,
            inspections=self.inspections,
            notes=self.notes,
            layers=self.layers,
        )  # fmt: skip


class Surveyor:
    """A survey before anything is sent: its hosts, probes and plan.

    Raises:
        InputError: a target, a probe, a folder or a file is not what it must be.
    """

    def __init__(self, settings: SurveySettings, knowledge: Knowledge | None = None) -> None:
        self.settings = settings
        self.endpoints = chosen_endpoints(settings)
        self.notes: list[str] = list(unused_parts(settings))
        self.probes = chosen_probes(settings, self.notes)
        self.context = LiveContext(
            knowledge=knowledge or installed(),
            rules=settings.rules,
            as_written=settings.as_written,
            active=settings.active,
            keys=settings.keys,
            openapi=settings.openapi,
            credentials=chosen_credentials(settings.credentials),
            default_credentials=settings.credentials == DEFAULTS,
            signed=signed_request(settings),
            canary=canary_address(settings),
            links=any(one.layer == IN_BROWSER for one in self.probes),
            advisories=OsvAdvisories(settings.osv) if settings.osv is not None else None,
        )
        if (
            settings.as_written
            and settings.rules is None
            and not has_packed(self.context.knowledge)
        ):
            raise InputError(
                "needs --rules", field="--rules-as-written",
                expected="--rules FOLDER, or rules that `buttress pack install` installed",
            )  # fmt: skip
        self._filter = finding_filter(settings)

    @cached_property
    def requests(self) -> list[LiveRequest]:
        """Every request that may be sent to a host."""
        return planned(self.probes, self.context)

    def dry_run(self) -> Iterator[tuple[str, str, LiveRequest]]:
        """Method, URL and request of everything that may be sent; sends nothing."""
        return dry_run(self.endpoints, self.requests)

    def _ask_rest(self, progress: SurveyProgress) -> list[HostResult]:
        """The hosts that are done already, and what the others answer now, in their order."""
        every = self.endpoints
        self.endpoints = [one for one in every if progress.done(one) is None]
        try:
            asked = {
                one.endpoint: one for one in run_async(self.ask(progress.add, progress.before))
            }
        finally:
            progress.close()
            self.endpoints = every
        return [progress.done(one) or asked[one] for one in every]

    async def ask(
        self,
        done: Callable[[HostResult], None] = lambda _: None,
        before: Callable[[Endpoint, Sent], None] = lambda _, __: None,
    ) -> list[HostResult]:
        """Ask all hosts; results stand in the order of ``endpoints``.

        ``done`` is told of each host, ``before`` of each request before it is sent.
        """
        return await survey(
            self.endpoints, self.probes, self.context, self.settings.limits,
            done=done, before=before,
        )  # fmt: skip

    def run(self, out: Path | None = None, *, resume: bool = False) -> SurveyResult:
        """Ask all hosts.

        Args:
            out: a folder that keeps each request before it is sent, and each host that is done,
                until `remove_progress`.
            resume: go on with the survey that was cut off in ``out``.

        Raises:
            InputError: the folder can't be used, or there is nothing in it to go on with.
        """
        identifier, began = os.urandom(6).hex(), time.time()
        _ = self.requests  # what can't be used is told before anything is sent
        if out is None:
            hosts = run_async(self.ask())
        else:
            from buttress.workflows.survey_progress import SurveyProgress, settings_digest

            digest = settings_digest(
                self.probes, self.context, self.endpoints, self.settings.limits
            )
            progress = (
                SurveyProgress.resume(out, digest, self.endpoints)
                if resume
                else SurveyProgress.begin(out, digest, identifier, began, self.endpoints)
            )
            identifier, began = progress.id, progress.began
            if resume:
                self.notes.append(
                    "it was cut off and gone on with: hosts that were being asked then were asked "
                    f"anew; {sum(map(len, progress.cut.values()))} requests had been sent to them "
                    "before, whose answers are not recorded"
                )
            elif progress.note:
                self.notes.append(progress.note)
            hosts = self._ask_rest(progress)
        found = sorted(
            (_located(replace(one, run=identifier)) for host in hosts for one in host.findings),
            key=lambda one: (
                -SEVERITIES.index(one.finding.severity), one.finding.asset, one.finding.location,
            ),
        )  # fmt: skip
        inspections = [
            replace(one, run=identifier)
            for host in hosts
            for one in host_inspections(host, self.probes)
        ]
        return SurveyResult(
            identifier, began, self.settings, hosts,
            self._filter.apply(found, 0, datetime.now(UTC).date()),
            inspections, [*self.notes, *survey_notes(self.probes, self.context, hosts)],
            {one.id: one.layer for one in self.probes},
        )  # fmt: skip


def _located(finding: Finding) -> LocatedFinding:
    return LocatedFinding(finding, finding.where.path, "", None)


def make_known(result: SurveyResult, path: Path) -> SurveyResult:
    """Write a baseline: what counted until now is known from now on.

    Raises:
        InputError: not writable.
    """
    from buttress.triage import baseline

    every = [*result.filtered.counting, *result.filtered.known]
    baseline.write(every, path)
    return replace(result, filtered=replace(result.filtered, counting=[], known=every))
