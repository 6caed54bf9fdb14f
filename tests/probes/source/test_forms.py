"""Forms in which keys are kept: lists, maps, encodings, public keys, encrypted values."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from buttress.evidence.findings import SEVERITIES, Finding
from buttress.probes.source.secrets import PROBE
from buttress.protocols.inspection import InspectionContext
from buttress.rules.credentials.collections import items
from buttress.rules.credentials.scanner import scan
from tests.probes.source.samples import key, sample

RANDOM = [sample("{base62:40}", seed) for seed in range(4)]


def lines(text: str, name: str) -> list[int]:
    return sorted({text.count("\n", 0, hit.place) + 1 for hit in scan(text.encode(), name).found})


def test_each_item_of_a_list_or_map_is_found() -> None:
    one, two, three, four = RANDOM
    assert lines(f'API_KEYS = [\n  "{one}",  # old ]\n  "{two}",\n]\nx = "{three}"\n', "a.py") == [
        2,
        3,
    ]
    assert lines(f'TOKENS = {{"a": "{one}",\n "b": "{two}"}}\n', "a.py") == [1, 2]
    assert lines(f"api_keys:\n- {one}\n- key: '{two}'\n  user: a\nother: {three}\n", "a.yaml") == [
        2,
        3,
    ]
    assert lines(f"a:\n  secrets:\n    x: {one}\n    y: {two}\n  z: {four}\n", "a.yaml") == [3, 4]
    assert lines(json.dumps({"api_keys": [{"name": "a", "key": one}]}, indent=1), "a.json") == [5]


@pytest.mark.parametrize(
    "text",
    ["special_tokens = ['{0}']", "max_tokens:\n  - {0}\n", "tokens: 4\nname: {0}\n",
     "API_KEYS = [load('a'), os.environ['A_KEY_12345']]"],
)  # fmt: skip
def test_other_lists_are_none(text: str) -> None:
    assert lines(text.format(RANDOM[0]), "a.yaml") == []


def test_a_list_without_an_end_is_read_to_its_limit() -> None:
    data = b"API_KEYS = [" + b"[" * 1_000_000
    assert list(items(data, 8, 12)) == []


def worst(text: str, name: str = "a.ts") -> str:
    found = [hit.severity for hit in scan(text.encode(), name).found]
    return max(found, key=SEVERITIES.index, default="none")


def test_the_key_of_a_web_application_of_firebase_is_public() -> None:
    key_text = sample('apiKey: "AIza{b64url:35}",\n', 1)
    beside = 'authDomain: "shop.firebaseapp.com",\nprojectId: "shop",\nappId: "1:2:web:3"\n'
    assert worst(key_text + beside) == "low"
    assert worst(key_text) == "high"


@pytest.mark.parametrize(
    "value",
    ["ENC[AES256_GCM,data:InDfrm8y88+2Pto27nBHRWEp,iv:4C9vDYm9ZtJt=,tag:wvncOLN+1m8LayiX1==,type:str]",
     "{cipher}682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7bda",
     "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w=="],
)  # fmt: skip
def test_encrypted_values_are_meant_to_be_kept(value: str) -> None:
    assert worst(f"db_password: {value}\nopenai_api_key: {value}\n", "secrets.yaml") == "none"


def test_a_sealed_secret_is_none() -> None:
    value = "Ag" + sample("{b64:300}", 3)
    text = f"kind: SealedSecret\nspec:\n  encryptedData:\n    API_TOKEN: {value}\n"
    assert worst(text, "sealed.yaml") == "none"
    assert worst(text.replace("SealedSecret", "Thing"), "sealed.yaml") == "medium"


def test_forty_formats_of_providers_are_known_without_a_name() -> None:
    from buttress.rules.credentials.kind import CREDENTIALS

    known = [
        rule for rule in CREDENTIALS.own.values()
        if rule.verified and "LLM02" in rule.references and SEVERITIES.index(rule.severity) >= 3
    ]  # fmt: skip
    assert len(known) >= 40
    for rule in known:
        assert rule.id in {hit.rule.id for hit in scan(f"value: {key(rule.id)}\n".encode()).found}


def test_a_large_file_is_searched_in_pieces(tmp_path: Path) -> None:
    line = b"just a line of a log, nothing else in it\n"
    number = (9 << 20) // len(line)
    secrets = [key("github-token", seed).encode() for seed in range(3)]
    with (tmp_path / "app.log").open("wb") as file:
        for secret in secrets:
            file.write(line * number + secret + b"\n")
    found = [
        one
        for one in PROBE.inspect(InspectionContext.at("a", tmp_path))
        if isinstance(one, Finding)
    ]
    assert [one.location for one in found] == [
        f"app.log:{place * (number + 1)}" for place in (1, 2, 3)
    ]


def test_the_cells_of_a_column_of_keys_are_found() -> None:
    one, two, three, _ = RANDOM
    table = f'name;"API Key";note\nbob;{one};{three}\n"a;b";"{two}";x\nann;;\n'
    assert lines(table, "users.csv") == [2, 3]
    assert lines(f"name,digest\nbob,{one}\n", "users.csv") == []
    assert lines(f"a,b\nname,api_key\nbob,{one}\n", "users.csv") == []  # no heading of the file


def test_a_key_within_a_text_in_base64_is_found_at_each_alignment() -> None:
    token = key("github-token")
    for before in ("", "A", "AB", "ABC=1\n"):
        coded = base64.b64encode(f"{before}{token}\nB=2\n".encode()).decode()
        assert worst(f"x: {coded}\n", "a.yaml") == "critical"
    assert worst("x: " + base64.b64encode(b"A=1\nGITHUB_TOKEN=ghp_no\n").decode()) == "none"


def test_a_search_key_of_a_page_is_public_and_an_admin_key_is_not() -> None:
    search = sample('docsearch({ appId: "R2IYF7ETH7", apiKey: "{hex:32}", indexName: "a" })', 3)
    assert worst(search, "a.js") == "none"
    assert worst(sample('{ appId: "R2IYF7ETH7", apiKey: "{hex:32}" }', 3), "a.js") == "medium"


def test_a_file_of_firebase_for_phones_holds_public_keys() -> None:
    text = sample('{"client":[{"api_key":[{"current_key":"AIza{b64url:35}"}]}]}', 2)
    assert worst(text, "google-services.json") == "low"


def test_the_key_of_a_map_in_a_page_is_public_and_that_of_a_call_is_not() -> None:
    page = '<script src="https://maps.googleapis.com/maps/api/js?key=AIza{b64url:35}&v=3"></script>'
    call = 'curl "https://maps.googleapis.com/maps/api/geocode/json?address=a&key=AIza{b64url:35}"'
    assert worst(sample(page, 4), "index.html") == "low"
    assert worst(sample(call, 4), "a.sh") == "high"


def test_a_private_key_in_base64_may_stand_in_two_literals() -> None:
    coded = sample("{b64pem:PRIVATE KEY}", 5)
    split = f'KEY = b64decode(\n    "{coded[:600]}"\n    "{coded[600:]}"\n)\n'
    assert worst(split, "a.py") == "critical"
    short = base64.b64encode(b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADAN" * 12).decode()
    assert worst(f'KEY = "{short[:220]}"\n', "a.py") == "none"


@pytest.mark.parametrize(
    ("name", "severity"),
    [("SIGNING_KEY", "critical"), ("_LOCAL_DEV_KEY", "medium"), ("test_key", "medium"),
     ("device_key", "critical"), ("latest_key", "critical")],
)  # fmt: skip
def test_a_private_key_that_is_named_for_trials_counts_less(
    tmp_path: Path, name: str, severity: str
) -> None:
    (tmp_path / "app.py").write_text(f'{name} = """{sample("{pem:PRIVATE KEY}", 3)}"""\n')
    found = [one for one in PROBE.inspect(InspectionContext.at("app", tmp_path))
             if isinstance(one, Finding)]  # fmt: skip
    assert [(one.rule, one.severity) for one in found] == [("private-key", severity)]


@pytest.mark.parametrize(
    "text",
    ["postgresql://postgres:[PASSWORD]@db.shop.net:5432/postgres",
     "RE = r'(postgres://postgres(?:\\.[^:]+)?:)([^@]+)(@)'",
     "glpat-ABC123-DEF456-GHI789", "sq0atp-test_access_token_12345"],
)  # fmt: skip
def test_places_for_a_secret_and_made_up_ones_are_none(text: str) -> None:
    assert lines(f"{text}\n", "a.md") == []


@pytest.mark.parametrize(
    ("template", "severity"),
    [('_DEFAULT_FIREBASE_API_KEY = "AIza{b64url:35}"', "low"),
     ('NEXT_PUBLIC_FIREBASE_API_KEY: AIza{b64url:35}', "low"),
     ('KEY = "AIza{b64url:35}"\nURL = "https://www.youtube.com/youtubei/v1/player"', "low"),
     ('GOOGLE_MAPS_API_KEY = "AIza{b64url:35}"', "medium"),
     ('NEXT_PUBLIC_GEMINI_API_KEY=AIza{b64url:35}', "high"),
     ('{"installed": {"client_secret": "GOCSPX-{b64url:28}"}}', "low"),
     ('flow = InstalledAppFlow(s)\nSECRET = "GOCSPX-{b64url:28}"', "low"),
     ('{"web": {"client_secret": "GOCSPX-{b64url:28}"}}', "high")],
)  # fmt: skip
def test_what_vendors_say_is_public_counts_less(template: str, severity: str) -> None:
    assert worst(sample(template, 6), "a.py") == severity


@pytest.mark.parametrize(
    ("template", "severity"),
    [("postgresql://shop:{base62:20}@db:5432/orders", "high"),
     ("postgresql://shop:admin77@db:5432/orders", "medium"),
     ("mysql://shop:admin77@10.1.2.3/orders", "medium"),
     ("mysql://shop:admin77@db.shop.net/orders", "high"),
     ("mysql://shop:mypassword@db.shop.net/orders", "medium"),
     ("postgresql://DB_USER:DB_PASSWORD@DB_HOST/DB_NAME", "none")],
)  # fmt: skip
def test_a_plain_password_matters_where_the_machine_can_be_reached(
    template: str, severity: str
) -> None:
    assert worst(sample(f'URL = "{template}"', 7), "a.py") == severity


@pytest.mark.parametrize(
    ("path", "severity"),
    [("shop/settings.py", "high"), ("PLAN.md", "medium"), ("demo/settings.py", "medium"),
     ("config/dev.yaml", "medium"), ("certs/localhost.txt", "medium"),
     ("device/settings.py", "high"), ("tests/a.py", "low")],
)  # fmt: skip
def test_a_password_counts_less_where_nothing_runs(
    tmp_path: Path, path: str, severity: str
) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    url = sample("postgresql://shop:{base62:20}@db.internal/orders", 8)
    (tmp_path / path).write_text(f"x: {url}\n")
    found = [one for one in PROBE.inspect(InspectionContext.at("app", tmp_path))
             if isinstance(one, Finding)]  # fmt: skip
    assert [(one.rule, one.severity) for one in found] == [("database-url", severity)]


@pytest.mark.parametrize(
    "key_text",
    ["sk-proj-a1b2c3d4e5f6g7h8i9j0T3BlbkFJa1b2c3d4e5f6g7h8i9j0",
     "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",
     "gsk_" + "Xk29" * 13],
)  # fmt: skip
def test_rows_of_keys_and_repetitions_are_made_up(key_text: str) -> None:
    assert worst(f"x = '{key_text}'", "a.py") == "none"


@pytest.mark.parametrize(
    ("query", "severity"),
    [("sv=2022-11-02&sp=rw&se=2999-01-01T00:00:00Z", "high"), ("sv=2022-11-02&si=own", "high"),
     ("se=2999-01-01&amp;sp=rl&amp;sv=2022-11-02", "medium"),
     ("sv=2022-11-02&sp=rw&se=2021-01-01", "low")],
)  # fmt: skip
def test_a_shared_access_signature_counts_by_its_rights_and_its_end(
    query: str, severity: str
) -> None:
    amp = "&amp;" if "&amp;" in query else "&"
    url = sample(f"https://shop.blob.core.windows.net/c/m.bin?{query}{amp}sig={{b64:43}}%3D", 3)
    assert worst(f'URL = "{url}"\n', "a.py") == severity


def test_the_token_of_a_user_stands_in_a_kubeconfig_only() -> None:
    user = sample("users:\n- name: a\n  user:\n    token: {base62:40}\n", 2)
    assert worst(f"apiVersion: v1\nkind: Config\n{user}", "config") == "high"
    assert worst(f"apiVersion: v1\nkind: ConfigMap\n{user}", "config") == "medium"


def test_the_key_of_a_provider_needs_its_name_and_its_form() -> None:
    key_text = sample("{base62:32}", 4)
    assert worst(f"MISTRAL_API_KEY={key_text}\n", ".env") == "high"
    assert worst(f"MISTRAL_API_KEY={key_text}Z1\n", ".env") == "medium"
    assert worst(f"SHOP_API_KEY={key_text}\n", ".env") == "medium"


@pytest.mark.parametrize(
    ("path", "severity"),
    [("cassettes/ask.yaml", "low"), ("ui/__snapshots__/a.txt", "low"), ("golden/a.txt", "low"),
     ("fixtures.py", "low"), ("fake_server.py", "low"), (".env.test", "low"), ("ask.snap", "low"),
     ("latest/a.py", "high"), ("snapshots/a.py", "high"), ("testify.py", "high")],
)  # fmt: skip
def test_recorded_and_made_up_data_are_of_tests(tmp_path: Path, path: str, severity: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    url = sample("postgresql://shop:{base62:20}@db.internal/orders", 8)
    (tmp_path / path).write_text(f"x: {url}\n")
    found = [one for one in PROBE.inspect(InspectionContext.at("app", tmp_path))
             if isinstance(one, Finding)]  # fmt: skip
    assert [one.severity for one in found] == [severity]


@pytest.mark.parametrize(
    ("path", "template", "severity"),
    [("notes.txt", "hf_{letters:34}", "critical"), ("tests/a.py", "hf_{letters:34}", "critical"),
     ("README.md", "hf_{letters:34}", "medium"),
     ("tests/cassettes/a.yaml", "hf_{letters:34}", "medium"),
     ("README.md", "ghp_{crc62:30}", "critical"), (".env.dev", "hf_{letters:34}", "critical")],
)  # fmt: skip
def test_a_key_without_a_checksum_is_doubtful_in_documents_and_recordings(
    tmp_path: Path, path: str, template: str, severity: str
) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(f"x: {sample(template, 5)}\n")
    found = [one for one in PROBE.inspect(InspectionContext.at("app", tmp_path))
             if isinstance(one, Finding)]  # fmt: skip
    assert [one.severity for one in found] == [severity]


def test_an_encrypted_password_in_an_address_is_medium() -> None:
    url = sample("mysql+pymysql://root:gAAAAAB{b64url:100}==@db.shop.net:3306/orders", 5)
    assert worst(f"database_url: {url}\n", "a.yaml") == "medium"


@pytest.mark.parametrize(
    ("command", "severity"),
    [("curl -H 'Authorization: Bearer {base62:40}' https://api.shop.internal/v1", "high"),
     ("curl \\\n  -H 'X-API-Key: {base62:40}' \\\n  https://api.shop.internal/v1", "high"),
     ("curl -H 'Authorization: Bearer {base62:40}' http://localhost:8000/v1", "medium"),
     ("curl -H 'Authorization: Bearer {base62:40}' https://api.example.com/v1", "medium"),
     ("curl -H 'Authorization: Bearer {base62:40}' $URL", "medium"),
     ("h = {'Authorization': 'Bearer {base62:40}'}\nURL = 'https://a.shop.net'", "medium")],
)  # fmt: skip
def test_a_credential_that_a_command_sends_is_one(command: str, severity: str) -> None:
    text = sample(command, 5)
    assert worst(f"{text}\n", "a.sh") == severity
