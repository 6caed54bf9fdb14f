"""High is what the file shows; where a part of it is not shown, it is medium and says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.rules.rule import Example
from tests.probes.deployment.test_rules import found

GATE = (
    "on: {on}\njobs:\n  {gate}:\n    runs-on: x\n"
    "    outputs: {{ok: '${{{{ steps.a.outputs.ok }}}}'}}\n"
    "    steps:\n      - id: a\n        {asks}\n  a:\n    runs-on: x\n    needs: {gate}\n"
    "    if: needs.{gate}.outputs.ok == 'true'\n    steps:\n"
)
HEAD = (
    "      - uses: actions/checkout@v4\n"
    "        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n      - run: make\n"
)
OWN_SCRIPT = "run: echo ok=$(python ask.py) >> $GITHUB_OUTPUT"
SERVICE = (
    "services:\n  {name}:\n    image: {image}\n    ports: ['{ports}']\n    environment:\n"
    "      SHOP_USER: shopkeeper\n      {variable}\n"
)
OUTPUT = (
    "on: issue_comment\njobs:\n  a:\n    runs-on: x\n    steps:\n      - id: s\n"
    "        env: {{B: '${{{{ github.event.comment.body }}}}'}}\n        run: |\n          {}\n"
    '          echo "name=$B" >> $GITHUB_OUTPUT\n'
    "      - run: mkdir ${{{{ steps.s.outputs.name }}}}\n"
)
MOUNTS = "services:\n  a:\n    image: a:1\n    volumes: ['{}']\n"
CLONES = "{}git clone https://oauth2:${{TOKEN}}@git.shop.net/models.git\n"
PUSHED = "services:\n  r:\n    image: redis:7\n    {}ports: ['6379:6379']\n"
TAKEN = (
    "services:\n  s:\n    image: {}\n    {}volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n"
)
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  initContainers:\n  - name: a\n"
    "    image: a:1\n    command: [sh, -c, '{}']\n    securityContext: {{privileged: true}}\n"
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  {}\n    {}\n    {}\n"
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
GRAFANA = (
    "services:\n  g:\n    image: grafana/grafana:11.1.0\n    ports: ['{}3000:3000']\n"
    "    environment:\n      {}\n"
)
SOCKET = "docker run -v /var/run/docker.sock:/var/run/docker.sock a:1"
WEB_KEY = "AIza" + "SyB7dQ2kX9vLm4TzRw1NpYc8HfUeJ3gKa6s"
FLOW = ".github/workflows/a.yml"

# Steps of a run that a stranger starts with an issue; and of one that follows theirs.
ISSUE = "on: issues\npermissions: {{contents: write, issues: write}}\n" + JOB + "    steps:\n{}"
TRIAGE = ISSUE.replace("contents: write, ", "")
WITH_TITLE = "      - env: {{T: '${{{{ github.event.issue.title }}}}'}}\n        run: {}\n"
SCRIPT = (
    "      - uses: actions/github-script@v7\n        with:\n          script: |\n            {}\n"
)
MODULE = "const {execSync, exec} = require('child_process');\n            "
GEMINI = (
    "      - uses: google-github-actions/run-gemini-cli@v0\n"
    "        env: {{T: '${{{{ github.event.issue.title }}}}'}}\n        with:\n"
    '          settings: \'{{"tools": {{"core": ["{}"]}}}}\'\n          prompt: {}\n'
)
ASKED = (
    "      - id: s\n        run: |\n          {}\n      - run: echo ${{{{ steps.s.outputs.t }}}}\n"
)
AFTER = "on: {{workflow_run: {{workflows: [ci]}}}}\n" + JOB + "{}    steps:\n      - run: {}\n"
AGENT = (
    "      - {}\n      - uses: anthropics/claude-code-base-action@v0\n"
    "        with: {{prompt_file: /tmp/p.txt, allowed_tools: 'Bash,Edit'}}\n"
)
FROM_STRANGERS = "github.event.workflow_run.event == 'pull_request'"

CASES = {
    "a value that holders of a token send": (
        FLOW, f"on: repository_dispatch\n{JOB}    steps:\n"
        "      - run: echo ${{ github.event.client_payload.ref }}\n",
        "gha-script-injection", "",
    ),
    "the same as an input": (
        FLOW, f"on: repository_dispatch\n{JOB}    steps:\n"
        "      - run: echo ${{ github.event.client_payload.ref }}\n",
        "gha-input-injection", "low",
    ),
    "a stranger's text that such a holder hands on": (
        FLOW, f"on: repository_dispatch\n{JOB}    steps:\n"
        "      - run: echo ${{ github.event.client_payload.github.payload.comment.body }}\n",
        "gha-script-injection", "medium",
    ),
    "a title in a command of Node": (
        FLOW, ISSUE.format(SCRIPT.format(
            MODULE + 'execSync(`git tag "${context.payload.issue.title}"`)')),
        "gha-evaluated-text", "high",
    ),
    "a title that a variable holds": (
        FLOW, ISSUE.format(SCRIPT.format(
            MODULE + "const t = context.payload.issue?.title ?? '';\n"
            "            exec('tag ' + t)")),
        "gha-evaluated-text", "high",
    ),
    "a title in a message about evaluations": (
        FLOW, ISSUE.format(WITH_TITLE.format('echo "unknown eval level $T"')),
        "gha-evaluated-text", "",
    ),
    "a title of which digits are taken": (
        FLOW, ISSUE.format(ASKED.format(
            "T=$(gh issue view 1 --json title -q .title | grep -oE '[0-9]+')\n"
            '          echo "t=$T" >> $GITHUB_OUTPUT')),
        "gha-indirect-injection", "",
    ),
    "a title in words without a shell": (
        FLOW, ISSUE.format(SCRIPT.format("await exec.exec(`tag ${context.payload.issue.title}`)")),
        "gha-evaluated-text", "medium",
    ),
    "a title as an argument": (
        FLOW, ISSUE.format(SCRIPT.format(
            MODULE + "await exec.exec('tag', [context.payload.issue.title]);"
            " /a/.exec(context.payload.issue.title)")),
        "gha-evaluated-text", "",
    ),
    "a title as a folder of programs": (
        FLOW, ISSUE.format(WITH_TITLE.format('echo "$T" >> $GITHUB_PATH')),
        "gha-environment-injection", "high",
    ),
    "a title as a whole line of the environment": (
        FLOW, ISSUE.format(WITH_TITLE.format('echo "$T" | tee -a "$GITHUB_ENV"')),
        "gha-environment-injection", "high",
    ),
    "a title as one variable of the environment": (
        FLOW, ISSUE.format(WITH_TITLE.format('echo "N=$T" >> "$GITHUB_ENV"')),
        "gha-environment-injection", "",
    ),
    "a body between fixed marks": (
        FLOW, ISSUE.format(
            "      - env: {B: '${{ github.event.issue.body }}'}\n        run: |\n          {\n"
            "            echo 'B<<EOF'\n            echo \"$B\"\n            echo EOF\n"
            "          } >> $GITHUB_ENV\n"),
        "gha-environment-injection", "high",
    ),
    "a file of a stranger's artifact": (
        FLOW, AFTER.format(
            f"    if: {FROM_STRANGERS}\n", "gh run download 1 && cat a >> $GITHUB_ENV"),
        "gha-environment-injection", "high",
    ),
    "a file of an artifact of whoever": (
        FLOW, AFTER.format("", "gh run download 1 && cat a >> $GITHUB_ENV"),
        "gha-environment-injection", "medium",
    ),
    "a file of one's own": (
        FLOW, AFTER.format("", "cat versions.env >> $GITHUB_ENV"), "gha-environment-injection", "",
    ),
    "a title in a list of the matrix": (
        FLOW, f"on: issues\n{JOB}    strategy:\n      matrix:\n"
        "        t: ['${{ github.event.issue.title }}']\n"
        "    steps:\n      - run: echo ${{ matrix.t }}\n", "gha-indirect-injection", "high",
    ),
    "a title among what the matrix includes": (
        FLOW, f"on: issues\n{JOB}    strategy:\n      matrix:\n"
        "        include: [{t: '${{ github.event.issue.title }}'}]\n"
        "    steps:\n      - run: echo ${{ matrix.t }}\n", "gha-indirect-injection", "high",
    ),
    "a title that a step asks for": (
        FLOW, ISSUE.format(ASKED.format(
            "T=$(gh issue view 1 --json title -q .title)\n"
            '          echo "t=$T" >> $GITHUB_OUTPUT')),
        "gha-indirect-injection", "high",
    ),
    "a title that members ask for": (
        FLOW, f"on: workflow_dispatch\n{JOB}    steps:\n" + ASKED.format(
            'echo "t=$(gh pr view 1 --json title -q .title)" >> $GITHUB_OUTPUT'),
        "gha-indirect-injection", "medium",
    ),
    "a number that a step asks for": (
        FLOW, ISSUE.format(ASKED.format(
            'echo "t=$(gh pr view 1 --json number -q .number)" >> $GITHUB_OUTPUT')),
        "gha-indirect-injection", "",
    ),
    "an agent that may write where strangers read": (
        FLOW, TRIAGE.format(GEMINI.format("run_shell_command(gh issue edit)", "Sort \"${T}\"")),
        "gha-agent-injection", "high",
    ),
    "an agent with a harmless command": (
        FLOW, TRIAGE.format(GEMINI.format("run_shell_command(echo)", "Sort ${{ env.T }}")),
        "gha-agent-injection", "medium",
    ),
    "an agent that reads alone": (
        FLOW, TRIAGE.format(GEMINI.format("read_file", "Sort ${T}")), "gha-agent-injection", "",
    ),
    "a prompt that a step before writes": (
        FLOW, ISSUE.format(AGENT.format(
            "env: {B: '${{ github.event.issue.body }}'}\n"
            '        run: echo "Sort $B" > /tmp/p.txt')),
        "gha-agent-injection", "high",
    ),
    "a prompt that a step before asks for": (
        FLOW, ISSUE.format(AGENT.format("run: gh issue view 1 > /tmp/p.txt")),
        "gha-agent-injection", "high",
    ),
    "a prompt of one's own": (
        FLOW, ISSUE.format(AGENT.format("run: cp prompts/sort.txt /tmp/p.txt")),
        "gha-agent-injection", "",
    ),
    "an agent as a module of Python": (
        FLOW, ISSUE.format(WITH_TITLE.format('python -m openhands.core.main -t "$T"')),
        "gha-agent-injection", "high",
    ),
    "the message of a commit in Azure": (
        "azure-pipelines.yml", "steps:\n- script: echo $(Build.SourceVersionMessage)\n",
        "azure-script-injection", "high",
    ),
    "the name of a branch in Azure": (
        "azure-pipelines.yml", "steps:\n- bash: git tag $(System.PullRequest.SourceBranch)\n",
        "azure-script-injection", "medium",
    ),
    "a variable in Azure": (
        "azure-pipelines.yml", "steps:\n- bash: echo \"$M\"\n"
        "  env: {M: $(Build.SourceVersionMessage)}\n",
        "azure-script-injection", "",
    ),
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
        "compose.yaml", GRAFANA.format("", "GF_AUTH_ANONYMOUS_ENABLED: 'true'"),
        "env-dashboards-open", "medium",
    ),
    "all of Grafana for anybody": (
        "compose.yaml", GRAFANA.format("", "GF_AUTH_ANONYMOUS_ORG_ROLE: Admin"),
        "env-auth-off", "high",
    ),
    "the same, of this machine alone": (
        "compose.yaml", GRAFANA.format("127.0.0.1:", "GF_AUTH_ANONYMOUS_ORG_ROLE: Admin"),
        "env-auth-off", "medium",
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
    "code that a job before lets in": (
        FLOW, GATE.format(on="pull_request_target", gate="trusted", asks=OWN_SCRIPT) + HEAD,
        "gha-head-limited", "medium",
    ),
    "code where a job before looks which files are changed": (
        FLOW,
        GATE.format(on="pull_request_target", gate="changes", asks="uses: dorny/paths-filter@v3")
        + HEAD, "gha-head-checkout", "critical",
    ),
    "a text that a job before lets in": (
        FLOW, GATE.format(on="issue_comment", gate="gate", asks=OWN_SCRIPT)
        + "      - run: echo ${{ github.event.comment.body }}\n", "gha-script-injection", "medium",
    ),
    "a comment of members alone": (
        FLOW,
        "on: issue_comment\njobs:\n  a:\n    runs-on: x\n"
        "    if: github.event.comment.author_association == 'MEMBER'\n    steps:\n"
        "      - run: echo ${{ github.event.comment.body }}\n", "gha-script-injection", "medium",
    ),
    "a title, where members comment": (
        FLOW,
        "on: issue_comment\njobs:\n  a:\n    runs-on: x\n"
        "    if: github.event.comment.author_association == 'MEMBER'\n    steps:\n"
        "      - run: echo ${{ github.event.issue.title }}\n", "gha-script-injection", "high",
    ),
    "an output of which the form is checked": (
        FLOW, OUTPUT.format('case "$B" in *[!a-z0-9-]*) exit 1;; esac'),
        "gha-indirect-injection", "medium",
    ),
    "an output as it is": (FLOW, OUTPUT.format("true"), "gha-indirect-injection", "high"),
    "a branch of the same name at home": (
        FLOW,
        f"on: pull_request_target\n{JOB}    steps:\n      - uses: actions/checkout@v4\n"
        "        with: {ref: '${{ github.head_ref }}'}\n      - run: make\n",
        "gha-head-limited", "medium",
    ),
    "a branch of the fork": (
        FLOW,
        f"on: pull_request_target\n{JOB}    steps:\n      - uses: actions/checkout@v4\n"
        "        with: {ref: '${{ github.head_ref }}', repository: "
        "'${{ github.event.pull_request.head.repo.full_name }}'}\n      - run: make\n",
        "gha-head-checkout", "critical",
    ),
    "a default of a database that others reach": (
        "compose.yaml",
        SERVICE.format(name="db", image="postgres:16", ports="5432:5432",
                       variable="POSTGRES_PASSWORD: shopkeeper"), "env-secret", "high",
    ),
    "the same, with a port that can be chosen": (
        "compose.yaml",
        SERVICE.format(name="db", image="postgres:16", ports="${PORT:-5432}:5432",
                       variable="POSTGRES_PASSWORD: ${PW:-shopkeeper}"), "env-secret", "high",
    ),
    "the same on this machine": (
        "compose.yaml",
        SERVICE.format(name="db", image="postgres:16", ports="127.0.0.1:5432:5432",
                       variable="POSTGRES_PASSWORD: shopkeeper"), "env-secret", "medium",
    ),
    "the same of developers": (
        "docker-compose.e2e.yml",
        SERVICE.format(name="db", image="postgres:16", ports="5432:5432",
                       variable="POSTGRES_PASSWORD: shopkeeper"), "env-secret", "medium",
    ),
    "the same, as its first words say": (
        "compose.yaml",
        "# Services for local development\n" + SERVICE.format(
            name="db", image="postgres:16", ports="5432:5432",
            variable="POSTGRES_PASSWORD: shopkeeper",
        ), "env-secret", "medium",
    ),
    "a default that opens another service": (
        "compose.yaml",
        SERVICE.format(name="web", image="a:1", ports="80:80", variable="DB_PASSWORD: shopkeeper"),
        "env-secret", "medium",
    ),
    "a key that was given out, of developers": (
        "docker-compose.dev.yml",
        SERVICE.format(name="web", image="a:1", ports="80:80",
                       variable=f"SHOP_API_KEY: {'q7Rt2Wx9Lm4Kp8Zv' + 'B3nY6'}"),
        "env-secret", "high",
    ),
    "a default in an image": (
        "Dockerfile", "FROM a:1\nENV DB_USER=shopper DB_PASSWORD=shopper-admin-7\n",
        "env-secret", "medium",
    ),
    "a default of an address": (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    env:\n"
        "    - {name: DB_URL, value: 'postgresql://shop:shop123@shop-db:5432/shop'}\n",
        "env-secret", "medium",
    ),
    "a secret of the cluster that is a default": (
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: shopkeeper}\nstringData:\n"
        "  DB_PASSWORD: shopkeeper1\n",
        "k8s-literal-secret", "medium",
    ),
    "a word for what no provider gives": (
        "compose.yaml",
        SERVICE.format(name="web", image="a:1", ports="80:80",
                       variable="OPENAI_API_KEY: e2e-deny-real-calls-here"), "env-secret", "",
    ),
    "credentials of a service of the runner": (
        FLOW,
        f"on: push\n{JOB}    env: {{AWS_SECRET_ACCESS_KEY: hunter2-winter, "
        "AWS_ENDPOINT_URL: 'http://localhost:9000'}\n    steps: []\n", "env-secret", "medium",
    ),
    "a server for all": ("compose.yaml", PUSHED.format(""), "compose-public-port", "high"),
    "a server of tests": (
        "docker-compose.test.yml", PUSHED.format(""), "compose-public-port", "medium",
    ),
    "a server of a container for developers": (
        ".devcontainer/compose.yaml", PUSHED.format(""), "compose-public-port", "medium",
    ),
    "a server of a profile for developers": (
        "compose.yaml", PUSHED.format("profiles: [web-dev, ci]\n    "),
        "compose-public-port", "medium",
    ),
    "a server beside a catcher of mail": (
        "compose.yaml", PUSHED.format("") + "  m:\n    image: axllent/mailpit:v1\n",
        "compose-public-port", "medium",
    ),
    "Docker for a service of developers": (
        "docker-compose.dev.yml", TAKEN.format("a:1", ""), "compose-docker-socket", "medium",
    ),
    "the same, and others reach it": (
        "docker-compose.dev.yml", TAKEN.format("a:1", "ports: ['80:80']\n    "),
        "compose-docker-socket", "high",
    ),
    "Docker for a monitor": (
        "compose.yaml", TAKEN.format("gcr.io/cadvisor/cadvisor:v0.49.1", ""),
        "compose-docker-socket", "medium",
    ),
    "a first step that sets a limit of the kernel": (
        "pod.yaml", POD.format("sysctl -w vm.max_map_count=262144"), "k8s-privileged", "medium",
    ),
    "a first step that does more": (
        "pod.yaml", POD.format("sysctl -w vm.max_map_count=262144; ./install"),
        "k8s-privileged", "high",
    ),
    "emulators of processors": (
        "i.sh", "docker run --rm --privileged tonistiigi/binfmt:v9 --install all\n",
        "shell-docker-privileged", "medium",
    ),
    "a container that keeps a confinement away": (
        "i.sh", "docker run --security-opt seccomp=unconfined a:1\n",
        "shell-docker-privileged", "medium",
    ),
    "Docker in a command that is only shown": (
        "i.sh",
        'RUN_IT="docker run \\\n  -v /var/run/docker.sock:/var/run/docker.sock a:1"\n'
        "BODY=$(cat <<EOF\n${RUN_IT}\nEOF\n)\ngh pr edit --body \"$BODY\"\n",
        "shell-docker-socket", "",
    ),
    "the same, and it is run": (
        "i.sh",
        'RUN_IT="docker run \\\n  -v /var/run/docker.sock:/var/run/docker.sock a:1"\n'
        'eval "$RUN_IT"\n',
        "shell-docker-socket", "high",
    ),
    "an own machine, after a merge or by members": (
        FLOW,
        "on: {pull_request: {types: [closed]}, workflow_dispatch: {}}\njobs:\n  a:\n"
        "    runs-on: [self-hosted]\n    if: (github.event_name == 'workflow_dispatch' || "
        "github.event.pull_request.merged == true) && contains(github.ref, 'a')\n"
        "    steps:\n      - run: make\n", "gha-self-hosted", "",
    ),
    "an own machine, after a merge or whenever": (
        FLOW,
        "on: pull_request\njobs:\n  a:\n    runs-on: [self-hosted]\n"
        "    if: github.event.pull_request.merged == true || !cancelled()\n"
        "    steps:\n      - run: make\n", "gha-self-hosted", "high",
    ),
    "an own machine, unless it is merged": (
        FLOW,
        "on: pull_request\njobs:\n  a:\n    runs-on: [self-hosted]\n"
        "    if: github.event.pull_request.merged == false\n"
        "    steps:\n      - run: make\n", "gha-self-hosted", "high",
    ),
    "a role for objects of one operator": (
        "r.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules:\n"
        "- {apiGroups: [shop.example.net], resources: ['*'], verbs: ['*']}\n",
        "k8s-wildcard-role", "medium",
    ),
    "a role for all objects": (
        "r.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules:\n"
        "- {apiGroups: [''], resources: ['*'], verbs: ['*']}\n",
        "k8s-wildcard-role", "high",
    ),
    "an agent for anybody with commands that only read": (
        FLOW,
        "on: issues\npermissions: {contents: read}\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        "      - uses: anthropics/claude-code-action@v1\n"
        "        with: {allowed_non_write_users: '*', prompt: Go, "
        "claude_args: '--allowedTools Bash(git log:*),Bash(gh api repos/a/b:*)'}\n",
        "gha-agent-anyone", "",
    ),
    "the same with all of git": (
        FLOW,
        "on: issues\npermissions: {contents: read}\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        "      - uses: anthropics/claude-code-action@v1\n"
        "        with: {allowed_non_write_users: '*', prompt: Go, "
        "claude_args: '--allowedTools Bash(git:*)'}\n",
        "gha-agent-anyone", "high",
    ),
    "a server that asks since its version 8": (
        "compose.yaml", "services:\n  e:\n    image: docker.elastic.co/elasticsearch/"
        "elasticsearch:8.13.2\n    ports: ['9200:9200']\n", "compose-public-port", "",
    ),
    "the same of before": (
        "compose.yaml", "services:\n  e:\n    image: docker.elastic.co/elasticsearch/"
        "elasticsearch:7.17.1\n    ports: ['9200:9200']\n", "compose-public-port", "high",
    ),
    "a default that says the name of its variable": (
        "compose.yaml", "services:\n  a:\n    image: a:1\n    ports: ['80:80']\n    environment:\n"
        "      - ACME_API_KEY=${ACME_API_KEY:-acmeapikey}\n", "env-secret", "",
    ),
    "credentials that a service reads": (
        "compose.yaml", MOUNTS.format("~/.config/gcloud:/given:ro"),
        "compose-host-mount", "medium",
    ),
    "credentials that a service may write": (
        "compose.yaml", MOUNTS.format("~/.config/gcloud:/given"),
        "compose-host-mount", "high",
    ),
    "a service of a sample": (
        "sample-apps/a/compose.yaml", MOUNTS.format("~/.ssh:/given"),
        "compose-host-mount", "medium",
    ),
    "a container for a terminal": (
        "run.sh", "nvidia-docker run -ti --net=host --privileged $IMAGE bash\n",
        "shell-docker-privileged", "medium",
    ),
    "a container that goes on": (
        "run.sh", "docker run -d --privileged $IMAGE\n", "shell-docker-privileged", "high",
    ),
    "an address of an interface": (
        "gen.sh", "openapi-ts -i http://a.shop.net/openapi.json -o src\n",
        "shell-pip-http-index", "",
    ),
    "an index that is not encrypted": (
        "get.sh", "pip install -q -i http://a.shop.net/simple torch\n",
        "shell-pip-http-index", "high",
    ),
    "a job that is switched off": (
        FLOW,
        "on: issues\njobs:\n  a:\n    if: false && github.event.issue.number\n    runs-on: x\n"
        "    steps:\n      - run: echo ${{ github.event.issue.title }}\n",
        "gha-script-injection", "medium",
    ),
    "a server that asks since its version 3": (
        "compose.yaml", "services:\n  e:\n    image: flowiseai/flowise:latest\n"
        "    ports: ['3000:3000']\n", "compose-public-port", "",
    ),
    "a queue of jobs": (
        "compose.yaml", "services:\n  nats:\n    image: nats:2-alpine\n"
        "    ports: ['4222:4222']\n", "compose-public-port", "high",
    ),
    "a queue of jobs with a password": (
        "compose.yaml", "services:\n  nats:\n    image: nats:2-alpine\n"
        "    command: --user a --pass ${P}\n    ports: ['4222:4222']\n",
        "compose-public-port", "",
    ),
    "a server that is told to ask": (
        "compose.yaml", "services:\n  l:\n    image: localai/localai:v3\n"
        "    environment: {LOCALAI_AUTH: 'true'}\n    ports: ['8080:8080']\n",
        "compose-public-port", "",
    ),
    "a token in a layer": (
        "Dockerfile", f"FROM a:1\n{CLONES.format('RUN ')}", "shell-history-secret", "high",
    ),
    "a token of whoever runs a script": (
        "copy.sh", CLONES.format("#!/bin/sh\n"), "shell-history-secret", "medium",
    ),
    "the same of others, who switch it off": (
        "compose.yaml", "services:\n  e:\n    image: bitnami/elasticsearch:8.12.0\n"
        "    ports: ['9200:9200']\n", "compose-public-port", "high",
    ),
    "a certificate in a secret": (
        "s.yaml", SECRET.format("ca.crt: |", "-----BEGIN CERTIFICATE-----", "MIIB0zCCAX2gAwIBAgI"),
        "k8s-literal-secret", "medium",
    ),
    "settings in a secret": (
        "s.yaml", SECRET.format("app.yaml: |", "port: 80", "level: info"),
        "k8s-literal-secret", "medium",
    ),
    "settings with a password in a secret": (
        "s.yaml", SECRET.format("app.yaml: |", "port: 80", "password: q7Rt2-Wx9Lm4Kp8Zv"),
        "k8s-literal-secret", "high",
    ),
    "a default that is written with digits": (
        "Dockerfile", "FROM a:1\nENV ADMIN_PASSWORD=sup3r-s3cr3t-p4ssw0rd\n",
        "env-secret", "medium",
    ),
    "a value that an image is built with": (
        "Dockerfile", "FROM a:1\nARG SESSION_SECRET=needed-at-build-time-only-32-chars\n",
        "env-secret", "medium",
    ),
    "what signs for the run of a pipeline": (
        FLOW,
        f"on: push\n{JOB}    env: {{NEXTAUTH_SECRET: 'q7Rt2Wx9Lm4Kp8ZvB3nY6'}}\n    steps: []\n",
        "env-secret", "medium",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_high_is_what_the_file_shows(tmp_path: Path, case: str) -> None:
    file, text, rule, severity = CASES[case]
    told = [one for one in found(tmp_path, Example(file, text)) if one.rule == rule]
    assert [one.severity for one in told] == ([severity] if severity else [])
    if severity == "medium" and rule not in ("env-dashboards-open", "gha-head-limited"):
        assert told[0].message.endswith(").")
