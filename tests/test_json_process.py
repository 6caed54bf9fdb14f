from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from buttress.json_process import JsonProcess, ProcessEndedError

ECHO = ("-c", "import sys\nfor line in sys.stdin: print(line, end='', flush=True)")
PARENT = f"""
import time
from buttress.json_process import JsonProcess
process = JsonProcess({ECHO!r})
print(process.ask(b"1"), process._process.pid, flush=True)
time.sleep(600)
"""


def test_lines_are_answered_by_lines() -> None:
    process = JsonProcess(ECHO)
    for value in ("a\nb", ["é", "\u2028"], {"long": "x" * 300_000}):
        assert json.loads(process.ask(json.dumps(value).encode())) == value
    process.stop()
    with pytest.raises(ProcessEndedError):
        process.ask(b"1")
    process.stop()


@pytest.mark.parametrize(
    "command",
    [("-c", "pass"), ("-m", "no.such.module"), ("-c", "print('half', end='')")],
    ids=["silent", "missing", "half"],
)
def test_no_answer_is_an_error(command: tuple[str, ...]) -> None:
    process = JsonProcess(command)
    with pytest.raises(ProcessEndedError):
        process.ask(b"1")
    process.stop()


@pytest.mark.parametrize("executable", ["", "/nonexistent/python"])
def test_no_interpreter_is_an_error(executable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(ProcessEndedError):
        JsonProcess(ECHO)


def test_stopped_while_it_is_asked() -> None:
    process = JsonProcess(("-c", "import time\nprint(1, flush=True)\ntime.sleep(600)"))
    assert process.ask(b"1") == b"1\n"
    raised: list[ProcessEndedError] = []

    def ask() -> None:
        try:
            process.ask(b"2")
        except ProcessEndedError as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    process.stop()
    asking.join(60)
    assert len(raised) == 1


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at the list of processes")
def test_it_ends_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    _, pid = parent.stdout.readline().split()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 60
    while Path("/proc", pid).is_dir():
        if "\nState:\tZ" in Path("/proc", pid, "status").read_text():
            break  # ended; nobody has asked how
        assert time.monotonic() < end
        time.sleep(0.02)
