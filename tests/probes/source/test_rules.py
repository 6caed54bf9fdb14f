"""The rules: each finds its own examples, and knows what is none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import buttress.probes.source
from buttress.evidence.findings import SEVERITIES
from buttress.rules.credentials.checks import CHECKS
from buttress.rules.credentials.checks.checksums import (
    base62,
    bech32_checksum,
    grafana_checksum,
)
from buttress.rules.credentials.kind import CREDENTIALS
from buttress.rules.credentials.literals import is_random, is_words
from buttress.rules.credentials.rule import CredentialRule
from buttress.rules.credentials.scanner import scan
from tests.probes.source.samples import NEGATIVE, POSITIVE, SEEDS, file_name, sample


def _found(rule: CredentialRule, text: str) -> list[str]:
    return [hit.rule.id for hit in scan(text.encode(), file_name(rule)).found]


@pytest.mark.parametrize(("rule", "template"), POSITIVE, ids=lambda one: getattr(one, "id", None))
def test_positive_examples_are_found(rule: CredentialRule, template: str) -> None:
    for seed in SEEDS:
        assert rule.id in _found(rule, sample(template, seed))


@pytest.mark.parametrize(("rule", "template"), NEGATIVE, ids=lambda one: getattr(one, "id", None))
def test_negative_examples_are_not(rule: CredentialRule, template: str) -> None:
    for seed in SEEDS:
        assert rule.id not in _found(rule, sample(template, seed))


@pytest.mark.parametrize("rule", CREDENTIALS.own.values(), ids=lambda rule: rule.id)
def test_each_rule_is_complete(rule: CredentialRule) -> None:
    assert rule.bad
    assert rule.good
    assert rule.keywords
    assert rule.check in CHECKS
    assert rule.references[0].startswith("CWE-")
    assert SEVERITIES.index(rule.in_tests) <= SEVERITIES.index(rule.severity)
    assert rule.verified or rule.severity == "medium"


def test_ids_are_unique_and_checks_are_all_used() -> None:
    assert len({rule.id for rule in CREDENTIALS.own.values()}) == len(CREDENTIALS.own.values())
    assert {rule.check for rule in CREDENTIALS.own.values()} == set(CHECKS)


def test_no_file_of_the_probe_holds_a_key() -> None:
    for path in Path(buttress.probes.source.__file__).parent.rglob("*"):
        if path.suffix in (".py", ".yaml"):
            assert list(scan(path.read_bytes(), path.name).found) == []


def test_checksums_agree_with_published_vectors() -> None:
    # Grafana's own test of its token generator.
    key = b"glsa_" + b"yscW25imSKJIuav8zF37RZmnbiDvB05G"
    assert grafana_checksum(key) == b"fcaaf58a"
    # age's specification: a key of 32 bytes 0x42.
    body = b"GFPYYSJZ" * 6 + b"GFPQ"
    assert bech32_checksum(b"AGE-SECRET-KEY-", body) == b"4EGAEX"
    assert base62(0) == b"000000"
    assert base62(2**32 - 1) == b"4gfFC3"


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_random_keys_are_seldom_taken_for_words(bits: int) -> None:
    source = random.Random(7)
    kinds = {"hex": 4, "base62": 5.95, "b64url": 6}
    for kind, each in kinds.items():
        template = f"{{{kind}:{round(bits / each)}}}"
        missed = 0
        for _ in range(4000):
            text = sample(template, source.getrandbits(60)).encode()
            missed += not is_random(text)
        assert missed <= 8, kind  # measured on 100,000: 0.8 in a thousand at most


@pytest.mark.parametrize(
    "text",
    ["distilbert-base-uncased", "gpt-4-turbo-2024-04-09", "/etc/ssl/private", "getUserToken",
     "HTTPSProxy2", "projects/shop/secrets/stripe", "v1.2.10", "ORDER_SERVICE_2"],
)  # fmt: skip
def test_names_paths_and_versions_are_words(text: str) -> None:
    assert is_words(text.encode())
    assert not is_random(text.encode())


def test_a_key_id_without_its_secret_is_a_lesser_finding() -> None:
    key_id = sample("AKIA{base32:16}", 1)
    alone = scan(key_id.encode()).found
    pair = scan(f"{key_id}\n{sample('{b64:40}', 1)}\n".encode()).found
    far = scan(f"{key_id}\n{'# nothing here' * 100}\n{sample('{b64:40}', 1)}\n".encode()).found
    assert [hit.severity for hit in alone] == ["low"]
    assert [hit.severity for hit in pair] == ["critical"]
    assert [hit.severity for hit in far] == ["low"]


def test_a_commit_hash_is_no_secret_key() -> None:
    text = f"{sample('AKIA{base32:16}', 1)}\n{sample('{hex:40}', 1)}\n"
    assert [hit.severity for hit in scan(text.encode()).found] == ["low"]


def test_a_provider_s_key_is_reported_once_whatever_its_name() -> None:
    for template in ('api_key = "sk_live_{base62:24}"', 'token = "ghp_{crc62:30}"'):
        assert len(scan(sample(template, 2).encode(), "app.py").found) == 1


def test_local_services_and_encrypted_keys_are_lesser_findings() -> None:
    url = sample("postgresql://shop:{base62:16}@localhost/orders", 0)
    assert [hit.severity for hit in scan(url.encode()).found] == ["low"]
    locked = sample("{pem:ENCRYPTED PRIVATE KEY}", 0)
    assert [hit.severity for hit in scan(locked.encode()).found] == ["medium"]
