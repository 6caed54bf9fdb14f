"""The office's tools: each takes checked arguments, changes the state, and tells what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from buttress.probes.behaviour.agents.arguments import (
    ADDRESSES,
    AMOUNT,
    DAY,
    TEXT,
    TIME,
    Argument,
    ToolError,
    read_arguments,
)
from buttress.probes.behaviour.agents.office import CalendarEvent, File, Mail, Office, Payment
from buttress.probes.behaviour.agents.protocol import ToolCall

Act = Callable[..., Any]
FOLDERS: Final = ("inbox", "archive", "sent")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool; ``act`` takes the office and the arguments by name."""

    name: str
    arguments: Mapping[str, Argument]
    act: Act

    @property
    def signature(self) -> str:
        """Name and arguments, as the agent is told; ``?`` marks those that may be left out."""
        parts = [
            f"{name}{'' if argument.needed else '?'}: {argument.kind.name}"
            for name, argument in self.arguments.items()
        ]
        return f"{self.name}({', '.join(parts)})"


def perform(office: Office, call: ToolCall, allowed: frozenset[str] | None = None) -> Any:
    """Carry out a call on the office.

    Args:
        office: is changed.
        call: as the agent wrote it.
        allowed: names of the tools that the agent has; None for all.

    Returns:
        What the tool says, as JSON data; ``{"error": ...}`` where it could not be done.
    """
    tool = TOOLS.get(call.tool)
    if tool is None or (allowed is not None and call.tool not in allowed):
        return {"error": f"no tool {call.tool[:40]!r}"}
    try:
        return tool.act(office, **read_arguments(tool.arguments, call.arguments))
    except ToolError as error:
        return {"error": str(error)}


def money(cents: int) -> float:
    """An amount as people write it."""
    return cents / 100


def _find(things: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in things:
        raise ToolError(f"no {what} {name[:40]!r}")
    return things[name]


def _list_mails(office: Office, folder: str | None) -> Any:
    if folder is not None and folder not in FOLDERS:
        raise ToolError("folder must be one of " + ", ".join(FOLDERS))
    return [
        {"id": mail.id, "from": mail.sender, "subject": mail.subject}
        for mail in office.mails.values()
        if mail.folder == (folder or "inbox")
    ]


def _read_mail(office: Office, id: str) -> Any:
    mail: Mail = _find(office.mails, id, "mail")
    return {
        **{"id": mail.id, "from": mail.sender, "to": mail.to},
        **{"subject": mail.subject, "body": mail.body, "folder": mail.folder},
    }


def _send(office: Office, to: list[str], subject: str, body: str) -> Any:
    if not to:
        raise ToolError("argument 'to' names nobody")
    new = office.new_id("M")
    office.mails[new] = Mail(new, office.owner, list(to), subject, body, "sent")
    return {"sent": new}


def _forward(office: Office, id: str, to: list[str]) -> Any:
    mail: Mail = _find(office.mails, id, "mail")
    return _send(office, to, f"Fwd: {mail.subject}", mail.body)


def _move_mail(office: Office, id: str, folder: str) -> Any:
    mail: Mail = _find(office.mails, id, "mail")
    if folder not in FOLDERS:
        raise ToolError("folder must be one of " + ", ".join(FOLDERS))
    mail.folder = folder
    return {"moved": id}


def _find_contact(office: Office, name: str) -> Any:
    found = {
        person: address
        for person, address in office.contacts.items()
        if name.strip() and name.strip().lower() in person.lower()
    }
    if not found:
        raise ToolError(f"no contact {name[:40]!r}")
    return found


def _list_events(office: Office, day: str | None) -> Any:
    events = sorted(office.events.values(), key=lambda event: (event.day, event.start))
    return [
        {
            **{"id": event.id, "title": event.title, "day": event.day},
            **{"start": event.start, "end": event.end},
            **{"note": event.note, "attendees": event.attendees},
        }
        for event in events
        if day is None or event.day == day
    ]


def _create_event(
    office: Office, *, title: str, day: str, start: str, end: str, attendees: list[str] | None
) -> Any:
    if end <= start:
        raise ToolError("argument 'end' must be later than 'start'")
    new = office.new_id("E")
    office.events[new] = CalendarEvent(new, title, day, start, end, "", list(attendees or ()))
    return {"created": new}


def _invite(office: Office, id: str, people: list[str]) -> Any:
    event: CalendarEvent = _find(office.events, id, "event")
    event.attendees += [person for person in people if person not in event.attendees]
    return {"attendees": event.attendees}


def _cancel_event(office: Office, id: str) -> Any:
    _find(office.events, id, "event")
    del office.events[id]
    return {"cancelled": id}


def _list_files(office: Office) -> Any:
    return sorted(office.files)


def _read_file(office: Office, path: str) -> Any:
    file: File = _find(office.files, path, "file")
    return {"path": path, "text": file.text}


def _write_file(office: Office, path: str, text: str) -> Any:
    shared = office.files[path].shared if path in office.files else []
    office.files[path] = File(text, shared)
    return {"written": path}


def _delete_file(office: Office, path: str) -> Any:
    _find(office.files, path, "file")
    del office.files[path]
    return {"deleted": path}


def _share_file(office: Office, path: str, people: list[str]) -> Any:
    file: File = _find(office.files, path, "file")
    file.shared += [person for person in people if person not in file.shared]
    return {"shared": file.shared}


def _list_payments(office: Office) -> Any:
    bookings = [
        {
            **{"id": each.id, "day": each.day, "account": each.account},
            **{"amount": money(each.cents), "purpose": each.purpose},
        }
        for each in office.payments.values()
    ]
    return {"balance": money(office.cents), "payments": bookings}


def _pay(office: Office, account: str, amount: int, purpose: str | None) -> Any:
    if amount > office.cents:
        raise ToolError("the balance does not cover the amount")
    office.cents -= amount
    new = office.new_id("P")
    office.payments[new] = Payment(new, office.today, account, -amount, purpose or "")
    return {"paid": new, "balance": money(office.cents)}


def _list_orders(office: Office) -> Any:
    return [
        {
            **{"id": order.id, "title": order.title},
            **{"account": order.account, "amount": money(order.cents)},
        }
        for order in office.orders.values()
    ]


def _change_order(office: Office, id: str, account: str | None, amount: int | None) -> Any:
    order = _find(office.orders, id, "standing order")
    if account is None and amount is None:
        raise ToolError("nothing to change: give account or amount")
    order.account = order.account if account is None else account
    order.cents = order.cents if amount is None else amount
    return {"id": id, "account": order.account, "amount": money(order.cents)}


_ID: Final = Argument(TEXT)
_PEOPLE: Final = Argument(ADDRESSES)
_TOOLS: Final = (
    Tool("list_mails", {"folder": Argument(TEXT, False)}, _list_mails),
    Tool("read_mail", {"id": _ID}, _read_mail),
    Tool("send_mail", {"to": _PEOPLE, "subject": Argument(TEXT), "body": Argument(TEXT)}, _send),
    Tool("forward_mail", {"id": _ID, "to": _PEOPLE}, _forward),
    Tool("move_mail", {"id": _ID, "folder": Argument(TEXT)}, _move_mail),
    Tool("find_contact", {"name": Argument(TEXT)}, _find_contact),
    Tool("list_events", {"day": Argument(DAY, False)}, _list_events),
    Tool(
        "create_event",
        {
            **{"title": Argument(TEXT), "day": Argument(DAY)},
            **{
                "start": Argument(TIME),
                "end": Argument(TIME),
                "attendees": Argument(ADDRESSES, False),
            },
        },
        _create_event,
    ),
    Tool("invite", {"id": _ID, "people": _PEOPLE}, _invite),
    Tool("cancel_event", {"id": _ID}, _cancel_event),
    Tool("list_files", {}, _list_files),
    Tool("read_file", {"path": Argument(TEXT)}, _read_file),
    Tool("write_file", {"path": Argument(TEXT), "text": Argument(TEXT)}, _write_file),
    Tool("delete_file", {"path": Argument(TEXT)}, _delete_file),
    Tool("share_file", {"path": Argument(TEXT), "people": _PEOPLE}, _share_file),
    Tool("list_payments", {}, _list_payments),
    Tool(
        "pay",
        {
            **{"account": Argument(TEXT), "amount": Argument(AMOUNT)},
            "purpose": Argument(TEXT, False),
        },
        _pay,
    ),
    Tool("list_standing_orders", {}, _list_orders),
    Tool(
        "change_standing_order",
        {"id": _ID, "account": Argument(TEXT, False), "amount": Argument(AMOUNT, False)},
        _change_order,
    ),
)
TOOLS: Final = {tool.name: tool for tool in _TOOLS}
