"""Descriptions of interfaces: what is said otherwise is no change, what is asked otherwise is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from buttress.drift.interface_facts import interface_facts, interface_of
from buttress.drift.javascript_tokens import JavaScriptToken, joined_strings, tokens
from buttress.drift.kinds import severity_of

API: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1", "description": "a shop"},
    "servers": [{"url": "https://api.shop.example"}],
    "security": [{"key": []}],
    "paths": {
        "/chat": {
            "post": {
                "summary": "Ask", "operationId": "ask", "tags": ["chat"],
                "requestBody": {"content": {"application/json": {"schema": {
                    "$ref": "#/components/schemas/Q"}}}},
                "responses": {"200": {"description": "fine"}, "401": {"description": "no"}},
            }
        },
        "/orders/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "get": {"security": [{"key": []}, {"admin": []}], "responses": {"200": {}}},
        },
    },
    "components": {
        "schemas": {"Q": {"type": "object", "title": "Q", "required": ["a", "b"],
                          "properties": {"a": {"type": "string", "example": "x"},
                                         "description": {"type": "string"},
                                         "q": {"$ref": "#/components/schemas/Q"}}}},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "a key"}},
    },
}  # fmt: skip
Edit = Callable[[dict[str, Any]], object]


def edited(edit: Edit) -> dict[str, str]:
    made = copy.deepcopy(API)
    edit(made)
    return interface_facts(made)


def ask(api: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api["paths"]["/chat"]["post"]
    return found


@pytest.mark.parametrize(
    "edit",
    [
        lambda api: api["info"].update(version="2", description="other"),
        lambda api: ask(api).update(summary="x", operationId="y", tags=[], deprecated=False),
        lambda api: ask(api)["responses"]["200"].update(description="other"),
        lambda api: api.update(paths=dict(reversed(list(api["paths"].items())))),
        lambda api: api["components"]["schemas"]["Q"].update(required=["b", "a"], title="R"),
        lambda api: api["components"]["schemas"]["Q"]["properties"]["a"].update(example="y"),
    ],
)
def test_words_for_people_and_order_are_no_facts(edit: Edit) -> None:
    assert edited(edit) == interface_facts(API)


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        (lambda api: ask(api).update(security=[]), {"operation POST /chat#security"}),
        (lambda api: ask(api)["responses"].update({"500": {}}), {"operation POST /chat#answers"}),
        (lambda api: api["components"]["schemas"]["Q"]["properties"].pop("description"),
         {"operation POST /chat#body"}),
        (lambda api: api["paths"]["/orders/{id}"]["parameters"][0].update(required=False),
         {"operation GET /orders/{id}#parameters"}),
        (lambda api: api["components"]["securitySchemes"]["key"].update(scheme="basic"),
         {"security-scheme key"}),
        (lambda api: api.update(security=[]), {"operation POST /chat#security"}),
    ],
)  # fmt: skip
def test_what_is_taken_and_from_whom_is(edit: Edit, names: set[str]) -> None:
    before, after = interface_facts(API), edited(edit)
    assert {name for name in before | after if before.get(name) != after.get(name)} == names


def test_an_operation_for_anybody_is_critical() -> None:
    assert severity_of("operation POST /chat#security", "none") == "critical"
    assert severity_of("operation POST /chat#security", "key") == "high"
    assert severity_of("operation POST /chat#body", "{}") == "medium"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"openapi": 1}', b'{"openapi": 1, "paths": 2}']
)
def test_other_answers_are_no_description(body: bytes) -> None:
    assert interface_of(body) is None


def test_references_that_lead_nowhere_or_around() -> None:
    looped = {"openapi": "3", "paths": {"/a": {"$ref": "#/paths/~1a"}, "/b": {"get": {
        "requestBody": {"$ref": "#/none"}, "parameters": [3], "responses": 4}}}}  # fmt: skip
    assert interface_facts(looped)["operation GET /b#body"] == "null"


def strings(source: str) -> list[str]:
    return [one.text for one in joined_strings(source) if one.kind == "string"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("'a' + \"b\" + `c`", ["abc"]),
        ("`a${x}b${`c${y}`}d`", ["a", "bc", "d"]),
        (r"'\x41\u0042\u{43}\n\
d'", ["ABC\nd"]),
        ("a = b / 'x' / c; /'/.test(y) + 'z'", ["x", "z"]),
        ("return /[/'\"]/g, 'k' // 'no'\n/* 'no' */", ["k"]),
        ("x = {a: 1}\n/'s'/ 2", ["s"]),
        ("'unfinished\n 'b'", ["unfinished", "b"]),
    ],
)  # fmt: skip
def test_strings_of_scripts(source: str, found: list[str]) -> None:
    assert strings(source) == found


def test_every_script_ends() -> None:
    for source in ("`${", "'", "/*", "/", "}" * 50, "`" * 7, "\\", "\u2028", "${`", "<!--"):
        assert all(isinstance(one, JavaScriptToken) for one in tokens(source))
