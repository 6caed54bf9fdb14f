"""What a model's card claims: results, intended use and limits. Unverified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from buttress.provenance.inventory.card import text
from buttress.provenance.inventory.component import Component

MAX_METRICS: Final = 500
_CLAIMED: Final = "claimed by its card"
_PLACES: Final = {  # beginnings of headings of cards: where their text belongs
    "intended use": "useCases", "uses": "useCases", "direct use": "useCases",
    "limitation": "technicalLimitations", "bias, risks": "technicalLimitations",
    "out-of-scope": "technicalLimitations",
}  # fmt: skip


def metrics(card: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Results under ``model-index`` of a card's front matter, as performance metrics."""
    found = 0
    for model in _list(card.get("model-index")):
        for result in _list(_dict(model).get("results")):
            data = _dict(_dict(result).get("dataset"))
            slices = [text(data.get(key)) for key in ("name", "config", "split")]
            where = ", ".join(one for one in slices if one)
            for metric in _list(_dict(result).get("metrics")):
                one = _dict(metric)
                value = one.get("value")
                kind = text(one.get("name")) or text(one.get("type"))
                if not kind or not isinstance(value, int | float | str) or found >= MAX_METRICS:
                    continue
                found += 1
                yield {
                    "type": kind,
                    "value": str(value)[:100],
                    "slice": f"{where}; {_CLAIMED}" if where else _CLAIMED,
                }


def considerations(one: Component) -> dict[str, list[str]]:
    """Texts of the card on use and limits, by the field of ``considerations`` for them."""
    found: dict[str, list[str]] = {}
    for heading, body in one.sections.items():
        for beginning, field in _PLACES.items():
            if heading.startswith(beginning):
                found.setdefault(field, []).append(f"{body} ({_CLAIMED})")
                break
    return found


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Any]:
    return value[:MAX_METRICS] if isinstance(value, list) else ()
