"""Descriptions of APIs: OpenAPI 3 and Swagger 2, and those that can't be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buttress.errors import InputError
from buttress.probes.service.openapi import ApiDescription, load_description


def load(folder: Path, data: Any) -> ApiDescription:
    file = folder / "api.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    return load_description(file)


def test_openapi_3(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "openapi": "3.0.3",
            "servers": [{"url": "https://elsewhere.example/api/v2/"}],
            "components": {
                "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}},
                "parameters": {"Id": {"name": "id", "in": "path", "schema": {"enum": ["a/b"]}}},
                "schemas": {
                    "Ask": {
                        "type": "object",
                        "required": ["question", "depth"],
                        "properties": {
                            "question": {"type": "string"},
                            "depth": {"type": "integer", "minimum": 3},
                            "page_url": {"type": "string", "format": "uri"},
                        },
                    },
                    "Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
                },
            },
            "paths": {
                "/things/{id}": {
                    "parameters": [{"$ref": "#/components/parameters/Id"}],
                    "get": {
                        "security": [{"k": []}],
                        "parameters": [
                            {"name": "all", "in": "query", "schema": {"type": "boolean"}},
                            {"name": "q", "in": "query", "required": True, "example": "a b"},
                        ],
                    },
                },
                "/ask": {
                    "post": {
                        "requestBody": {
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}
                            }
                        }
                    }
                },
                "/loop": {
                    "post": {
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/Loop"}
                                }
                            }
                        }
                    }
                },
                "/far": {"$ref": "https://elsewhere.example/far.json"},
                "broken": {"get": {}},
            },
        },
    )
    thing, question, loop = found.operations
    assert thing.filled() == "/api/v2/things/a%2Fb?q=a%20b"
    assert thing.filled({"id": "{id}"}) == "/api/v2/things/{id}?q=a%20b"
    assert thing.secured
    assert question.body == {"question": "x", "depth": 3}
    assert question.properties == {"question": "", "depth": "", "page_url": "uri"}
    assert not question.secured
    assert loop.body == "x"
    assert found.key_header == ("X-Key", "{key}")


def test_swagger_2(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        {
            "swagger": "2.0",
            "basePath": "/v1",
            "security": [{"k": []}],
            "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "api-key"}},
            "definitions": {
                "Q": {"type": "object", "required": ["prompt"], "properties": {"prompt": {}}}
            },
            "paths": {
                "/generate": {
                    "post": {
                        "parameters": [
                            {"in": "body", "name": "b", "schema": {"$ref": "#/definitions/Q"}}
                        ]
                    }
                }
            },
        },
    )
    (one,) = found.operations
    assert (one.path, one.secured, one.body) == ("/v1/generate", True, {"prompt": "x"})
    assert found.key_header == ("api-key", "{key}")


@pytest.mark.parametrize(
    "data",
    ["", "[]", "{", "{}", '{"openapi": "3.0.0"}', '{"openapi": "3.0.0", "paths": {}}', "\x00",
     '{"openapi": "3.0.0", "paths": {"/x": 5}}', "[" * 50_000, "a: &a [*a]"],
)  # fmt: skip
def test_what_is_no_description_is_told_in_one_line(tmp_path: Path, data: str) -> None:
    with pytest.raises(InputError, match=r"api\.json") as caught:
        load(tmp_path, data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ('[{url: "https://h.example/v1/"}]', "/v1/a"),
        ('[{url: api/v2}]', "/api/v2/a"),
        ('[{url: "https://{host}/{v}", variables: {host: {default: h}, v: {default: v3}}}]',
         "/v3/a"),
        ('[{url: "https://h/{v}"}]', "/a"),
        ('[{url: "https://[broken"}]', "/a"),
        ("[]", "/a"),
        ("7", "/a"),
    ],
)  # fmt: skip
def test_the_path_of_a_server(tmp_path: Path, servers: str, expected: str) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(f"openapi: 3.1.0\nservers: {servers}\npaths: {{/a: {{get: {{}}}}}}\n")
    assert [one.path for one in load_description(file).operations] == [expected]


def test_a_path_or_an_operation_may_stand_at_a_server_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(
        "openapi: 3.0.0\nservers: [{url: /v1}]\npaths:\n"
        "  /a: {servers: [{url: /files}], get: {}, post: {servers: [{url: /up}]}}\n"
        "  /b: {get: {}}\n"
    )
    assert [one.path for one in load_description(file).operations] == ["/files/a", "/up/a", "/v1/b"]


def test_examples_and_schemas_in_parts(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(
        "openapi: 3.1.0\npaths:\n  /a:\n    post:\n"
        "      parameters:\n"
        "        - {name: q, in: query, examples: {one: {value: shoes}}}\n"
        "        - {name: n, in: query, schema: {type: integer, examples: [7]}}\n"
        "      requestBody: {content: {application/json: {schema: {allOf: [\n"
        "        {type: object, required: [id], properties: {id: {type: integer}}},\n"
        "        {type: object, required: [text], properties: {text: {const: hello}}}]}}}}\n"
    )
    (one,) = load_description(file).operations
    assert [each.value for each in one.parameters] == ["shoes", "7"]
    assert one.body == {"id": 1, "text": "hello"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--openapi"):
        load_description(tmp_path / "none.json")


YAML = """
openapi: 3.1.0
info: {title: t, version: 2024-01-01}
components:
  schemas:
    Order Line:
      type: [object, "null"]
      required: [id, when, count, above, over, name, tags, since]
      properties:
        id: {type: string, format: uuid}
        when: {type: ["null", string], format: date-time}
        count: {type: ["null", integer]}
        above: {type: integer, exclusiveMinimum: 4}
        over: {type: integer, minimum: 4, exclusiveMinimum: true}
        name: {type: string, minLength: 3}
        since: {type: object, example: {day: 2024-05-06}}
        tags: {type: array, items: {type: string}}
paths:
  /a/{id}:
    parameters:
      - {name: id, in: path, schema: {type: string}}
      - {name: q, in: query, required: true, schema: {type: string}}
    get:
      parameters: [{name: id, in: path, example: 2024-05-06}, {name: id, in: query, example: 7}]
      responses: {200: {description: ok}}
  /b/{id}:
    post:
      parameters: [{$ref: "#/paths/~1a~1%7Bid%7D/parameters/0"}, {$ref: "#/paths/~1a/x/9"}]
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Order%20Line"}}}
  /c: {$ref: "./other.yaml#/paths/~1c"}
  /d: {get: {parameters: [{$ref: "#/paths/~1a~1%7Bid%7D/parameters/5"}]}}
"""


def test_openapi_3_1_in_yaml_with_references(tmp_path: Path) -> None:
    get, post, plain = load(tmp_path, YAML).operations
    assert get.filled() == "/a/2024-05-06?q=x"
    assert get.filled({"id": "5"}) == "/a/5?q=x&id=5"
    assert post.filled() == "/b/x"
    assert json.loads(json.dumps(post.body)) == {
        "id": "00000000-0000-4000-8000-000000000001", "when": "2024-01-01T00:00:00Z",
        "count": 1, "above": 5, "over": 5, "name": "xxx", "tags": ["x"],
        "since": {"day": "2024-05-06"},
    }  # fmt: skip
    assert plain.filled() == "/d"
