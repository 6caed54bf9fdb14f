"""Names in pickles that packs allow or find dangerous, and the trial of their examples.

An allowlist can never allow what our own lists find dangerous, nor what makes code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.packs.knowledge import Knowledge
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.pack import pickle_examples
from buttress.probes.artifacts.pickles.added import Added, Told, merged
from buttress.probes.artifacts.pickles.judge import OWN_LISTS, NameLists

_MAX_PARTS: Final = 12
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 500, "description": "text"}
_NAMES: Final = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 1_000}
_PICKLES: Final = {
    "type": "array", "minItems": 1, "maxItems": 1_000,
    "description": "a list of pickles such as {call: module.name, args: [1]}",
}  # fmt: skip
_SHARED: Final[dict[str, Any]] = {
    "why": _TEXT | {"description": "the reason, in a few words"},
    "positive": _PICKLES, "negative": _PICKLES,
}  # fmt: skip


def _schema(list_name: str, own: dict[str, Any], needed: list[str]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [list_name],
        "properties": {
            list_name: {
                "type": "array", "minItems": 1, "maxItems": 1_000,
                "items": {
                    "type": "object", "additionalProperties": False,
                    "required": [*needed, *_SHARED], "properties": {**own, **_SHARED},
                },
            },
        },
    }  # fmt: skip


_ALLOWED: Final = _schema("allowed", {"module": _TEXT, "names": _NAMES}, ["module", "names"])
_GADGETS: Final = _schema("gadgets", {"names": _NAMES, "modules": _NAMES}, [])


def of_packs(knowledge: Knowledge) -> Added:
    """The names that packs add.

    Raises:
        InputError: a file of a pack is not valid.
    """
    return merged(
        load(file.path, kind, file.pack)
        for kind in ("pickle-allowlist", "pickle-danger")
        for file in knowledge.of_kind(kind)
    )


def load(path: Path, kind: str, pack: str) -> Added:
    """The names of a file of the kind ``pickle-allowlist`` or ``pickle-danger``.

    Args:
        path: of the file.
        kind: of its contents.
        pack: name and version, for reports.

    Raises:
        InputError: naming file, line and field; also for an allowed name that is in our own list
            of dangerous ones.
    """
    located = located_yaml.load(path)
    return _load(located, kind, pack)


def try_examples(path: Path, kind: str, pack: str) -> None:
    """With these names, each positive example is benign (or dangerous, for ``pickle-danger``), and
    each negative one is suspicious (or not dangerous); and every name is in a positive one.

    Raises:
        InputError: naming the entry and the example.
    """
    located = located_yaml.load(path)
    names = NameLists(_load(located, kind, pack))
    part = "allowed" if kind == "pickle-allowlist" else "gadgets"
    for index, entry in enumerate(located.data[part]):
        at = (part, index)
        for side in ("positive", "negative"):
            for number, example in enumerate(entry[side]):
                _try(located, (*at, side, number), example, kind, pack, names=names)
        _covered(located, at, entry, kind)


def _load(located: Located, kind: str, pack: str) -> Added:
    if kind == "pickle-allowlist":
        return Added(allowed=_allowed(located, pack))
    located_yaml.check(located, _GADGETS)
    found: dict[str, dict[str, Told]] = {"names": {}, "modules": {}}
    for index, entry in enumerate(located.data["gadgets"]):
        told = Told(entry["why"].rstrip(". "), pack)
        if not entry.keys() & found.keys():
            raise located.error(("gadgets", index), "needs 'names' or 'modules'", "one of them")
        for what, names in found.items():
            for number, name in enumerate(entry.get(what, ())):
                parts = name.split(".")
                least = 2 if what == "names" else 1
                if not least <= len(parts) <= _MAX_PARTS or not all(map(str.isidentifier, parts)):
                    raise located.error(
                        ("gadgets", index, what, number), f"'{name[:80]}' is no dotted name",
                        f"{least} to {_MAX_PARTS} parts, such as module.attribute",
                    )  # fmt: skip
                names[name] = told
    return Added(names=found["names"], modules=found["modules"])


def _allowed(located: Located, pack: str) -> dict[tuple[str, str], Told]:
    located_yaml.check(located, _ALLOWED)
    found: dict[tuple[str, str], Told] = {}
    for index, entry in enumerate(located.data["allowed"]):
        told = Told(entry["why"].rstrip(". "), pack)
        for number, name in enumerate(entry["names"]):
            at = ("allowed", index, "names", number)
            try:
                key = pickle_examples.split(f"{entry['module']}:{name}")
            except ValueError as error:
                raise located.error(at, str(error), "a name such as MyClass") from None
            known = OWN_LISTS.judge(*key)
            if known.kind in ("dangerous", "code", "conditional"):
                raise located.error(
                    at, f"{entry['module']}.{name} can't be allowed by a pack: {known.reason}",
                    "names that are in no list of dangerous ones",
                )  # fmt: skip
            found[key] = told
    return found


def _try(
    located: Located, at: FieldPath, example: Any, kind: str, pack: str, *, names: NameLists
) -> None:
    try:
        issues = pickle_examples.suspicious(pickle_examples.assemble(example), names)
    except ValueError as error:
        raise located.error(at, f"describes no pickle: {error}", "see the docs") from None
    positive = at[-2] == "positive"
    if kind == "pickle-allowlist":
        if positive and issues:
            raise located.error(at, f"is not benign: {_first(issues)}", "no issue")
        if not positive and not issues:
            raise located.error(at, "is benign", "a pickle that stays suspicious")
        return
    by_pack = [one for one in issues if f"(pack {pack})" in one.message]
    if positive and not any(one.rule == "pickle-dangerous-import" for one in by_pack):
        raise located.error(at, "is not found by the pack", "a pickle with a name of the entry")
    if not positive and by_pack:
        raise located.error(at, f"is dangerous: {_first(by_pack)}", "a pickle that the pack passes")


def _covered(located: Located, at: FieldPath, entry: Mapping[str, Any], kind: str) -> None:
    """Raise InputError where a name of the entry is in none of its positive examples."""
    seen = {one for example in entry["positive"] for one in pickle_examples.imported(example)}
    dotted = {".".join(one) for one in seen}
    if kind == "pickle-allowlist":
        missing = [name for name in entry["names"] if (entry["module"], name) not in seen]
    else:
        missing = [name for name in entry.get("names", ()) if name not in dotted]
        missing += [
            module
            for module in entry.get("modules", ())
            if not any(one.startswith(f"{module}.") for one in dotted)
        ]
    if missing:
        raise located.error(
            (*at, "positive"), f"'{missing[0]}' is in no positive example",
            "each name in one of them",
        )  # fmt: skip


def _first(issues: list[ArtifactIssue]) -> str:
    return issues[0].message.rstrip(".")
