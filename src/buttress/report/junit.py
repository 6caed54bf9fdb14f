"""Findings as JUnit XML, the form that most CI systems show as tests."""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Callable, Sequence
from pathlib import Path

from buttress.evidence.findings import Inspection
from buttress.evidence.places import LocatedFinding
from buttress.files.atomic import write_whole
from buttress.files.paths import absolute
from buttress.triage.filtering import FilteredFindings


def write(
    filtered: FilteredFindings,
    inspections: Sequence[Inspection],
    fails: Callable[[LocatedFinding], bool],
    path: Path,
    title: str = "buttress scan",
    *,
    errors: Sequence[tuple[str, str]] = (),
    skipped: Sequence[tuple[str, str]] = (),
) -> None:
    """Write a suite for each probe and a case for each finding.

    What ``fails`` is a failure; graver findings of a baseline and suppressed ones are skipped; a
    probe without findings is one case that passed. ``errors`` are hosts that were not reached, and
    why, ``skipped`` those that were not asked all: what was not tested did not pass.

    Raises:
        InputError: not writable.
    """
    top = Xml.Element("testsuites", name=title)
    here = absolute(".")
    for probe in dict.fromkeys(one.probe for one in inspections):
        suite = Xml.SubElement(top, "testsuite", name=_legal(probe))
        for one in _of(probe, filtered.counting):
            case = _case(suite, one, here)
            text = f"{one.finding.message} {one.finding.remedy}".strip()
            if fails(one):
                failure = Xml.SubElement(
                    case, "failure", type=one.finding.severity, message=_legal(one.finding.message)
                )
                failure.text = _legal(text)
            else:
                Xml.SubElement(case, "system-out").text = _legal(f"{one.finding.severity}: {text}")
        reasons = [(one, "in the baseline") for one in filtered.known]
        reasons += [(one, entry.reason) for one, entry in filtered.suppressed]
        reasons += [(one, said.reason or said.status) for one, said in filtered.cleared]
        for one, reason in reasons:
            if one.finding.probe == probe:
                Xml.SubElement(_case(suite, one, here), "skipped", message=_legal(reason))
        if not len(suite):
            Xml.SubElement(suite, "testcase", classname=_legal(probe), name="no findings")
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    if errors or skipped:
        suite = Xml.SubElement(top, "testsuite", name="hosts")
        for kind, some in (("error", errors), ("skipped", skipped)):
            for place, why in some:
                case = Xml.SubElement(suite, "testcase", classname=_legal(place), name="is asked")
                Xml.SubElement(case, kind, message=_legal(why))
        suite.set("tests", str(len(suite)))
        suite.set("errors", str(len(errors)))
        suite.set("skipped", str(len(skipped)))
    for name in ("tests", "failures", "errors", "skipped"):
        top.set(name, str(sum(int(suite.get(name, "0")) for suite in top)))
    write_whole(path, Xml.tostring(top, encoding="utf-8", xml_declaration=True), "--junit")


def _of(probe: str, found: Sequence[LocatedFinding]) -> list[LocatedFinding]:
    return [one for one in found if one.finding.probe == probe]


def _case(suite: Xml.Element, one: LocatedFinding, here: str) -> Xml.Element:
    path = _legal(one.below(here))
    where = path if one.line is None else f"{path}:{one.line}"
    attributes = {"classname": path, "name": f"{_legal(one.finding.rule)} at {where}", "file": path}
    if one.line is not None:
        attributes["line"] = str(one.line)
    return Xml.SubElement(suite, "testcase", attributes)


def _legal(text: str) -> str:
    """``text`` with what XML 1.0 (section 2.2) has no place for spelt out."""
    return "".join(
        one
        if one in "\t\n" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one > "\uffff"
        else one.encode("unicode_escape").decode()
        for one in text
    )
