"""Kill -9 at each statement of a watch's rounds: nothing is lost, nothing is told twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from buttress.evidence.chain import verify
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.workflows.watch.history import read_state

# Runs two rounds, of which the second finds a change, in children that are killed: the first before
# its first statement of SQL, the second before its second, later ones some statements later, since
# each round that was cut off leaves a record to be read. A child goes on where the killed ones
# stopped, as a watch that is started again does.
ROUNDS = """
import os, signal, sqlite3, sys
from pathlib import Path
from buttress.workflows.watch import loop
from buttress.workflows.watch.round import check_once
from buttress.workflows.watch.settings import load
folder = Path(sys.argv[1])
settings, real = load(folder), sqlite3.connect
def write(build):
    (folder / "app.js").write_text("fetch('https://api.shop.example/v1')" + build)
write("")
check_once(settings, folder / "warm")  # so that children import nothing
def child(moment):
    left = [moment]
    def before_each_statement(_):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def connect(*given, **named):
        connection = real(*given, **named)
        connection.set_trace_callback(before_each_statement)
        return connection
    sqlite3.connect = connect
    class Whole(BaseException): pass
    def done(result):
        raise Whole
    def failed(why):
        print(why, flush=True)
        os._exit(1)
    try:
        loop.run_rounds(settings, folder / "out", done, failed, sleep=lambda seconds: None)
    except Whole:
        os._exit(0)
for build in ("", ";eval(x)"):
    write(build)
    moment, status = 0, -1
    while not os.WIFEXITED(status):
        if not (pid := os.fork()):
            child(moment)
        status = os.waitpid(pid, 0)[1]
        moment += 1 if moment < 16 else 5
    if os.WEXITSTATUS(status):
        sys.exit(1)
    print("killed", moment, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_watch_that_is_killed_before_any_statement_goes_on_where_it_was(
    tmp_path: Path, encrypted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if encrypted:
        monkeypatch.setenv("BUTTRESS_EVIDENCE_KEY", "5a" * 32)
    (tmp_path / "watch.yaml").write_text("every: 1h\nbuilds: [app.js]\n")
    made = subprocess.run(
        [sys.executable, "-c", ROUNDS, str(tmp_path)],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    assert [int(line.split()[1]) > 20 for line in made.stdout.splitlines()] == [True] * 2
    state = read_state(tmp_path / "out")
    assert [one.message for one in state.events] == ["build: power eval is new"]
    assert state.open_events() == {1}
    with EvidenceStore.open(tmp_path / "out" / FILE_NAME) as store:
        assert verify(store).ok
        assert store.encrypted == encrypted
