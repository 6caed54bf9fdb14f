"""The document of a survey, ``buttress-survey/1``; ``survey`` builds it."""

from __future__ import annotations

from typing import Annotated, Literal

from buttress.documents.assessment import FindingRow
from buttress.documents.fields import Amount, Count, DocumentPart, about
from buttress.documents.scan_types import ScanCoverage, ScanFinding, ScanRun, SuppressedFinding


class SurveyedHost(DocumentPart, frozen=True, kw_only=True):
    """A host and port that were named."""

    id: Annotated[str, about("id of the asset, or the URL")]
    location: Annotated[str, about("URL")]


class SurveyedHosts(DocumentPart, frozen=True, kw_only=True):
    """What was surveyed."""

    name: Annotated[str, about("name of the system, or survey")]
    assets: Annotated[list[SurveyedHost], about("hosts and ports that were named")]


class SurveyRequest(DocumentPart, frozen=True, kw_only=True):
    """A request, as it was sent to one host or several."""

    method: Annotated[str, about("method of HTTP, or TLS, TCP or DNS")]
    path: Annotated[str, about("path below the URL of the host")]
    headers: Annotated[dict[str, str], about("headers beside the usual ones, without secrets")]
    body: Annotated[str, about("body, or for TLS what was offered")]


class SentRequest(DocumentPart, frozen=True, kw_only=True):
    """When a request was sent to a host, and what came back."""

    request: Annotated[Count, about("number in requests, from 0")]
    url: Annotated[str, about("URL")]
    time: Annotated[Amount, about("seconds since 1970-01-01, UTC")]
    seconds: Annotated[Amount, about("until the answer was read")]
    status: Annotated[Count, about("status of HTTP, 1 for another answer, 0 for none")]
    bytes: Annotated[Count, about("length of the body as read, decompressed")]
    note: Annotated[str, about("why there was no answer, or why its body was cut")]


class SurveyedProduct(DocumentPart, frozen=True, kw_only=True):
    """A product that answered, and what proves it."""

    product: Annotated[str, about("id")]
    name: Annotated[str, about("name")]
    version: Annotated[str, about("version or range, empty where no answer tells it")]
    url: Annotated[str, about("where it was seen")]
    proof: Annotated[str, about("the part of the answer that names it")]
    version_url: Annotated[str, about("where the version was seen")]
    version_proof: Annotated[str, about("the part of the answer that tells the version")]
    source: Annotated[str, about("whose rule it is")]
    not_affected: Annotated[Count, about("advisories that its version rules out")]


class SurveyedFact(DocumentPart, frozen=True, kw_only=True):
    """A fact about a host that is neither defect nor product."""

    name: Annotated[str, about("what, such as a version of TLS")]
    values: Annotated[list[str], about("the values, such as its cipher suites")]


class SurveyedAnswers(DocumentPart, frozen=True, kw_only=True):
    """A host: what was sent to it and what was seen."""

    asset: Annotated[str, about("id of the asset, or the URL")]
    url: Annotated[str, about("URL that requests went below")]
    reached: Annotated[bool, about("whether it gave an answer")]
    ended: Annotated[str, about("why it was given up, empty where all was sent")]
    not_sent: Annotated[Count, about("requests that were not sent since it was given up")]
    seconds: Annotated[Amount, about("how long it took")]
    products: Annotated[list[SurveyedProduct], about("products that answered")]
    facts: Annotated[list[SurveyedFact], about("such as versions of TLS with their suites")]
    elsewhere: Annotated[
        dict[str, str], about("addresses that answers led to and that were not contacted, and how")
    ]
    failed: Annotated[dict[str, str], about("probes that ended with an error, and which")]
    sent: Annotated[list[SentRequest], about("every request that was sent, in order")]


class SurveyDocument(DocumentPart, frozen=True, kw_only=True):
    """Everything that one survey sent and saw."""

    schema: Annotated[Literal["buttress-survey/1"], about("buttress-survey/1")]
    system: Annotated[SurveyedHosts, about("what was surveyed")]
    run: Annotated[ScanRun, about("how it was made")]
    layers: Annotated[dict[str, str], about("layer of each probe that ran, by the probe's id")]
    findings: Annotated[list[ScanFinding], about("findings that count, gravest first")]
    suppressed: Annotated[list[SuppressedFinding], about("findings that were suppressed")]
    baseline: Annotated[list[FindingRow], about("findings that the baseline knows")]
    outside: Annotated[Count, about("always 0")]
    notes: Annotated[list[str], about("what the reader should know, such as rules left out")]
    coverage: Annotated[ScanCoverage, about("what was asked")]
    requests: Annotated[list[SurveyRequest], about("every distinct request that was sent")]
    hosts: Annotated[list[SurveyedAnswers], about("the hosts, in the order in which named")]
    limits: Annotated[list[str], about("what a result does not prove")]
