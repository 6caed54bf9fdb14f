"""Checks of GitHub workflows and GitLab pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from buttress.files.located_yaml import FieldPath
from buttress.probes.deployment.checks.strangers_code import PRIVILEGED, scope_of, step_of
from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.gates import asks_first, by_members, checked_form, gates
from buttress.probes.deployment.github import SCRIPTS
from buttress.probes.deployment.untrusted import (
    UntrustedValue,
    label_names,
    sources,
    tainted_variables,
)
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

_SHA: Final = re.compile(r"^[0-9a-f]{40}$")
_EVALUATES: Final = (
    r"(?:\beval\s|\b(?:ba|z|da)?sh\s+-\w*c\s|\b(?:python[\d.]*|perl|ruby|node|php)\s+-[cer]\s|"
    r"\bxargs\b[^\n]{0,60}\bsh\s+-c\s|\benvsubst\b[^\n]{0,60}\|\s*(?:ba)?sh\b)"
)
# A shell or interpreter that reads its program from a text behind it; in quotes nothing is put in.
_FED: Final = re.compile(
    r"\b(?:(?:ba|z|da)?sh|ssh\s[^\n<|;&]{1,200}|python[\d.]*|node|perl)(?:\s+-\w*)*\s*"
    r"<<-?[ \t]*([A-Za-z_]\w*)"
)
_FIRST_PARTY: Final = ("actions", "github")
_TO_ENVIRONMENT: Final = re2.compile(
    r">>\s*[\"']?\$\{?(?:env:)?(?:GITHUB_ENV|GITHUB_PATH)\}?|::set-env|::add-path"
)
_SEVERAL_LINES: Final = re.compile(
    r"(?:body|message|description|patch|diff|commits?|comment|event)\W*$"
)
_BOT: Final = re2.compile(r"github\.(?:actor|triggering_actor)\s*==\s*['\"][A-Za-z0-9_-]+\[bot\]")
# Events whose runs, for a stranger's pull request, see no secret and have a token that only reads.
_LIMITED: Final = {"pull_request", "pull_request_review", "pull_request_review_comment"}
# Events that only people start who may write.
_MEMBERS: Final = {
    "push", "schedule", "workflow_dispatch", "release", "merge_group", "create", "delete",
    "deployment", "repository_dispatch", "branch_protection_rule", "registry_package", "page_build",
    "milestone",
}  # fmt: skip
_OF_PULL_REQUEST: Final = re.compile(
    r"github(?:\.event)?|github\.(?:head_ref|event\.(?:pull_request|review|review_comment|comment)"
    r"\b.*)|names of .*|the name of a branch"
)
_ON_EVENT: Final = re.compile(r"github\.event_name\s*==\s*['\"](\w+)['\"]")


def _injection(subject: Subject, *, direct: bool) -> Iterator[SubjectMatch]:
    """A stranger's text is put into a script: directly, or through a variable or an output."""
    for start, source in sources(subject.value, scope_of(subject)):
        if bool(source.through) is not direct:
            line = subject.line(()) + subject.value.count("\n", 0, start)
            way = f"{source.through}, which holds {source.path}," if source.through else source.path
            yield SubjectMatch(line, way, _limited_text(subject, source))


def _limited_text(subject: Subject, source: UntrustedValue) -> str:
    """Why a stranger's text gives them nothing, or is not seen to, in words; else empty."""
    workflow, job, step = subject.context["workflow"], subject.context["job"], step_of(subject)
    steps = subject.context.get("steps") or ()
    return (
        _without_rights(subject, source.path)
        or by_members((*gates(workflow, job), step), source.path)
        or checked_form(steps, source.through)
        or asks_first(workflow, job, step)
    )


def _without_rights(subject: Subject, path: str) -> str:
    """Why a value of a stranger's pull request gives them nothing new, in words; else empty."""
    if not _OF_PULL_REQUEST.fullmatch(path):
        return ""
    triggers = subject.context["triggers"]
    guards = f"{subject.context['job'].get('if', '')} {step_of(subject).get('if', '')}"
    if "||" not in guards and "!" not in guards:
        triggers = triggers & set(_ON_EVENT.findall(guards)) or triggers
    outside = triggers - _MEMBERS
    whole = path in ("github", "github.event")  # may hold what members pushed for others
    if not outside or not outside <= _LIMITED or (whole and triggers & _MEMBERS):
        return ""
    return (
        f"the run of a stranger's pull request on {sorted(outside)[0]} sees no secret, has a token"
        " that only reads and runs their code anyway"
    )


def _input_injection(subject: Subject, *, by_strangers: bool) -> Iterator[SubjectMatch]:
    """An input is put into a script: one that a caller lets strangers fill, or any other."""
    filled = subject.context.get("inputs", {})
    for one in expressions(subject.value):
        for reference in one.references:
            name = re.fullmatch(r"(?:github\.event\.)?inputs\.([\w-]+)", reference.path)
            source = filled.get(name[1].lower()) if name else None
            if name is None or (source is not None) is not by_strangers:
                continue
            line = subject.line(()) + subject.value.count("\n", 0, one.start)
            way = f", which a workflow here fills with {source.path}," if source else ""
            yield SubjectMatch(line, f"{reference.path}{way}")


def _all_secrets(subject: Subject) -> Iterator[SubjectMatch]:
    """``secrets`` as a whole, in a script, an input or a variable."""
    value = subject.value
    if isinstance(value, str):
        texts: list[tuple[FieldPath, str]] = [((), value)]
    else:
        parts = [(key, value.get(key)) for key in ("env", "with")]
        texts = [
            ((key, name), scalar(one) or "")
            for key, part in parts
            if isinstance(part, dict)
            for name, one in part.items()
            if not (key == "with" and name in SCRIPTS)
        ]
    for path, text in texts:
        for one in expressions(text):
            if any(known.path == "secrets" and known.whole for known in one.references):
                line = subject.line(path) + (0 if path else text.count("\n", 0, one.start))
                yield SubjectMatch(line)


def _evaluated(subject: Subject) -> Iterator[SubjectMatch]:
    """A variable that holds a stranger's text is given to something that runs texts."""
    names = tainted_variables(scope_of(subject))
    for name, source in names.items():
        for match in re.finditer(
            rf"{_EVALUATES}[^\n]{{0,200}}?\$\{{?{re.escape(name)}\b", subject.value
        ):
            line = subject.line(()) + subject.value.count("\n", 0, match.start())
            lessened = _limited_text(subject, source)
            yield SubjectMatch(line, f"${name}, which holds {source.path},", lessened)
    for start, text in _fed_to_shells(subject.value) if names else ():
        for name, source in names.items():
            if used := re.search(rf"\$\{{?{re.escape(name)}\b", text):
                line = subject.line(()) + subject.value.count("\n", 0, start + used.start())
                lessened = _limited_text(subject, source)
            yield SubjectMatch(line, f"${name}, which holds {source.path},", lessened)


def _fed_to_shells(script: str) -> Iterator[tuple[int, str]]:
    """Texts that stand in a script as the input of a shell, which sees variables already put in."""
    for opened in _FED.finditer(script):
        start = script.find("\n", opened.end())
        end = re.compile(rf"^[ \t]*{re.escape(opened[1])}[ \t]*$", re.MULTILINE)
        if start >= 0 and (closed := end.search(script, start)):
            yield start, script[start : closed.start()]


def _environment_injection(subject: Subject) -> Iterator[SubjectMatch]:
    """Text of a stranger that may have several lines goes to the file of the environment."""
    for name, source in tainted_variables(scope_of(subject)).items():
        if not _SEVERAL_LINES.search(source.path):
            continue
        written = (
            rf"\$\{{?{re.escape(name)}\b[^\n]{{0,120}}>>\s*[\"']?\$\{{?(?:GITHUB_ENV|GITHUB_PATH)\b"
        )
        for match in re.finditer(written, subject.value):
            line = subject.line(()) + subject.value.count("\n", 0, match.start())
            lessened = _limited_text(subject, source)
            yield SubjectMatch(line, f"${name}, which holds {source.path},", lessened)


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
    if subject.context["triggers"] & PRIVILEGED:
        for match in _TO_ENVIRONMENT.finditer(subject.value):
            yield SubjectMatch(subject.line(()) + subject.value.count("\n", 0, match.start()))


def _spoofable(subject: Subject) -> Iterator[SubjectMatch]:
    if subject.context["triggers"] & PRIVILEGED and _BOT.search(str(subject.value.get("if", ""))):
        yield SubjectMatch(subject.line(("if",)))


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
    "script-injection": lambda subject: _injection(subject, direct=True),
    "indirect-injection": lambda subject: _injection(subject, direct=False),
    "input-injection": lambda subject: _input_injection(subject, by_strangers=False),
    "called-injection": lambda subject: _input_injection(subject, by_strangers=True),
    "all-secrets": _all_secrets,
    "evaluated-variable": _evaluated,
    "label-injection": _label_injection,
    "unpinned-action": lambda subject: _unpinned(subject, first_party=False),
    "unpinned-first-party": lambda subject: _unpinned(subject, first_party=True),
    "docker-action": _docker_action,
    "no-permissions": _no_permissions,
    "artifact": _artifact,
    "kept-credentials": _kept_credentials,
    "environment-file": _environment_file,
    "environment-injection": _environment_injection,
    "spoofable-actor": _spoofable,
    "gitlab-include": _include,
}
