"""Checks of GitHub workflows and GitLab pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import re2

from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.untrusted import ExpressionScope, label_names, sources
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

_PRIVILEGED: Final = {"pull_request_target", "workflow_run", "issue_comment"}
_OUTSIDE: Final = {"pull_request", "pull_request_target", "issue_comment", "issues", "discussion"}
_HEAD: Final = re2.compile(
    r"github\.(?:event\.(?:pull_request\.head|workflow_run\.head_|workflow_run\.pull_requests|"
    r"check_suite\.pull_requests)|head_ref)|refs/pull/|"
    r"steps\.[A-Za-z0-9_-]+\.outputs\.(?:head|ref|sha)"
)
_FETCH: Final = re2.compile(r"gh pr checkout|git (?:fetch|pull|checkout)[^\n]{0,120}pull/")
_SHA: Final = re.compile(r"^[0-9a-f]{40}$")
_FIRST_PARTY: Final = ("actions", "github")
_TO_ENVIRONMENT: Final = re2.compile(
    r">>\s*[\"']?\$\{?(?:env:)?(?:GITHUB_ENV|GITHUB_PATH)\}?|::set-env|::add-path"
)
_BOT: Final = re2.compile(r"github\.(?:actor|triggering_actor)\s*==\s*['\"][A-Za-z0-9_-]+\[bot\]")
_WHO: Final = re2.compile(r"author_association|permission|github\.actor|\.user\.login\s*==")


def _checks_out_head(step: Any) -> bool:
    if not isinstance(step, dict):
        return False
    inputs = step.get("with")
    if str(step.get("uses", "")).startswith("actions/checkout@") and isinstance(inputs, dict):
        given = f"{scalar(inputs.get('ref')) or ''} {scalar(inputs.get('repository')) or ''}"
        return bool(_HEAD.search(given))
    return bool(_FETCH.search(scalar(step.get("run")) or ""))


def _head_checkout(subject: Subject) -> Iterator[SubjectMatch]:
    """Code of a stranger is checked out where the workflow has secrets and a writing token."""
    triggers = subject.context["triggers"] & _PRIVILEGED
    if not triggers or not _checks_out_head(subject.value):
        return
    guards = f"{subject.context['job'].get('if', '')} {subject.value.get('if', '')}"
    if triggers == {"issue_comment"} and _WHO.search(guards):
        return
    yield SubjectMatch(subject.line(()), sorted(triggers)[0])


def _scope(subject: Subject) -> ExpressionScope:
    context = subject.context
    steps = context.get("steps") or ()
    index = context.get("index", 0)
    step = steps[index] if index < len(steps) and isinstance(steps[index], dict) else None
    return ExpressionScope(context["workflow"], context["job"], tuple(steps[:index]), step)


def _injection(subject: Subject, *, direct: bool) -> Iterator[SubjectMatch]:
    """A stranger's text is put into a script: directly, or through a variable or an output."""
    for start, source in sources(subject.value, _scope(subject)):
        if bool(source.through) is not direct:
            line = subject.line(()) + subject.value.count("\n", 0, start)
            way = f"{source.through}, which holds {source.path}," if source.through else source.path
            yield SubjectMatch(line, way)


def _input_injection(subject: Subject) -> Iterator[SubjectMatch]:
    for one in expressions(subject.value):
        for reference in one.references:
            if re.fullmatch(r"(?:github\.event\.)?inputs\.[\w-]+", reference.path):
                line = subject.line(()) + subject.value.count("\n", 0, one.start)
                yield SubjectMatch(line, reference.path)


def _label_injection(subject: Subject) -> Iterator[SubjectMatch]:
    for start, path in label_names(subject.value):
        yield SubjectMatch(subject.line(()) + subject.value.count("\n", 0, start), path)


def _reference(uses: str) -> tuple[str, str] | None:
    """Owner and reference of an action; None for local ones and images."""
    if uses.startswith(("./", "../", "docker://")) or "@" not in uses:
        return None
    name, _, reference = uses.rpartition("@")
    return name.split("/")[0].lower(), reference


def _unpinned(subject: Subject, *, first_party: bool) -> Iterator[SubjectMatch]:
    found = _reference(subject.value)
    if found and not _SHA.match(found[1]) and (found[0] in _FIRST_PARTY) == first_party:
        yield SubjectMatch(subject.line(()), subject.value)


def _docker_action(subject: Subject) -> Iterator[SubjectMatch]:
    if subject.value.startswith("docker://") and "@sha256:" not in subject.value:
        yield SubjectMatch(subject.line(()), subject.value)


def _no_permissions(subject: Subject) -> Iterator[SubjectMatch]:
    data = subject.value
    jobs = data.get("jobs")
    given = (
        [one for one in jobs.values() if isinstance(one, dict)] if isinstance(jobs, dict) else []
    )
    if "permissions" not in data and any("permissions" not in one for one in given):
        yield SubjectMatch(subject.line(("jobs",)))


def _self_hosted(subject: Subject) -> Iterator[SubjectMatch]:
    runner = subject.value.get("runs-on")
    if isinstance(runner, dict):
        runner = runner.get("labels")
    labels = runner if isinstance(runner, list) else [runner]
    outside = subject.context["triggers"] & _OUTSIDE
    if outside and any(str(one).lower() == "self-hosted" for one in labels):
        yield SubjectMatch(subject.line(("runs-on",)), sorted(outside)[0])


def _artifact(subject: Subject) -> Iterator[SubjectMatch]:
    """An artifact of an untrusted run is unpacked, and something is run after it."""
    step, index = subject.value, subject.context.get("index")
    text = f"{step.get('uses', '')} {scalar(step.get('run')) or ''}"
    downloads = "download-artifact" in text or "gh run download" in text
    if "workflow_run" not in subject.context["triggers"] or not downloads or index is None:
        return
    inputs = step.get("with")
    place = str(inputs.get("path", "")) if isinstance(inputs, dict) else ""
    later = subject.context["steps"][index + 1 :]
    if not re.search(r"runner\.temp|/tmp", place) and any(
        isinstance(one, dict) and ("run" in one or str(one.get("uses", "")).startswith("./"))
        for one in later
    ):
        yield SubjectMatch(subject.line(()))


def _kept_credentials(subject: Subject) -> Iterator[SubjectMatch]:
    """The whole work tree, with the token that checkout left in it, is uploaded."""
    step = subject.value
    inputs = step.get("with")
    if not str(step.get("uses", "")).startswith("actions/upload-artifact@"):
        return
    path = str(inputs.get("path", "")).strip() if isinstance(inputs, dict) else ""
    if path not in (".", "./", "${{ github.workspace }}", "*", "**"):
        return
    for one in subject.context["steps"]:
        if isinstance(one, dict) and str(one.get("uses", "")).startswith("actions/checkout@"):
            given = one.get("with")
            if not (isinstance(given, dict) and given.get("persist-credentials") is False):
                yield SubjectMatch(subject.line(()))
                return


def _environment_file(subject: Subject) -> Iterator[SubjectMatch]:
    if subject.context["triggers"] & _PRIVILEGED:
        for match in _TO_ENVIRONMENT.finditer(subject.value):
            yield SubjectMatch(subject.line(()) + subject.value.count("\n", 0, match.start()))


def _spoofable(subject: Subject) -> Iterator[SubjectMatch]:
    if subject.context["triggers"] & _PRIVILEGED and _BOT.search(str(subject.value.get("if", ""))):
        yield SubjectMatch(subject.line(("if",)))


def _cache(subject: Subject) -> Iterator[SubjectMatch]:
    if "pull_request_target" in subject.context["triggers"]:
        uses = str(subject.value.get("uses", ""))
        heads = any(_checks_out_head(one) for one in subject.context["steps"])
        if uses.startswith("actions/cache") and heads:
            yield SubjectMatch(subject.line(()))


def _include(subject: Subject) -> Iterator[SubjectMatch]:
    value = subject.value
    remote, project = value.get("remote"), value.get("project")
    if isinstance(remote, str) and "integrity" not in value:
        if not re.search(r"/[0-9a-f]{40}/", remote):
            yield SubjectMatch(subject.line(()), remote)
    elif isinstance(project, str) and str(value.get("ref", "")) in ("", "main", "master", "HEAD"):
        yield SubjectMatch(subject.line(()), project)
    component = value.get("component")
    if isinstance(component, str):
        version = component.rpartition("@")[2] if "@" in component else ""
        if version in ("", "main", "master", "~latest"):
            yield SubjectMatch(subject.line(()), component)


CHECKS: Final[dict[str, Check]] = {
    "head-checkout": _head_checkout,
    "script-injection": lambda subject: _injection(subject, direct=True),
    "indirect-injection": lambda subject: _injection(subject, direct=False),
    "input-injection": _input_injection,
    "label-injection": _label_injection,
    "unpinned-action": lambda subject: _unpinned(subject, first_party=False),
    "unpinned-first-party": lambda subject: _unpinned(subject, first_party=True),
    "docker-action": _docker_action,
    "no-permissions": _no_permissions,
    "self-hosted": _self_hosted,
    "artifact": _artifact,
    "kept-credentials": _kept_credentials,
    "environment-file": _environment_file,
    "spoofable-actor": _spoofable,
    "privileged-cache": _cache,
    "gitlab-include": _include,
}
