"""The page of a survey: whole, escaped, in both languages, and what it must tell."""

from __future__ import annotations

from typing import Any

import pytest

from buttress.documents.schemas import as_object
from buttress.documents.survey import LIMITS
from buttress.report.survey_page import render
from tests.report.pages import problems, read

BAD = "<script>alert(1)</script>\u202e'\""


def host(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "asset": name, "url": name, "reached": True, "ended": "", "not_sent": 0, "seconds": 1.0,
        "products": [], "facts": [], "elsewhere": {}, "failed": {}, "sent": [],
    } | fields  # fmt: skip


def finding(probe: str, rule: str, severity: str, where: str) -> dict[str, Any]:
    return {
        "rule": rule, "severity": severity, "asset": where, "location": where, "message": BAD,
        "remedy": BAD, "references": ["CWE-306"], "proof": BAD, "risk": None, "probe": probe,
    }  # fmt: skip


def document(**fields: Any) -> dict[str, Any]:
    product = {
        "product": "chroma", "name": "Chroma", "version": "0.4.14", "url": "http://a/heartbeat",
        "proof": BAD, "version_url": "http://a/version", "version_proof": '"0.4.14"',
        "source": "buttress", "not_affected": 3,
    }  # fmt: skip
    sent = {"request": 0, "url": "http://a/", "time": 1.8e9, "seconds": 0.1, "status": 200,
            "bytes": 3, "note": ""}  # fmt: skip
    hosts = [
        host("http://a", products=[product, {**product, "name": BAD, "version": ""}],
             facts=[{"name": "not judged", "values": ["rate limit: " + BAD]},
                    {"name": "TLS 1.2", "values": [BAD, "two"]}],
             elsewhere={"http://b/": "a redirect"}, sent=[sent]),
        host("http://half", not_sent=7, ended="silence", failed={"link-live": BAD}),
        host("http://gone", reached=False, ended=BAD),
    ]  # fmt: skip
    findings = [
        *(finding("service-live", "open", "high", f"http://a/{one}") for one in range(60)),
        finding("link-live", "no-tls", "low", "http://a"),
        finding("acme-live", "of-a-plugin", "critical", "http://a"),
        finding("left-out-live", "of-nobody", "info", "http://a"),
    ]
    return {
        "schema": "buttress-survey/1",
        "system": {"name": BAD, "assets": [{"id": "a", "location": "http://a"}]},
        "run": {"id": "ab" * 6, "started": "2026-11-29T16:30:39+00:00",
                "finished": "2026-11-29T16:31:39+00:00", "versions": {"buttress": "0"}},
        "layers": {"infrastructure-live": "infrastructure", "link-live": "link",
                   "service-live": "service", "acme-live": "acme"},
        "findings": findings, "suppressed": [], "baseline": [], "outside": 0, "notes": [BAD],
        "coverage": {"covered": []},
        "requests": [{"method": "GET", "path": "/", "headers": {}, "body": ""}],
        "hosts": hosts, "limits": list(LIMITS),
    } | fields  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_escaped(language: str) -> None:
    made = document()
    as_object("survey", made)
    html = render(made, language)
    page = read(html)
    assert problems(page) == []
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert page.of("html") == [{"lang": language}]


def test_findings_stand_under_their_layer_gravest_first_and_none_is_lost() -> None:
    html = render(document())
    places = [html.index(f"<h3>{one} <span>") for one in
              ("Infrastructure", "Link", "Service", "Acme", "Other")]  # fmt: skip
    assert places == sorted(places)
    assert html.count('<article class="rule">') == 4
    assert "and 50 more" in html
    assert html.index("Nothing found.") < html.index("<h3>Link")
    assert "63</dd>" in html


def test_products_have_their_bytes_and_what_was_not_tested_is_told() -> None:
    text = " ".join("".join(read(render(document())).text).split())
    for told in ("Chroma", "0.4.14", "http://a/version", "not told", "http://b/",
                 "3 advisories ruled out", "7 requests not sent: silence", "link-live:",
                 "rate limit:", "2 of 3", "What was not reached was not tested."):  # fmt: skip
        assert told in text, told


def test_nothing_found_proves_nothing() -> None:
    calm = document(findings=[], hosts=[host("http://a")], notes=[])
    assert "That is no proof of safety." in render(calm)
    assert "All that was planned was sent." in render(calm)
    assert "这不证明安全" in render(calm, "zh")
    unreached = document(findings=[], hosts=[host("http://a", reached=False)])
    assert render(unreached).count("No host was reached, so nothing is proved.") == 2


def test_many_hosts_are_counted() -> None:
    many = document(hosts=[host(f"http://h{one}") for one in range(310)])
    assert "10 more hosts are in the JSON document." in render(many)


def test_what_is_said_of_several_places_stands_once_and_each_remedy_with_its_finding() -> None:
    def flaw(message: str, where: str, remedy: str, identifier: str) -> dict[str, Any]:
        made = finding("infrastructure-live", "vulnerable-version", "high", where)
        return made | {
            "message": message, "remedy": remedy, "references": [identifier, "CWE-1395"]
        }  # fmt: skip

    found = [
        flaw("A 1.0 has CVE-1.", "http://a/version", "Update A.", "CVE-1"),
        flaw("A 1.0 has CVE-1.", "http://b/version", "Update A.", "CVE-1"),
        flaw("C 2.0 has CVE-2.", "http://c/version", "Update C.", "CVE-2"),
    ]
    page = render(document(findings=found))
    assert page.count("A 1.0 has CVE-1.") == 1
    assert page.count("Update A.") == page.count("Update C.") == 1
    assert page.index("C 2.0 has CVE-2.") < page.index("Update C.")
    assert all(one in page for one in ("http://b/version", "CWE-1395"))
    assert '<span class="references">CWE-1395</span>' in page
