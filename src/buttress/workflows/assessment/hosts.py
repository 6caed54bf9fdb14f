"""Live probes in an assessment: the assets with a ``url`` are asked what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from buttress.errors import MissingExtraError
from buttress.evidence.base import RecordStore
from buttress.evidence.findings import Finding, Inspection
from buttress.live.scope import Endpoint
from buttress.live.survey import HostResult
from buttress.system.model import System
from buttress.trials.loop import run_async
from buttress.workflows.assessment.arms import arm_id
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.survey import Surveyor
from buttress.workflows.survey_inspections import inspections_of
from buttress.workflows.survey_requests import RequestLog
from buttress.workflows.survey_settings import IN_BROWSER, SurveySettings, system_endpoints


def ask_hosts(
    system: System,
    run: str,
    store: RecordStore,
    coverage: Coverage,
    say: Callable[[str], None],
    *,
    out: Path,
) -> None:
    """Put what live probes find at the system's hosts into the store.

    Pages of client assets are opened in a browser as well, where the extra ``browser`` is there.

    Hosts that an interrupted run has asked already are not asked again. One that is not reached is
    told as not covered. A file in the folder ``out`` keeps each request before it is sent, until
    all are in the store.

    Raises:
        InputError: the URL of an asset is none, or the folder is not writable.
    """
    given = system_endpoints(system)
    if not given:
        return
    for surveyor, own in _surveys(system, given, coverage):
        layers = "-".join(sorted({probe.layer for probe in surveyor.probes}))
        path = out / f"requests-{run}-{layers}.jsonl"
        names = {probe.id for probe in surveyor.probes}
        done = {seen.asset for seen in store.inspections(run=run) if seen.probe in names}
        surveyor.endpoints = [one for one in own if one.asset not in done]
        for note in surveyor.notes:
            coverage.record_skip("live probes", note)
        for endpoint in surveyor.endpoints:
            say(f"asking {endpoint.asset}")
        for host in _asked(surveyor, run, store, path, given):
            if not host.reached:
                coverage.record_skip(host.asset, f"not reached: {host.why or 'no answer'}")
            for probe, error in host.failed.items():
                coverage.record_skip(arm_id(probe, host.asset), f"the probe failed ({error})")


def _asked(
    surveyor: Surveyor, run: str, store: RecordStore, path: Path, given: Sequence[Endpoint]
) -> list[HostResult]:
    """Ask all hosts; each is in the store as soon as it is done."""
    log, cut = RequestLog.resume(path, given)

    def keep(host: HostResult) -> None:
        host.sent[:0] = cut.pop(host.endpoint, ())
        records: list[Finding | Inspection] = [*host.findings]
        records += inspections_of([host], surveyor.probes)
        store.append([replace(one, run=run) for one in records])

    try:
        hosts = run_async(surveyor.ask(keep, log.add))
    finally:
        log.close()
    path.unlink()
    return hosts


def _surveys(
    system: System, given: Sequence[Endpoint], coverage: Coverage
) -> Iterator[tuple[Surveyor, Sequence[Endpoint]]]:
    """All hosts with the usual probes, and those of client assets in a browser."""
    yield Surveyor(SurveySettings(system=system, suppress=False)), given
    clients = {one.id for one in system.assets if one.kind == "client"}
    pages = [one for one in given if one.asset in clients]
    if not pages:
        return
    surveyor = Surveyor(SurveySettings(system=system, suppress=False, layers=[IN_BROWSER]))
    try:
        _ = surveyor.requests  # tells what is not installed
    except MissingExtraError as error:
        coverage.record_skip("pages in a browser", str(error))
        return
    yield surveyor, pages
