"""Expressions of GitHub Actions: what they hand on, and what a stranger chooses of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buttress.probes.deployment.expressions import Reference, expressions, references
from buttress.probes.deployment.untrusted import ExpressionScope, sources

BODY = "github.event.comment.body"


@pytest.mark.parametrize(
    ("source", "handed_on"),
    [
        (BODY, [(BODY, False)]),
        ("github['event']['comment'].body", [(BODY, False)]),
        ("GitHub.Event.Comment.Body", [(BODY, False)]),
        ("toJSON(github.event)", [("github.event", True)]),
        (
            "join(github.event.a.*.name, ',')",
            [("github.event.a.*.name", True)],
        ),
        ("format('{0}-{1}', github.head_ref, 1)", [("github.head_ref", False)]),
        ("github.event.commits[0].message", [("github.event.commits.*.message", False)]),
        ("fromJSON(steps.a.outputs.b).c", [("steps.a.outputs.b.c", False)]),
        (f"{BODY} == 'x'", []),
        (f"!{BODY}", []),
        (f"contains({BODY}, 'x') && 'yes' || 'no'", []),
        (f"{BODY} && 'yes' || 'no'", []),
        (f"inputs.a || {BODY}", [("inputs.a", False), (BODY, False)]),
        ("'github.event.comment.body'", []),
        ("hashFiles('**/lock')", []),
        (f"broken( {BODY}", [(BODY, True)]),
    ],
)
def test_what_an_expression_hands_on(source: str, handed_on: list[tuple[str, bool]]) -> None:
    assert list(references(source)) == [Reference(*one) for one in handed_on]


def test_expressions_end_where_their_texts_do_not() -> None:
    text = "a ${{ format('}}', github.head_ref) }} b ${{ env.X }} ${{ github.actor"
    assert [(one.start, one.source) for one in expressions(text)] == [
        (2, "format('}}', github.head_ref)"),
        (41, "env.X"),
        (54, "github.actor"),
    ]


def test_variables_and_outputs_are_followed() -> None:
    steps = [
        {"id": "a", "env": {"B": f"${{{{ {BODY} }}}}"}, "run": 'echo "v=$B" >> "$GITHUB_OUTPUT"'},
        {"id": "b", "run": 'echo "v=${{ steps.a.outputs.v }}" >> "$GITHUB_OUTPUT"'},
        {"id": "c", "env": {"B": f"${{{{ {BODY} }}}}"}, "run": 'echo "v=1" >> "$GITHUB_OUTPUT"'},
    ]
    job = {"steps": steps, "outputs": {"o": "${{ steps.b.outputs.v }}"}}
    scope = ExpressionScope({"jobs": {"j": job}}, job, tuple(steps))
    for text, found in (
        ("${{ steps.a.outputs.v }}", True),
        ("${{ steps.b.outputs.v }}", True),
        ("${{ steps.c.outputs.v }}", False),
        ("${{ needs.j.outputs.o }}", True),
        ("${{ needs.j.outputs.p }}", False),
    ):
        assert bool(list(sources(text, scope))) is found, text


def test_variables_in_a_circle_end() -> None:
    env = {"A": "${{ env.B }}", "B": "${{ env.A }}"}
    assert list(sources("${{ env.A }}", ExpressionScope({"env": env}, {}))) == []


@given(st.text(alphabet="github.ev[]()'&|!=<>,*0 ${}xX_-", max_size=80))
def test_any_text_is_read(text: str) -> None:
    for one in expressions(text):
        assert text.startswith("${{", one.start)
    references(text)
