"""Files that hold commands: scripts, makefiles, tasks, hooks and pipelines of other services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from buttress.files.located_yaml import FieldPath
from buttress.files.yaml_documents import YamlDocument
from buttress.rules.shell import scripts, shell
from buttress.rules.subject import Subject

_PLAIN: Final = re.compile(
    r"^(?:(?:gnu)?makefile|\.?justfile|procfile|tox\.ini|jenkinsfile|vagrantfile)(?:\..*)?$|"
    r"^(?:crontab|\.envrc)$|"
    r".*\.(?:sh|bash|zsh|ksh|fish|command|mk|just|ps1|psm1|bat|cmd|service|jenkinsfile|sbatch|slurm|"
    r"pbs|cron|crontab)$"
)
_BLOCK_COMMENT: Final = re.compile(r"(?ms)^[ \t]*<#.*?#>")  # of PowerShell
_SHEBANG: Final = re.compile(rb"#![^\n]{0,80}\b(?:ba|z|da|k)?sh\b")
_TRAVIS: Final = "install", "script", "deploy"


def _key(name: str) -> bytes:
    """An expression for a key at the top of a YAML file."""
    return rf"(?m)^(?:{name})[ \t]*:".encode()


# Where commands stand in files of one name, at any depth.
_KEYS: Final[tuple[tuple[re.Pattern[str], frozenset[str]], ...]] = tuple(
    (re.compile(name), frozenset(keys))
    for name, keys in (
        (r"^\.pre-commit-(?:config|hooks)\.ya?ml$", ("entry", "args")),
        (r"^azure-pipelines.*\.ya?ml$", ("script", "bash", "powershell", "pwsh", "inlineScript")),
        (r"^taskfile(?:\.dist)?\.ya?ml$", ("cmds", "cmd", "sh")),
        (r"^(?:user-data|cloud-?(?:init|config).*)\.ya?ml$", ("runcmd", "bootcmd")),
        (r"^\.travis\.yml$", tuple(f"{when}{one}" for when in ("", "before_", "after_")
                                   for one in _TRAVIS)),
        (r"^bitbucket-pipelines\.ya?ml$", ("script", "after-script")),
        (r"^\.(?:drone|woodpecker).*\.ya?ml$", ("commands",)),
        (r"^cloudbuild.*\.ya?ml$", ("args", "script")),
        (r"^dvc\.ya?ml$", ("cmd",)),
        (r"^render\.ya?ml$", ("buildCommand", "startCommand", "preDeployCommand")),
        (r".*\.sky\.ya?ml$", ("setup", "run")),
        (r"^(?:vercel|railway)\.json$", ("buildCommand", "installCommand", "devCommand",
                                         "startCommand", "ignoreCommand")),
    )
)  # fmt: skip
# Where commands stand in YAML that is known by what it holds, at any depth.
_CONTENTS: Final[tuple[tuple[tuple[re.Pattern[bytes], ...], frozenset[str]], ...]] = tuple(
    (tuple(re.compile(_key(one)) for one in needed), frozenset(keys))
    for needed, keys in (
        (("resources|envs|num_nodes|workdir", "run|setup"), ("setup", "run")),  # SkyPilot
        (("cluster_name", "(?:head_|worker_)?(?:setup|start_ray)_commands"), (  # Ray
            "initialization_commands", "setup_commands", "head_setup_commands",
            "worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands",
        )),
        (("AWSTemplateFormatVersion",), ("UserData", "Fn::Base64", "Fn::Sub")),
    )
)  # fmt: skip
_FOLDERS: Final = {
    ".circleci": frozenset({"command", "run"}),
    ".buildkite": frozenset({"command", "commands"}),
    **dict.fromkeys(  # of Ansible
        ("tasks", "handlers", "playbooks"),
        frozenset(
            {
                "shell",
                "command",
                "raw",
                "cmd",
                "ansible.builtin.shell",
                "ansible.builtin.raw",
                "ansible.builtin.command",
            }
        ),
    ),
}
_HOSTS: Final = re.compile(rb"(?m)^[ \t]*(?:-[ \t]+)?[\"']?hosts[\"']?[ \t]*:")
_PLAY: Final = re.compile(
    rb"(?m)^[ \t]*(?:-[ \t]+)?[\"']?(?:(?:pre_|post_)?tasks|handlers)[\"']?[ \t]*:"
)
_MAX_DEPTH: Final = 60


def is_script(path: Path) -> bool:
    """Whether all of a file is commands: by its name, or by a first line that names a shell."""
    name = path.name.lower()
    return bool(_PLAIN.match(name)) or ("." not in name and _names_shell(path))


def _names_shell(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return bool(_SHEBANG.match(file.read(100)))
    except OSError:
        return False


def script(text: str) -> Subject:
    """The subject of a file that is all commands."""
    return shell(_BLOCK_COMMENT.sub(_lines_only, text), 1, where="script")


def _lines_only(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def reader(path: Path) -> Callable[[YamlDocument], Iterator[Subject]] | None:
    """What reads the commands of a YAML or JSON file of that name; None where it has none."""
    name = path.name.lower()
    if name == "package.json":
        return _npm
    if not name.endswith((".yml", ".yaml", ".json")):
        return None
    keys = next((keys for known, keys in _KEYS if known.match(name)), None)
    if name.endswith(".json") and keys is None:
        return None
    keys = keys or _FOLDERS.get(path.absolute().parent.name)
    return partial(_below, keys) if keys else None


def by_content(data: bytes) -> Callable[[YamlDocument], Iterator[Subject]] | None:
    """What reads the commands of YAML of any name, by what it holds: playbooks of Ansible, tasks of
    SkyPilot, clusters of Ray, templates of CloudFormation. None where it is none of these."""
    if _HOSTS.search(data) and _PLAY.search(data):
        return partial(_below, _FOLDERS["playbooks"])
    for needed, keys in _CONTENTS:
        if all(one.search(data) for one in needed):
            return partial(_below, keys)
    return None


def _below(keys: frozenset[str], document: YamlDocument) -> Iterator[Subject]:
    yield from _find(document, document.data, (), keys)


def _find(
    document: YamlDocument, value: Any, path: FieldPath, keys: frozenset[str]
) -> Iterator[Subject]:
    if len(path) > _MAX_DEPTH:
        return
    for key, one in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        if key in keys and isinstance(one, (str, list)):
            yield from scripts(document, one, (*path, key), where="script")
        else:
            yield from _find(document, one, (*path, key), keys)


def _npm(document: YamlDocument) -> Iterator[Subject]:
    """The scripts of a package of npm, some of which its installation runs."""
    data = document.data
    given = data.get("scripts") if isinstance(data, dict) else None
    for name, one in given.items() if isinstance(given, dict) else ():
        if isinstance(one, str):
            yield shell(one, document.line(("scripts", name)), where="script")
