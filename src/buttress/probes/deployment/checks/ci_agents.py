"""Checks of AI agents in GitHub workflows: whose text reaches them, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.probes.deployment.untrusted import (
    ExpressionScope,
    sources,
    tainted_in_script,
    tainted_variables,
)
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar

# Actions that run an agent with tools; one that only completes a text is none.
_ACTION: Final = re.compile(
    r"(?i)^(?:anthropics/claude-code(?:-base)?-action|[\w.-]+/(?:run-)?gemini-cli(?:-action)?|"
    r"openai/codex-action|[\w.-]+/codex-action|[\w.-]+/[\w.-]*(?:aider|opencode|openhands|goose|"
    r"claude-code|gemini-cli|copilot-cli|cursor-agent|qwen-code|cline|amp-code|devin|swe-agent|oz-agent|"
    r"codegen|jules|auggie|augment-agent|kiro|droid-action|roo-code|crush)[\w.-]*|"
    r"[\w.-]+/(?:[\w.-]*[-_.])?(?:ai|coding|llm|code)[-_]agent(?:[-_.][\w.-]*)?|"
    r"sst/opencode/github)(?:/[\w./-]+)?@"
)
_COMMAND: Final = re.compile(
    r"(?m)(?:^|[\s;&|(`$])(?:npx\s+(?:-y\s+|--yes\s+)?\S*)?"
    r"(claude(?:-code)?|gemini(?:-cli)?|codex|copilot|aider(?:-chat)?|opencode|goose|cursor-agent|qwen|amp|crush|openhands)"
    r"(?:@[\w.]+)?\s+(?:[^\n]*?\s)?(?:-p|--print|--prompt|exec|run|-m|--message|-i|-x|-t|--text|--yolo|-y|"
    r"--dangerously[\w-]+|--full-auto|--approval-mode)\b|"
    r"\bpython[\d.]*\s+-m\s+(?:openhands|aider|sweagent|gptme|interpreter|minisweagent)\b|"
    r"(?m:(?:^|[\s;&|(`$])(?:(?:uvx|pipx\s+run|uv\s+run|poetry\s+run|bunx|pnpm\s+dlx|yarn\s+dlx)\s+(?:-\S+\s+)*)?"
    r"(?:sweagent\s+run|mini\s+(?:-\S+\s+)*-t|cline\s+(?:task|-y|--yolo)|gptme\s|plandex\s+tell|"
    r"interpreter\s+-y|rovodev\s+run|acli\s+rovodev|codebuff\s|forge\s+-p|openhands\s+(?:-\S+\s+)*-t)(?=\s|$|\b))|"
    r"(?m:(?:^|[\s;&|(`$])(?:q|kiro-cli)\s+chat\b|\bdroid\s+exec\b|\bauggie\b[^\n]*\s(?:-p|--print)\b)"
)
_APPROVAL_OFF: Final = re.compile(
    r"--dangerously-skip-permissions|--dangerously-bypass-approvals-and-sandbox|--yolo\b|"
    r"--approval-mode[= ][\"']?yolo|--full-auto\b|--allow-all(?:-tools|-paths|-urls)?\b|"
    r"--trust-all-tools\b|--dangerously-allow-all\b|--skip-permissions-unsafe\b|"
    r"\bcursor-agent\b[^\n]*\s(?:-f|--force)\b|"
    r"--yes-always\b|--permission-mode[= ][\"']?bypassPermissions|"
    r"--sandbox[= ][\"']?danger-full-access|bypassPermissions|danger-full-access|"
    r"(?i:safety[-_]strategy)[\"']?\s*:\s*[\"']?unsafe|"
    r"GEMINI_(?:CLI_)?YOLO[\"']?\s*[:=]\s*[\"']?(?:true|1)|\bgemini\b[^\n]*\s-y\b"
)
_ANYONE: Final = re.compile(
    r"(?i)^(?:allowed_non_write_users|allowed_bots|allow-users|allow_users|allowed_users|allow-bots)$"
)
# Agents whose wrapper lets them use every tool unless it is told otherwise.
_ALL_TOOLS: Final = re.compile(r"(?i)^[\w.-]+/[\w.-]*copilot-cli[\w.-]*@")
_TOOLS_CHOSEN: Final = re.compile(
    r"(?im)^(?:allow-all-tools:\s*[\"']?false|(?:deny|allow)-tools?:)"
)
_TOOLS_NAMED: Final = re.compile(r"(?i)\ballowed-?_?tools\b")
# A shell without limits, or the network, among the tools that are allowed.
_SHELL: Final = re.compile(
    r"(?:^|[\s,\"'\[])(?:Bash(?:\(\s*(?:\*|:\*|(?:curl|wget|python3?|node|npm|npx|sh|bash)"
    r"[^)]*|(?:git|gh api|gh)\s*[:*]?\*?\s*)\))?"
    r"(?=[\s,\"'\]]|$)|run_shell_command(?=[\s,\"'\]]|$)|ShellTool(?=[\s,\"'\]]|$)|shell(?=[\s,\"'\]]|$)|"
    r"execute_command)"
)
# Commands that put a text where strangers read it, among the tools that are allowed.
_WRITING_TOOL: Final = re.compile(
    r"(?:run_shell_command|ShellTool|Bash|shell)\(\s*(?:gh\s+(?:issue|pr)\s+(?:edit|comment|create|review|close)|"
    r"gh\s+(?:gist|release)\s+create|gh\s+(?:api|issue|pr)(?=\s*[:*)])|git\s+(?:push|commit))[^)]*\)"
)
_NAMED_SHELL: Final = re.compile(
    r"(?:run_shell_command|ShellTool)\(\s*(?:echo|printf|cat|env|printenv|node|python3?|npm|git|gh|jq|sed|awk|find|xargs)\b[^)]*\)"
)
# What a script asks for of a stranger's, and the file that it writes.
_WRITTEN_BY_STRANGERS: Final = re.compile(
    r"\bgh\s+(?:issue|pr)\s+(?:view|diff|list)\b[^\n>]{0,200}(?=>)|"
    r"context\.payload\??\.(?:issue|pull_request|comment|review|discussion)\??\.(?:title|body)"
)
_WRITES_FILE: Final = re.compile(
    r"(?:>>?|\btee\s+(?:-a\s+)?|Out-File\s+(?:-\w+\s+)*|Set-Content\s+(?:-\w+\s+)*)\s*[\"']?"
    r"(?![&$]|/dev/)((?:[\w.~-]*/)*[\w-]+\.\w{1,8})|writeFile(?:Sync)?\(\s*[\"'`]([^\"'`\n]{1,200})[\"'`]"
)
_NETWORK: Final = re.compile(r"\bWebFetch\b|\bweb_fetch\b|\bcurl\b|\bwget\b")
# Whoever runs the workflow is asked for write permission, or it is known who they are.
_WHO: Final = re.compile(
    r"author_association|collaborator|permission|github\.(?:triggering_)?actor\s*==|\.user\.login\s*==|"
    r"sender\.login\s*=="
)
_OUTSIDE: Final = {
    "issues", "issue_comment", "pull_request_target", "discussion", "discussion_comment",
    "pull_request_review", "pull_request_review_comment", "workflow_run",
}  # fmt: skip
_READS_EVENT: Final = re.compile(
    r"gh\s+(?:issue|pr|api|search|run)\s|gh_issue|gh_pr|github\.event\.(?:issue|pull_request|comment|discussion)\.(?:number|html_url|url)"
)
_ASKS_FOR_WRITE: Final = re.compile(r"(?i)^anthropics/claude-code-action@")


def _is_agent(step: Any) -> bool:
    if not isinstance(step, dict):
        return False
    return bool(
        _ACTION.match(str(step.get("uses", ""))) or _COMMAND.search(scalar(step.get("run")) or "")
    )


def _outside(subject: Subject) -> str:
    """The trigger by which a stranger starts the job; empty where only people of the project do."""
    found = sorted(subject.context["triggers"] & _OUTSIDE)
    guards = f"{subject.context['job'].get('if', '')} {subject.value.get('if', '')}"
    return "" if not found or _WHO.search(guards) else found[0]


def _texts(step: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(step.get("run"), str):
        yield ("run",), step["run"]
    inputs = step.get("with")
    for name, value in inputs.items() if isinstance(inputs, dict) else ():
        if (text := scalar(value)) is not None:
            yield ("with", str(name)), f"{name}: {text}"


def _scope(subject: Subject) -> ExpressionScope:
    context = subject.context
    return ExpressionScope(
        context["workflow"], context["job"], tuple(context["steps"][: context["index"]]),
        subject.value, context["outputs"],
    )  # fmt: skip


def _reaches(subject: Subject) -> tuple[int, str] | None:
    """Where a stranger's text reaches the agent, and which."""
    scope = _scope(subject)
    for path, text in _texts(subject.value):
        for _, source in sources(text, scope):
            return subject.line(path), source.path
    for name, source in tainted_variables(scope).items():
        return subject.line(("env", name)), source.path
    for name, whose in _files(scope):
        for path, text in _texts(subject.value):
            if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
                return subject.line(path), f"{whose}, which a step before writes to {name},"
    for path, text in _texts(subject.value):
        if match := _READS_EVENT.search(text):
            return subject.line(path), " ".join(match[0].split())
    return None


def _files(scope: ExpressionScope) -> Iterator[tuple[str, str]]:
    """Files to which steps before write a stranger's text: their names, and whose text it is."""
    for index, step in enumerate(scope.steps):
        if not isinstance(step, dict):
            continue
        inner = ExpressionScope(scope.workflow, scope.job, scope.steps[:index], step)
        inputs = step.get("with")
        script = scalar(step.get("run")) or ""
        if not script and isinstance(inputs, dict):
            script = scalar(inputs.get("script")) or ""
        found = [one for _, one in sources(script, inner)]
        names = tainted_in_script(script, inner)
        found += [
            one for name, one in names.items()
            if re.search(rf"(?:\$\{{?(?:env:)?|process\.env\.){re.escape(name)}\b", script)
        ]  # fmt: skip
        whose = found[0].path if found else ""
        if not whose and (asked := _WRITTEN_BY_STRANGERS.search(script)):
            whose = " ".join(asked[0].split())
        for written in _WRITES_FILE.finditer(script) if whose else ():
            yield next(one for one in written.groups() if one), whose


def _named_tool(subject: Subject) -> tuple[str, bool]:
    """A command that the agent may run although its tools are limited, and whether it writes.

    One that writes where strangers read hands out what the agent sees; any shell hands on what
    its variables hold.
    """
    everything = "\n".join(text for _, text in _texts(subject.value))
    given = subject.context["job"].get(
        "permissions", subject.context["workflow"].get("permissions")
    )
    may_write = given == "write-all" or (
        isinstance(given, dict) and bool(set(given.values()) & {"write"})
    )
    if may_write and (tool := _WRITING_TOOL.search(everything)):
        return tool[0], True
    tool = _NAMED_SHELL.search(everything)
    return (tool[0], False) if tool else ("", False)


def _powers(subject: Subject) -> list[str]:
    """What the agent may do, in words."""
    everything = "\n".join(text for _, text in _texts(subject.value))
    found = []
    if _APPROVAL_OFF.search(everything):
        found.append("any command without approval")
    elif _ALL_TOOLS.match(str(subject.value.get("uses", ""))) and not _TOOLS_CHOSEN.search(
        everything
    ):
        found.append("every tool by default")
    elif _SHELL.search(everything):
        found.append("a shell")
    if _NETWORK.search(everything):
        found.append("the network")
    writing = _writes(subject)
    if writing:
        found.append(writing)
    return found


def _writes(subject: Subject) -> str:
    """What the job's token may write; what is not said may be everything."""
    given = subject.context["job"].get(
        "permissions", subject.context["workflow"].get("permissions")
    )
    if given is None or given == "write-all":
        return "a token that may write everything" if given else ""
    if not isinstance(given, dict):
        return ""
    names = [
        str(name)
        for name, value in given.items()
        if value == "write"
        and name not in ("id-token", "issues", "discussions", "checks", "statuses")
    ]
    return f"a token that may write {', '.join(names)}" if names else ""


def _injection(subject: Subject) -> Iterator[SubjectMatch]:
    """A stranger's text reaches an agent that has a shell, the network or a writing token."""
    if not _is_agent(subject.value) or "steps" not in subject.context:
        return
    trigger, reached, powers = _outside(subject), _reaches(subject), _powers(subject)
    if not trigger or reached is None or _checks_itself(subject):
        return
    lessened = ""
    if not powers:
        tool, writes = _named_tool(subject)
        if not tool or not _is_in_prompt(subject):
            return
        powers = [f"a token and may run {tool}" if writes else f"a shell for {tool}"]
        lessened = "" if writes else "of commands it has this one alone"
    line, source = reached
    has = f"On {trigger}, {source} reaches an agent that has {' and '.join(powers)}"
    yield SubjectMatch(line, has, lessened)


def _is_in_prompt(subject: Subject) -> bool:
    """Whether the text itself stands in what the agent is told, not only what it may ask for."""
    scope = _scope(subject)
    names = tainted_variables(scope)
    return any(
        any(True for _ in sources(text, scope))
        or any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in names)
        or any(name in text for name, _ in _files(scope))
        for _, text in _texts(subject.value)
    )


def _checks_itself(subject: Subject) -> bool:
    """Whether the action itself refuses people who may not write."""
    inputs = subject.value.get("with")
    names = inputs if isinstance(inputs, dict) else {}
    return bool(_ASKS_FOR_WRITE.match(str(subject.value.get("uses", "")))) and not any(
        _ANYONE.match(str(name)) for name in names
    )


def _gated(subject: Subject) -> Iterator[SubjectMatch]:
    """As ``_injection``, but the action lets only people with write permission start it."""
    if not _is_agent(subject.value) or "steps" not in subject.context:
        return
    trigger, reached, powers = _outside(subject), _reaches(subject), _powers(subject)
    if trigger and reached is not None and powers and _checks_itself(subject):
        yield SubjectMatch(reached[0], reached[1])


def _approval_off(subject: Subject, *, outside: bool) -> Iterator[SubjectMatch]:
    if not _is_agent(subject.value) or bool(_outside(subject)) is not outside:
        return
    for path, text in _texts(subject.value):
        for match in _APPROVAL_OFF.finditer(text):
            start = subject.context["text_line"](path)
            yield SubjectMatch(start + text.count("\n", 0, match.start()), match[0])


def _anyone(subject: Subject, *, limited: bool) -> Iterator[SubjectMatch]:
    """Whoever wants may start an agent, whose tools are ``limited`` to a few that do little."""
    inputs = subject.value.get("with")
    if not _is_agent(subject.value) or not isinstance(inputs, dict):
        return
    named = any(_TOOLS_NAMED.search(text) for _, text in _texts(subject.value))
    if (named and not _powers(subject)) is not limited:
        return
    for name, value in inputs.items():
        if _ANYONE.match(str(name)) and "*" in (scalar(value) or ""):
            yield SubjectMatch(subject.line(("with", name)), f"{name}: {scalar(value)}")


CHECKS: Final[dict[str, Check]] = {
    "agent-injection": _injection,
    "agent-gated": _gated,
    "agent-approval-off-outside": lambda subject: _approval_off(subject, outside=True),
    "agent-approval-off": lambda subject: _approval_off(subject, outside=False),
    "agent-anyone": lambda subject: _anyone(subject, limited=False),
    "agent-anyone-limited": lambda subject: _anyone(subject, limited=True),
}
