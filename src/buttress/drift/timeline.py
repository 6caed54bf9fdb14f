"""Which values of facts are the reference, which changes were told, and which are told now.

A change is told once. A value that was told, or is the reference, is never told again: what goes
back is told as such, what goes to and fro is told as one event more, and then no longer, until
somebody accepts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from buttress.drift.causes import by_cause, group_of
from buttress.drift.changes import FactChange, PlaceChange
from buttress.drift.pieces import reconciled

Facts = Mapping[str, str]
_MOST_VALUES: Final = 50  # that are remembered of a fact


@dataclass(slots=True)
class FactHistory:
    """One fact. A value of None says that it was not there.

    ``reference`` are the values that were accepted, ``told`` those that were told since, ``value``
    the last one, ``event`` the number of the event about it, 0 for none. ``reverted`` says that it
    went back, ``flapping`` that it goes to and fro.
    """

    reference: list[str | None]
    told: list[str | None] = field(default_factory=list)
    value: str | None = None
    event: int = 0
    reverted: bool = False
    flapping: bool = False

    @property
    def quiet(self) -> bool:
        """Whether nothing but the reference has ever been seen."""
        return not self.told

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        if self.quiet and self.reference == [self.value]:
            return {"reference": self.reference}
        return {
            "reference": self.reference, "told": self.told, "value": self.value,
            "event": self.event, "reverted": self.reverted, "flapping": self.flapping,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, data: Mapping[str, Any]) -> FactHistory:
        """What ``plain`` gave."""
        if data.keys() == {"reference"}:
            return cls(list(data["reference"]), value=data["reference"][0])
        return cls(**data)


class Timeline:
    """The facts of one place, such as a page: reference, changes, and what is to be told.

    ``changed`` are the names of facts whose history differs from what was stored last.
    """

    def __init__(self, histories: Mapping[str, FactHistory] | None = None) -> None:
        self.histories: dict[str, FactHistory] = dict(histories or {})
        self.changed: set[str] = set()

    @property
    def known(self) -> bool:
        """Whether it has a reference."""
        return bool(self.histories)

    def begin(self, samples: Sequence[Facts]) -> None:
        """Take what is seen as the reference: every value that one of several views shows."""
        for name in _names(samples):
            values = _values(name, samples)
            self.histories[name] = FactHistory(values, value=values[-1])
            self.changed.add(name)
        if not self.histories:  # a place without facts is known all the same
            self.histories[EMPTY] = FactHistory([""], value="")
            self.changed.add(EMPTY)

    def reconcile(self, facts: Facts) -> dict[str, str]:
        """Facts of a view with known texts and addresses where a builder cut them otherwise."""
        known = [
            name
            for name, history in self.histories.items()
            if history.value is not None or any(one is not None for one in history.reference)
        ]
        return reconciled(facts, known)

    def differs(self, view: Facts) -> bool:
        """Whether a view shows what is no reference, so that a second look is worth it."""
        facts = self.reconcile(view)
        names = {*facts, *self.histories} - {EMPTY}
        return any(facts.get(name) not in self._history(name).reference for name in names)

    def compare(
        self, samples: Sequence[Facts], only: Collection[str] | None = None
    ) -> list[PlaceChange]:
        """Take what is seen now; returns what is to be told.

        A fact that several views show differently changes from view to view; it is told once.

        Args:
            samples: what is seen, in one view or several.
            only: names of the facts that were looked for, where not all were.
        """
        samples = [self.reconcile(one) for one in samples]
        new: dict[str, PlaceChange] = {}
        back: dict[int, PlaceChange] = {}
        flapping: dict[int, PlaceChange] = {}
        names = {*_names(samples), *self.histories} - {EMPTY}
        for name in sorted(names if only is None else names.intersection(only)):
            history = self._history(name)
            values = _values(name, samples)
            fresh = [one for one in values if one not in history.reference + history.told]
            before = history.value
            away = [one for one in values if one not in history.reference]
            if fresh:
                self._tell(name, history, fresh, values, new)
            elif away and history.reverted and not history.flapping:
                history.flapping = True
                change = flapping.setdefault(
                    history.event, PlaceChange("flapping", [], history.event)
                )
                change.facts.append(FactChange(name, before, away[-1]))
                self.changed.add(name)
            elif not away and history.event and not history.reverted and not history.flapping:
                history.reverted = True
                change = back.setdefault(history.event, PlaceChange("reverted", [], history.event))
                change.facts.append(FactChange(name, before, values[-1]))
                self.changed.add(name)
            if history.value != values[-1]:
                history.value = values[-1]
                self.changed.add(name)
        return [*by_cause(list(new.values())), *back.values(), *flapping.values()]

    def _tell(
        self,
        name: str,
        history: FactHistory,
        fresh: Sequence[str | None],
        values: Sequence[str | None],
        new: dict[str, PlaceChange],
    ) -> None:
        group = group_of(name)
        change = new.setdefault(group, PlaceChange("changed", []))
        change.facts.append(FactChange(name, history.value, fresh[-1]))
        history.told = [*history.told, *fresh][-_MOST_VALUES:]
        # Seen beside the reference in the same check: it goes to and fro, and that is told now.
        history.flapping = any(one in history.reference for one in values)
        history.reverted = False
        self.histories[name] = history
        self.changed.add(name)

    def adopt(self, samples: Sequence[Facts]) -> None:
        """Take facts that nothing is known of as the reference, and tell nothing of them."""
        for name in _names(samples):
            if name not in self.histories:
                values = _values(name, samples)
                self.histories[name] = FactHistory(values, value=values[-1])
                self.changed.add(name)

    def seen(self) -> Iterator[str]:
        """Names of the facts that are there now."""
        for name, history in self.histories.items():
            if history.value is not None and name != EMPTY:
                yield name

    def value(self, name: str) -> str | None:
        """The last value of a fact."""
        known = self.histories.get(name)
        return known.value if known else None

    def number(self, change: PlaceChange, event: int) -> None:
        """Note that a change was told as the event of that number."""
        for one in change.facts:
            self.histories[one.name].event = event
            self.changed.add(one.name)

    def accept(self, events: Collection[int] | None = None) -> int:
        """Make what some events told, or all that was told, the reference.

        Returns:
            How many facts have a new reference.
        """
        count = 0
        for name, history in self.histories.items():
            if history.quiet or (events is not None and history.event not in events):
                continue
            count += 1
            kept = [*history.reference, *history.told] if history.flapping else [history.value]
            values = list(dict.fromkeys(kept))
            self.histories[name] = FactHistory(values, value=history.value)
            self.changed.add(name)
        return count

    def open_facts(self) -> Iterator[tuple[str, FactHistory]]:
        """Facts whose change nobody accepted, and that did not go back."""
        for name, history in self.histories.items():
            if history.event and not history.quiet and (not history.reverted or history.flapping):
                yield name, history

    def open_events(self) -> set[int]:
        """Numbers of the events about them."""
        return {history.event for _, history in self.open_facts()}

    def delta(self) -> dict[str, dict[str, Any]]:
        """The histories that changed since the last call, to be stored."""
        found = {name: self.histories[name].plain() for name in sorted(self.changed)}
        self.changed.clear()
        return found

    def load(self, delta: Mapping[str, Mapping[str, Any]]) -> None:
        """What ``delta`` gave, in the order in which it was stored."""
        for name, data in delta.items():
            self.histories[name] = FactHistory.of_plain(data)

    def _history(self, name: str) -> FactHistory:
        return self.histories.get(name) or FactHistory([None])


EMPTY: Final = "no facts"


def _names(samples: Iterable[Facts]) -> list[str]:
    return list(dict.fromkeys(name for facts in samples for name in facts))


def _values(name: str, samples: Sequence[Facts]) -> list[str | None]:
    """The values that the views show, each once, the last one last."""
    values = [facts.get(name) for facts in samples]
    last = values[-1]
    return [*dict.fromkeys(one for one in values if one != last), last]
