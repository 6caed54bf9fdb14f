"""Credentials in files of packages, which the probe of loose text does not see."""

from __future__ import annotations

from collections.abc import Iterator

from buttress.evidence.findings import Finding
from buttress.evidence.locations import Location
from buttress.files.source_files import SourceFile
from buttress.probes.client.binary_text import BinaryText
from buttress.rules.credentials.redacted import redacted
from buttress.rules.credentials.scanner import CredentialHit, SecretRules, scan


def in_text(
    file: SourceFile, rules: SecretRules, own: tuple[str, str], asset: str
) -> Iterator[Finding]:
    """Those in a text, each with its line."""
    line, counted = file.first_line, 0
    for hit in scan(file.data, file.name, chosen=rules).found:
        line += file.data.count(b"\n", counted, hit.place)
        counted = hit.place
        where = Location(file.location, file.member, line=line, uri=file.uri)
        yield _finding(hit, file.data, where, own, asset)


def in_binary(
    text: BinaryText, file: SourceFile, rules: SecretRules, own: tuple[str, str], asset: str
) -> Iterator[Finding]:
    """Those in strings of a program, by rules that know a format: literals there have no names."""
    line, counted = 1, 0
    for hit in scan(text.data, chosen=rules).found:
        if not hit.rule.verified:
            continue
        line += text.data.count(b"\n", counted, hit.place)
        counted = hit.place
        where = Location(file.location, file.member, offset=text.offset(line), uri=file.uri)
        yield _finding(hit, text.data, where, own, asset)


def _finding(
    hit: CredentialHit, data: bytes, where: Location, own: tuple[str, str], asset: str
) -> Finding:
    note = f" ({hit.note})" if hit.note else ""
    return Finding(
        rule=hit.rule.id,
        severity=hit.severity,
        asset=asset,
        location=str(where),
        place=where,
        message=f"{hit.rule.title}, delivered with the client{note}.",
        remedy=hit.rule.remedy,
        references=hit.rule.references,
        proof=redacted(data[hit.start : hit.end].decode("utf-8", "replace")),
        probe=own[0],
        probe_version=own[1],
    )
