"""Each product is known by its own examples and by no other's; each counterexample names none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from buttress.probes.infrastructure.products import (
    Product,
    ProductAnswers,
    exposures,
    identify,
    products,
)
from buttress.protocols.live import LiveRequest, Reply

GENERIC: dict[str, Mapping[str, Any]] = {
    "a page for every path": {"*": "<!doctype html><title>Shop</title><div id=root></div>"},
    "an empty object for every path": {"*": "{}"},
    "an empty list for every path": {"*": "[]"},
    "an error as JSON": {"*": {"status": 404, "body": '{"detail":"Not Found"}'}},
    "a bare version for every path": {"*": '{"version":"1.2.3"}'},
    "the same words for every path": {"*": "Ollama is running"},
    "all that anybody asks for, for every path": {
        "*": {
            "body": '{"status":"ok","version":"1.0.0","data":[],"models":[],"object":"list",'
            '"database":"ok","name":"Open WebUI","components":[],"ok":true}',
            "header": {"Content-Type": "application/json"},
        }
    },
    "a welcome page": {
        "/": {"body": "<title>Welcome to nginx!</title>", "header": {"Server": "nginx/1.22.1"}}
    },
    "a health check": {"/health": '{"status":"ok"}', "/healthz": "ok"},
    "models of OpenAI": {
        "/v1/models": '{"object":"list","data":[{"id":"gpt-5","owned_by":"openai"}]}'
    },
    "an article about all of them": {
        "/": "<title>AI servers compared</title>" + " ".join(one.name for one in products())
    },
}


def answers(pages: Mapping[str, Any], raw: str | None = None) -> Any:
    async def ask(request: LiveRequest) -> Reply | None:
        if request.method == "TCP":
            return None if raw is None else Reply(200, (), raw.encode())
        page = pages.get(request.path, pages.get("*", {"status": 404, "body": "not here"}))
        if isinstance(page, str):
            page = {"body": page}
        headers = tuple(page.get("header", {}).items())
        return Reply(page.get("status", 200), headers, page.get("body", "").encode())

    return ask


def named(pages: Mapping[str, Any], raw: str | None = None) -> dict[str, str]:
    found = asyncio.run(identify(products(), ProductAnswers(answers(pages, raw))))
    assert all(one.proof for one in found)
    return {one.product.id: one.version for one in found}


def test_there_are_at_least_sixty_products() -> None:
    assert len(products()) >= 60


@pytest.mark.parametrize("product", products(), ids=lambda one: one.id)
def test_examples_name_this_product_and_no_other(product: Product) -> None:
    assert product.examples
    assert product.others
    for example in product.examples:
        got = named(example.get("answers", {}), example.get("raw"))
        assert got == {product.id: str(example["version"])}


@pytest.mark.parametrize("product", products(), ids=lambda one: one.id)
def test_counterexamples_do_not_name_it(product: Product) -> None:
    for pages in product.others:
        assert product.id not in named(pages)


@pytest.mark.parametrize("name", GENERIC)
def test_what_could_be_anything_is_nothing(name: str) -> None:
    assert named(GENERIC[name]) == {}


@pytest.mark.parametrize("product", products(), ids=lambda one: one.id)
def test_every_product_tells_its_version_or_how_to_find_it_out(product: Product) -> None:
    assert product.version or product.ask


@pytest.mark.parametrize("version", ["0.6.0", "v0.6.0"])
def test_a_leading_v_is_no_part_of_a_version(version: str) -> None:
    models = '{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}'
    pages = {"/v1/models": models, "/version": f'{{"version":"{version}"}}'}
    assert named(pages)["vllm"] == "0.6.0"


# What products answer to anybody although they ask for a key, beside what shows that they ask none.
GUARDED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "langgraph": (
        {"/info": '{"version":"0.16.7","langgraph_py_version":"1.2","flags":{"assistants":true}}'},
        {"/assistants/00000000-0000-0000-0000-000000000000": {
            "status": 404, "body": '{"detail":"Assistant 00000000 not found"}'}},
    ),
    "phoenix": ({"/arize_phoenix_version": "4.33.1"}, {"/v1/projects": '{"data":[]}'}),
    "llama-cpp": (
        {"/v1/models": '{"data":[{"id":"x.gguf","owned_by":"llamacpp"}]}'},
        {"/props": '{"default_generation_settings":{"id":0}}'},
    ),
    "tgi": (
        {"/info": '{"model_id":"a/b","max_total_tokens":4096,"version":"2.4.0"}'},
        {"/tokenize": '[{"id":1,"text":"hello"}]'},
    ),
    "openclaw": ({"/__openclaw/control-ui-config.json": '{"serverVersion":"2026.2.21"}'}, {}),
    "langserve": (
        {"/openapi.json": '{"paths":{"/r/invoke":{},"/r/input_schema":{},"/r/stream_log":{}},'
         '"components":{"securitySchemes":{"APIKeyHeader":{}}}}'},
        {"/openapi.json": '{"paths":{"/r/invoke":{},"/r/input_schema":{},"/r/stream_log":{}}}'},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GUARDED)
def test_what_is_open_whatever_key_is_asked_for_is_no_finding(name: str) -> None:
    guarded, open_ = GUARDED[name]
    (of,) = (one for one in products() if one.id == name)

    def found(pages: dict[str, Any]) -> list[str]:
        shown = asyncio.run(exposures(of, ProductAnswers(answers(pages)), active=True))
        return [one.rule for one, _ in shown if one.rule.startswith(("open-", "unauth"))]

    assert name in named(guarded)
    assert found(guarded) == []
    assert bool(found(guarded | open_)) is bool(open_)
