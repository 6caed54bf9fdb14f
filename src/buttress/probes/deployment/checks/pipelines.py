"""Checks of GitHub workflows and GitLab pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import re2

from buttress.files.located_yaml import FieldPath
from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.gates import (
    asks_first,
    by_members,
    checked_form,
    condition,
    gates,
    never_for_strangers,
)
from buttress.probes.deployment.github import SCRIPTS
from buttress.probes.deployment.untrusted import (
    ExpressionScope,
    UntrustedValue,
    label_names,
    sources,
    tainted_variables,
)
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

_PRIVILEGED: Final = {"pull_request_target", "workflow_run", "issue_comment"}
_OUTSIDE: Final = {"pull_request", "pull_request_target", "issue_comment", "issues", "discussion"}
_HEAD: Final = re2.compile(
    r"github\.(?:event\.(?:pull_request\.(?:head|merge_commit_sha)|workflow_run\.head_|workflow_run\.pull_requests|"
    r"check_suite\.pull_requests)|head_ref)|refs/pull/|"
    r"steps\.[A-Za-z0-9_-]+\.outputs\.(?:head|ref|sha)|"
    r"needs\.[A-Za-z0-9_-]+\.outputs\.(?:pr_)?head"
)
_BRANCH: Final = re.compile(
    r"github\.(?:head_ref|ref(?:_name)?|base_ref|event\.(?:pull_request\.(?:head|base)\.ref|"
    r"workflow_run\.head_branch|repository\.default_branch))"
)
_FETCH: Final = re2.compile(r"gh pr checkout|git (?:fetch|pull|checkout)[^\n]{0,120}pull/")
_CLONE: Final = re.compile(
    r"\bgit\s+(?:clone|fetch|pull|remote\s+add|checkout(?!\s+(?:-[bB]|--orphan)\b))\b"
)
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
_LABEL: Final = re2.compile(
    r"contains\(\s*github\.event\.(?:pull_request|issue)\.labels\b|"
    r"github\.event\.label\.name\s*==|==\s*github\.event\.label\.name"
)
_OWN_BRANCH: Final = re2.compile(
    r"github\.event\.pull_request\.head\.repo\.full_name\s*==\s*github\.repository|"
    r"github\.repository\s*==\s*github\.event\.pull_request\.head\.repo\.full_name|"
    r"!\s*github\.event\.pull_request\.head\.repo\.fork|"
    r"github\.event\.pull_request\.head\.repo\.fork\s*==\s*false|"
    r"github\.event_name\s*==\s*['\"](?:push|schedule|workflow_dispatch|release)['\"]"
)
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
_MERGED: Final = re2.compile(r"github\.event\.pull_request\.merged\s*(?:==\s*(?:true|'true'))?")
_OURS: Final = (_OWN_BRANCH, _MERGED)  # what is not so for a stranger's pull request
_SECRETS: Final = re.compile(r"\bsecrets\.(?!GITHUB_TOKEN\b|github_token\b)|\binherit\b")
_READS_FOLDER: Final = re.compile(
    r"(?i)^(?:actions/(?:upload-artifact|cache|checkout|setup-\w+)|dorny/)"
)
_INTERPRETERS: Final = (
    r"python[\d.]*|(?:ba|z)?sh|node|npx|source|make\s+-C|uv\s+run|pip3?\s+install"
)
_BUILDS: Final = re.compile(
    r"\b(?:pip3?|uv|poetry|pdm|npm|npx|yarn|pnpm|bun|make|cmake|cargo|go|mvn|gradle\w*|docker|tox|nox|"
    r"pytest|python[\d.]*|node|bash|sh|ruby|bundle|composer|dotnet|terraform|pre-commit|source|just)(?:\s|$)|"
    r"(?:^|[\s;&|])\./\S"
)
# Environments whose name says that somebody has to let a run in.
_APPROVED: Final = re.compile(r"(?i)approv|external|protect|fork|untrust|review|safe|gate|manual")
_WHO: Final = re2.compile(r"author_association|permission|github\.actor|\.user\.login\s*==")


def _checks_out_head(step: Any, scope: ExpressionScope | None = None) -> bool:
    """Whether a step checks out a pull request's code; ``scope`` tells what its variables hold."""
    if not isinstance(step, dict):
        return False
    inputs = step.get("with")
    if str(step.get("uses", "")).startswith("actions/checkout@") and isinstance(inputs, dict):
        given = f"{scalar(inputs.get('ref')) or ''} {scalar(inputs.get('repository')) or ''}"
        return bool(_HEAD.search(_with_variables(given, scope)))
    script = scalar(step.get("run")) or ""
    if _FETCH.search(script):
        return True
    return bool(_CLONE.search(script) and _HEAD.search(_with_variables(script, scope)))


def _with_variables(text: str, scope: ExpressionScope | None) -> str:
    """The text, and behind it the values of the variables and outputs that it names."""
    if scope is None:
        return text
    found = [text]
    for name, value in scope.variables().items():
        if re.search(rf"\benv\.{re.escape(name)}\b|\$\{{?{re.escape(name)}\b", text):
            found.append(value)
    for name in re.findall(r"steps\.([\w-]+)\.outputs\.", text):
        for step in scope.steps:
            if isinstance(step, dict) and step.get("id") == name:
                env = step.get("env")
                found.append(scalar(step.get("run")) or "")
                found += map(str, env.values()) if isinstance(env, dict) else ()
    return "\n".join(found)


def _head_checkout(subject: Subject, *, limited: bool) -> Iterator[SubjectMatch]:
    """Code of a stranger is checked out where the workflow has secrets and a writing token.

    ``limited``: something is seen that keeps it from being run with them.
    """
    triggers = subject.context["triggers"] & _PRIVILEGED
    if not triggers or not _checks_out_head(subject.value, _scope(subject)):
        return
    guards = f"{subject.context['job'].get('if', '')} {subject.value.get('if', '')}"
    if triggers == {"issue_comment"} and _WHO.search(guards):
        return
    before = gates(subject.context["workflow"], subject.context["job"])
    if any(never_for_strangers(condition(one), _OURS) for one in (*before, subject.value)):
        return
    limit = _limit(subject, before)
    if bool(limit) is limited:
        trigger = sorted(triggers)[0]
        yield SubjectMatch(subject.line(()), f"{trigger} {limit}" if limited else trigger)


def _limit(subject: Subject, before: Sequence[Mapping[str, Any]]) -> str:
    """What keeps code that a step checks out from being run with rights, in words."""
    if _allowed(before, subject.context["job"]):
        return "somebody of the project allows it first; what is pushed after that runs as well"
    workflow, job = subject.context["workflow"], subject.context["job"]
    if asked := asks_first(workflow, job, subject.value):
        return asked
    if _of_own_branch(subject.value):
        return "the branch of that name in this repository is taken, which only members make"
    given = job.get("permissions", workflow.get("permissions"))
    reads = given == "read-all" or (
        isinstance(given, dict) and all(one in ("read", "none") for one in given.values())
    )
    seen = f"{workflow.get('env')} {job}"
    if reads and not _SECRETS.search(seen) and not job.get("secrets"):
        return "the token can only read, and no other secret is seen"
    inputs = subject.value.get("with")
    folder = str(inputs.get("path", "")).strip("./") if isinstance(inputs, dict) else ""
    later = subject.context["steps"][subject.context["index"] + 1 :]
    if folder and later and not any(_runs_in(folder, one) for one in later):
        return f"it goes to the folder {folder}, and no later step is seen to run anything there"
    return ""


def _of_own_branch(step: Mapping[str, Any]) -> bool:
    """Whether a checkout names a branch alone: of a fork, the branch is looked for at home."""
    inputs = step.get("with")
    if not isinstance(inputs, dict) or inputs.get("repository"):
        return False
    named = expressions(scalar(inputs.get("ref")) or "")
    paths = [one.path for expression in named for one in expression.references]
    return bool(paths) and all(_BRANCH.fullmatch(one) for one in paths)


def _runs_in(folder: str, step: Any) -> bool:
    """Whether a step seems to run or build what lies in a folder."""
    if not isinstance(step, dict):
        return False
    script = scalar(step.get("run")) or ""
    named = re.escape(folder)
    if str(step.get("uses", "")).startswith((f"./{folder}", folder)):
        return True
    inputs = step.get("with")
    if step.get("uses") and folder in str(inputs) and not _READS_FOLDER.match(str(step["uses"])):
        return True
    inside = str(step.get("working-directory", "")).strip("./").startswith(folder) or re.search(
        rf"\b(?:cd|pushd)\s+[\"']?(?:\./|\$\{{?\w+\}}?/)?{named}\b|-C\s+{named}\b", script
    )
    if inside:
        return bool(_BUILDS.search(script))
    runs = rf"(?:{_INTERPRETERS})\s+(?:-\S+\s+)*[\"']?(?:\./)?{named}/|(?:^|[\s;&|])\./{named}/"
    return bool(re.search(runs, script, re.MULTILINE))


def _allowed(before: Sequence[Mapping[str, Any]], job: Any) -> bool:
    """Whether somebody of the project allows it: by a label, an environment, or a job that asks."""
    return any(
        _LABEL.search(condition(one))
        or _APPROVED.search(str(one.get("environment", "")))
        or (one is not job and _WHO.search(str(one.get("steps"))))
        for one in before
    )


def _scope(subject: Subject) -> ExpressionScope:
    context = subject.context
    steps = tuple(context.get("steps") or ())[: context.get("index", 0)]
    return ExpressionScope(context["workflow"], context["job"], steps, _step_of(subject))


def _injection(subject: Subject, *, direct: bool) -> Iterator[SubjectMatch]:
    """A stranger's text is put into a script: directly, or through a variable or an output."""
    for start, source in sources(subject.value, _scope(subject)):
        if bool(source.through) is not direct:
            line = subject.line(()) + subject.value.count("\n", 0, start)
            way = f"{source.through}, which holds {source.path}," if source.through else source.path
            yield SubjectMatch(line, way, _limited_text(subject, source))


def _limited_text(subject: Subject, source: UntrustedValue) -> str:
    """Why a stranger's text gives them nothing, or is not seen to, in words; else empty."""
    workflow, job, step = subject.context["workflow"], subject.context["job"], _step_of(subject)
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
    guards = f"{subject.context['job'].get('if', '')} {_step_of(subject).get('if', '')}"
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


def _step_of(subject: Subject) -> Mapping[str, Any]:
    steps, index = subject.context.get("steps") or (), subject.context.get("index", 0)
    step = steps[index] if index < len(steps) else None
    return step if isinstance(step, dict) else {}


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
    names = tainted_variables(_scope(subject))
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
    for name, source in tainted_variables(_scope(subject)).items():
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


def _self_hosted(subject: Subject, *, labelled: bool) -> Iterator[SubjectMatch]:
    """A stranger's pull request runs on an own machine: always, or once it has a label."""
    runner = subject.value.get("runs-on")
    if isinstance(runner, dict):
        runner = runner.get("labels")
    labels = runner if isinstance(runner, list) else [runner]
    outside = subject.context["triggers"] & _OUTSIDE
    if not outside or not any(str(one).lower() == "self-hosted" for one in labels):
        return
    before = gates(subject.context["workflow"], subject.value)
    if any(never_for_strangers(condition(one), _OURS) for one in before):
        return
    if _allowed(before, subject.value) is labelled:
        steps = subject.value.get("steps")
        taken = any(map(_checks_out_head, steps)) if isinstance(steps, list) else True
        lessened = (
            ""
            if "pull_request" in outside or taken
            else "anybody can start it, but no step is seen to check out their code"
        )
        yield SubjectMatch(subject.line(("runs-on",)), sorted(outside)[0], lessened)


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
    "head-checkout": lambda subject: _head_checkout(subject, limited=False),
    "head-checkout-limited": lambda subject: _head_checkout(subject, limited=True),
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
    "self-hosted": lambda subject: _self_hosted(subject, labelled=False),
    "self-hosted-labelled": lambda subject: _self_hosted(subject, labelled=True),
    "artifact": _artifact,
    "kept-credentials": _kept_credentials,
    "environment-file": _environment_file,
    "environment-injection": _environment_injection,
    "spoofable-actor": _spoofable,
    "privileged-cache": _cache,
    "gitlab-include": _include,
}
