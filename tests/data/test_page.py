"""The page of a run over training data."""

from __future__ import annotations

from pathlib import Path

from buttress.report.data_page import render
from tests.data.making import cleaned, corpus, written
from tests.report.pages import problems, read


def test_the_page_is_whole_in_both_languages(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", corpus(8))
    document = cleaned(path, tmp_path / "out", "exact", "near", "pii")
    for name, language, heading in (
        ("report.html", "en", "Flow of records"),
        ("report.zh.html", "zh", "记录流向"),
    ):
        text = (tmp_path / "out" / name).read_text("utf-8")
        assert text == render(document, language)
        page = read(text)
        assert problems(page) == []
        assert heading in "\n".join(page.text)
        assert f"{document['records']['kept']:,}" in "\n".join(page.text)


def test_a_branch_is_drawn_only_where_a_stage_removes(tmp_path: Path) -> None:
    path = written(tmp_path / "in.jsonl", [{"text": "a"}, {"text": "a"}, {"text": "b"}])
    document = cleaned(path, tmp_path / "one", "unicode", "exact", "secrets")
    page = render(document)
    assert page.count('class="leaving"') == 1
    assert page.count('class="stream"') == 3
    # Two of three records flow on: the stream is two thirds as wide.
    assert page.count('class="stream" x="0" y="0" width="666.7"') == 2


def test_names_from_the_data_are_escaped(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>\u202e"
    path = written(tmp_path / "in.jsonl", [{"text": "a", "source": name, "id": name}] * 3)
    page = render(cleaned(path, tmp_path / "out", "exact"))
    assert "<script>" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
