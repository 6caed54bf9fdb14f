"""Which errors tell how a service is built, as text and as strings of JSON."""

from __future__ import annotations

import json

import pytest

from buttress.probes.service.errors import telling

TELLING = {
    "a Python traceback": 'Traceback (most recent call last):\n  File "/x/a.py", line 1',
    "a Java stack trace": "java.lang.NullPointerException: x\n\tat com.acme.Chat.ask(Chat.java:42)",
    "a .NET stack trace": "   at Acme.Chat.Ask(String q) in C:\\src\\Chat.cs:line 42",
    "a Node stack trace": "Error: x\n    at ask (/srv/chat/index.js:8:19)",
    "a Go stack trace": "panic: x\n\ngoroutine 34 [running]:\nmain.ask(0xc000)",
    "a panic of Rust": "thread 'main' panicked at src/main.rs:10:5:\ncalled `unwrap()`",
    "an error of a database": 'ERROR: syntax error at or near "\'" at character 41',
    "a path of the machine": "could not open /srv/models/chat.gguf",
}


@pytest.mark.parametrize("what", TELLING)
def test_an_error_tells_as_text_and_within_json(what: str) -> None:
    assert what in telling(TELLING[what])
    assert what in telling(json.dumps({"trace": TELLING[what]}).replace("/", "\\/"))


@pytest.mark.parametrize(
    "text",
    [
        '{"error": "Internal Server Error", "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-01"}',
        "no order 5 at /orders/5",
        "The relation between price and size does not exist.",
        "a thread panicked, and was caught\\n",
    ],
)
def test_other_errors_tell_nothing(text: str) -> None:
    assert telling(text) == {}
