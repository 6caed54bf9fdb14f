"""A survey that was cut off goes on: hosts that are done are not asked again."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.evidence.store import FILE_NAME as EVIDENCE
from buttress.evidence.store import EvidenceStore
from buttress.live.limits import Limits
from buttress.live.sent import NO_ANSWER_KNOWN
from buttress.live.survey import HostResult
from buttress.workflows.survey import Surveyor
from buttress.workflows.survey_outputs import write
from buttress.workflows.survey_progress import FILE_NAME, SurveyProgress, settings_digest
from buttress.workflows.survey_requests import FILE_NAME as REQUESTS
from buttress.workflows.survey_settings import SurveySettings
from tests.cli.test_survey import OPEN, web
from tests.live.servers import Handler


def surveyor(*ports: int, active: bool = False) -> Surveyor:
    return Surveyor(
        SurveySettings(
            targets=[f"127.0.0.1:{port}" for port in ports],
            active=active,
            limits=Limits(timeout_s=5.0),
            suppress=False,
        )
    )


def logging(paths: list[str], slow: threading.Event) -> Handler:
    """Answers 404 to everything, while ``slow`` after 40 ms; ``paths`` is the server's log."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                paths.append(head.split(b" ")[1].decode())
                await asyncio.sleep(0.04 * slow.is_set())
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return serve


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
        first.seen.clear()
        second.seen.clear()
        cut_off(monkeypatch, tmp_path, one, other)
        lines = (tmp_path / FILE_NAME).read_bytes()
        assert lines.count(b"\n") == 2
        (tmp_path / FILE_NAME).write_bytes(lines + b'{"endpoint": {"host"')  # a line cut off
        done = json.loads(lines.splitlines()[1])["endpoint"]["port"]
        before = {one: len(first.seen), other: len(second.seen)}
        result = surveyor(one, other).run(tmp_path, resume=True)
        write(result, result.document(), tmp_path)
        after = {one: len(first.seen), other: len(second.seen)}
    assert result.id == json.loads(lines.splitlines()[0])["id"]
    assert after[done] == before[done]
    (rest,) = {one, other} - {done}
    assert after[rest] > before[rest]
    assert not (tmp_path / FILE_NAME).exists()
    found = [[(o.rule, o.location) for o in host.findings] for host in result.hosts]
    assert found == [[(o.rule, o.location) for o in host.findings] for host in whole.hosts]
    assert len(result.document()["hosts"]) == 2
    sent = [
        [(s.request.method, s.url) for s in host.sent if s.note != NO_ANSWER_KNOWN]
        for host in result.hosts
    ]
    assert sent == [[(s.request.method, s.url) for s in host.sent] for host in whole.hosts]
    rows = [json.loads(line) for line in (tmp_path / REQUESTS).read_text().splitlines()]
    for server, port in ((first, one), (second, other)):  # all that left is told
        told = [
            (row["method"], row["path"])
            for row in rows
            if row["url"].startswith(f"http://127.0.0.1:{port}/")
        ]
        assert Counter(told) == Counter(server.seen)


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
    progress = SurveyProgress.begin(tmp_path, digest, "abc", 1.0, made.endpoints)
    progress.add(host)
    progress.close()
    resumed = SurveyProgress.resume(tmp_path, digest, made.endpoints)
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


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / REQUESTS).read_text().splitlines()]


def test_every_request_that_left_before_a_kill_is_known(tmp_path: Path) -> None:
    """What two servers saw is in the file after SIGKILL, and in the evidence of who goes on."""
    command = [sys.executable, "-m", "buttress", "survey", "--layer", "infrastructure", "--out"]
    first: list[str] = []
    second: list[str] = []
    slow = threading.Event()
    slow.set()
    with (
        web({}, logging(first, slow)) as (_, one),
        web({}, logging(second, slow)) as (_, other),
    ):
        seen = {one: first, other: second}
        targets = [f"http://127.0.0.1:{port}" for port in seen]
        process = subprocess.Popen([*command, str(tmp_path), *targets])
        deadline = time.monotonic() + 120
        while min(map(len, seen.values())) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        before = {port: list(paths) for port, paths in seen.items()}
        slow.clear()
        left = rows_of(tmp_path)
        for port, paths in before.items():
            told = [row["path"] for row in left if f":{port}/" in row["url"]]
            assert told[: len(paths)] == paths  # in the order of sending
            assert len(told) - len(paths) <= 1  # written, and killed before it was sent
        settings = SurveySettings(targets=targets, layers=["infrastructure"])
        result = Surveyor(settings).run(tmp_path, resume=True)
        write(result, result.document(), tmp_path)
    assert any(f"{len(left)} requests had been sent" in note for note in result.notes)
    with EvidenceStore.open(tmp_path / EVIDENCE) as store:
        kept = [row for seen_at in store.inspections() for row in seen_at.extra["sent"]]
    whole = rows_of(tmp_path)
    for port, paths in seen.items():
        cut = [row for row in kept if row["status"] == 0 and f":{port}/" in row["url"]]
        assert len(cut) - len(before[port]) in (0, 1)
        for rows in (kept, whole):
            told = [
                row["url"].partition(f":{port}")[2] for row in rows if f":{port}/" in row["url"]
            ]
            assert not Counter(paths) - Counter(told)
    assert all(isinstance(row["headers"], dict) for row in kept)


def test_a_new_survey_keeps_the_requests_of_one_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web(OPEN) as (_, one), web(OPEN) as (_, other):
        cut_off(monkeypatch, tmp_path, one, other)
        kept = (tmp_path / REQUESTS).read_bytes()
        run = json.loads((tmp_path / FILE_NAME).read_bytes().splitlines()[0])["id"]
        result = surveyor(one, other).run(tmp_path)
        write(result, result.document(), tmp_path)
    assert (tmp_path / f"requests-{run}.jsonl").read_bytes() == kept
    assert any(f"requests-{run}.jsonl" in note for note in result.notes)


@pytest.mark.parametrize("line", ["x", "{}", '{"target": 7}'], ids=["text", "empty", "number"])
def test_a_request_log_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    with web(OPEN) as (_, one), web(OPEN) as (_, other):
        cut_off(monkeypatch, tmp_path, one, other)
        (tmp_path / REQUESTS).write_text(line + "\n")
        with pytest.raises(InputError, match=r"requests\.jsonl: --resume: not readable"):
            surveyor(one, other).run(tmp_path, resume=True)
