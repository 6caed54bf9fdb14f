"""How grave a change is."""

from __future__ import annotations

import pytest

from buttress.drift.kinds import severity_of
from buttress.packs.knowledge import OWN
from buttress.probes.client.checks import RULES


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("NSAppTransportSecurity", '{"NSAllowsArbitraryLoads":true}', "ios-arbitrary-loads"),
        (
            "NSAppTransportSecurity",
            '{"NSExceptionDomains":{"a.io":{"NSExceptionAllowsInsecureHTTPLoads":true}}}',
            "ios-insecure-domain",
        ),
        (
            "NSAppTransportSecurity", '{"NSAllowsArbitraryLoadsInWebContent":true}',
            "ios-arbitrary-web-content",
        ),
        ("debuggable", "true", "android-debuggable"),
        ("usesCleartextTraffic", "true", "android-cleartext"),
        ("allowBackup", "true", "android-backup"),
        (
            "content_security_policy", "{\"extension_pages\":\"script-src 'unsafe-eval'\"}",
            "extension-unsafe-eval",
        ),
    ],
)  # fmt: skip
def test_a_setting_weighs_what_its_finding_does(name: str, value: str, rule: str) -> None:
    rules = RULES.with_packs(OWN.of_kind(RULES.name))
    assert severity_of(f"setting {name}", value) == rules[rule].severity


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NSAppTransportSecurity", '{"NSAllowsArbitraryLoads":false}'),
        ("debuggable", "false"),
        ("content_security_policy", "script-src 'self' 'wasm-unsafe-eval'"),
        ("version", "2.0"),
    ],
)
def test_a_setting_that_is_no_finding_weighs_little(name: str, value: str) -> None:
    assert severity_of(f"setting {name}", value) == "low"
    assert severity_of(f"setting {name}", None) == "low"
