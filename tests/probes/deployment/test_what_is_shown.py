"""High is what the file shows; where a part of it is not shown, it is medium and says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.rules.rule import Example
from tests.probes.deployment.test_rules import found

JOB = "jobs:\n  a:\n    runs-on: ubuntu-latest\n"
TITLE = "    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n"
BRANCH = "    env: {B: '${{ github.head_ref }}'}\n    steps:\n      - run: mkdir ${{ env.B }}\n"
EVALUATED = (
    "    steps:\n      - env: {T: '${{ github.event.pull_request.title }}'}\n"
    '        run: eval "$T"\n'
)
MESSAGE = "    steps:\n      - run: echo ${{ github.event.head_commit.message }}\n"
OWN = "jobs:\n  a:\n    runs-on: [self-hosted]\n"
FETCHED = "curl {header}-o i.sh https://a.net/i.sh\nbash i.sh\n"
GRAFANA = "services:\n  g:\n    image: grafana/grafana:11.1.0\n    environment:\n      {}\n"
SOCKET = "docker run -v /var/run/docker.sock:/var/run/docker.sock a:1"
WEB_KEY = "AIza" + "SyB7dQ2kX9vLm4TzRw1NpYc8HfUeJ3gKa6s"
FLOW = ".github/workflows/a.yml"

CASES = {
    "a title, where strangers' runs have no rights": (
        FLOW, f"on: pull_request\n{JOB}{TITLE}", "gha-script-injection", "medium",
    ),
    "the same, and members start it too": (
        FLOW, f"on: [pull_request, push, workflow_dispatch]\n{JOB}{BRANCH}",
        "gha-indirect-injection", "medium",
    ),
    "the same, evaluated": (
        FLOW, f"on: pull_request\n{JOB}{EVALUATED}", "gha-evaluated-text", "medium",
    ),
    "a title, where they have rights": (
        FLOW, f"on: pull_request_target\n{JOB}{TITLE}", "gha-script-injection", "high",
    ),
    "both kinds of runs": (
        FLOW, f"on: [pull_request, pull_request_target]\n{JOB}{BRANCH}",
        "gha-indirect-injection", "high",
    ),
    "both kinds, but the job is of one": (
        FLOW,
        "on: [pull_request, pull_request_target]\njobs:\n  a:\n    runs-on: x\n"
        f"    if: github.event_name == 'pull_request'\n{TITLE}",
        "gha-script-injection", "medium",
    ),
    "evaluated, where they have rights": (
        FLOW, f"on: pull_request_target\n{JOB}{EVALUATED}", "gha-evaluated-text", "high",
    ),
    "a message that members push for strangers": (
        FLOW, f"on: [pull_request, push]\n{JOB}{MESSAGE}", "gha-script-injection", "high",
    ),
    "their code on an own machine": (
        FLOW, f"on: pull_request\n{OWN}    steps:\n      - run: make\n", "gha-self-hosted", "high",
    ),
    "an own machine, where only the project's code runs": (
        FLOW, f"on: issue_comment\n{OWN}    steps:\n      - uses: some/translate@v1\n",
        "gha-self-hosted", "medium",
    ),
    "an own machine, their code on request": (
        FLOW,
        f"on: issue_comment\n{OWN}    steps:\n      - uses: actions/checkout@v4\n"
        "        with: {ref: 'refs/pull/${{ github.event.issue.number }}/head'}\n",
        "gha-self-hosted", "high",
    ),
    "an own machine, after members have merged": (
        FLOW,
        "on: {pull_request: {types: [closed]}}\njobs:\n  a:\n    runs-on: [self-hosted]\n"
        "    if: github.event.pull_request.merged == true\n    steps:\n      - run: make\n",
        "gha-self-hosted", "",
    ),
    "Docker of a hosted runner": (
        FLOW, f"on: push\n{JOB}    steps:\n      - run: {SOCKET}\n",
        "shell-docker-socket", "medium",
    ),
    "Docker of an own runner": (
        FLOW, f"on: push\n{OWN}    steps:\n      - run: {SOCKET}\n", "shell-docker-socket", "high",
    ),
    "a script that an example fetches": (
        "examples/i.sh", FETCHED.format(header=""), "shell-download-run", "medium",
    ),
    "a script of anybody's": ("i.sh", FETCHED.format(header=""), "shell-download-run", "high"),
    "a script that a credential opens": (
        "i.sh", FETCHED.format(header='-H "Authorization: bearer $T" '),
        "shell-download-run", "medium",
    ),
    "an installer, as its vendor has it": (
        "i.sh", "curl -LsSf https://astral.sh/uv/install.sh | sh\n",
        "shell-pipe-to-shell", "medium",
    ),
    "the same in an image, of a tag": (
        "Dockerfile",
        "FROM a:1\nENV NVM_VERSION=0.40.3\nRUN curl -o- "
        "https://raw.githubusercontent.com/nvm-sh/nvm/v${NVM_VERSION}/install.sh | bash\n",
        "shell-pipe-to-shell", "medium",
    ),
    "the same in PowerShell": (
        "i.ps1", "(iwr -Uri https://install.python-poetry.org -UseBasicParsing).Content | iex\n",
        "shell-pipe-to-shell", "medium",
    ),
    "the same, put into a command": (
        "i.sh", 'sh -c "$(curl -fsSL https://raw.githubusercontent.com/ohmyzsh/ohmyzsh/master/'
        'tools/install.sh)" "" --unattended\n', "shell-pipe-to-shell", "medium",
    ),
    "a fixed version of a stranger's": (
        "i.sh", "curl -L https://github.com/a/b/releases/download/v1.2.3/i.sh | sh\n",
        "shell-pipe-to-shell", "medium",
    ),
    "the newest of a stranger's": (
        "i.sh", "curl -L https://github.com/a/b/releases/latest/download/i.sh | sh\n",
        "shell-pipe-to-shell", "high",
    ),
    "an installer without the certificate": (
        "i.sh", "curl -LsSfk https://astral.sh/uv/install.sh | sh\n",
        "shell-pipe-to-shell", "high",
    ),
    "an installer over plain HTTP": (
        "i.sh", "curl -L http://astral.sh/uv/install.sh | sh\n", "shell-pipe-to-shell", "high",
    ),
    "a host that begins as a vendor's": (
        "i.sh", "curl -L https://astral.sh.shop.net/install.sh | sh\n",
        "shell-pipe-to-shell", "high",
    ),
    "a vendor's beside another": (
        "i.sh", "curl -L https://astral.sh/uv/install.sh https://a.net/i | sh\n",
        "shell-pipe-to-shell", "high",
    ),
    "an address in a variable": (
        "i.sh", "curl -LsSf $URL | sh\n", "shell-pipe-to-shell", "high",
    ),
    "a page of anybody's on a vendor's host": (
        "i.sh", "curl -L https://huggingface.co/a/b/resolve/main/i.sh | sh\n",
        "shell-pipe-to-shell", "high",
    ),
    "a file of a vendor's": (
        "i.sh", "wget https://bootstrap.pypa.io/get-pip.py\npython3 get-pip.py\n",
        "shell-download-run", "medium",
    ),
    "dashboards for anybody": (
        "compose.yaml", GRAFANA.format("GF_AUTH_ANONYMOUS_ENABLED: 'true'"),
        "env-dashboards-open", "medium",
    ),
    "all of Grafana for anybody": (
        "compose.yaml", GRAFANA.format("GF_AUTH_ANONYMOUS_ORG_ROLE: Admin"), "env-auth-off", "high",
    ),
    "a key for a server that asks for none": (
        FLOW, f"on: push\n{JOB}    env: {{OPENAI_API_KEY: sk-empty}}\n    steps: []\n",
        "env-secret", "",
    ),
    "a password of a service of the job": (
        FLOW, f"on: push\n{JOB}    env: {{DB_PASSWORD: hunter2-winter}}\n    steps: []\n",
        "env-secret", "medium",
    ),
    "a password of a database that stays": (
        "compose.yaml", "services:\n  d:\n    image: a:1\n    environment:\n"
        "      DB_PASSWORD: hunter2-winter\n", "env-secret", "high",
    ),
    "a secret that says what it stands for": (
        "compose.yaml", "services:\n  d:\n    image: a:1\n    environment:\n"
        "      OIDC_CLIENT_SECRET: shop-client-secret-abc-123\n", "env-secret", "medium",
    ),
    "the same in Kubernetes": (
        "s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n"
        "  OIDC_CLIENT_SECRET: shop-client-secret-abc-123\n", "k8s-literal-secret", "medium",
    ),
    "a secret that says that it is for development": (
        "compose.yaml", "services:\n  d:\n    image: a:1\n    environment:\n"
        "      APP_SECRET: hunter2-for-development-only\n", "env-secret", "",
    ),
    "a key that names a project to the web": (
        "compose.yaml", "services:\n  d:\n    image: a:1\n    environment:\n"
        f"      NEXT_PUBLIC_FIREBASE_API_KEY: {WEB_KEY}\n", "env-secret", "",
    ),
    "the same form elsewhere": (
        "compose.yaml", "services:\n  d:\n    image: a:1\n    environment:\n"
        f"      GEMINI_API_KEY: {WEB_KEY}\n", "env-secret", "high",
    ),
    "a key of one's own server": (
        FLOW, f"on: push\n{JOB}    env: {{SHOP_API_KEY: hunter2-winter}}\n    steps: []\n",
        "env-secret", "high",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_high_is_what_the_file_shows(tmp_path: Path, case: str) -> None:
    file, text, rule, severity = CASES[case]
    told = [one for one in found(tmp_path, Example(file, text)) if one.rule == rule]
    assert [one.severity for one in told] == ([severity] if severity else [])
    if severity == "medium" and rule != "env-dashboards-open":
        assert told[0].message.endswith(").")
