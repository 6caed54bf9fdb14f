"""Checks of workflows that run a stranger's code: with secrets, on own machines, beside caches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import re2

from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.gates import asks_first, condition, gates, never_for_strangers
from buttress.probes.deployment.untrusted import ExpressionScope
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

PRIVILEGED: Final = {"pull_request_target", "workflow_run", "issue_comment"}
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
    triggers = subject.context["triggers"] & PRIVILEGED
    if not triggers or not _checks_out_head(subject.value, scope_of(subject)):
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


def scope_of(subject: Subject) -> ExpressionScope:
    """What expressions in a step can refer to."""
    context = subject.context
    steps = tuple(context.get("steps") or ())[: context.get("index", 0)]
    return ExpressionScope(
        context["workflow"], context["job"], steps, step_of(subject), context.get("outputs")
    )


def step_of(subject: Subject) -> Mapping[str, Any]:
    """The step that a script or step of a job belongs to; empty where there is none."""
    steps, index = subject.context.get("steps") or (), subject.context.get("index", 0)
    step = steps[index] if index < len(steps) else None
    return step if isinstance(step, dict) else {}


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


def _cache(subject: Subject) -> Iterator[SubjectMatch]:
    if "pull_request_target" in subject.context["triggers"]:
        uses = str(subject.value.get("uses", ""))
        heads = any(_checks_out_head(one) for one in subject.context["steps"])
        if uses.startswith("actions/cache") and heads:
            yield SubjectMatch(subject.line(()))


CHECKS: Final[dict[str, Check]] = {
    "head-checkout": lambda subject: _head_checkout(subject, limited=False),
    "head-checkout-limited": lambda subject: _head_checkout(subject, limited=True),
    "self-hosted": lambda subject: _self_hosted(subject, labelled=False),
    "self-hosted-labelled": lambda subject: _self_hosted(subject, labelled=True),
    "privileged-cache": _cache,
}
