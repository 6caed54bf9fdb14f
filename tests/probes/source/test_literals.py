"""Literals as languages write them: quotes, blocks, signs within a value, places for passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.evidence.findings import Finding
from buttress.probes.source.secrets import PROBE
from buttress.protocols.inspection import InspectionContext
from tests.probes.source.samples import sample


def found(folder: Path, name: str, text: str) -> list[tuple[str, int]]:
    """Severity and line of what the probe tells about one file."""
    (folder / name).write_text(text)
    told = [one for one in PROBE.inspect(InspectionContext.at("app", folder))
            if isinstance(one, Finding)]  # fmt: skip
    (folder / name).unlink()
    return [(one.severity, int(one.location.rpartition(":")[2])) for one in told]


@pytest.mark.parametrize(
    ("name", "template", "line"),
    [("a.ts", "headers.set('Authorization', `Bearer {base62:44}`);\n", 1),
     ("a.ts", "const h = {{ Authorization: `Bearer {base62:44}` }};\n", 1),
     ("a.rb", "h['Authorization'] => 'Bearer {base62:44}'\n", 1),
     ("A.cs", 'x = new AuthenticationHeaderValue("Bearer", "{base62:44}");\n', 1),
     ("a.json", '{{"h": "{{\\"Authorization\\": \\"Bearer {base62:44}\\"}}"}}\n', 1),
     ("a.ts", "const apiKey = `{base62:40}`;\n", 1),
     ("a.py", 'secret_key = """{base62:40}"""\n', 1),
     ("a.py", "secret_key = '''\n  {base62:40}\n'''\n", 2),
     ("a.py", 'db_password = """{base62:20}"""\n', 1),
     ("a.toml", "secret_key = '''{base62:40}'''\n", 1),
     ("A.kt", 'val apiKey = """\n    {base62:40}\n""".trim()\n', 2),
     ("A.scala", 'val dbPassword: String = """{base62:20}"""\n', 1),
     ("A.cs", 'public const string ApiKey = @"{base62:40}";\n', 1),
     ("A.cs", 'private string dbPwd = @"{base62:20}";\n', 1),
     ("a.vb", 'Dim dbPwd As String = "{base62:20}"\n', 1),
     ("a.go", "const apiToken = `{base62:40}`\n", 1),
     ("a.go", 'var dbPassword string = "{base62:20}"\n', 1),
     ("a.rs", 'const API_KEY: &str = r#"{base62:40}"#;\n', 1),
     ("a.rs", 'static DB_PASSWORD: &\'static str = r"{base62:20}";\n', 1),
     ("a.ts", "const MISTRAL_API_KEY = `{base62:32}`;\n", 1),
     ("a.py", 'MISTRAL_API_KEY = """{base62:32}"""\n', 1),
     ("a.yaml", "password: >-\n  {base62:20}\n", 2),
     ("a.yaml", "db:\n  api_key: |\n    {base62:40}\n  port: 1\n", 3),
     ("a.py", 'SECRET_KEY = """{base62:20}!@#{base62:20}$^&"""\n', 1)],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_a_secret_is_found_in_any_quotes(
    tmp_path: Path, name: str, template: str, line: int, seed: int
) -> None:
    text = sample(template, seed).replace("{{", "{").replace("}}", "}")
    [(severity, at)] = found(tmp_path, name, text)
    assert severity in ("medium", "high")
    assert at == line


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.ts", "headers.set('Authorization', `Bearer ${await tokenOf2(user)}`);\n"),
     ("a.ts", "const apiKey = `${prefix}-A1b2C3-${suffix}`;\n"),
     ("a.py", 'secret_key = """{key_of_shop_1}"""\n'),
     ("a.py", 'token = "" + token_of_shop_1 + ""\n'),
     ("a.py", 'password = """\nThe password must have 8 characters.\n"""\n'),
     ("A.cs", 'var apiKey = $"{Prefix1}-{Suffix2}";\n'),
     ("a.sh", "T=$(grep '^JWT_SECRET_KEY=' .env.shop | cut -d= -f2)\nE=1\n"),
     ("a.py", 'token = "Xk29vQ8mLp31Xk29vQ8mLp31 is the first word of it"\n'),
     ("a.py", "password = 'Xk29vQ8mLp31 is one of many'\n"),
     ("a.yaml", "password: >-\n  must have eight characters\n"),
     ("a.yaml", "token:\n  secretKeyRef:\n    name: Xk29vQ8mLp31\n"),
     ("a.yaml", "api_key: |\n  ${SHOP_API_KEY_V2}\n")],
)  # fmt: skip
def test_no_other_text_in_such_quotes_is_one(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == []


@pytest.mark.parametrize(
    ("name", "template"),
    [("a.json", '{{"Db": "Server=db.shop.net;Uid=sa;Password={base62:5}$Tq9!{base62:4}#Rz"}}'),
     ("appsettings.json", '{{"Db": "Server=db.shop.net;User Id=sa;Password={base62:14}$FFSD"}}'),
     ("a.json", '{{"Password": "{base62:7}${base62:7}"}}'),
     ("a.json", '{{"ApiKey": "{base62:20}$aX{base62:20}"}}'),
     ("a.py", 'DB_PASSWORD = "{base62:9}7$kq#{base62:6}"\n'),
     ("a.php", "$password = '{base62:9}7$kq#{base62:6}';\n"),
     ("app.properties", "db.password={base62:9}7$kq#{base62:6}\n"),
     ("app.properties", "url=jdbc:mysql://db.shop.net/a?user=root&password={base62:9}7$kq{base62:6}\n"),
     (".env", "DB_PASSWORD={base62:9}7%kq#{base62:6}\n"),
     ("a.py", 'U = "postgresql://shop:{base62:9}7$kq{base62:6}@db.shop.net/a"\n'),
     ("a.config", "<x><password>{base62:9}7$kq{base62:6}</password></x>\n"),
     (".env", "API_TOKEN={base62:20}#{base62:12}\n")],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_a_dollar_of_no_variable_is_part_of_a_secret(
    tmp_path: Path, name: str, template: str, seed: int
) -> None:
    text = sample(template, seed).replace("{{", "{").replace("}}", "}")
    assert [severity for severity, _ in found(tmp_path, name, text)] in (["medium"], ["high"])


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", '{"Password": "$dbPassword2"}'), ("a.json", '{"Password": "Xk29$DB_PASSWORD"}'),
     ("a.sh", 'DB_PASSWORD="Xk2!9$suffix"\n'), ("a.sh", 'curl "https://ci:Xk2!9$token@git.shop.net"\n'),
     ("A.kt", 'val dbPassword = "Xk2!9$suffix"\n'), ("a.php", '$password = "Xk2!9$suffix";\n'),
     ("a.dart", "final dbPassword = 'Xk2!9$suffix';\n"),
     ("compose.yaml", "x:\n  DB_PASSWORD: Xk2!9$SUFFIX\n"),
     ("a.json", '{"Db": "Server=db.shop.net;User Id=sa;Password=${DB_PASSWORD2};"}'),
     ("a.json", '{"password": "pbkdf2_sha256$260000$aXkq$Xk29vQ8mLp31Xk29vQ8mLp31="}'),
     ("a.py", 'password = "scrypt:32768:8:1$aXkq$Xk29vQ8mLp31Xk29vQ8mLp31"\n'),
     ("a.php", "'password' => '$2y$10$Xk29vQ8mLp31Xk29vQ8mLp31',\n"),
     ("nginx.conf", "    proxy_pass unix:/run/shop2/A1.sock:/v1/;\n")],
)  # fmt: skip
def test_variables_and_hashes_are_no_passwords(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == []


@pytest.mark.parametrize(
    ("name", "template"),
    [("A.java", 'private static final String DB_PASS = "{base62:14}";\n'),
     ("A.java", 'String dbPasswd = "{base62:14}";\n'),
     ("A.cs", 'string userPwd = "{base62:14}";\n'),
     ("a.php", "define('DB_PASS', '{base62:14}');\n"),
     ("a.js", "createTransport({ auth: { user: 'a', pass: '{base62:14}' } })\n"),
     (".env", "SMTP_PASS={base62:14}\n"), ("a.py", 'dbpass = "{base62:14}"\n'),
     ("a.ts", 'const jiraPass: string = "{base62:14}"\n'),
     ("a.py", 'jirapassword = "{base62:14}"\n'), ("a.py", 'mypasswd1 = "{base62:14}"\n'),
     ("Dockerfile", "ENV SMTP_PASS {base62:14}\n")],
)  # fmt: skip
def test_passwords_have_short_names_too(tmp_path: Path, name: str, template: str) -> None:
    assert found(tmp_path, name, sample(template, 4)) == [("medium", 1)]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.py", 'minipass = "Xk29vQ8mLp31"\n'), ("a.py", 'forward_pass = "Xk29vQ8mLp31"\n'),
     ("a.ts", "const bypass = 'Xk29vQ8mLp31';\n"),
     ("yarn.lock", '    minipass: "npm:^7.0.3"\n'), ("a.json", '{"db-pass": "^7.0.3-Rc"}\n'),
     ("a.py", "try:\n    pass\nexcept E:\n    pass\n"), ("a.js", "({pass: 'your-password-1'})\n"),
     ("nginx.conf", "    fastcgi_pass 127.0.0.1:9000;\n"),
     ("a.php", "$c = new mysqli($host, $user, $pass, 'Xk29vQ8mLp31');\n"),
     ("A.java", 'DriverManager.getConnection(URL, USER, "changeme");\n'),
     ("a.py", 'SQL = "CREATE USER app WITH PASSWORD %(password)s"\n'),
     ("a.py", 'pyotp.TOTP("JBSWY3DPEHPK3PXP")\n'),
     ("a.md", "Mnemonic: you find all your own words on this page and then they work well\n")],
)  # fmt: skip
def test_other_names_and_calls_hold_no_password(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == []
