"""Public sets and a user's own: files as their releases have them, errors that name the place."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.prompts.pack import load_categories
from buttress.prompts.public import known_sets, load_public
from tests.shared import DATA, needs_data

PUBLIC = [
    ("advbench", "advbench.csv", None, 520),
    ("harmbench", "harmbench_test.csv", None, 320),
    ("harmbench", "harmbench_val.csv", None, 80),
    ("jailbreakbench", "jailbreakbench.csv", None, 100),
    ("malicious-instruct", "malicious_instruct.txt", None, 100),
    ("tdc2023", "tdc2023_dev.json", None, 50),
    ("do-not-answer", "do_not_answer", None, 939),
    ("do-not-answer", "do_not_answer/malicious_uses.jsonl", None, 243),
    # From a folder that holds all sets, each takes its own files.
    ("advbench", ".", None, 520),
    ("harmbench", ".", None, 400),
    ("harmbench", ".", "val", 80),
    ("harmbench", ".", "contextual", 100),
    ("jailbreakbench", ".", "harmful", 100),
    ("malicious-instruct", ".", None, 100),
    ("tdc2023", ".", "dev", 50),
    ("do-not-answer", ".", None, 939),
]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@needs_data
@pytest.mark.parametrize(("name", "path", "split", "count"), PUBLIC)
def test_published_files_load_whole(name: str, path: str, split: str | None, count: int) -> None:
    assert DATA is not None
    prompts = load_public(name, DATA / "prompts" / path, split=split)
    assert len(prompts) == count
    assert len({prompt.id for prompt in prompts}) == count
    assert {prompt.expect for prompt in prompts} == {"refuse"}
    assert {prompt.source for prompt in prompts} == {name}
    assert {prompt.language for prompt in prompts} == {"en"}
    again = load_public(name, str(DATA / "prompts" / path), split=split)
    assert again == prompts


@needs_data
def test_categories_of_theirs_become_ours() -> None:
    assert DATA is not None
    folder = DATA / "prompts"
    counts = Counter(prompt.category for prompt in load_public("harmbench", folder, split="test"))
    assert counts == {
        "intellectual-property": 80,
        "misinformation": 54,
        "illegal": 53,
        "cybercrime": 52,
        "weapons": 42,
        "harassment-defamation": 21,
        "harmful": 18,
    }
    theirs = {prompt.category for prompt in load_public("jailbreakbench", folder)}
    assert len(theirs) == 10
    assert theirs & set(load_categories()) == {
        "cybercrime",
        "fraud-scams",
        "misinformation",
        "privacy-violation",
        "dangerous-advice",
    }


def test_context_is_part_of_the_request(tmp_path: Path) -> None:
    path = write(
        tmp_path / "harmbench.csv",
        "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"
        'Do it,contextual,illegal,context,"line one\nline ""two""",a\n'
        "Do that,standard,chemical_biological,,,b\n",
    )
    first, second = load_public("harmbench", path)
    assert first.text == 'line one\nline "two"\n\n---\n\nDo it'
    assert (second.text, second.category) == ("Do that", "weapons")
    assert [prompt.text for prompt in load_public("harmbench", path, split="standard")] == [
        "Do that"
    ]
    with pytest.raises(InputError, match=r"no prompt of 'harmbench', split 'copyright'"):
        load_public("harmbench", path, split="copyright")


def test_jailbreakbench_has_a_benign_half(tmp_path: Path) -> None:
    header = "Index,Goal,Target,Behavior,Category,Source\n"
    write(tmp_path / "data/harmful-behaviors.csv", header + "0,Bad,Sure,B,Privacy,Original\n")
    write(tmp_path / "data/benign-behaviors.csv", header + "0,Good,Sure,B,Privacy,Original\n")
    write(tmp_path / "data/judge-comparison.csv", "Index,goal,prompt\n0,Bad,Jailbroken\n")
    write(tmp_path / "README.txt", "about")
    both = load_public("jailbreakbench", tmp_path)
    assert {(prompt.text, prompt.expect) for prompt in both} == {
        ("Bad", "refuse"),
        ("Good", "answer"),
    }
    assert [p.text for p in load_public("jailbreakbench", tmp_path, split="benign")] == ["Good"]
    assert [p.text for p in load_public("jailbreakbench", tmp_path, split="harmful")] == ["Bad"]


@pytest.mark.parametrize(
    "text",
    [
        "id,prompt,type,label,focus,note\n"
        "1,How do I kill a process?,homonyms,safe,kill,\n"
        "2,How do I do harm?,contrast_homonyms,unsafe,kill,\n",
        # The second version has no label.
        "id_v1,id_v2,type,prompt,focus,note\n"
        ",v2-1,homonyms,How do I kill a process?,kill,\n"
        ",v2-2,contrast_homonyms,How do I do harm?,kill,\n",
    ],
)
def test_xstest_says_what_is_safe(tmp_path: Path, text: str) -> None:
    safe, unsafe = load_public("xstest", write(tmp_path / "xstest_prompts.csv", text))
    assert (safe.expect, unsafe.expect) == ("answer", "refuse")
    assert safe.category == unsafe.category == "homonyms"
    only = load_public("xstest", tmp_path, split="safe")
    assert only == [safe]


def test_strongreject_maliciousinstruct_and_do_not_answer_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path / "strongreject_dataset.csv",
        "category,source,forbidden_prompt\nViolence,DAN,Hurt them\n"
        "Illegal goods and services,custom,Sell it\n",
    )
    assert [(p.text, p.category) for p in load_public("strongreject", path)] == [
        ("Hurt them", "violent-crime"),
        ("Sell it", "illegal-goods-and-services"),
    ]
    path = write(tmp_path / "m.txt", "\ufeffOne thing?\r\n\r\nAnother thing?\r\n")
    assert [p.text for p in load_public("malicious-instruct", path)] == [
        "One thing?",
        "Another thing?",
    ]
    path = write(
        tmp_path / "do_not_answer_en.csv",
        "id,risk_area,types_of_harm,specific_harms,question\n"
        "0,Malicious Uses,Reducing the cost of disinformation campaigns,x,Spread it\n"
        "1,Malicious Uses,Assisting illegal activities,x,帮我做这件违法的事\n",
    )
    assert [(p.category, p.language) for p in load_public("do-not-answer", path)] == [
        ("misinformation", "en"),
        ("assisting-illegal-activities", "zh"),
    ]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.json", '["One", "Two"]'),
        ("a.json", '{"data": [{"prompt": "One"}, {"prompt": "Two"}]}'),
        ("a.json", '{"prompt": {"0": "One", "1": "Two"}}'),
        ("a.json", '{"Prompt": ["One", "Two"]}'),
        ("a.json", '{"prompt": "One"}\n{"prompt": "Two"}\n'),
        ("a.jsonl", '{"prompt": "One"}\n\n{"prompt": "Two"}'),
        ("a.jsonl", '"One"\n"Two"\n'),
        ("a.tsv", "Prompt\tother\nOne\t1\nTwo\t2\n"),
        ("a.csv", '\ufeffGOAL,target\r\n"One",x\r\nTwo,y\r\n'),
        ("a.txt", "One\nTwo"),
    ],
)
def test_a_set_may_come_in_any_of_the_usual_forms(tmp_path: Path, file: str, text: str) -> None:
    prompts = load_public("advbench", write(tmp_path / file, text))
    assert [prompt.text for prompt in prompts] == ["One", "Two"]
    # Ids don't depend on the form, so evidence of different copies can be compared.
    assert prompts[0].id == "advbench/" + hashlib.sha256(b"One").hexdigest()[:12]


def test_parquet_as_on_the_hub(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for config in ("standard", "contextual"):
        (tmp_path / config).mkdir()
        table = arrow.table(
            {
                "prompt": [f"{config} one", f"{config} two"],
                "category": ["copyright", None],
                "context": ["about", None],
                "tags": [["a"], ["b"]],
            }
        )
        parquet.write_table(table, tmp_path / config / "train-00000-of-00001.parquet")
    prompts = load_public("harmbench", tmp_path, split="standard")
    assert [(p.text, p.category) for p in prompts] == [
        ("about\n\n---\n\nstandard one", "intellectual-property"),
        ("standard two", "uncategorised"),
    ]
    assert len(load_public("harmbench", tmp_path)) == 4
    parquet.write_table(arrow.table({"prompt": ["x", ""]}), tmp_path / "bad.parquet")
    with pytest.raises(InputError, match=r"bad.parquet: row 2 prompt: empty"):
        load_public("harmbench", tmp_path / "bad.parquet")


def test_what_another_file_repeats_is_taken_once(tmp_path: Path) -> None:
    write(tmp_path / "advbench_a.csv", "goal\nOne\nOne\nTwo\n")
    write(tmp_path / "advbench_b.csv", "goal\nTwo\nThree\n")
    prompts = load_public("advbench", tmp_path)
    assert [prompt.text for prompt in prompts] == ["One", "One", "Two", "Three"]
    assert len({prompt.id for prompt in prompts}) == 4


def test_a_set_of_ones_own(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Tell me a secret", "expect": "refuse", "category": "Our Secrets", "id": 7},
        {"prompt": "今天天气怎么样？", "expect": "answer"},
        {"prompt": "Bonjour", "expect": "answer", "language": "en", "category": "cybercrime"},
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    first, second, third = load_public("own", write(tmp_path / "own.jsonl", text))
    assert (first.id, first.expect, first.category) == ("own/7", "refuse", "our-secrets")
    assert (second.expect, second.language, second.category) == ("answer", "zh", "uncategorised")
    assert (third.language, third.category) == ("en", "cybercrime")


GOOD = '{"prompt": "a", "expect": "refuse"}\n'


@pytest.mark.parametrize(
    ("name", "file", "text", "line", "tells"),
    [
        ("own", "a.jsonl", GOOD + '{"prompt": "b"}\n', 2, "a column expect"),
        (
            "own",
            "a.jsonl",
            GOOD + '{"prompt": "b", "expect": "no"}',
            2,
            "expect: 'no' is not usable",
        ),
        ("own", "a.jsonl", GOOD + '{"prompt": "b", "expect": 1}', 2, "refuse or answer"),
        ("own", "a.jsonl", GOOD + '{"expect": "refuse"}', 2, "prompt or goal"),
        ("own", "a.jsonl", GOOD + '{"prompt": 3, "expect": "refuse"}', 2, "3 is not text"),
        ("own", "a.jsonl", GOOD + '{"prompt": " ", "expect": "refuse"}', 2, "prompt: empty"),
        ("own", "a.jsonl", GOOD[:-2] + ', "language": "fr"}', 1, "one of en, zh"),
        ("own", "a.jsonl", (GOOD[:-2] + ', "id": "x"}\n') * 2, 2, "id: taken by"),
        ("own", "a.jsonl", "{}\n{", 1, "a column expect"),
        ("own", "a.jsonl", GOOD + "[]", 2, "not a row"),
        ("own", "a.jsonl", GOOD + "{", 2, "one object a line"),
        ("own", "a.json", '[\n{"prompt": "a",}]', 2, "a JSON list"),
        ("own", "a.json", '[{"prompt": "a", "expect": "refuse"}, 3]', None, "[1]: not a row"),
        ("own", "a.json", "3", None, "a list, or columns"),
        ("own", "a.json", '{"prompt": ["a"], "expect": []}', None, "same length"),
        ("advbench", "a.csv", "goal,target\na,b\nc\n", 3, "2, as in the header"),
        ("advbench", "a.csv", 'goal,target\na,"b\n\nc\n', 2, "not CSV"),
        ("advbench", "a.csv", 'goal,target\n"x\ny",b\n,d\n', 4, "goal: empty"),
        ("advbench", "a.csv", "behaviour,target\na,b\n", 2, "it has behaviour, target"),
        ("advbench", "a.csv", "goal,target\n", None, "no prompt of 'advbench'"),
        ("advbench", "a.csv", "", None, "columns goal and target"),
        ("advbench", "a.xlsx", "x", None, "unknown kind of file '.xlsx'"),
        ("advbench", "a.parquet", "PAR1", None, "not Parquet"),
        ("xstest", "a.csv", "prompt,label\na,maybe\n", 2, "'maybe' is not usable"),
        ("xstest", "a.txt", "a\n", 1, "a column label or type"),
        ("malicious-instruct", "a.txt", " \n\n", None, "one request a line"),
        ("malicious-instruct", "a.txt", "x" * 100_001, 1, "at most 100000"),
    ],
)
def test_errors_name_the_place(  # noqa: PLR0917
    tmp_path: Path, name: str, file: str, text: str, line: int | None, tells: str
) -> None:
    if tells == "not Parquet":
        pytest.importorskip("pyarrow")
    path = write(tmp_path / file, text)
    with pytest.raises(InputError) as caught:
        load_public(name, path)
    error = caught.value
    assert str(error).startswith(str(path))
    assert tells in str(error)
    assert error.line == line
    assert "\n" not in str(error)


def test_wrong_names_paths_and_encodings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one of advbench, harmbench"):
        load_public("nope", tmp_path)
    with pytest.raises(InputError, match=r"split: 'harmbench' has no split 'train'.*val, test"):
        load_public("harmbench", tmp_path, split="train")
    with pytest.raises(InputError, match="no such file or folder"):
        load_public("advbench", tmp_path / "gone.csv")
    with pytest.raises(InputError, match="no prompt of 'advbench'"):
        load_public("advbench", tmp_path)
    (tmp_path / "a.csv").write_bytes(b"goal\nx\xff\n")
    with pytest.raises(InputError, match=r"a\.csv: byte 6 is not UTF-8"):
        load_public("advbench", tmp_path)
    with pytest.raises(InputError, match="path: 'own' is not on the hub"):
        load_public("own", None)


def test_a_folder_of_something_else_is_not_searched_for_ever(tmp_path: Path) -> None:
    for number in range(2_001):
        (tmp_path / f"{number}.py").touch()
    with pytest.raises(InputError, match="more than 2000 files"):
        load_public("advbench", tmp_path)


def test_known_sets_say_what_they_are() -> None:
    sets = known_sets()
    assert list(sets) == [
        "advbench", "harmbench", "jailbreakbench", "strongreject", "malicious-instruct",
        "tdc2023", "xstest", "do-not-answer", "own",
    ]  # fmt: skip
    for name, known in sets.items():
        assert known.title
        assert known.licence
        assert known.form
        assert (known.hub is None) == (name == "own")
