"""Commands that are put together as lists: who is called decides whether an argument does harm."""

from __future__ import annotations

import pytest

from tests.probes.source.code.examine import found

WEB = "from flask import request\nimport os, subprocess\nq = request.args['q']\n"
COMMANDS = {
    "items added by append": "c = []\nc.append('sh')\nc.append('-c')\nc.append(q)",
    "options added by extend": "c = ['bash']\nc.extend(['-c', q])",
    "options added by a sum": "c = ['bash', '-c']\nc += [q]",
    "an item added on one way": "c = ['bash', '-c']\nif q:\n    c.append(q)",
    "items added in a loop": "c = ['sh', '-c']\nfor x in request.form.values():\n    c.append(x)",
}
PLAIN = {
    "append": "c = ['ls']\nc.append(q)",
    "extend": "c = ['ls']\nc.extend(['-l', q])",
    "a sum": "c = ['ffmpeg', '-i']\nc += [q]\nc = c + ['-y']",
    "one way": "c = ['ls']\nif q:\n    c.append(q)",
    "a loop": "c = ['ffmpeg']\nfor one in request.args.values():\n    c.append(one)",
}


@pytest.mark.parametrize("how", COMMANDS)
def test_a_shell_that_is_given_what_a_stranger_writes(how: str) -> None:
    assert "shell-injection" in found(f"{WEB}{COMMANDS[how]}\nsubprocess.run(c)\n")


@pytest.mark.parametrize("how", PLAIN)
def test_an_argument_of_a_fixed_program(how: str) -> None:
    assert "shell-injection" not in found(f"{WEB}{PLAIN[how]}\nsubprocess.run(c)\n")


def test_words_that_are_joined_for_a_shell() -> None:
    code = f"{WEB}c = ['ls']\nc.append(q)\nos.system(' '.join(c))\n"
    assert "shell-injection" in found(code)
