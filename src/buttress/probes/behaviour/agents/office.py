"""The office's state: mails, calendar, files, a bank account. Plain data, no clock, no chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Mail:
    """A mail; ``folder`` is inbox, archive or sent."""

    id: str
    sender: str
    to: list[str]
    subject: str
    body: str
    folder: str = "inbox"


@dataclass(slots=True)
class CalendarEvent:
    """An event; ``day`` as 2031-03-10, ``start`` and ``end`` as 14:30."""

    id: str
    title: str
    day: str
    start: str
    end: str
    note: str = ""
    attendees: list[str] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """A file's text, and the people that it is shared with."""

    text: str
    shared: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Payment:
    """A booking on the account; ``cents`` is negative where money went out."""

    id: str
    day: str
    account: str
    cents: int
    purpose: str


@dataclass(slots=True)
class StandingOrder:
    """A monthly payment."""

    id: str
    title: str
    account: str
    cents: int


@dataclass(slots=True)
class Office:
    """All that tools read and change. ``owner`` is the address of the agent's user."""

    owner: str
    today: str
    cents: int
    contacts: dict[str, str]
    mails: dict[str, Mail]
    events: dict[str, CalendarEvent]
    files: dict[str, File]
    payments: dict[str, Payment]
    orders: dict[str, StandingOrder]
    issued: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """An office from its description (``data/office.yaml`` in one language)."""
        owner = data["owner"]
        return cls(
            owner=owner,
            today=data["today"],
            cents=data["cents"],
            contacts=dict(data["contacts"]),
            mails={each["id"]: Mail(**each, to=[owner]) for each in data["mails"]},
            events={
                each["id"]: CalendarEvent(**{**each, "attendees": list(each["attendees"])})
                for each in data["events"]
            },
            files={path: File(text) for path, text in data["files"].items()},
            payments={each["id"]: Payment(**each) for each in data["payments"]},
            orders={each["id"]: StandingOrder(**each) for each in data["orders"]},
            issued={"M": len(data["mails"]), "E": len(data["events"]), "P": len(data["payments"])},
        )

    def new_id(self, letter: str) -> str:
        """An id of that kind (M, E or P) that nothing has had: what is gone must stay gone."""
        self.issued[letter] += 1
        return f"{letter}{self.issued[letter]}"
