"""Writes what a survey found: document, page, requests and evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.errors import InputError
from buttress.evidence.findings import Finding
from buttress.evidence.records import Provenance
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import atomic_file, write_whole
from buttress.live.survey import HostResult
from buttress.report.json import encoded_parts
from buttress.report.survey_page import render
from buttress.workflows.survey import SurveyResult
from buttress.workflows.survey_inspections import with_requests
from buttress.workflows.survey_progress import remove_progress

_AT_ONCE: Final = 100  # inspections: those of many hosts take memory


def write(result: SurveyResult, made: Mapping[str, Any], out: Path, language: str = "en") -> None:
    """Write document, page, every request a line, and the evidence into the folder ``out``.

    Raises:
        InputError: not writable.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), file=str(out), field="--out", expected="a folder"
        ) from None
    with atomic_file(out / "survey.json", "--out") as file:
        file.writelines(encoded_parts(made))
    write_page(made, out / "survey.html", language, "--out")
    with EvidenceStore.open(out / FILE_NAME) as store:
        store.append(
            [
                Provenance(
                    run=result.id,
                    system=made["system"]["name"],
                    started=result.began,
                    seed=0,
                    policy="survey",
                    digests={},
                    versions=made["run"]["versions"],
                    details={},
                )
            ]
        )
        store.append([one for host in result.hosts for one in _stamped(host, result.id)])
        of_each = len(result.layers)
        for first in range(0, len(result.inspections), _AT_ONCE):
            store.append(
                [
                    with_requests(one, result.hosts[number // of_each])
                    for number, one in enumerate(
                        result.inspections[first : first + _AT_ONCE], first
                    )
                ]
            )
    remove_progress(out)
    with atomic_file(out / "requests.jsonl", "--out") as file:
        file.writelines(
            orjson.dumps(sent | made["requests"][sent["request"]], option=orjson.OPT_APPEND_NEWLINE)
            for host in made["hosts"]
            for sent in host["sent"]
        )


def write_page(made: Mapping[str, Any], path: Path, language: str, option: str) -> None:
    """Write the page of a survey's document; ``option`` is the one that named the file.

    Raises:
        InputError: not writable, or there is no such language.
    """
    write_whole(path, render(made, language).encode(), option)


def _stamped(host: HostResult, run: str) -> Iterator[Finding]:
    return (replace(one, run=run) for one in host.findings)
