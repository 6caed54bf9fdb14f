"""The manifest: what it accepts, and that errors name file, line, field and valid choices."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.errors import InputError
from buttress.targets.open import open_target
from buttress.workflows import manifest

MINIMAL = """\
name: bot
assets:
  - {kind: model, endpoint: "http://127.0.0.1:1/v1", model: m}
"""


HTTP = "name: x\nassets:\n- {kind: model, http: {url: 'http://h/', %s}}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "buttress.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("budget: {calls: 9, minutes: 1}", True),
        (
            "judge: {id: llm, target: {endpoint: 'http://127.0.0.1:2', model: j, timeout_s: 9}}",
            True,
        ),
        ("judge: {id: llm, target: {endpoint: 'http://127.0.0.1:2', model: k}}", False),
        ("purpose: another", False),
        ("policy: broad", False),
    ],
)
def test_a_resumed_run_may_have_another_budget_and_other_times_alone(
    tmp_path: Path, change: str, same: bool
) -> None:
    judge = "judge: {id: llm, target: {endpoint: 'http://127.0.0.1:2', model: j}}\n"
    before = manifest.load(write(tmp_path, MINIMAL + judge))
    kept = "" if change.startswith("judge") else judge
    paced = MINIMAL.replace(
        "model: m}", "model: m, concurrency: 2, timeout_s: 9, price: {per_call: 1}}"
    )
    after = manifest.load(write(tmp_path, f"{paced}{kept}{change}\n"))
    assert (before.run_digest == after.run_digest) == same
    assert before.digest != after.digest


def test_minimal_manifest_gets_defaults(tmp_path: Path) -> None:
    system = manifest.load(write(tmp_path, MINIMAL))
    assert system.name == "bot"
    assert system.policy == "default"
    assert [asset.id for asset in system.assets] == ["model"]
    assert system.assets[0].is_target
    assert manifest.load(tmp_path) == system, "the folder stands for the manifest in it"


def test_everything_is_read(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "rec.jsonl").write_text('{"prompt":"a","response":"b"}\n')
    (tmp_path / "sys.txt").write_text("Be kind.")
    text = """\
name: bot
purpose: answers
owner: me
languages: [zh]
profile:
  users: staff
  requests_per_day: 50
  uses: [{name: a, share: 0.25}, {name: b, share: 0.75}]
  categories: {hate-discrimination: 2, privacy-violation: 1}
assets:
  - {kind: model, id: m, replay: rec.jsonl, where: {setting: baseline}, system_prompt_file: sys.txt,
     price: {per_call: 0.5}}
  - {kind: source, path: app}
  - {kind: source, path: .}
judge: {id: offline}
policy: strict
budget: {calls: 10, minutes: 2}
"""
    system = manifest.load(write(tmp_path, text))
    assert [asset.id for asset in system.assets] == ["m", "source", "source-2"]
    assert system.assets[0].settings["where"] == {"setting": "baseline"}
    assert system.assets[0].system_prompt == "Be kind."
    assert system.assets[0].price.cost(4, 0, 0) == 2.0
    assert system.assets[1].paths == ((tmp_path / "app").resolve(),)
    assert system.profile.categories == {"hate-discrimination": 2.0, "privacy-violation": 1.0}
    assert (system.budget.calls, system.budget.minutes) == (10, 2)
    assert manifest.load(write(tmp_path, MINIMAL + "budget: 7\n")).budget.calls == 7
    tokens = manifest.load(write(tmp_path, MINIMAL + "budget: {tokens: 9}\n")).budget
    assert (tokens.calls, tokens.tokens) == (None, 9)


@pytest.mark.parametrize(
    ("text", "line", "field", "tells"),
    [
        ("name: x\nassets:\n- kind: modell\n", 3, "assets[0].kind", "one of model, data, source"),
        ("name: x\nassets:\n- kind: source\n  pth: a\n", 4, "assets[0].pth", "path"),
        ("name: x\nassets: []\n", 2, "assets", "a list of assets"),
        ("name: 3\nassets: [{kind: source, path: .}]\n", 1, "name", "text"),
        ("assets: [{kind: source, path: .}]\n", 1, None, "'name' is missing"),
        ("name: x\nname: y\n", 2, None, "given twice"),
        (MINIMAL + "budget: {calls: 0}\n", 4, "budget.calls", "≥ 1"),
        (MINIMAL + "policy: ''\n", 4, "policy", "default, strict"),
        (MINIMAL + "prompts: [{set: nope}]\n", 4, "prompts[0].set", "advbench"),
        (MINIMAL + "policy: pack:none/strict\n", 4, "policy", "none"),
        (MINIMAL + "attacks: [best-of-n, 'pack:none/x']\n", 4, "attacks[1]", "none"),
        (MINIMAL + "prompts: [{set: gbt45654-should-refuse}]\n", 4, "prompts[0]", "'path'"),
        (MINIMAL + "languages: [French!]\n", 4, "languages[0]", "language tag"),
        (MINIMAL + "profile: {uses: [{name: a, share: 0.5}]}\n", 4, "profile.uses", "add up to 1"),
        (
            MINIMAL + "profile: {categories: {x: 1}}\n",
            4,
            "profile.categories.x",
            "hate-discrimination",
        ),
        ("name: x\nassets: [{kind: source, path: gone}]\n", 2, "assets[0].path", "no such"),
        (
            "name: x\nassets: [{kind: model}]\n",
            2,
            "assets[0]",
            "endpoint, http, python, weights, replay",
        ),
        (
            "name: x\nassets: [{kind: data, endpoint: 'http://a'}]\n",
            2,
            "assets[0].endpoint",
            "kind",
        ),
        ("name: x\nassets: [{kind: model, where: {a: 1}}]\n", 2, "assets[0].where", "replay"),
        ("name: [\n", 2, None, "not valid YAML"),
        (HTTP % "anwser: $.a", 3, "assets[0].http.anwser", "did you mean 'answer'?"),
        (
            HTTP % "session: {url: 'http://h/', tokn: $.a}",
            3,
            "assets[0].http.session.tokn",
            "did you mean 'token'?",
        ),
        (
            HTTP % "session: [{url: 'http://h/'}, {url: 'http://h/', tokn: $.a}]",
            3,
            "assets[0].http.session[1].tokn",
            "did you mean 'token'?",
        ),
        (HTTP % "session: []", 3, "assets[0].http.session", "a list of them"),
        (HTTP % "poll: {job: Location}", 3, "assets[0].http.poll.job", "header:NAME"),
        (HTTP % "brew: 3", 3, "assets[0].http.brew", "one of answer, body, cookies"),
        (
            MINIMAL + "budget: {money: 3}\n",
            4,
            "budget.money",
            "one of calls, cost, minutes, tokens",
        ),
        (MINIMAL + "budget: {calls: many}\n", 4, "budget.calls", "a whole number"),
        (
            "name: x\nassets: [{kind: source, path: ., refusals: [abc]}]\n",
            2,
            "assets[0].refusals",
            "belongs at the top",
        ),
        (MINIMAL + "refusals: [{patern: abc}]\n", 4, "refusals[0].patern", "'pattern'"),
        ("nam: x\nassets: [{kind: source, path: .}]\n", 1, "nam", "did you mean 'name'?"),
        ("", None, None, "a mapping"),
    ],
)
def test_errors_name_the_place(
    tmp_path: Path, text: str, line: int | None, field: str | None, tells: str
) -> None:
    with pytest.raises(InputError) as caught:
        manifest.load(write(tmp_path, text))
    error = caught.value
    assert "buttress.yaml" in str(error)
    assert "\n" not in str(error)
    assert tells in str(error)
    assert (error.line, error.field) == (line, field)


def test_a_login_in_two_steps_and_a_job_in_a_header(tmp_path: Path) -> None:
    login = "session: [{url: 'http://h/', token: 'cookie:c'}, {url: 'http://h/', form: {u: x}}]"
    http = "body: {q: '{{prompt}}'}, poll: {job: 'header:Location'}, " + login
    system = manifest.load(write(tmp_path, HTTP % http))
    assert open_target(system.assets[0].settings, base=tmp_path).name == "http://h/"


def test_the_url_of_azure_names_the_model(tmp_path: Path) -> None:
    asset = "{kind: model, id: m, endpoint: 'http://h/openai/deployments/d1/chat/completions'}"
    system = manifest.load(write(tmp_path, f"name: x\nassets: [{asset}]\n"))
    assert open_target(system.assets[0].settings, base=tmp_path).name == "d1 at h:80"
    asset = "{kind: model, id: m, endpoint: 'http://h/v1'}"
    with pytest.raises(InputError, match="'model' is missing"):
        manifest.load(write(tmp_path, f"name: x\nassets: [{asset}]\n"))


def test_missing_file_and_wrong_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        manifest.load(tmp_path / "nowhere.yaml")
    path = tmp_path / "buttress.yaml"
    path.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        manifest.load(path)


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    with pytest.raises(InputError, match="too large"):
        manifest.load(write(tmp_path, text))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "buttress.yaml"
    path.write_bytes(data)
    with pytest.raises(InputError):
        manifest.load(path)


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["model", "source", ".", "http://127.0.0.1/v1", "refuse", "default"]),
)  # fmt: skip
_KEYS = st.sampled_from(
    ["name", "assets", "kind", "path", "budget", "calls", "profile", "uses", "share", "where",
     "replay", "judge", "id", "prompts", "set", "policy", "price", "weights", "endpoint", "model"]
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=6), _VALUES)
@pytest.mark.slow
def test_any_structure_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, object], asset: object
) -> None:
    data |= {"name": "x", "assets": [asset]}
    path = tmp_path_factory.mktemp("fuzz") / "buttress.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    try:
        assert manifest.load(path).assets
    except InputError as error:
        if "buttress.yaml" not in str(error):
            raise


@pytest.mark.parametrize("function", ["bot:answer", "bot.py:answer", "./a b/bot.py:make.answer"])
def test_a_function_is_named_by_module_or_file(tmp_path: Path, function: str) -> None:
    text = f"name: x\nassets: [{{kind: model, python: '{function}'}}]\n"
    assert manifest.load(write(tmp_path, text)).assets[0].settings["python"] == function
    for wrong in ("bot", "bot:", "bot:1", "bot.txt:answer x"):
        with pytest.raises(InputError, match="MODULE:FUNCTION"):
            manifest.load(write(tmp_path, text.replace(function, wrong)))
