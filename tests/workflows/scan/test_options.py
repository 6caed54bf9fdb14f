"""Options of probes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from buttress.errors import InputError
from buttress.evidence.findings import Finding, Inspection
from buttress.inspection.options import configured, parse
from buttress.protocols.inspection import InspectionContext


@dataclass(frozen=True)
class Plain:
    id: str = "plain"
    version: str = "1"
    title: str = "Plain"
    kinds: tuple[str, ...] = ("source",)

    def inspect(self, context: InspectionContext) -> Iterator[Finding | Inspection]:
        yield Inspection(self.id, self.version, context.asset, 0, 0)


@dataclass(frozen=True)
class Able(Plain):
    id: str = "able"
    database: str = ""

    @property
    def options(self) -> Mapping[str, str]:
        return {"database": "where it lies"}

    def with_options(self, **values: str) -> Able:
        if not values["database"]:
            raise InputError("empty", field="database")
        return replace(self, database=values["database"])


def test_values_reach_the_probes_that_take_them() -> None:
    plain, able = configured([Plain(), Able()], parse(["database=a=b"]))
    assert plain == Plain()
    assert able == Able(database="a=b")
    assert parse(["deep-look"]) == {"deep_look": "yes"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["other=1"], "expected one of database"),
        (["database="], "database: empty"),
        (["1=2"], "names no option"),
        (["database=1", "database=2"], "twice"),
    ],
)
def test_bad_values(given: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        configured([Plain(), Able()], parse(given))


def test_an_option_where_no_probe_has_any() -> None:
    with pytest.raises(InputError, match="no options"):
        configured([Plain()], {"x": "1"})
