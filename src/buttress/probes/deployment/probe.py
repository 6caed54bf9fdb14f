"""The probe ``infrastructure``: Dockerfiles, compose files, Kubernetes manifests and pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from buttress.evidence.findings import SEVERITIES, Finding, Inspection, Severity
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.yaml_documents import MAX_BYTES, YamlDocument, documents
from buttress.packs.knowledge import Knowledge
from buttress.probes.deployment import command_files, ecs, helm, places
from buttress.probes.deployment.checks import CHECKS
from buttress.probes.deployment.github import github
from buttress.probes.deployment.kubernetes import kubernetes
from buttress.probes.deployment.quoted_commands import holds_quoted, quoted
from buttress.probes.deployment.readers import compose, dockerfile, gitlab
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.inspecting import FileRules, inspect_files
from buttress.rules.reporting import Issue, less_grave
from buttress.rules.rule_files import RuleKind
from buttress.rules.subject import Subject, SubjectMatcher, unread
from buttress.rules.subject_rule import SUBJECT_RULES, SubjectRule
from buttress.rules.values import is_given_by_others, is_published, literal_of

MAX_TEXT: Final = 8 << 20  # bytes of a file that is no YAML
# What takes over the host: of a hosted runner, one that is thrown away after the job.
_OF_HOST: Final = {"shell-docker-socket", "shell-docker-privileged"}
# Of developers and tests these are as grave as anywhere; the first where others reach the service.
_OF_STACKS: Final = {"compose-privileged", "compose-docker-socket", "compose-host-mount"}
_ALWAYS: Final = {"shell-reverse", "shell-encoded", "shell-model-output", "docker-copied-secret"}
RULES: Final = RuleKind("infrastructure-rules", SUBJECT_RULES, Path(__file__).parent / "rules")
_DOCKERFILE: Final = re.compile(r"^(?:dockerfile|containerfile)(?:[._-].*)?$|.*\.dockerfile$")
_NO_DOCKERFILE: Final = re.compile(
    r".*\.(?:dockerignore|pyi?|md|rst|txt|json|ya?ml|go|rs|js|ts|lock)$"
)
_COMPOSE: Final = re.compile(r"^(?:docker-)?compose(?:[._-].*)?\.(?:ya?ml|json)$")
_MANIFEST: Final = re.compile(rb"(?m)(?:^[\xef\xbb\xbf \t{,-]*|[{,]\s*)[\"']?apiVersion[\"']?\s*:")
_KIND: Final = re.compile(rb"(?m)(?:^[\xef\xbb\xbf \t{,-]*|[{,]\s*)[\"']?kind[\"']?\s*:")
_JSON_MANIFEST: Final = re.compile(rb'"apiVersion"\s*:\s*"')
_JSON_KIND: Final = re.compile(rb'"kind"\s*:\s*"')


def _reader(path: Path) -> Callable[[YamlDocument], Iterator[Subject]] | None:
    name = path.name.lower()
    if (commands := command_files.reader(path)) is not None:
        return commands
    if _COMPOSE.match(name):
        return compose
    if name.endswith(".json"):
        return kubernetes
    if not name.endswith((".yml", ".yaml")):
        return None
    if name.endswith(".gitlab-ci.yml") or name == ".gitlab-ci.yaml":
        return gitlab
    if is_workflow(path) or name in ("action.yml", "action.yaml"):
        return partial(github, path=path)
    if helm.is_values(path):
        return partial(helm.values, chart=path.absolute().parent.name)
    return kubernetes


def is_workflow(path: Path) -> bool:
    """Whether a file of that path is a workflow of GitHub."""
    return path.absolute().parts[-3:-1] == (".github", "workflows")


def is_dockerfile(path: Path) -> bool:
    """Whether a file of that name is a Dockerfile."""
    name = path.name.lower()
    return bool(_DOCKERFILE.match(name)) and not _NO_DOCKERFILE.match(name)


def _rules(knowledge: Knowledge) -> Mapping[str, SubjectRule]:
    """All rules, those of packs too."""
    return RULES.with_packs(knowledge.of_kind(RULES.name))


def _file_rules(knowledge: Knowledge) -> FileRules:
    matcher = knowledge.derive(_matcher)
    return FileRules(
        knowledge.derive(_rules), partial(_issues, matcher), knowledge.derive(secret_rules)
    )


def _matcher(knowledge: Knowledge) -> SubjectMatcher:
    return SubjectMatcher(knowledge.derive(_rules).values(), CHECKS)


@dataclass(frozen=True, slots=True)
class _Infrastructure:
    id: str = "infrastructure"
    version: str = "1"
    title: str = "Containers, clusters and build pipelines"
    kinds: tuple[str, ...] = ("infrastructure", "source", "service")

    def rule_ids(self, knowledge: Knowledge) -> tuple[str, ...]:
        """Ids of its rules, those of packs too."""
        return tuple(knowledge.derive(_rules))

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        """Findings in all such files; as ``InspectionProbe``.

        Raises:
            InputError: an installed pack does not load.
        """
        own = (self.id, self.version)
        return inspect_files(
            own,
            context.asset,
            context.tree,
            prepare=context.knowledge.when_needed(_file_rules),
            limit=limit,
            told=_is_named,
        )


def limit(path: Path) -> int:
    """Most bytes of a file of that path that are read, 0 for what is not wanted."""
    if is_dockerfile(path) or command_files.is_script(path):
        return MAX_TEXT
    if holds_quoted(path):
        return MAX_BYTES
    return MAX_BYTES if _reader(path) else 0


def _is_named(path: Path) -> bool:
    """Whether it is the file's name that makes it one of these: other YAML may be mere data."""
    return is_dockerfile(path) or _reader(path) is not kubernetes


def _issues(
    matcher: SubjectMatcher, path: Path, file: SourceFile, reading: SourceReading
) -> list[Issue]:
    found = list(_found(matcher, path, file, reading))
    if _is_template(file) and not is_dockerfile(path) and not command_files.is_script(path):
        found = [one for one in found if _severity(one, matcher) not in ("info", "low")]
    if is_workflow(path) and b"self-hosted" not in file.data:
        why = "the host is a runner that is made for one job"
        found = [
            less_grave(one, matcher.rules[one.rule], why) if one.rule in _OF_HOST else one
            for one in found
        ]
    if places.is_of_tests(file):
        return [_in_test(issue, matcher) for issue in found]
    if places.is_example(file):
        return [less_grave(one, matcher.rules[one.rule], "it is an example") for one in found]
    return found


def _found(
    matcher: SubjectMatcher, path: Path, file: SourceFile, reading: SourceReading
) -> Iterator[Issue]:
    """Issues of all subjects, medium at most where they are for developers or told before."""
    told: dict[str, int] = {}  # lines of credentials by their values
    all_subjects = list(subjects(path, file, reading))
    whole = _for_developers(path, file, all_subjects)
    for subject in all_subjects:
        for issue in matcher.issues(subject):
            why = _lessened(issue, subject, whole)
            if not why and issue.rule == "env-secret" and _severity(issue, matcher) == "high":
                first = told.setdefault(literal_of(subject), issue.line)
                why = f"the same as on line {first}" if first != issue.line else ""
            yield less_grave(issue, matcher.rules[issue.rule], why) if why else issue


def _for_developers(path: Path, file: SourceFile, found: list[Subject]) -> str:
    """Why the file is one of developers, in words; of pipelines the name says nothing."""
    if ".github" in path.absolute().parts or _reader(path) is gitlab:
        return ""
    script = command_files.is_script(path) or is_dockerfile(path)
    if why := places.for_developers(file, stack=not script):
        return why
    services = [one.value for one in found if one.kind == "compose.service"]
    if any(places.stands_for_others(one.get("image")) for one in services):
        return "one of its services stands for mail or a cloud, as developers have it"
    return ""


def _lessened(issue: Issue, subject: Subject, whole: str) -> str:
    """Why an issue is medium at most: for developers, or not open to others; else empty."""
    service = subject.value if subject.kind == "compose.service" else subject.context.get("service")
    ports = service.get("ports") if isinstance(service, dict) else None
    opened = isinstance(service, dict) and (
        service.get("network_mode") == "host" or any(map(is_published, ports or ()))
    )
    if issue.rule == "env-auth-off" and isinstance(service, dict) and not opened:
        return "the service publishes no port"
    if not whole and isinstance(service, dict) and places.is_run_by_developers(service):
        whole = "its profiles are of developers or tests"
    if not whole or issue.rule in _ALWAYS:
        return ""
    if issue.rule == "env-secret" and is_given_by_others(subject):
        return ""
    return "" if issue.rule in _OF_STACKS and opened else whole


def _is_template(file: SourceFile) -> bool:
    """Whether parts of a manifest are put in later, so that what is missing may still come."""
    return file.name.lower().endswith((".yml", ".yaml")) and "/templates/" in f"/{file.location}"


def _in_test(issue: Issue, matcher: SubjectMatcher) -> Issue:
    if issue.note and issue.severity == "medium":  # for another reason
        return issue
    usual = SEVERITIES.index(_severity(issue, matcher))
    return replace(issue, severity=SEVERITIES[max(usual - 1, 0)])


def _severity(issue: Issue, matcher: SubjectMatcher) -> Severity:
    return issue.severity or matcher.rules[issue.rule].severity


def subjects(path: Path, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    """What rules can be about in a file; what can't be parsed is noted in ``reading``."""
    text = file.data.decode("utf-8", "replace").removeprefix("\ufeff")
    if is_dockerfile(path):
        yield from dockerfile(text, path)
        return
    if command_files.is_script(path):
        yield command_files.script(text)
        return
    if holds_quoted(path):
        yield from quoted(text)
        return
    reader = _reader(path)
    is_json = path.name.lower().endswith(".json")
    if reader is kubernetes and not _is_manifest(file.data, is_json):
        reader = ecs.by_content(file.data) or (
            None if is_json else command_files.by_content(file.data)
        )
    if reader is None:
        reading.of_no_kind(file)
        return
    problems: list[str] = []
    for document in documents(helm.without_actions(text) if _is_template(file) else text, problems):
        yield from reader(document)
    yield from unread(problems, file, "not read as YAML", reading)


def _is_manifest(data: bytes, is_json: bool) -> bool:
    if is_json:
        return bool(_JSON_MANIFEST.search(data) and _JSON_KIND.search(data))
    return bool(_MANIFEST.search(data) and _KIND.search(data))


PROBE: Final = _Infrastructure()
