"""The VEX profile of CSAF 2.0 and 2.1 (OASIS, section 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from buttress.triage.vex import Statement, subjects
from buttress.triage.vex_fields import mapping, mappings, required, rows, time, unjustified

# In the order in which they are read: where two contradict each other, the last holds.
_STATUSES: Final = (
    ("fixed", "fixed"), ("first_fixed", "fixed"), ("known_not_affected", "not_affected"),
    ("under_investigation", "under_investigation"), ("known_affected", "affected"),
    ("first_affected", "affected"), ("last_affected", "affected"),
)  # fmt: skip
_MAX_DEPTH: Final = 60


def is_one(data: Mapping[str, Any]) -> bool:
    """Whether a document is of this format."""
    return "csaf_version" in mapping(data.get("document"))


def statements(data: Mapping[str, Any], path: Path) -> Iterator[Statement]:
    """What a document says, by vulnerability, status and justification.

    Raises:
        InputError: naming the field that is wrong.
    """
    tracking = mapping(mapping(data.get("document")).get("tracking"))
    when = time(tracking, path, "document.tracking.current_release_date", None)
    tree = mapping(data.get("product_tree"))
    packages = _packages(tree)
    groups = {
        str(one.get("group_id")): [str(name) for name in rows(one.get("product_ids"))]
        for one in mappings(tree.get("product_groups"))
    }
    for index, row in enumerate(required(data, "vulnerabilities", path)):
        given = mapping(row)
        named = [given.get("cve"), *(one.get("text") for one in mappings(given.get("ids")))]
        ids = frozenset(one for one in named if isinstance(one, str) and one)
        why = _by_product(given.get("flags"), "label", groups)
        impact = _by_product(
            [one for one in mappings(given.get("threats")) if one.get("category") == "impact"],
            "details", groups,
        )  # fmt: skip
        status = mapping(given.get("product_status"))
        for name, meaning in _STATUSES:
            for product in map(str, rows(status.get(name))):
                reasons = why.get(product, ""), impact.get(product, "")
                if meaning == "not_affected" and not any(reasons):
                    raise unjustified(
                        path, f"vulnerabilities[{index}].product_status.{name}",
                        f"a flag, or a threat of category impact, for '{product[:60]}'",
                    )  # fmt: skip
                yield Statement(
                    ids, subjects(packages.get(product, [])), meaning, *reasons, when, str(path)
                )


def _packages(tree: Mapping[str, Any]) -> dict[str, list[str]]:
    """Package URLs by product id; of a product that is a part of another, those of the part."""
    found: dict[str, list[str]] = {}
    queue = [(one, 0) for one in mappings(tree.get("branches"))]
    names = mappings(tree.get("full_product_names"))
    while queue:
        branch, depth = queue.pop()
        names.append(mapping(branch.get("product")))
        if depth < _MAX_DEPTH:
            queue += [(one, depth + 1) for one in mappings(branch.get("branches"))]
    for one in names:
        helper = mapping(one.get("product_identification_helper"))
        urls = [helper.get("purl"), *rows(helper.get("purls"))]  # the second since CSAF 2.1
        found[str(one.get("product_id"))] = [url for url in urls if isinstance(url, str)]
    for one in mappings(tree.get("relationships")):
        whole = str(mapping(one.get("full_product_name")).get("product_id"))
        found.setdefault(whole, []).extend(found.get(str(one.get("product_reference")), []))
    return found


def _by_product(given: Any, field: str, groups: Mapping[str, list[str]]) -> dict[str, str]:
    """The texts of flags or threats, by the products that they are about."""
    found: dict[str, str] = {}
    for one in mappings(given):
        products = [str(name) for name in rows(one.get("product_ids"))]
        for group in rows(one.get("group_ids")):
            products += groups.get(str(group), [])
        for product in products:
            found.setdefault(product, str(one.get(field) or ""))
    return found
