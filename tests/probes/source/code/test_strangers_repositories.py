"""What ten public repositories taught: no flaw is told twice, none where a check stands before."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.probes.source.code.examine import found, hits, inspect

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


ROUTE = """
    import os
    import base64
    from fastapi import FastAPI
    from fastapi.responses import FileResponse
    app = FastAPI()

    @app.get("{route}")
    def report(name: str):
        return FileResponse({path})
"""


@pytest.mark.parametrize(
    ("route", "path", "told"),
    [
        ("/r/{name}", 'os.path.join("out", f"{name}.docx")', False),
        ("/r/{name}", '"out/report_" + name', False),
        ("/r/{name}", "name", True),  # any file of the folder
        ("/r/{name}", 'os.path.join("out", f"{name}.")', True),  # ".."
        ("/r/{name:path}", 'os.path.join("out", f"{name}.docx")', True),
        ("/r", 'os.path.join("out", f"{name}.docx")', True),  # of the query
        ("/r/{name}", 'f"out/{base64.b64decode(name).decode()}.docx"', True),
        ("/r/{name}", 'f"out/{name}/../x.docx"', True),
    ],
)
def test_one_part_of_a_route_leaves_no_folder(route: str, path: str, told: bool) -> None:
    code = ROUTE.replace("{route}", route).replace("{path}", path)
    assert ("path-untrusted" in found(code)) is told


UNPACK = """
    import zipfile
    from pathlib import Path

    def unpack(archive, folder):
        base = Path(folder).resolve()
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                target = (base / member.filename).resolve()
                {check}
                with open(target, "wb") as out:
                    out.write(opened.read(member))
"""


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("if target != base and base not in target.parents: raise ValueError(target)", False),
        ("if base not in target.parents: continue", False),
        ("target.relative_to(base)", False),
        ("if base in target.parents: print(target)", True),
        ("if base in target.parents: raise ValueError(target)", True),
        ("if target != base and base not in other.parents: raise ValueError(target)", True),
        ("if target == base or print(base): raise ValueError(target)", True),
    ],
)
def test_a_path_whose_parents_were_looked_at_stays_inside(check: str, told: bool) -> None:
    assert ("path-untrusted" in found(UNPACK.replace("{check}", check))) is told


def test_what_a_chained_call_builds_does_not_change_what_it_is_called_on() -> None:
    code = """
        from flask import Flask, request
        app = Flask(__name__)

        class Service:
            model = None

            @classmethod
            def save(cls, key, data):
                {save}

            @classmethod
            def read(cls, key):
                return cls.model.get(key)

        @app.route("/a")
        def a():
            Service.save(1, request.json)
            return open(Service.read(1)).read()
    """
    chained = "return cls.model.update(data).where(cls.model.id == key).execute()"
    assert "path-untrusted" not in found(code.replace("{save}", chained))
    assert "path-untrusted" in found(code.replace("{save}", "cls.model.update(data)"))


def test_of_several_values_that_a_function_returns_each_is_its_own() -> None:
    code = """
        import sqlite3
        from flask import Flask, request
        app = Flask(__name__)

        def where(condition):
            if not condition:
                return "1=0", []
            return "name = ?", [condition]

        @app.route("/a")
        def a():
            sql, values = where(request.args["name"])
            return str(sqlite3.connect("a.db").execute("SELECT 1 FROM t WHERE " + {text}, values))
    """
    assert "sql-injection" not in found(code.replace("{text}", "sql"))
    assert "sql-injection" in found(code.replace("{text}", "values[0]"))


def test_below_an_unknown_base_a_model_chooses_no_host() -> None:
    code = """
        import requests
        from openai import OpenAI

        def ask(base, question):
            text = OpenAI().chat.completions.create(model="m", messages=[question])
            kind = text.choices[0].message.content
            return requests.get({url})
    """
    assert "url-untrusted" not in found(code.replace("{url}", 'f"{base}/api/v1/{kind}"'))
    assert "url-untrusted" in found(code.replace("{url}", 'f"{base}{kind}"'))
    assert "url-untrusted" in found(code.replace("{url}", 'f"https://{kind}/api/{base}"'))


def test_an_image_that_was_read_names_no_file() -> None:
    code = """
        import io
        from PIL import Image
        from fastapi import FastAPI, UploadFile
        app = FastAPI()

        def decoded(image):
            return open(image).read() if isinstance(image, str) else image

        @app.post("/")
        async def page(file: UploadFile):
            data = await file.read()
            return decoded({image})
    """
    assert "path-untrusted" not in found(code.replace("{image}", "Image.open(io.BytesIO(data))"))
    assert "path-untrusted" in found(code.replace("{image}", "data.decode()"))


def test_what_else_an_object_with_a_key_was_made_with_is_no_secret() -> None:
    code = """
        import os

        class Parser:
            def __init__(self, base_url, api_key):
                self.base_url = base_url
                self.api_key = api_key

            def check(self):
                return False, f"not reached: {self.{attribute}}"

        parser = Parser(os.environ.get("BASE_URL"), os.environ.get("API_KEY"))
        ok, reason = parser.check()
        print(ok, reason)
    """
    assert "secret-logged" not in found(code.replace("{attribute}", "base_url"))
    assert "secret-logged" in found(code.replace("{attribute}", "api_key"))


def test_what_is_compiled_only_to_see_whether_it_parses_is_not_run() -> None:
    code = """
        from flask import Flask, request
        app = Flask(__name__)

        @app.route("/a")
        def a():
            code = request.json["code"]
            {use}
            return "ok"
    """
    assert "code-injection" not in found(code.replace("{use}", 'compile(code, "a", "exec")'))
    assert "code-injection" in found(code.replace("{use}", 'x = compile(code, "a", "exec")'))
    assert "code-injection" in found(code.replace("{use}", "exec(code)"))


SERVED = """
    import os
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import FileResponse
    app = FastAPI()
    ALLOWED = ["/srv/a", "/srv/b"]

    @app.get("/file")
    def served(path: str, store: Store):
        real = os.path.realpath(path)
        {check}
        return FileResponse({served})
"""


@pytest.mark.parametrize(
    ("check", "served", "told"),
    [
        (
            "if not any(real.startswith(d + os.sep) or real == d for d in ALLOWED): raise Wrong()",
            "real",
            False,
        ),
        ("if any(real.startswith(d + os.sep) for d in ALLOWED): raise Wrong()", "real", True),
        ("if not any(print(d) for d in ALLOWED): raise Wrong()", "real", True),
        ("row = store.dao.get_one({'code': path})", "row.result", False),
        ("row = store.dao.joined_with({'code': path})", "row.result", True),
    ],
)
def test_a_check_against_any_of_several_folders_is_one(check: str, served: str, told: bool) -> None:
    code = SERVED.replace("{check}", check).replace("{served}", served)
    assert ("path-untrusted" in found(code)) is told


def test_a_context_that_checks_nothing_is_told_once() -> None:
    code = "import ssl\nc = ssl.create_default_context()\nc.check_hostname = False\n"
    (alone,) = hits(code)
    assert (alone.rule.id, alone.line) == ("tls-context-unverified", 3)
    (both,) = hits(code + "c.verify_mode = ssl.CERT_NONE\n")
    assert (both.rule.id, both.line) == ("tls-context-unverified", 4)
