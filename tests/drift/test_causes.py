"""What somebody changed once is one event, however many facts it changes."""

from __future__ import annotations

import pytest

from buttress.drift.interface_facts import interface_facts
from buttress.drift.page_facts import policy_facts
from buttress.drift.timeline import Timeline


def told(before: dict[str, str], after: dict[str, str]) -> list[set[str]]:
    """The names of the facts of each event."""
    timeline = Timeline()
    timeline.begin([before])
    return [{fact.name for fact in one.facts} for one in timeline.compare([after])]


POLICY = policy_facts("default-src 'self'; img-src *; frame-ancestors 'none'")


@pytest.mark.parametrize(
    "after",
    [
        {},
        policy_facts("default-src *"),
        policy_facts("script-src 'none'; object-src 'none'"),
        policy_facts("default-src 'self'; img-src *; frame-ancestors 'none'", "csp-report-only"),
    ],
)
def test_a_policy_is_one_thing(after: dict[str, str]) -> None:
    assert len(told({"status": "200"} | POLICY, {"status": "200"} | after)) == 1


def described(prefix: str = "", **changes: object) -> dict[str, str]:
    """Facts of four paths with two methods each, of which all need the scheme ``key``."""
    method = {"responses": {"200": {}}}
    return interface_facts(
        {
            "openapi": "3.1.0",
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
            "security": [{"key": []}],
            "paths": {f"{prefix}/{one}": {"get": method, "put": method} for one in "abcd"},
            **changes,
        }
    )


@pytest.mark.parametrize(
    "after",
    [
        described(security=[]),
        described(security=[], components={}),
        described(prefix="/v2"),
        {name: value for name, value in described().items() if " /a" not in name},
        {name: f"{value} 422" if "#answers" in name else value
         for name, value in described().items()},
        {name: f"{value}; header tenant" if "#parameters" in name else value
         for name, value in described().items()},
    ],
)  # fmt: skip
def test_what_happens_to_many_operations_alike_is_one_event(after: dict[str, str]) -> None:
    assert len(told(described(), after)) == 1


def test_what_happens_to_operations_each_in_its_way_is_told_of_each() -> None:
    after = described()
    after["operation GET /a#security"] = "none"
    after["operation PUT /b#answers"] = "200 500"
    after["operation GET /new"] = ""
    assert len(told(described(), after)) == 3


def test_a_product_brings_what_is_found_about_it_and_takes_it_away() -> None:
    open_host = {
        "port": "open",
        "product ollama": "0.1.30",
        "finding infrastructure-live open-model-management /api/tags": "high",
        "finding infrastructure-live dns-rebinding /api/tags": "medium",
        "served-model m": "served",
    }
    closed = {"port": "open"}
    assert (len(told(open_host, closed)), len(told(closed, open_host))) == (1, 1)
    hidden = {"port": "open", "product ollama": "0.1.30"}
    assert (len(told(open_host, hidden)), len(told(hidden, open_host))) == (1, 1)
    other = {"port": "open", "product mlflow": "2.2.0"}
    assert len(told(open_host, other)) == 1
    upgraded = open_host | {"product ollama": "0.6.0", "served-model n": "served"}
    assert len(told(open_host, upgraded)) == 2


def test_tls_and_certificates_come_with_what_is_found_about_them() -> None:
    before = {
        "scheme": "https",
        "certificate key": "SHA-256 1",
        "certificate issuer": "CN=A",
        "tls TLS 1.3": "S1, S2",
    }
    weaker = before | {
        "tls TLS 1.0": "S3",
        "finding link-live obsolete-protocol /": "high",
        "finding link-live des-suite /": "medium",
    }
    assert len(told(before, weaker)) == 1
    renewed = before | {
        "certificate key": "SHA-256 2",
        "certificate issuer": "CN=B",
        "tls TLS 1.3": "S1",
        "finding link-live certificate-self-signed /": "medium",
    }
    assert len(told(before, renewed)) == 1
    plain = {"scheme": "http", "finding link-live no-tls /": "high"}
    assert len(told(before, plain)) == 1
    cookie = before | {"finding link-live websocket-open /ws": "medium", "tls TLS 1.2": "S4"}
    assert len(told(before, cookie)) == 2


def test_a_script_that_is_gone_takes_what_it_held_along() -> None:
    before = {"endpoint /a": "", "text You are a helpful assistant of the shop": ""}
    after = {"missing-script /app.js": "status 404"}
    assert len(told(before, after)) == 1
    assert len(told(before, after | {"endpoint https://evil.test/": ""})) == 2
