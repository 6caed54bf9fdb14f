"""Checks of what agents and MCP servers may reach, and of what is approved beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.probes.agents.servers import words
from buttress.rules.credentials.literals import is_placeholder
from buttress.rules.downloaded_scripts import runs_download
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar
from buttress.rules.values import CHECKS as VALUES
from buttress.rules.values import is_secret_name

_ZED: Final = "as soon as Zed makes a linked worktree for it"
_LOCAL: Final = re.compile(
    r"(?i)^http://(?:[^/@]*@)?(?:localhost|127\.|\[::1\]|host\.docker\.internal|0\.0\.0\.0)"
)
_BROAD: Final = re.compile(
    r"^(?:/|~/?|\$\{?HOME\}?/?|\$\{userHome\}/?|/home(?:/[^/]+)?/?|/Users(?:/[^/]+)?/?|/root(?:/)?|"
    r"/etc/?|%USERPROFILE%\\?|[A-Za-z]:[\\/]?|[A-Za-z]:[\\/]+Users(?:[\\/]+[^\\/]+)?[\\/]?)$"
)
_DANGEROUS: Final = re.compile(
    r"^Bash\((?:sudo|curl|wget|rm|bash|sh|zsh|eval|python3?|node|perl|ruby|ssh|scp|nc|chmod|docker|kubectl|"
    r"aws|gcloud|npx|uvx)(?:[ :]\*|:\*|\))"
)
_NETWORK: Final = re.compile(
    r"\b(?:curl|wget|nc|ncat|netcat|socat|scp|sftp|rsync|ssh|ftp|nslookup|Invoke-WebRequest|"
    r"Invoke-RestMethod|iwr|irm|urllib|requests\.(?:get|post|put)|httpx|http\.client|aiohttp|socket|"
    r"urlopen|fetch\(|axios|https?\.(?:get|request)|Net::HTTP|LWP|file_get_contents|"
    r"Net\.WebClient)|/dev/(?:tcp|udp)/|\bopenssl\s+s_client\b"
)

_PIPED: Final = re.compile(r"\|\s*(?:ba|z)?sh\b|base64\s+(?:-d|--decode)|\beval\b")
_HARM: Final = re.compile(
    r"\bexec\(|/dev/(?:tcp|udp)/|"
    r"(?:-d|--data\S*|-F|--form|-T|--upload-file)[ =]*[\"']?(?:\w+=)?@[^\s\"']*"
    r"(?:\.ssh|\.aws|\.env|\.netrc|\.npmrc|credentials|id_rsa|id_ed25519|\.claude)"
)
# A place of secrets that a command reads and hands to one that sends; as what logs in it is none.
_SECRET_FILE: Final = (
    r"(?:(?:~|\$\{?HOME\}?|/home/[\w.-]+|/Users/[\w.-]+|/root)/\.(?:ssh|aws|kube|gnupg|netrc|npmrc|pypirc|"
    r"git-credentials|docker|config/(?:gcloud|gh|op)|bash_history|zsh_history|azure|password-store|"
    r"mozilla|(?:claude|codex|gemini)/[\w.]*(?:credentials|auth|oauth)\w*)|(?<![\w.])\.env\b|"
    r"\bid_(?:rsa|ed25519|ecdsa)\b|/etc/shadow\b)"
)
_SENDER: Final = (
    r"\b(?:curl|wget|nc|ncat|netcat|socat|ssh|ftp|telnet|https?|Invoke-WebRequest|Invoke-RestMethod|iwr|irm|"
    r"openssl\s+s_client|nslookup|dig)\b|/dev/(?:tcp|udp)/"
)
_SENDS_SECRET: Final = re.compile(
    r"(?:\b(?:cat|tar|zip|7z|gzip|bzip2|xz|base64|xxd|od|head|tail|dd|find|openssl\s+enc|gpg|strings|jq|awk|"
    rf"sed|less|more|cp|grep)\b|<)[^\n;&|]{{0,300}}?{_SECRET_FILE}[^\n]{{0,300}}?(?:\||&&|;|>\()[^\n]{{0,300}}?(?:{_SENDER})|"
    rf"(?:{_SENDER})[^\n;|]{{0,400}}?(?:\$\(|`|<\()\s*(?:\w+\s[^\n)]{{0,200}}?)?{_SECRET_FILE}|"
    rf"(?:{_SENDER})[^\n;|]{{0,200}}?\s<\s*{_SECRET_FILE}|"
    rf"\b(?:scp|rsync|rclone\s+(?:copy|sync)|aws\s+s3\s+(?:cp|sync)|gsutil\s+cp)\s+(?:-(?!i)\S+\s+)*{_SECRET_FILE}\S*\s+\S*:|"
    rf"(?:^|[\s;&|(`'\"])(?:env|printenv|export\s+-p|declare\s+-x|set)\s*(?:\|[^\n]{{0,200}}?)?\|[^\n|]{{0,80}}?(?:{_SENDER})|"
    rf"(?:{_SENDER})[^\n;|]{{0,400}}?(?:\$\(|`|<\()\s*(?:env|printenv|export\s+-p)\b"
)
_RIGHTS: Final = re.compile(
    r"--privileged|docker\.sock|--pid=host|--cap-add=(?:ALL|SYS_ADMIN)|"
    r"(?:\$\{localEnv:(?:HOME|USERPROFILE)\}(?:\$\{localEnv:USERPROFILE\})?|~|\$HOME)/?"
    r"(?:\.ssh|\.aws|\.kube|\.gnupg|\.docker|\.config/gcloud)?/?(?:,|:|\s|$)"
)
# Settings of agents and editors by which they act unasked.
_APPROVALS: Final[tuple[tuple[tuple[str, ...], bool | str], ...]] = (
    *(
        ((key,), True)
        for key in (
            "chat.tools.autoApprove", "chat.tools.global.autoApprove", "autoAccept", "yolo",
            "dangerouslySkipPermissions", "skipDangerousModePermissionPrompt",
            "agent.always_allow_tool_actions", "amp.dangerouslyAllowAll",
            "claudeCode.allowDangerouslySkipPermissions", "roo-cline.alwaysAllowExecute",
        )
    ),
    (("agent", "always_allow_tool_actions"), True),  # of Zed
    (("tools", "autoAccept"), True),  # of Gemini CLI and Qwen Code
    (("tools", "approvalMode"), "yolo"),
    (("approvalMode",), "yolo"),
    (("general", "defaultApprovalMode"), "yolo"),
    (("windsurf.autoExecutionPolicy",), "turbo"),
    (("windsurf.cascadeCommandsAutoExecution",), "turbo"),
    (("claudeCode.initialPermissionMode",), "bypassPermissions"),
    (("autoApprovalSettings", "actions", "executeAllCommands"), True),  # of Cline
)  # fmt: skip
# Commands that an editor runs unasked, by a pattern each.
_APPROVED_COMMANDS: Final = (
    "chat.tools.terminal.autoApprove", "github.copilot.chat.agent.terminal.allowList",
    "windsurf.cascadeCommandsAllowList", "roo-cline.allowedCommands", "kilo-code.allowedCommands",
    "kiroAgent.trustedCommands", "cline.allowedCommands", "cursor.terminal.allowlist",
    "terminalAllowlist",
)  # fmt: skip
_ANY_COMMAND: Final = re.compile(
    r"^(?:\*+|/\^?(?:\(\?:)?(?:\.|\[\\?[sS]\\?[sS]\])[*+]?\)?\$?/[a-z]*|/(?:\^|\$|\^\$?)?/[a-z]*|/\.\{0,\}/)$"
)
_SETUP: Final = (
    "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand",
    "postAttachCommand",
)  # fmt: skip
_HELPERS: Final = (
    ("statusLine",), ("apiKeyHelper",), ("awsAuthRefresh",), ("awsCredentialExport",),
    ("otelHeadersHelper",), ("fileSuggestion",), ("preCommand",), ("postCommand",),
    ("notify",),  # of Codex
    ("toolDiscoveryCommand",), ("toolCallCommand",),  # of Gemini CLI
    ("tools", "discoveryCommand"), ("tools", "callCommand"),
)  # fmt: skip


def _arguments(subject: Subject) -> Iterator[tuple[int, str]]:
    given = subject.value.get("args")
    for index, one in enumerate(given) if isinstance(given, list) else ():
        if isinstance(one, str):
            yield subject.line(("args", index)), one


def _broad_files(subject: Subject) -> Iterator[SubjectMatch]:
    about = f"{subject.context['name']} {' '.join(words(subject.value))}".lower()
    if "file" in about or "fs" in re.split(r"[^a-z]", about):
        for line, one in _arguments(subject):
            if _BROAD.match(one):
                yield SubjectMatch(line, one)


def _plain_http(subject: Subject) -> Iterator[SubjectMatch]:
    for key in ("url", "serverUrl", "httpUrl"):
        one = subject.value.get(key)
        if isinstance(one, str) and one.lower().startswith("http://") and not _LOCAL.match(one):
            yield SubjectMatch(subject.line((key,)), one)
    for line, one in _arguments(subject):
        if one.lower().startswith("http://") and not _LOCAL.match(one):
            yield SubjectMatch(line, one)


def _argument_secret(subject: Subject) -> Iterator[SubjectMatch]:
    given = list(_arguments(subject))
    for place, (line, one) in enumerate(given):
        match = re.match(r"^--?([A-Za-z][A-Za-z0-9_-]*)(?:=(.+))?$", one)
        if not match or not is_secret_name(match[1].replace("-", "_")):
            continue
        value = match[2] or (given[place + 1][1] if place + 1 < len(given) else "")
        literal = len(value) >= 8 and not value.startswith(("-", "$", "{", "<"))
        if literal and not is_placeholder(value.encode("utf-8", "replace")):
            yield SubjectMatch(line, f"--{match[1]}")


def _auto_approved(subject: Subject) -> Iterator[SubjectMatch]:
    for key in ("alwaysAllow", "autoApprove", "auto_approve", "autoAllow"):
        value = subject.value.get(key)
        if value is True or (isinstance(value, list) and "*" in value):
            yield SubjectMatch(subject.line((key,)), key)
    if subject.value.get("trust") is True:
        yield SubjectMatch(subject.line(("trust",)), "trust")


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _allowed(subject: Subject) -> Iterator[tuple[int, str]]:
    given = _at(subject.value, "permissions", "allow")
    for index, one in enumerate(given) if isinstance(given, list) else ():
        if isinstance(one, str):
            yield subject.line(("permissions", "allow", index)), one
    for key in ("allowedTools", "autoApprovedCommands", "alwaysAllow"):
        given = subject.value.get(key)
        for index, one in enumerate(given) if isinstance(given, list) else ():
            if isinstance(one, str):
                yield subject.line((key, index)), one


def _allow_all(subject: Subject) -> Iterator[SubjectMatch]:
    for line, one in _allowed(subject):
        if re.match(
            r"^(?:\*|Bash|Bash\(\s*(?:\*|:\*)\s*\)|mcp__\*|shell|execute_command)$", one.strip()
        ):
            yield SubjectMatch(line, one)


def _allow_dangerous(subject: Subject) -> Iterator[SubjectMatch]:
    given = subject.value.get("permission")  # of opencode: by tool, or for all
    for key in ("bash", "*"):
        one = _at(given, key)
        if (one if isinstance(one, str) else _at(one, "*")) == "allow":
            yield SubjectMatch(subject.line(("permission", key)), f"{key}: allow")
    if given == "allow":
        yield SubjectMatch(subject.line(("permission",)), "permission: allow")
    for line, one in _allowed(subject):
        if _DANGEROUS.match(one.strip()) and one.rstrip(")").endswith("*"):
            yield SubjectMatch(line, one)


def _bypass(subject: Subject) -> Iterator[SubjectMatch]:
    value = subject.value
    if _at(value, "permissions", "defaultMode") == "bypassPermissions":
        yield SubjectMatch(subject.line(("permissions", "defaultMode")), "bypassPermissions")
    for path, wanted in _APPROVALS:
        given = _at(value, *path)
        if type(given) is type(wanted) and given == wanted:
            yield SubjectMatch(subject.line(path), f"{'.'.join(path)}: {scalar(given)}")
    for key in _APPROVED_COMMANDS:
        commands = value.get(key)
        pairs = commands.items() if isinstance(commands, dict) else (
            (one, True) for one in commands) if isinstance(commands, list) else ()  # fmt: skip
        for name, one in pairs:
            if (one is True or _at(one, "approve") is True) and _ANY_COMMAND.match(str(name)):
                yield SubjectMatch(subject.line((key,)), f"{key}: {name}")
    if (
        value.get("approval_policy") == "never"
        and value.get("sandbox_mode") == "danger-full-access"
    ):
        yield SubjectMatch(subject.line(("sandbox_mode",)), "danger-full-access")


def _hooks(subject: Subject) -> Iterator[SubjectMatch]:
    """Commands that run by themselves and talk to the network."""
    command = _at(subject.value, "then", "command")  # of Kiro: one hook a file
    if isinstance(command, str) and "when" in subject.value and _NETWORK.search(command):
        yield SubjectMatch(subject.line(("then", "command")), command)
    hooks = subject.value.get("hooks")
    for event, groups in hooks.items() if isinstance(hooks, dict) else ():
        for index, group in enumerate(groups) if isinstance(groups, list) else ():
            command = _at(group, "command")  # of Cursor
            if isinstance(command, str) and _NETWORK.search(command):
                yield SubjectMatch(subject.line(("hooks", event, index, "command")), command)
            below = _at(group, "hooks")
            for place, one in enumerate(below) if isinstance(below, list) else ():
                command = _at(one, "command")
                if isinstance(command, str) and _NETWORK.search(command):
                    yield SubjectMatch(
                        subject.line(("hooks", event, index, "hooks", place, "command")), command
                    )


def _harmful_hooks(subject: Subject) -> Iterator[SubjectMatch]:
    """Of the hooks that talk to the network those that run what they fetch, or send files away."""
    for hit in _hooks(subject):
        if _is_harmful(hit.it):
            yield hit


def _is_harmful(command: str) -> bool:
    harms = _HARM.search(command) or _SENDS_SECRET.search(command)
    return bool(harms) or runs_download(command)


def _helpers(subject: Subject) -> Iterator[SubjectMatch]:
    """Commands that an agent runs by itself for its status line, its keys or its headers."""
    for path in _HELPERS:
        given = _at(subject.value, *path)
        command = given.get("command") if isinstance(given, dict) else given
        if isinstance(command, list):
            command = " ".join(one for one in command if isinstance(one, str))
        if isinstance(command, str) and (_NETWORK.search(command) or _PIPED.search(command)):
            yield SubjectMatch(subject.line(path), f"{'.'.join(path)}: {command}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _folder_open(subject: Subject) -> Iterator[SubjectMatch]:
    """Tasks of an editor that run as soon as the folder is opened."""
    tasks = subject.value.get("tasks")
    for index, one in enumerate(tasks if isinstance(tasks, list) else ()):
        if _at(one, "runOptions", "runOn") == "folderOpen":
            command = _at(one, "command") or _at(one, "script") or ""
            yield SubjectMatch(subject.line(("tasks", index)), str(command))
        hooks = one.get("hooks") if isinstance(one, dict) else None
        if isinstance(hooks, list) and "create_worktree" in hooks:
            command = " ".join(map(str, [one.get("command"), *(_listed(one.get("args")))]))
            yield SubjectMatch(subject.line(("tasks", index)), command, _ZED)


def _on_host(subject: Subject) -> Iterator[SubjectMatch]:
    """What a development container runs on the machine of whoever opens it."""
    given = subject.value.get("initializeCommand")
    if given and ("image" in subject.value or "build" in subject.value or "name" in subject.value):
        yield SubjectMatch(subject.line(("initializeCommand",)), str(given))


def _container_rights(subject: Subject) -> Iterator[SubjectMatch]:
    """A development container with the rights of the machine."""
    if subject.value.get("privileged") is True:
        yield SubjectMatch(subject.line(("privileged",)), "privileged")
    for key in ("runArgs", "mounts"):
        given = subject.value.get(key)
        for index, one in enumerate(given if isinstance(given, list) else ()):
            text = " ".join(map(str, one.values())) if isinstance(one, dict) else str(one)
            if _RIGHTS.search(text):
                yield SubjectMatch(subject.line((key, index)), text)


def _remote_setup(subject: Subject) -> Iterator[SubjectMatch]:
    """A script that a development container downloads and runs when it is made or started."""
    for key in _SETUP:
        given = subject.value.get(key)
        every = given.values() if isinstance(given, dict) else [given]
        for one in every:
            words = one if isinstance(one, list) else [one]
            command = " ".join(word for word in words if isinstance(word, str))
            if runs_download(command):
                yield SubjectMatch(subject.line((key,)), command)


def _endpoint(subject: Subject) -> Iterator[SubjectMatch]:
    env = subject.value.get("env")
    for name, one in env.items() if isinstance(env, dict) else ():
        if re.fullmatch(
            r"(?:ANTHROPIC|OPENAI|GOOGLE_GEMINI|AZURE_OPENAI)_(?:BASE_URL|API_BASE|ENDPOINT)", name
        ):
            known = r"https://[\w.-]+\.(?:anthropic|openai|googleapis|azure)\.com(?:[/:]|$)"
            elsewhere = (
                isinstance(one, str) and not re.match(known, one) and not one.startswith("$")
            )
            if elsewhere and not _LOCAL.match(one):
                yield SubjectMatch(subject.line(("env", name)), f"{name}={one}")


CHECKS: Final[dict[str, Check]] = {
    "broad-files": _broad_files,
    "plain-http": _plain_http,
    "secret-variable": VALUES["secret-variable"],
    "argument-secret": _argument_secret,
    "auto-approved": _auto_approved,
    "allow-all": _allow_all,
    "allow-dangerous": _allow_dangerous,
    "bypass": _bypass,
    "container-rights": _container_rights,
    "folder-open": _folder_open,
    "helpers": _helpers,
    "harmful-hooks": _harmful_hooks,
    "hooks": lambda subject: (one for one in _hooks(subject) if not _is_harmful(one.it)),
    "on-host": _on_host,
    "remote-setup": _remote_setup,
    "endpoint": _endpoint,
}
