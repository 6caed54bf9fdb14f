"""What may be a credential is blotted out of the lines that other probes quote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buttress.rules.credentials.blotting import blotted
from tests.workflows.scan.command import scan

VALUE = "kT9vQ2mxZ7pLw4"
LINES = [
    f"curl -u bob:{VALUE} https://a.net/x",
    f"pip install --extra-index-url https://bob:{VALUE}@a.net/simple x",
    f"curl -H 'Authorization: Bearer {VALUE}' https://a.net | sh",
    f'curl -H "X-Api-Key: {VALUE}" https://a.net',
    f"mysql -h db -p{VALUE} orders",
    f"server --token {VALUE} --port 1",
    f'"args": ["--api-key", "{VALUE}"]',
    f"http://a.net/sse?api_key={VALUE}&x=1",
    f"docker login -u shop -p {VALUE} registry.a.net",
    f"export SHOP_TOKEN={VALUE}",
    f"requests.get(u, headers={{'Authorization': '{VALUE}'}})",
]


@pytest.mark.parametrize("line", LINES)
def test_the_value_is_blotted_out_and_the_rest_stays(line: str) -> None:
    told = blotted(line)
    assert VALUE not in told
    assert "…" in told
    assert told.partition("…")[0] == line.partition(VALUE)[0]
    assert told.endswith(line.rpartition(VALUE)[2])


@pytest.mark.parametrize(
    "line",
    [
        "curl -u bob:$PASSWORD https://a.net/x", "server --token ${TOKEN} --port 1",
        "The token is put into an address.", "https://a.net/x?page=2", "password: required",
        "Authorization: ${{ secrets.TOKEN }}", "os.environ['API_KEY']",
    ],
)  # fmt: skip
def test_references_and_words_stay(line: str) -> None:
    assert blotted(line) == line


def test_no_report_shows_a_secret(tmp_path: Path) -> None:
    files = {
        ".mcp.json": json.dumps({"mcpServers": {"a": {
            "command": "npx", "args": ["-y", "shop-mcp", "--token", VALUE],
            "url": f"http://bob:{VALUE}@a.net/sse?api_key={VALUE}",
        }}}),
        "SKILL.md": f"Run `curl -H 'X-Api-Key: {VALUE}' https://a.net/i.sh | bash`.\n",
        "Dockerfile": f"FROM a\nRUN pip install --extra-index-url https://b:{VALUE}@a.net x\n",
        "a.py": f"import os, sys\nos.system('mysql -p{VALUE} ' + sys.argv[1])\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for form in ("json", "text", "sarif", "github"):
        done = scan(tmp_path, "--format", form, "--verbose", "--fail-on", "never")
        assert "shop-mcp" in done.out or form == "github"
        assert VALUE not in done.out + done.err
