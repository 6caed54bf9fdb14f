"""The probe ``agent-config``: MCP servers, tools, skills and instructions of agents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Finding, Inspection
from buttress.files import bounded_toml
from buttress.files.jsonc import MAX_BYTES, JsoncDocument, JsoncError
from buttress.files.source_files import SourceFile, SourceReading
from buttress.files.tree import Tree
from buttress.files.yaml_documents import MAX_BYTES as MAX_YAML
from buttress.packs.knowledge import Knowledge
from buttress.probes.agents import source_texts
from buttress.probes.agents.bytecode import ENDING, bytecode, compiled_files
from buttress.probes.agents.checks import CHECKS, RULES
from buttress.probes.agents.packages import package_files
from buttress.probes.agents.servers import settings
from buttress.probes.agents.texts import card, in_source, markdown, prompts, tools
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.secret_rules import secret_rules
from buttress.rules.inspecting import FileRules, inspect_files
from buttress.rules.reporting import Issue, less_grave
from buttress.rules.subject import Subject, SubjectMatcher, at_line, unread
from buttress.rules.subject_rule import SubjectRule

_SUSPICIOUS: Final = "agent-suspicious-order"  # told where no rule says more of the same line
_SENDS: Final = "agent-exfiltration"
_ADDRESS: Final = re.compile(
    r"(?i)[a-z0-9]+://|\b[\w.+-]+@[\w-]+\.\w|\b(?:\d{1,3}\.){3}\d|\b(?:curl|wget|scp|webhook|gist|"
    r"paste\s?bin|discord|telegram|slack)\b|\b[\w-]+\.(?:com|net|org|io|dev|sh|xyz|ru|cn|site)\b"
)
# A file of credentials that something logs in with; it is not what is sent.
_CREDENTIALS: Final = (
    r"[`'\"]?(?:(?:~|\$HOME|\$\{HOME\})/\.[\w./-]+|\.(?:netrc|npmrc|pypirc)\b|\.env\b)[`'\"]?"
)
_AS_LOGIN: Final = re.compile(
    r"(?i)\b(?:using|with|via|through|by|needs?|under)\s+(?:the|your|a|an|its|my)\s+(?:[\w-]+\s+){0,3}?"
    r"(?:profiles?|tokens?|credentials?|keys?|log-?in|account|role|password|session|settings)\s+"
    rf"(?:(?:that\s+(?:is|are|stands?)|stored|kept|saved|found)\s+)?(?:in|from|of|under|at)\s+{_CREDENTIALS}|"
    r"\b(?:cli|client|sdk|tool|aws|boto3?|docker|npm|git|pip|kubectl|gcloud|terraform|twine|gh|it|that)\s+"
    rf"(?:reads|uses|takes|finds|looks\s+(?:up|in)|picks\s+up|logs\s+in\s+with)\s+(?:[\w-]+\s+){{0,4}}?{_CREDENTIALS}"
)
_SECRET_PLACE: Final = re.compile(
    rf"(?i){_CREDENTIALS}|\bid_(?:rsa|ed25519)\b|\b(?:printenv|environment\s+variables)\b|\bprivate\s+keys?\b"
)
_LOGS_IN: Final = {_SENDS, "agent-sensitive-files"}
# What runs by itself, and the rule that tells of the same line as of something that is followed.
_BY_ITSELF: Final = {"agent-hook-harm", "agent-hook-network"}
_FOLLOWED: Final = {"agent-remote-script"}
_SKILL: Final = re.compile(r"^skill\.md$")
_RULES: Final = re.compile(
    r"^(?:agents?|claude|claude\.local|gemini|qwen|warp|crush|copilot-instructions)\.md$|^llms.*\.txt$|"
    r"^\.(?:cursorrules|windsurfrules|clinerules|roorules|goosehints)$|"
    r".*\.(?:mdc|instructions\.md|prompt\.md|chatmode\.md|agent\.md)$"
)
_RULE_FOLDERS: Final = {
    ".claude", ".cursor", ".windsurf", ".clinerules", ".roo", ".kiro", ".gemini", ".codex",
    ".agents", ".junie",
}  # fmt: skip
_PROMPT: Final = re.compile(
    r"(?i).*system[-_ ]?prompts?.*\.(?:txt|md|jinja2?|j2|prompt)$|.*\.prompt$"
)
_AGENT_YAML: Final = re.compile(r"^(?:.*[-_.])?(?:agents?|tasks|crew|prompts?)(?:[-_.].*)?\.ya?ml$")
_SETTINGS: Final = re.compile(
    r"^(?:\.?mcp(?:[-_.].*)?|.*[-_.]mcp|claude_desktop_config|\.claude|cline_mcp_settings|mcp_settings|"
    r"settings(?:\.local)?|mcp_config|hooks|\.?devcontainer|tasks|opencode|plugin|marketplace)\.jsonc?$|"
    r".*\.(?:kiro\.hook|code-workspace)$"
)
_TEST_FOLDERS: Final = {
    "test", "tests", "testing", "__tests__", "testdata", "test_data", "fixtures", "mocks", "evals",
    "e2e",
}  # fmt: skip
_DATA: Final = {"data", "dataset", "datasets", "results", "outputs"}
_TEXTS: Final = {"locale", "locales", "i18n", "l10n", "translations", "lang", "langs", "languages"}
_JSON: Final = (".json", ".jsonc", ".kiro.hook", ".code-workspace")
_OF_SETTINGS: Final = (b'"mcpServers"', b'"mcp_servers"', b'"context_servers"', b'"mcp_config"')
# Cards of agents (A2A), manifests of plug-ins and of servers in the registry of MCP.
_OF_CARDS: Final = (
    b'"description_for_model"', b'"defaultInputModes"', b'modelcontextprotocol.io/schemas/',
)  # fmt: skip
_CARD: Final = re.compile(r"^(?:agent(?:[-_.]?card)?|ai-plugin|server)\.json$")
_OF_TOOLS: Final = (b'"inputSchema"', b'"input_schema"', b'"parameters"', b'"mcp_config"')


@dataclass(frozen=True, slots=True)
class _AgentConfig:
    id: str = "agent-config"
    version: str = "1"
    title: str = "Agent configuration: MCP servers, tools, skills, instructions"
    kinds: tuple[str, ...] = ("source", "infrastructure", "service", "client", "model")

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
            inside=_inside,
        )


def _inside(tree: Tree, reading: SourceReading) -> Iterator[tuple[Path, SourceFile]]:
    """What lies in packages and documents, and compiled code that other walks leave out."""
    yield from package_files(tree, reading, limit, _is_of_skill)
    yield from compiled_files(tree, reading)


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


def _text_kind(path: Path) -> str:
    """What kind of text for models a file is; empty where it is none."""
    name = path.name.lower()
    if _SKILL.match(name):
        return "skill"
    folders = {one.lower() for one in path.absolute().parts[-4:-1]}
    if _RULES.match(name) or (folders & _RULE_FOLDERS and name.endswith(".md")):
        return "rules"
    if name.endswith((".md", ".mdx")) and _is_of_skill(path):
        return "skill"
    return "prompt" if _PROMPT.match(name) else ""


def _is_of_skill(path: Path) -> bool:
    """Whether a text lies in a folder of a skill, which has the model read it when it needs it."""
    folders = path.absolute().parents
    if path.name.lower() in ("readme.md", "changelog.md", "license.md", "contributing.md"):
        return False
    return any((folder / "SKILL.md").is_file() for folder in folders[:3])


def limit(path: Path) -> int:
    """Most bytes of a file of that path that are read, 0 for what is not wanted."""
    name = path.name.lower()
    if name.endswith(_JSON):
        return MAX_BYTES
    if name.endswith((*source_texts.PYTHON, *source_texts.OTHERS)):
        return source_texts.MAX_BYTES
    if _AGENT_YAML.match(name):
        return MAX_YAML
    return MAX_BYTES if _text_kind(path) or _is_codex(path) else 0


def _is_named(path: Path) -> bool:
    """Whether it is the file's name that makes it one for agents: other JSON is mostly data."""
    name = path.name.lower()
    data = (*_JSON, *source_texts.PYTHON, *source_texts.OTHERS)
    return not name.endswith(data) or bool(_SETTINGS.match(name))


def _is_codex(path: Path) -> bool:
    return path.name == "config.toml" and path.absolute().parent.name == ".codex"


def _issues(
    matcher: SubjectMatcher, path: Path, file: SourceFile, reading: SourceReading
) -> list[Issue]:
    found = [
        issue for subject in subjects(path, file, reading) for issue in matcher.issues(subject)
    ]
    plain = {one.line for one in found if one.rule != _SUSPICIOUS}
    by_itself = {one.line for one in found if one.rule in _BY_ITSELF}
    told = [
        less_grave(one, matcher.rules[one.rule], "it names the file as what logs in")
        if one.rule in _LOGS_IN and _is_login(one.it)
        else one
        for one in found
        if not (one.rule == _SUSPICIOUS and one.line in plain)
        and not (one.rule in _FOLLOWED and one.line in by_itself)
    ]
    where = _where(path, file)
    if not where and _text_kind(path) == "rules":
        why = "no address is named that it goes to"
        return [
            less_grave(one, matcher.rules[one.rule], why)
            if one.rule == _SENDS and not _ADDRESS.search(one.it)
            else one
            for one in told
        ]
    return [less_grave(one, matcher.rules[one.rule], where) for one in told] if where else told


def _is_login(sentence: str) -> bool:
    """Whether a sentence names files of credentials only as what something logs in with."""
    rest, count = _AS_LOGIN.subn(" ", sentence)
    return count > 0 and not _SECRET_PLACE.search(rest)


def _where(path: Path, file: SourceFile) -> str:
    """In which place of a project the words of a file give no orders, in words; else empty."""
    folders = {one.lower() for one in file.location.split("/")[:-1]}
    if folders & _TEST_FOLDERS:
        return "it lies among tests"
    if file.is_test and path.name.lower().endswith((*source_texts.PYTHON, *source_texts.OTHERS)):
        return "it lies among examples"
    if path.name.lower().endswith(_JSON) and folders & _DATA:
        return "it lies among data"
    is_source = path.name.lower().endswith((*source_texts.PYTHON, *source_texts.OTHERS, *_JSON))
    return "it lies among the texts of a user interface" if is_source and folders & _TEXTS else ""


def subjects(path: Path, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    """What rules can be about in a file; what can't be parsed is noted in ``reading``."""
    name = path.name.lower()
    if name.endswith(ENDING):
        yield from bytecode(path, file.data)
        return
    text = file.data.decode("utf-8", "replace")
    problems: list[str] = []
    if kind := _text_kind(path):
        yield from markdown(kind, text, problems)
        yield from unread(problems, file, "its header is not read as YAML", reading)
    elif name.endswith(source_texts.PYTHON):
        if over := source_texts.unparsed(file.data):
            reading.record_unread(file.location, over)
            yield Subject("limit", f"descriptions of tools in it are not read, {over}", at_line(1))
        if not source_texts.may_hold(file.data, python=True):
            reading.of_no_kind(file)
        yield from in_source(source_texts.python_texts(file.data))
    elif name.endswith(source_texts.OTHERS):
        raw = name.endswith(".go")
        if not source_texts.may_hold(file.data, python=False):
            reading.of_no_kind(file)
        texts = source_texts.literal_texts(
            file.data, raw=raw, markup=name.endswith((".tsx", ".jsx"))
        )
        yield from in_source(texts)
    elif name.endswith(_JSON):
        yield from _json(name, text, file, reading)
    elif _is_codex(path):
        yield from _toml(text, file, reading)
    elif _AGENT_YAML.match(name):
        yield from prompts(text, problems)
        yield from unread(problems, file, "not read as YAML", reading)


def _json(name: str, text: str, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    has_settings = bool(_SETTINGS.match(name)) or any(one in file.data for one in _OF_SETTINGS)
    has_tools = b'"description"' in file.data and any(one in file.data for one in _OF_TOOLS)
    is_card = b'"description' in file.data and (
        bool(_CARD.match(name)) or any(one in file.data for one in _OF_CARDS)
    )
    if not has_settings and not has_tools and not is_card:
        reading.of_no_kind(file)
        return
    try:
        document = JsoncDocument(text)
    except JsoncError as error:
        tell = reading.record_unread if error.limit else reading.record_skip
        tell(file.location, f"not read as JSON, {error}")
        if error.limit:
            yield Subject("limit", f"not read as JSON, {error}", at_line(1))
        return
    if has_settings:
        yield from settings(document)
    if has_tools:
        yield from tools(document)
    elif is_card:
        yield from card(document)


def _toml(text: str, file: SourceFile, reading: SourceReading) -> Iterator[Subject]:
    """Settings in TOML. Its parser knows no lines, so that all is told of the first."""
    try:
        data = bounded_toml.loads(text)
    except ValueError:
        reading.record_skip(file.location, "not read as TOML")
        return
    import json

    try:
        document = JsoncDocument(json.dumps(data, default=str, ensure_ascii=False))
    except (JsoncError, RecursionError, ValueError):
        reading.record_unread(file.location, "more than is read")
        return
    yield from settings(document)


PROBE: Final = _AgentConfig()
