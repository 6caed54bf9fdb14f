"""From GitHub workflows and composite actions to the subjects of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.probes.deployment.callers import given_by_callers, started_by, triggers, waits_for
from buttress.probes.deployment.untrusted import JobOutputs, UntrustedValue
from buttress.rules.shell import image, shell, variables
from buttress.rules.subject import Subject, at_line

# Inputs of actions that are run as scripts: github-script, ssh, retry, Azure CLI.
SCRIPTS: Final = ("script", "inlineScript", "command", "commands", "run")


def github(document: YamlDocument, path: Path) -> Iterator[Subject]:
    """Subjects of a workflow or action at ``path``: itself, jobs, steps, scripts, variables."""
    data = document.data
    if not isinstance(data, dict):
        return
    context = {
        "triggers": started_by(path, data), "before": waits_for(path, data),
        "workflow": data, "inputs": _inputs(data, path),
        "outputs": JobOutputs(data),
    }  # fmt: skip
    if "jobs" in data:
        yield Subject("gha.workflow", data, document.line, context)
    yield from variables(document, data.get("env"), ("env",), "gha")
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
            yield from _job(document, job, ("jobs", name), {**context, "job": job})
    runs = data.get("runs")
    if isinstance(runs, dict):
        yield from _steps(document, runs.get("steps"), ("runs", "steps"), {**context, "job": runs})


def _inputs(data: dict[str, Any], path: Path) -> Mapping[str, UntrustedValue]:
    """Inputs that a workflow of the same repository fills with what a stranger chooses."""
    is_called = "workflow_call" in triggers(data) or "runs" in data
    return given_by_callers(path, data) if is_called else {}


def _job(
    document: YamlDocument, job: dict[str, Any], path: FieldPath, context: dict[str, Any]
) -> Iterator[Subject]:
    yield Subject("gha.job", job, lambda below: document.line((*path, *below)), context)
    yield from variables(document, job.get("env"), (*path, "env"), "gha")
    if isinstance(job.get("uses"), str):
        yield Subject("gha.uses", job["uses"], at_line(document.line((*path, "uses"))), context)
    given = [(("container",), job.get("container"))]
    services = job.get("services")
    if isinstance(services, dict):
        given += [(("services", name), one) for name, one in services.items()]  # type: ignore[misc]
    for key, one in given:
        reference = one.get("image") if isinstance(one, dict) else one
        if isinstance(reference, str) and "${{" not in reference:
            yield image(reference, document.line((*path, *key)), "gha")
    yield from _steps(document, job.get("steps"), (*path, "steps"), context)


def _steps(
    document: YamlDocument, steps: Any, path: FieldPath, context: dict[str, Any]
) -> Iterator[Subject]:
    for index, step in enumerate(steps) if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        place = (*path, index)
        own = {
            **context, "index": index, "steps": steps,
            "text_line": partial(_text_line, document, place),
        }  # fmt: skip
        yield _step(document, step, place, own)
        yield from variables(document, step.get("env"), (*place, "env"), "gha")
        if isinstance(step.get("run"), str):
            line = document.text_line((*place, "run"))
            yield shell(step["run"], line, where="gha")
            yield Subject("gha.run", step["run"], at_line(line), own)
        inputs = step.get("with")
        given = inputs if isinstance(inputs, dict) else {}
        for key in SCRIPTS:
            if isinstance(script := given.get(key), str):
                line = document.text_line((*place, "with", key))
                yield Subject("gha.run", script, at_line(line), own)
        if isinstance(step.get("uses"), str):
            yield Subject(
                "gha.uses", step["uses"], at_line(document.line((*place, "uses"))), context
            )


def _text_line(document: YamlDocument, place: FieldPath, below: FieldPath) -> int:
    return document.text_line((*place, *below))


def _step(
    document: YamlDocument, step: dict[str, Any], place: FieldPath, context: dict[str, Any]
) -> Subject:
    return Subject("gha.step", step, lambda below: document.line((*place, *below)), context)
