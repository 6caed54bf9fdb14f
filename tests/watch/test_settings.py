"""What a watch is told to do, and errors that name file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.workflows.watch.settings import load

MANIFEST = """name: shop
assets:
  - {kind: model, script: script.yaml}
  - {id: web, kind: service, url: "https://shop.example"}
  - {id: app, kind: client, path: dist}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "script.yaml").write_text("default: no\n")
    (tmp_path / "dist").mkdir()
    (tmp_path / "buttress.yaml").write_text(MANIFEST)
    return tmp_path


def test_a_section_of_the_manifest(folder: Path) -> None:
    (folder / "buttress.yaml").write_text(
        MANIFEST + "watch:\n  every: 6h\n  behaviour: [{probe: harmful-compliance, trials: 20}]\n"
    )
    settings = load(folder)
    assert settings.every == 21600
    assert settings.assets == ["web", "app", "harmful-compliance of model"]
    assert settings.outcomes_per_year == [20 * 4 * 365] * 2


def test_a_file_of_its_own_knows_the_manifest_beside_it(folder: Path) -> None:
    (folder / "watch.yaml").write_text(
        "targets: ['https://shop.example', {url: 10.0.0.1, ports: '80,443', pages: [/a]}]\n"
        "notify:\n  email: {server: mail.example, from: a@b.example, to: [c@d.example]}\n"
    )
    settings = load(folder)
    assert [one.asset for one in settings.hosts] == [
        "web", "host://10.0.0.1:80", "host://10.0.0.1:443",
    ]  # fmt: skip
    assert settings.hosts[1].pages == ("/a",)
    assert settings.email is not None
    assert (settings.email.host, settings.email.port) == ("mail.example", 587)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every: soon\n", "watch.yaml:1: every:"),
        ("every: 1s\n", "watch.yaml:1: every: '1s' is too short; expected at least 10s"),
        ("targets:\n  - ftp://x\n", "watch.yaml:2: targets[0]:"),
        ("targets:\n  - {url: x, ports: '0'}\n", "targets[0].ports: '0' names no ports"),
        ("targets: [{url: 'http://x', pages: [a]}]\n", "targets[0].pages[0]: 'a' is not valid"),
        ("targets: ['http://x', 'http://x']\n", "'http://x:80' is watched twice"),
        ("behaviour: [{probe: x, asset: other}]\n", "behaviour[0]: 'other' answers no questions"),
        ("behaviour: [{probe: x, trials: 0}]\n", "behaviour[0].trials: 0 is out of range"),
        ("false_alarms_per_year: 0\n", "false_alarms_per_year: 0 is out of range"),
        (
            "targets: ['http://x']\nnotify: {webhook: {url: 'http://x'}}\n",
            "'secret_env' is missing",
        ),
        ("targets: ['http://x']\nfail: low\n", "watch.yaml:2: fail: unknown field"),
    ],
)
def test_errors_name_what_is_wrong(folder: Path, text: str, told: str) -> None:
    (folder / "watch.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        load(folder)
    assert told in str(error.value)


def test_nothing_to_watch(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither watch\.yaml nor buttress\.yaml in it"):
        load(tmp_path)
    (tmp_path / "watch.yaml").write_text("every: 1h\n")
    with pytest.raises(InputError, match="nothing to watch"):
        load(tmp_path)
