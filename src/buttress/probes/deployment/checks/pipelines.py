"""Checks of GitHub workflows and GitLab pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from buttress.files.located_yaml import FieldPath
from buttress.probes.deployment.callers import MEMBERS
from buttress.probes.deployment.checks.artifacts import of_artifact
from buttress.probes.deployment.checks.strangers_code import PRIVILEGED, scope_of, step_of
from buttress.probes.deployment.expressions import expressions
from buttress.probes.deployment.gates import asks_first, by_members, checked_form, gates
from buttress.probes.deployment.github import SCRIPTS
from buttress.probes.deployment.untrusted import (
    ARTIFACT,
    ASKED,
    FETCHES_ARTIFACT,
    FROM_FILE,
    UntrustedValue,
    chosen_by_strangers,
    label_names,
    sources,
    tainted_in_script,
    tainted_variables,
    text_of,
)
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

_SHA: Final = re.compile(r"^[0-9a-f]{40}$")
_EVALUATES: Final = (
    r"(?:(?:^|[\n;&|({`]|\b(?:then|do|else|sudo|time|exec)\b|!)[ \t]*eval\s|"
    r"\b(?:ba|z|da)?sh\s+-\w*c\s|\b(?:python[\d.]*|perl|ruby|node|php)\s+-[cer]\s|"
    r"\bxargs\b[^\n]{0,60}\bsh\s+-c\s|\benvsubst\b[^\n]{0,60}\|\s*(?:ba)?sh\b)"
)
# A shell or interpreter that reads its program from a text behind it; in quotes nothing is put in.
_FED: Final = re.compile(
    r"\b(?:(?:ba|z|da)?sh|ssh\s[^\n<|;&]{1,200}|python[\d.]*|node|perl)(?:\s+-\w*)*\s*"
    r"<<-?[ \t]*([A-Za-z_]\w*)"
)
# Of JavaScript: a text, what runs its first argument, what strangers write, and what is assigned.
_JS_TEXT: Final = re.compile(r"`((?:[^`\\]|\\.)*)`|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_JS_RUNS: Final = re.compile(
    r"(?<![\w$])(?:(?:(?<!\.)|(?<=child_process\.)|(?<=cp\.)|(?<=childProcess\.)|(?<=[\"']\)\.))"
    r"(?:execSync|execAsync|execPromise|exec)|exec\.(?:exec|getExecOutput)|(?<!\.)eval|new\s+Function|"
    r"(?<!\.)\$)\s*\("
)
_OF_EVENT: Final = re.compile(
    r"(?:github\.)?context\.payload\??\.(?:(?:issue|pull_request|comment|review|discussion)\??\.(?:title|body)|"
    r"pull_request\??\.head\??\.(?:ref|label)|workflow_run\??\.(?:head_branch|display_title)|"
    r"head_commit\??\.message)"
)
_JS_ASSIGNED: Final = re.compile(r"\b(?:const|let|var)\s+(\w+)\s*=\s*([^\n]{1,500})")
_JS_HARMLESS: Final = re.compile(
    r"\.(?:includes|startsWith|endsWith|test|length|indexOf)\b|===?|\bNumber\(|parseInt"
)
# Variables of Azure Pipelines that strangers choose; a macro is put in before a shell reads it.
_AZURE: Final = re.compile(
    r"(?i)\$\(\s*((?:Build\.SourceVersionMessage|System\.PullRequest\.Source(?:Branch|BranchName)))\s*\)|"
    r"\$\{\{[^}\n]*?variables(?:\.|\[\s*')"
    r"(Build\.SourceVersionMessage|System\.PullRequest\.Source(?:Branch|BranchName))"
)
_FIRST_PARTY: Final = ("actions", "github")
_TO_ENVIRONMENT: Final = re2.compile(
    r">>\s*[\"']?\$\{?(?:env:)?(?:GITHUB_ENV|GITHUB_PATH)\}?|::set-env|::add-path"
)
_WRITTEN: Final = re.compile(
    r"(?:>>?\s*|\btee\s+(?:-a\s+|--append\s+)?|Out-File\s[^\n]{0,60}?|Add-Content\s[^\n]{0,40}?)[\"']?"
    r"\$\{?(?:env:)?(GITHUB_ENV|GITHUB_PATH)\b"
)
_SEVERAL_LINES: Final = re.compile(
    r"(?:body|message|description|patch|diff|commits?|comment|event)\W*$|\(`gh "
)
_BOT: Final = re2.compile(r"github\.(?:actor|triggering_actor)\s*==\s*['\"][A-Za-z0-9_-]+\[bot\]")
# Events whose runs, for a stranger's pull request, see no secret and have a token that only reads.
_LIMITED: Final = {"pull_request", "pull_request_review", "pull_request_review_comment"}
# Events that only people start who may write.
_OF_PULL_REQUEST: Final = re.compile(
    r"github(?:\.event)?|github\.(?:head_ref|event\.(?:pull_request|review|review_comment|comment)"
    r"\b.*)|names of .*|the name of a branch|what a command asks .*"
)
_INPUT: Final = re.compile(
    r"(?:github\.event\.)?inputs\.([\w-]+)|github\.event\.client_payload(?:\.[\w*-]+)*"
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
    if source.path.startswith("github.event.client_payload"):
        return "whoever holds a token of the repository sends it, and what they put in is not seen"
    if source.path.startswith(ASKED) and not subject.context["triggers"] - MEMBERS:
        return "only people of the project start the run"
    by_commit = source.path.startswith(("github.event.head_commit", "github.event.commits"))
    if not by_commit and not subject.context["triggers"] - MEMBERS:
        return "only people of the project start the run"
    if source.path == ARTIFACT and (unseen := of_artifact(subject)):
        return unseen
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
    outside = triggers - MEMBERS
    whole = path in ("github", "github.event")  # may hold what members pushed for others
    if not outside or not outside <= _LIMITED or (whole and triggers & MEMBERS):
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
            name = _INPUT.fullmatch(reference.path)
            source = filled.get((name[1] or "").lower()) if name else None
            if name and chosen_by_strangers(reference, scope_of(subject)):
                continue  # told as a stranger's text
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
    yield from _evaluated_by_node(subject)
    names = tainted_in_script(subject.value, scope_of(subject))
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


def _evaluated_by_node(subject: Subject) -> Iterator[SubjectMatch]:
    """A stranger's text in what a script of github-script hands to a shell or evaluates."""
    uses = str(step_of(subject).get("uses", ""))
    if not uses.lower().startswith("actions/github-script@"):
        return
    script = subject.value
    tainted = tainted_variables(scope_of(subject))
    held = {f"process.env.{name}": source for name, source in tainted.items()}
    for field in _OF_EVENT.finditer(script):
        held.setdefault(field[0], UntrustedValue(_event_path(field[0])))
    for assigned in _JS_ASSIGNED.finditer(script):
        for name, source in list(held.items()):
            if _mentions(name, assigned[2]) and not _JS_HARMLESS.search(assigned[2]):
                held.setdefault(assigned[1], UntrustedValue(source.path, assigned[1]))
    for called in _JS_RUNS.finditer(script):
        if called[0].startswith("exec(") and "child_process" not in script:
            continue  # of a regular expression, or of something unknown
        argument = _first_argument(script, called.end())
        found = next((one for one in held if _mentions(one, argument)), None)
        if found is None:
            continue
        source = held[found]
        lessened = _limited_text(subject, source)
        if called[0].startswith("exec.") and not lessened:
            lessened = "it is split into words, and no shell reads it"
        line = subject.line(()) + script.count("\n", 0, called.start())
        way = found if found == source.path else f"{found}, which holds {source.path},"
        yield SubjectMatch(line, way, lessened)


def _event_path(field: str) -> str:
    return re.sub(r"^(?:github\.)?context\.payload", "github.event", field.replace("?.", "."))


def _mentions(name: str, text: str) -> bool:
    """Whether code names a value; not where it stands as a word of a text in quotes."""
    bare = _JS_TEXT.sub(lambda one: " ".join(re.findall(r"\$\{[^}]*\}", one[1] or "")), text)
    return bool(re.search(rf"(?<![\w.$]){re.escape(name)}(?![\w$])", bare))


def _first_argument(script: str, start: int) -> str:
    """The first argument of a call whose bracket opens before ``start``."""
    depth, quote, place = 0, "", start
    while place < min(len(script), start + 2000):
        one = script[place]
        if quote:
            if one == "\\":
                place += 1
            elif one == quote:
                quote = ""
        elif one in "\"'`":
            quote = one
        elif one in "([{":
            depth += 1
        elif one in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif one == "," and depth == 0:
            break
        place += 1
    return script[start:place]


def _fed_to_shells(script: str) -> Iterator[tuple[int, str]]:
    """Texts that stand in a script as the input of a shell, which sees variables already put in."""
    for opened in _FED.finditer(script):
        start = script.find("\n", opened.end())
        end = re.compile(rf"^[ \t]*{re.escape(opened[1])}[ \t]*$", re.MULTILINE)
        if start >= 0 and (closed := end.search(script, start)):
            yield start, script[start : closed.start()]


def _environment_injection(subject: Subject) -> Iterator[SubjectMatch]:
    """Text of a stranger that may have several lines goes to the file of the environment."""
    names = tainted_in_script(subject.value, scope_of(subject), unfiltered=True)
    for start, line, file in _to_environment(subject.value):
        for name, source in names.items():
            used = re.search(rf"\$\{{?(?:env:)?{re.escape(name)}\b", line)
            if used is None:
                continue
            # A path of one line is enough; of a variable it takes a second one, or its name.
            named = "=" in line[: used.start()] or "<<" in line[: used.start()]
            if file == "GITHUB_ENV" and named and not _SEVERAL_LINES.search(source.path):
                continue
            number = subject.line(()) + subject.value.count("\n", 0, start)
            lessened = _limited_text(subject, source)
            yield SubjectMatch(number, f"${name}, which holds {source.path},", lessened)
            break
    yield from _environment_of_artifact(subject)


def _to_environment(script: str) -> Iterator[tuple[int, str, str]]:
    """Lines that a script writes to a file of later steps, each with its place and that file."""
    for match in _WRITTEN.finditer(script):
        first = script.rfind("\n", 0, match.start()) + 1
        line = script[first : match.end()]
        if line.lstrip().startswith("}"):  # what stands in the brackets before
            opened = script.rfind("{\n", 0, first)
            lines = script[max(opened, 0) : first].splitlines(keepends=True)
            place = max(opened, 0)
            for one in lines:
                # Between the marks of a block any line ends it where the mark is fixed.
                yield place, f"={one}", match[1]
                place += len(one)
        else:
            yield first, line, match[1]


def _environment_of_artifact(subject: Subject) -> Iterator[SubjectMatch]:
    """A file of an artifact that an untrusted run made is written to the environment."""
    if "workflow_run" not in subject.context["triggers"]:
        return
    steps = subject.context["steps"][: subject.context["index"]]
    before = text_of(steps)
    for start, line, _ in _to_environment(subject.value):
        if not FROM_FILE.search(line):
            continue
        if not FETCHES_ARTIFACT.search(f"{before}\n{subject.value[: start + len(line)]}"):
            continue
        job, step = subject.context["job"], step_of(subject)
        guards = f"{job.get('if', '')} {step.get('if', '')}"
        source = UntrustedValue("github.event.workflow_run")
        lessened = _limited_text(subject, source)
        if not lessened and not re.search(r"pull_request|fork", guards):
            lessened = of_artifact(subject)
        number = subject.line(()) + subject.value.count("\n", 0, start)
        yield SubjectMatch(number, "A file of an artifact", lessened)


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


def _azure_injection(subject: Subject) -> Iterator[SubjectMatch]:
    """A macro or expression of Azure Pipelines that puts in what strangers write."""
    if subject.context.get("where") != "script":
        return
    for match in _AZURE.finditer(subject.value):
        name = match[1] or match[2]
        of_branch = not name.lower().endswith("message")
        lessened = (
            "it is the name of a branch, and a fork's run sees no secret unless that is allowed"
            if of_branch
            else ""
        )
        line = subject.line(()) + subject.value.count("\n", 0, match.start())
        yield SubjectMatch(line, name, lessened)


CHECKS: Final[dict[str, Check]] = {
    "azure-injection": _azure_injection,
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
    "environment-file": _environment_file,
    "environment-injection": _environment_injection,
    "spoofable-actor": _spoofable,
    "gitlab-include": _include,
}
