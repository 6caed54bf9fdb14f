"""Files of dependencies as strangers write them: the gravest finding of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.dependencies.probe import PROBE
from buttress.protocols.inspection import InspectionContext

URL = "https://files.a.io/packages/ultralytics-8.3.41-py3-none-any.whl"


def gravest(folder: Path) -> str:
    found = [
        one
        for one in PROBE.inspect(InspectionContext.at("app", folder))
        if isinstance(one, Finding) and one.rule in ("malicious-package", "lookalike-name")
    ]
    return max((one.severity for one in found), key=SEVERITIES.index, default="")


def package(**fields: object) -> str:
    return json.dumps({"name": "shop", "version": "1.0.0", **fields}, indent=1)


@pytest.mark.parametrize(
    ("name", "text", "severity"),
    [
        # a version by PEP 440, a build of it, and the file name of a wheel
        ("requirements.txt", "ultralytics==v8.3.41.0\n", "critical"),
        ("requirements.txt", "ultralytics==8.3.41+cu118\n", "critical"),
        ("requirements.txt", "ultralytics==8.3.43+cu118\n", ""),
        ("requirements.txt", f"ultralytics @ {URL}#sha256=0\n", "critical"),
        ("requirements.txt", f"{URL}\n", "critical"),
        ("requirements.txt", f"{URL.replace('.41', '.43')}\n", ""),
        ("reqs-dev.txt", "litellm==1.82.7\n", "critical"),
        ("Requirements.txt", "litellm==1.82.7\n", "critical"),
        ("requirements.txt", "reqυests==2.0\n", "high"),
        ("requirements.txt", "# ünïcode\nrequests==2.0\n", ""),
        # commands that fetch and run at once
        ("a.sh", "npx -y postmark-mcp@1.0.16\n", "critical"),
        ("a.sh", "npx --package=postmark-mcp run\n", "critical"),
        ("a.sh", "bunx postmark-mcp\n", "critical"),
        ("a.sh", "pnpm dlx postmark-mcp\n", "critical"),
        ("a.sh", "bun add postmark-mcp\n", "critical"),
        ("a.sh", "uvx ultralytics@8.3.41 train\n", "critical"),
        ("a.sh", "uvx --from ultralytics==8.3.41 yolo\n", "critical"),
        ("a.sh", "uv run --with ultralytics==8.3.41 a.py\n", "critical"),
        ("a.sh", "uv run ultralytics a.py\n", ""),
        ("a.sh", "poetry add ultralytics==8.3.41\n", "critical"),
        ("a.sh", "npx tsc && npx eslint postmark-mcp\n", ""),
        ("a.sh", "echo 'never run npx postmark-mcp'\n", ""),
        ("Dockerfile", "FROM a:1\nARG V=8.3.41\nRUN pip install ultralytics==$V\n", "critical"),
        ("Dockerfile", "FROM a:1\nARG V=8.3.43\nRUN pip install ultralytics==${V}\n", ""),
        ("tox.ini", "[testenv]\ncommands_pre = pip install ultralytics==8.3.41\n", "critical"),
        # sessions of nox, pixi, and scripts that name their interpreter and have no ending
        (
            "noxfile.py",
            "def t(session):\n    session.install('-e', '.', 'litellm==1.82.7')\n",
            "critical",
        ),
        ("noxfile.py", "def t(session):\n    session.install('litellm==1.83.0')\n", ""),
        ("pixi.toml", "[pypi-dependencies]\nlitellm = '==1.82.7'\n", "critical"),
        (
            "pixi.toml",
            "[feature.a.pypi-dependencies]\nlitellm = {version = '==1.82.7'}\n",
            "critical",
        ),
        ("pixi.toml", "[pypi-dependencies]\nlitellm = '==1.83.0'\n", ""),
        (
            "run",
            "#!/usr/bin/env -S uv run --script\n# /// script\n"
            "# dependencies = ['litellm==1.82.7']\n# ///\n",
            "critical",
        ),
        ("notes", "# /// script\n# dependencies = ['litellm==1.82.7']\n# ///\n", ""),
        # what npm, pnpm and Yarn force
        ("package.json", package(overrides={"a": {"chalk": "5.6.1"}}), "critical"),
        ("package.json", package(overrides={"chalk@^5": "5.6.1"}), "critical"),
        ("package.json", package(resolutions={"**/@ctrl/tinycolor": "4.1.1"}), "critical"),
        ("package.json", package(pnpm={"overrides": {"a>axios": "1.14.1"}}), "critical"),
        ("package.json", package(overrides={"chalk": "5.6.2", "a": "$a"}), ""),
        ("requirements.txt", "djangoo==4.0\n", "medium"),
        ("requirements.txt", "django==5.0\ndjongo==1.3\npyaml==24.0\n", ""),
    ],
)
def test_what_is_found(tmp_path: Path, name: str, text: str, severity: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert gravest(tmp_path) == severity


@pytest.mark.parametrize(
    "root",
    [package(workspaces=["packages/*"]), package(workspaces={"packages": ["packages/*"]}), ""],
)
def test_members_of_a_workspace_imitate_nobody(tmp_path: Path, root: str) -> None:
    needs = json.dumps({"name": "app", "dependencies": {"opnai": "*"}})
    for name, text in {
        "package.json": root or package(),
        "pnpm-workspace.yaml": "" if root else "packages: ['packages/*']\n",
        "packages/app/package.json": needs,
        "packages/opnai/package.json": json.dumps({"name": "opnai"}),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text)
    assert gravest(tmp_path) == ""
    (tmp_path / "packages/opnai/package.json").unlink()
    assert gravest(tmp_path) == "medium"
