"""Which values in a GitHub workflow a stranger chooses, directly or through variables and outputs.

"Security hardening for GitHub Actions" lists the fields of an event that are untrusted input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from buttress.probes.deployment.expressions import Reference, expressions
from buttress.rules.subject import scalar

_FIELDS: Final = (
    r"issue\.(?:title|body)", r"pull_request\.(?:title|body)",
    r"pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))",
    r"comment\.body", r"review\.body", r"review_comment\.body", r"discussion\.(?:title|body)",
    r"answer\.body", r"milestone\.(?:title|description)",
    r"pages\.(?:\*|\d+)\.page_name", r"commits\.(?:\*|\d+)\.message",
    r"commits\.(?:\*|\d+)\.author\.(?:email|name)", r"head_commit\.message",
    r"head_commit\.(?:author|committer)\.(?:email|name)",
    r"workflow_run\.(?:head_branch|display_title)", r"workflow_run\.head_commit\.message",
    r"workflow_run\.head_commit\.author\.(?:email|name)",
    r"workflow_run\.head_repository\.description",
    r"workflow_run\.pull_requests\.(?:\*|\d+)\.head\.ref",
    r"changes\.(?:title|body)\.from",
    # What a workflow that dispatches another one hands on of the event that it saw.
    r"client_payload\.(?:[\w-]+\.)*(?:comment\.body|(?:issue|pull_request)\.(?:title|body)|"
    r"pull_request\.head\.(?:ref|label)|slash_command\.args(?:\.[\w*-]+)*)",
)  # fmt: skip
_FREE: Final = re.compile(rf"github\.(?:event\.(?:{'|'.join(_FIELDS)})|head_ref)")
# Objects that hold such a field: with toJSON all of it comes along.
_HOLDERS: Final = re.compile(
    r"github(?:\.event(?:\.(?:issue|pull_request(?:\.head(?:\.repo)?)?|comment|review|review_comment|"
    r"discussion|answer|pages(?:\.\*|\.\d+)?|commits(?:\.\*|\.\d+)?|head_commit|"
    r"workflow_run(?:\.head_commit)?|changes(?:\.\w+)?))?)?(?:\.\*)?"
)
# Outputs of actions that hand on what a stranger chose: names of files and branches.
_OUTPUTS: Final = tuple(
    (re.compile(uses), re.compile(outputs), what)
    for uses, outputs, what in (
        (r"(?i)^(?:tj-actions|step-security)/changed-files@", r".*(?:files|dirs).*|\*",
         "names of changed files"),
        (r"(?i)^dorny/paths-filter@", r".*_files|\*", "names of changed files"),
        (r"(?i)^(?:jitterbit|trilom|lots0logs|ana06)/(?:get-changed-files|file-changes-action|"
         r"gh-action-get-changed-files)@", r".*", "names of changed files"),
        (r"(?i)^tj-actions/branch-names@", r".*(?:head_ref|current_branch|ref_branch).*|\*",
         "the name of a branch"),
        (r"(?i)^xt0rted/pull-request-comment-branch@", r"head_ref|ref|\*", "the name of a branch"),
    )
)  # fmt: skip
# Actions whose answer is written by a model: a stranger who is asked about can say what it says.
_MODELS: Final = re.compile(
    r"(?i)^(?:actions/ai-inference|anthropics/claude-code(?:-base)?-action|openai/codex-action|"
    r"[\w.-]+/(?:run-)?gemini-cli(?:-action)?)@"
)
# Outputs of such actions that are no text of the model's.
_STATES: Final = re.compile(
    r"outcome|conclusion|(?:outputs\.)?(?:session_id|execution_file|branch_name)"
)
# A trigger at which a model that has the repository before it reads what a stranger wrote.
_READ_BY_MODELS: Final = {
    "pull_request_target": "the pull request that the model reads",
    "issues": "the issue that the model reads",
    "issue_comment": "the comment that the model reads",
}
# Only people who may sort issues choose the names of labels.
_LABELS: Final = re.compile(
    r"github\.event\.(?:label\.(?:name|description)|"
    r"(?:issue|pull_request|discussion)\.labels\.(?:\*|\d+)\.(?:name|description))"
)
# A stranger's code is checked out, or what they wrote is asked for.
_HANDED: Final = re.compile(
    r"github\.(?:event\.pull_request\.head|head_ref)|refs/pull/|\bgh\s+(?:issue|pr)\s+(?:view|diff)\b"
)
# What a command asks the host for that strangers write: titles, bodies, names of branches.
_ASKED: Final = re.compile(
    r"\bgh\s+(?:issue|pr|run|release|search|api)\b[^\n|;]{0,300}?"
    r"(?:--json|-q|--jq|--template|-t)[ =][^\n]{0,200}?"
    r"\b(?:title|body|comments?|headRefName|display_?[tT]itle|head_branch|headBranch|messageHeadline)\b|"
    r"\bgh\s+(?:issue|pr)\s+(?:view|list)\b[^\n|;)]{0,200}\|[^\n]{0,100}\bjq\b[^\n)]{0,100}"
    r"\.(?:title|body|headRefName)\b|"
    r"\bgit\s+log\b[^\n|;)]{0,100}(?:--format|--pretty)[= ][^\n]{0,20}%[sbB]\b"
)
ASKED: Final = "what a command asks the host for"
_ASSIGNED: Final = re.compile(
    r"(?m)(?:^|[;&|{(]|\b(?:export|local|readonly|declare))[ \t]*([A-Za-z_]\w*)=(?=(\S[^\n]*))"
)
# Programs behind a pipe that let only some characters through, or count or sum up.
_LIMITED: Final = re.compile(
    r"\|\s*(?:grep\s+(?:-\w+\s+)*-\w*[oc]|wc\b|\w*sum\b|tr\s+-\w*[cC]|sed\b[^|]*\[\^|base64|xxd|od\b)"
)
# What a line of a script reads from a file, and what unpacks an artifact of another run.
FROM_FILE: Final = re.compile(
    r"\bcat\s+[\"']?(?!<)\S|\$\(\s*<\s*\S|\bunzip\s+-p\s|\bjq\s[^\n]*\.json|\b(?:head|tail|grep|sed|tr)\s[^\n>]*"
    r"\.(?:txt|env|json|md|log)\b"
)
FETCHES_ARTIFACT: Final = re.compile(
    r"download-artifact|\bgh\s+run\s+download\b|downloadArtifact|actions/artifacts/|archive_download_url"
)
ARTIFACT: Final = "a file of an artifact"
_HEREDOC: Final = re.compile(r"([A-Za-z_][\w-]*)<<-?\s*[\"']?\$?\{?([A-Za-z_]\w*)\}?")
_MAX_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class UntrustedValue:
    """A value that a stranger chooses; ``through`` is what handed it on, if anything did."""

    path: str
    through: str = ""


class JobOutputs:
    """The jobs of a workflow by name, and what is known already of what they hand on.

    Jobs hand on what others hand on to them: where each is asked again by each that needs it, the
    work doubles with each step back.
    """

    def __init__(self, workflow: Mapping[str, Any]) -> None:
        jobs = workflow.get("jobs")
        named = jobs.items() if isinstance(jobs, dict) else ()
        self.jobs = {str(key).lower(): job for key, job in reversed(named) if isinstance(job, dict)}
        self.known: dict[tuple[str, int], UntrustedValue | None] = {}


@dataclass(frozen=True, slots=True)
class ExpressionScope:
    """What expressions at one place of a workflow can refer to."""

    workflow: Mapping[str, Any]
    job: Mapping[str, Any]
    steps: tuple[Any, ...] = ()  # those before, in the same job
    step: Mapping[str, Any] | None = None
    outputs: JobOutputs | None = None  # shared by the scopes of one workflow

    def variables(self) -> dict[str, str]:
        """Environment variables by name; nearer ones win."""
        found: dict[str, str] = {}
        for place in (self.workflow, self.job, self.step or {}):
            env = place.get("env")
            if isinstance(env, dict):
                found |= {str(name): scalar(value) or "" for name, value in env.items()}
        return found


def sources(text: str, scope: ExpressionScope) -> Iterator[tuple[int, UntrustedValue]]:
    """Values of strangers in a text, each with the offset of its expression."""
    for one in expressions(text):
        for reference in one.references:
            source = chosen_by_strangers(reference, scope)
            if source is not None:
                yield one.start, source


def label_names(text: str) -> Iterator[tuple[int, str]]:
    """Names of labels that a text takes in, each with the offset of its expression."""
    for one in expressions(text):
        for reference in one.references:
            if _LABELS.fullmatch(reference.path):
                yield one.start, reference.path


def chosen_by_strangers(
    reference: Reference, scope: ExpressionScope, depth: int = 0
) -> UntrustedValue | None:
    """The source of a value if it is one that a stranger chooses."""
    path = reference.path
    if _FREE.fullmatch(path) or (reference.whole and _HOLDERS.fullmatch(path)):
        return UntrustedValue(path)
    if depth > _MAX_DEPTH:
        return None
    context, _, rest = path.partition(".")
    if context == "env":
        for name, value in scope.variables().items():
            if name.lower() == rest:
                return _through(value, scope, path, depth)
        return _of_environment(rest, scope, path, depth)
    elif context == "matrix":
        return _of_matrix(rest, scope, path, depth)
    elif context == "steps":
        return _of_step(rest, scope, path, depth)
    elif context == "needs":
        return _of_job(rest, scope, path, depth)
    return None


def tainted_variables(scope: ExpressionScope) -> dict[str, UntrustedValue]:
    """Environment variables of a step whose values a stranger chooses."""
    found = {}
    for name, value in scope.variables().items():
        if source := _through(value, scope, f"env.{name}", 0):
            found[name] = source
    return found


def tainted_in_script(
    script: str, scope: ExpressionScope, *, unfiltered: bool = False
) -> dict[str, UntrustedValue]:
    """Variables of a shell script that hold a stranger's text: of its environment, what it assigns
    from them, and what it asks the host for.

    ``unfiltered``: only texts that went through no program, which may have taken lines from them.
    """
    found = tainted_variables(scope)
    for assigned in _ASSIGNED.finditer(script):
        name, value = assigned[1], assigned[2]
        if _LIMITED.search(value) or (unfiltered and "|" in value):
            continue
        if asked := _ASKED.search(value):
            found.setdefault(name, _asked(asked[0], f"${name}"))
        elif "$" in value and "$((" not in value:
            source = next((one for key, one in found.items() if _names(key, value)), None)
            if source and not re.match(r"[\"']?\$\((?![ \t]*(?:echo|printf|cat)\b)", value):
                found.setdefault(name, source)
    return found


def _names(variable: str, text: str) -> bool:
    """Whether a text of a shell puts in a variable; not its length or its place of a default."""
    return bool(re.search(rf"\$\{{?{re.escape(variable)}\b", text))


def _asked(command: str, through: str) -> UntrustedValue:
    words = " ".join(command.split()[:3])
    return UntrustedValue(f"{ASKED} (`{words}`)", through)


def _through(value: str, scope: ExpressionScope, path: str, depth: int) -> UntrustedValue | None:
    for one in expressions(value):
        for reference in one.references:
            source = chosen_by_strangers(reference, scope, depth + 1)
            if source is not None:
                return UntrustedValue(source.path, path)
    return None


def _of_step(rest: str, scope: ExpressionScope, path: str, depth: int) -> UntrustedValue | None:
    """An output of an earlier step whose script writes a stranger's text to it."""
    name, _, output = rest.partition(".")
    output = output.removeprefix("outputs.").removesuffix(".")
    for index, step in enumerate(scope.steps):
        if not isinstance(step, dict) or str(step.get("id", "")).lower() != name:
            continue
        inner = ExpressionScope(scope.workflow, scope.job, scope.steps[:index], step, scope.outputs)
        script = scalar(step.get("run")) or ""
        inputs = step.get("with")
        uses = str(step.get("uses", ""))
        for action, outputs, what in _OUTPUTS:
            if action.match(uses) and outputs.fullmatch(output):
                return UntrustedValue(what, path)
        if _MODELS.match(uses) and isinstance(inputs, dict):
            for value in inputs.values():
                if answer := _through(scalar(value) or "", inner, path, depth):
                    return answer
            if read := _read_by_model(scope) if not _STATES.fullmatch(output) else "":
                return UntrustedValue(read, path)
        if not script and isinstance(inputs, dict):
            script = scalar(inputs.get("script")) or ""
        return _written(script, output, inner, path, depth)
    return None


def text_of(steps: Iterable[Any]) -> str:
    """What steps use, run and are given."""
    return "\n".join(
        f"{step.get('uses', '')} {scalar(step.get('run')) or ''} {step.get('with') or ''}"
        for step in steps
        if isinstance(step, dict)
    )


def _read_by_model(scope: ExpressionScope) -> str:
    """What of a stranger's a model reads in a step before; empty where nothing is known to be."""
    if not _HANDED.search(text_of(scope.steps)):
        return ""
    triggers = scope.workflow.get("on")
    names = [triggers] if isinstance(triggers, str) else triggers
    given = {str(one) for one in names} if isinstance(names, (list, dict)) else set()
    return next((what for name, what in _READ_BY_MODELS.items() if name in given), "")


def _unpacks_artifact(script: str, scope: ExpressionScope) -> bool:
    """Whether a run that waits for another one has unpacked what that left."""
    given = scope.workflow.get("on")
    if not (
        given == "workflow_run" or (isinstance(given, (list, dict)) and "workflow_run" in given)
    ):
        return False
    return FETCHES_ARTIFACT.search(f"{text_of(scope.steps)}\n{script}") is not None


def _written(
    script: str, output: str, scope: ExpressionScope, path: str, depth: int
) -> UntrustedValue | None:
    tainted = tainted_in_script(script, scope) if depth < _MAX_DEPTH else {}
    for line, block in _in_blocks(script):
        returned = output == "result" and re.search(r"\breturn\b", line)  # of github-script
        writes = (
            returned
            or block == output
            or re.search(r"GITHUB_(?:OUTPUT|ENV)|set-output|setOutput|exportVariable", line)
            or re.search(rf"(?i)(?:^|[\s\"'`{{(]){re.escape(output)}(?:=|<<)", line)
        )
        named = returned or block == output or output in ("*", "") or output in line.lower()
        if not writes or not named:
            continue
        for variable, source in tainted.items():
            if re.search(
                rf"\$\{{?{re.escape(variable)}\b|process\.env\.{re.escape(variable)}\b", line
            ):
                return UntrustedValue(source.path, path)
        if direct := _through(line, scope, path, depth):
            return direct
        if FROM_FILE.search(line) and _unpacks_artifact(script, scope):
            return UntrustedValue(ARTIFACT, path)
        if (asked := _ASKED.search(line)) and not _LIMITED.search(line):
            return _asked(asked[0], path)
        if re.search(
            r"context\.payload\.\w+(?:\.\w+)*\.(?:body|title)\b|payload\.pull_request\.head\.ref",
            line,
        ):
            return UntrustedValue("github.event", path)
    return None


def _in_blocks(script: str) -> Iterator[tuple[str, str]]:
    """Lines, each with the name of the value (``NAME<<END``) that it is part of."""
    name = end = ""
    for line in script.split("\n"):
        if end and re.search(rf"(?<!\w){re.escape(end)}\b", line):
            name = end = ""
        yield line, name
        if not end and (opened := _HEREDOC.search(line)):
            name, end = opened[1].lower(), opened[2]


def _of_environment(
    name: str, scope: ExpressionScope, path: str, depth: int
) -> UntrustedValue | None:
    """A variable that an earlier step of the job wrote to the file of the environment."""
    for index, step in enumerate(scope.steps):
        script = scalar(step.get("run")) or "" if isinstance(step, dict) else ""
        if "GITHUB_ENV" in script or "exportVariable" in script:
            inner = ExpressionScope(
                scope.workflow, scope.job, scope.steps[:index], step, scope.outputs
            )
            if found := _written(script, name, inner, path, depth + 1):
                return found
    return None


def _of_matrix(rest: str, scope: ExpressionScope, path: str, depth: int) -> UntrustedValue | None:
    """A dimension of the matrix, or the whole of it, where an expression gives it."""
    strategy = scope.job.get("strategy")
    matrix = strategy.get("matrix") if isinstance(strategy, dict) else None
    if isinstance(matrix, str):
        return _through(matrix, scope, path, depth)
    wanted = rest.partition(".")[0]
    for name, value in matrix.items() if isinstance(matrix, dict) else ():
        given = [value] if str(name).lower() == wanted else []
        if name == "include" and isinstance(value, list):
            given = [one for item in value if isinstance(item, dict)
                     for key, one in item.items() if str(key).lower() == wanted]  # fmt: skip
        for one in given:
            if found := _of_values(one, scope, path, depth):
                return found
    return None


def _of_values(value: Any, scope: ExpressionScope, path: str, depth: int) -> UntrustedValue | None:
    """The first stranger's text among a value and those below it."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, (list, dict)):
        below = value.values() if isinstance(value, dict) else value
        found = (_of_values(one, scope, path, depth + 1) for one in below)
        return next((one for one in found if one), None)
    return _through(scalar(value) or "", scope, path, depth)


def _of_job(rest: str, scope: ExpressionScope, path: str, depth: int) -> UntrustedValue | None:
    """An output of another job."""
    shared = scope.outputs or JobOutputs(scope.workflow)
    if (path, depth) not in shared.known:
        shared.known[path, depth] = _handed_on(rest, scope.workflow, shared, path, depth)
    return shared.known[path, depth]


def _handed_on(
    rest: str, workflow: Mapping[str, Any], shared: JobOutputs, path: str, depth: int
) -> UntrustedValue | None:
    name, _, output = rest.partition(".outputs.")
    job = shared.jobs.get(name, {})
    steps, outputs = job.get("steps"), job.get("outputs")
    inner = ExpressionScope(
        workflow, job, tuple(steps) if isinstance(steps, list) else (), None, shared
    )
    for given, value in outputs.items() if isinstance(outputs, dict) else ():
        if str(given).lower() == output:
            return _through(scalar(value) or "", inner, path, depth)
    return None
