"""What ten public repositories taught: no flaw is told twice, none where a check stands before."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.probes.source.code.examine import found, inspect

FETCH = """
    import requests
    from fastapi import FastAPI
    from shop.checks import {check}
    app = FastAPI()

    @app.get("/")
    def page(url: str):
        {call}
        return requests.get(url).text
"""


@pytest.mark.parametrize("check", ["check_ssrf_url", "ensure_safe_url", "reject_private_url"])
def test_an_address_that_a_check_lets_pass_is_none_of_a_stranger(check: str) -> None:
    assert "url-untrusted" not in found(FETCH.format(check=check, call=f"{check}(url)"))
    assert "url-untrusted" in found(FETCH.format(check=check, call=f"{check}('other')"))
    assert "url-untrusted" in found(FETCH.format(check="log_url", call="log_url(url)"))


def test_a_request_that_asks_a_model_whose_answer_runs_is_told_once(tmp_path: Path) -> None:
    code = """
        import openai
        from fastapi import FastAPI
        app = FastAPI()

        def answered(question):
            client = openai.OpenAI()
            told = client.chat.completions.create(model="m", messages=[question])
            return told.choices[0].message.content + question

        @app.get("/")
        def page(question: str):
            return eval(answered(question))
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    findings, _ = inspect(tmp_path)
    assert len([one for one in findings if one.severity == "critical"]) == 1


def test_what_a_client_that_holds_a_key_returns_is_no_secret() -> None:
    code = """
        import os
        import lib

        class Store:
            def __init__(self, key):
                self.key = key
                self.client = lib.Client(lib.Credential(key))

            def find(self):
                return self.client.search("a")

            def shown(self):
                return self.key

        store = Store(os.environ["API_KEY"])
        print({call})
    """
    assert "secret-logged" not in found(code.replace("{call}", "store.find()"))
    assert "secret-logged" in found(code.replace("{call}", "store.shown()"))
