"""What is checked of a match beyond its pattern, by the names that rules use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from buttress.rules.credentials.candidate import CredentialCandidate, Verdict
from buttress.rules.credentials.checks import (
    assignments,
    checksums,
    companions,
    structures,
)
from buttress.rules.credentials.literals import is_filler

Check = Callable[[CredentialCandidate], Verdict | None]


def look(candidate: CredentialCandidate) -> Verdict | None:
    """The format fits, and the text is not plainly made up."""
    return None if is_filler(candidate.secret) else Verdict()


CHECKS: Final[dict[str, Check]] = {
    "": look,
    "azure": structures.sixty_four_bytes,
    "azure-sas": assignments.azure_sas,
    "bech32": checksums.bech32,
    "crc62": checksums.crc62,
    "discord": structures.discord,
    "docker-auth": structures.docker_auth,
    "encoded": look,  # what it encodes is scanned, see ``scanner``
    "encoded-private-key": structures.encoded_private_key,
    "google": structures.google,
    "google-oauth": structures.google_oauth,
    "grafana": checksums.grafana,
    "jwt": structures.jwt,
    "kubeconfig": assignments.kubeconfig,
    "literal": assignments.literal,
    "pair": companions.pair,
    "password": assignments.password,
    "private-key": structures.private_key,
    "pypi": structures.pypi,
    "query": assignments.query,
    "random": structures.random_looking,
    "seed-phrase": structures.seed_phrase,
    "sent-header": assignments.sent_header,
    "signing": assignments.signing,
    "stated": assignments.stated,
    "url-password": assignments.url_password,
    "value": assignments.value,
    "wrong-crc62": checksums.wrong_crc62,
    "zhipu": structures.zhipu,
}


def check(candidate: CredentialCandidate) -> Verdict | None:
    """The rule's verdict on the candidate; None where it is no credential."""
    return CHECKS[candidate.rule.check](candidate)
