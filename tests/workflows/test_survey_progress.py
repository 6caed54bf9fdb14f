"""A survey that was cut off goes on: hosts that are done are not asked again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.live.limits import Limits
from buttress.live.survey import HostResult
from buttress.workflows.survey import Surveyor, SurveySettings
from buttress.workflows.survey_progress import FILE_NAME, SurveyProgress, settings_digest
from tests.cli.test_survey import OPEN, web


def surveyor(*ports: int, active: bool = False) -> Surveyor:
    return Surveyor(
        SurveySettings(
            targets=[f"127.0.0.1:{port}" for port in ports],
            active=active,
            limits=Limits(timeout_s=5.0),
            suppress=False,
        )
    )


class _CutOffError(Exception):
    pass


def cut_off(monkeypatch: pytest.MonkeyPatch, out: Path, *ports: int) -> None:
    """A survey that ends like a kill when the second host is done."""
    kept = SurveyProgress.add
    count = 0

    def add(self: SurveyProgress, host: HostResult) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise _CutOffError
        kept(self, host)

    with monkeypatch.context() as patch:
        patch.setattr(SurveyProgress, "add", add)
        with pytest.raises(BaseExceptionGroup):
            surveyor(*ports).run(out)


def test_hosts_that_are_done_are_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web(OPEN) as (first, one), web(OPEN) as (second, other):
        whole = surveyor(one, other).run()
        cut_off(monkeypatch, tmp_path, one, other)
        lines = (tmp_path / FILE_NAME).read_bytes()
        assert lines.count(b"\n") == 2
        (tmp_path / FILE_NAME).write_bytes(lines + b'{"endpoint": {"host"')  # a line cut off
        done = json.loads(lines.splitlines()[1])["endpoint"]["port"]
        before = {one: len(first.seen), other: len(second.seen)}
        result = surveyor(one, other).run(tmp_path, resume=True)
        after = {one: len(first.seen), other: len(second.seen)}
    assert result.id == json.loads(lines.splitlines()[0])["id"]
    assert after[done] == before[done]
    (rest,) = {one, other} - {done}
    assert after[rest] > before[rest]
    assert not (tmp_path / FILE_NAME).exists()
    found = [[(o.rule, o.location) for o in host.findings] for host in result.hosts]
    assert found == [[(o.rule, o.location) for o in host.findings] for host in whole.hosts]
    assert len(result.document()["hosts"]) == 2
    sent = [[(s.request.method, s.url) for s in host.sent] for host in result.hosts]
    assert sent == [[(s.request.method, s.url) for s in host.sent] for host in whole.hosts]


def test_other_options_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web(OPEN) as (_, one), web(OPEN) as (_, other):
        cut_off(monkeypatch, tmp_path, one, other)
    with pytest.raises(InputError, match="other options"):
        surveyor(one, other, active=True).run(tmp_path, resume=True)


@pytest.mark.parametrize("content", [None, b"", b"x\n", b'{"id": 1}\n'])
def test_nothing_to_go_on_with_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(InputError, match="--resume"):
        surveyor(9).run(tmp_path, resume=True)


def test_a_host_is_read_again_as_it_was(tmp_path: Path) -> None:
    with web(OPEN) as (_, port):
        made = surveyor(port)
        (host,) = made.run().hosts
    digest = settings_digest(made.probes, made.context, made.endpoints, made.settings.limits)
    progress = SurveyProgress.begin(tmp_path, digest, "abc", 1.0)
    progress.add(host)
    progress.close()
    resumed = SurveyProgress.resume(tmp_path, digest)
    resumed.close()
    (again,) = resumed.hosts
    assert again.findings == host.findings
    assert again.observations == host.observations
    assert [one.url for one in again.sent] == [one.url for one in host.sent]
    assert again.endpoint == host.endpoint


def test_other_hosts_or_limits_are_another_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web(OPEN) as (_, one), web(OPEN) as (_, other):
        cut_off(monkeypatch, tmp_path, one, other)
        kept = (tmp_path / FILE_NAME).read_bytes()
        for made in (
            surveyor(other),
            Surveyor(replace(surveyor(one, other).settings, limits=Limits(timeout_s=3.0))),
        ):
            with pytest.raises(InputError, match="other options"):
                made.run(tmp_path, resume=True)
            assert (tmp_path / FILE_NAME).read_bytes() == kept
        result = surveyor(one, other).run(tmp_path, resume=True)
    assert any("it was cut off" in note for note in result.notes)
