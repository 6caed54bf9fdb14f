"""Files of rules: one form and one loader for the rules of Buttress and for those of packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from buttress.errors import InputError
from buttress.evidence.findings import SEVERITIES
from buttress.files import located_yaml
from buttress.files.identifiers import KEBAB_CASE
from buttress.files.located_yaml import FieldPath, Located
from buttress.files.visible import shortened
from buttress.rules.rule import Example, Rule

R = TypeVar("R", bound=Rule)
TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 2_000, "description": "text"}
TEXTS: Final = {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 50}
PATTERN: Final = {"type": "string", "minLength": 1, "maxLength": 8_000, "description": "a pattern"}
EXAMPLE: Final = {"type": "string", "minLength": 1, "maxLength": 20_000, "description": "text"}
EXAMPLES: Final = {"type": "array", "items": EXAMPLE, "minItems": 1, "maxItems": 50}
_MAX_RULES: Final = 1_000
_COMMON: Final[Mapping[str, Any]] = {
    "id": TEXT, "severity": {"enum": list(SEVERITIES)}, "remedy": TEXT, "references": TEXTS,
}  # fmt: skip


class ExampleError(ValueError):
    """An example that no rule can be tried on; the text says why."""


@dataclass(frozen=True, eq=False)
class RuleFormat(Generic[R]):
    """The form of one kind of rules in YAML.

    A file has ``rules``, a list or a mapping by id, and may have ``defaults``: values of fields
    for all its rules.

    Attributes:
        fields: JSON Schemas of the fields beyond those that every rule has.
        required: those of them that must be there.
        build: makes the rule; raises InputError where the fields don't fit together.
        shipped: fields that only files of Buttress may have, each with the reason.
        sides: the fields of examples that the rule finds, and of those that it does not.
    """

    fields: Mapping[str, Any]
    required: tuple[str, ...]
    build: Callable[[Located, FieldPath, Mapping[str, Any]], R]
    shipped: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[str, str] = ("bad", "good")

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of a file."""
        rule = {
            "type": "object",
            "additionalProperties": False,
            "required": [*_COMMON, *self.required],
            "properties": {**_COMMON, **self.fields},
        }
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["rules"],
            "properties": {
                "defaults": {"type": "object"},
                "rules": {
                    "type": "array", "items": rule, "minItems": 1, "maxItems": _MAX_RULES,
                    "description": "a list of rules",
                },
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleFile(Generic[R]):
    """A file of rules that was read, whose lines are known."""

    located: Located
    format: RuleFormat[R]
    rules: tuple[R, ...]

    def try_examples(
        self,
        trial: Callable[[R], Callable[[Example], set[bool]]],
        expected: Callable[[Example], str] = lambda _: "a match",
    ) -> None:
        """Every rule finds each of its bad examples, and none of its good ones.

        Args:
            trial: for a rule, a function that says whether it finds an example: once for each way
                to fill in what the example leaves open. It raises ExampleError.
            expected: what was looked for in an example.

        Raises:
            InputError: naming file, line, rule and example.
        """
        for index, rule in enumerate(self.rules):
            finds = trial(rule)
            for side, examples, wanted in zip(
                self.format.sides, (rule.bad, rule.good), (True, False), strict=True
            ):
                for number, example in enumerate(examples):
                    at = ("rules", index, side, number)
                    try:
                        outcomes = finds(example)
                    except ExampleError as error:
                        raise self.located.error(at, f"rule '{rule.id}': {error}") from None
                    if outcomes == {wanted}:
                        continue
                    named = f"{side} example {number + 1}" + f", {example.file}" * bool(
                        example.file
                    )
                    verb = "misses" if wanted else "finds"
                    raise self.located.error(
                        at, f"rule '{rule.id}' {verb} its {named}: {shortened(example.text)}",
                        expected(example) if wanted else "no match",
                    )  # fmt: skip


def read(path: Path, form: RuleFormat[R], *, shipped: bool = False) -> RuleFile[R]:
    """The rules of a file.

    Args:
        path: of the file.
        form: its form.
        shipped: it comes with Buttress, and may name what is written in Python.

    Raises:
        InputError: naming file, line and field.
    """
    located = located_yaml.load(path)
    if isinstance(located.data, dict):
        _as_list(located)
        _fill_in(located.data)
    located_yaml.check(located, form.schema)
    rules: list[R] = []
    for index, data in enumerate(located.data["rules"]):
        at = ("rules", index)
        for name in () if shipped else form.shipped:
            if name in data:
                raise located.error((*at, name), form.shipped[name])
        if not KEBAB_CASE.fullmatch(data["id"]):
            raise located.error((*at, "id"), f"'{data['id'][:60]}' is no id", "a-z, 0-9 and -")
        if any(rule.id == data["id"] for rule in rules):
            raise located.error((*at, "id"), f"'{data['id']}' is given twice", "once")
        rules.append(form.build(located, at, data))
    return RuleFile(located, form, tuple(rules))


def common(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``Rule`` but for examples, as arguments of it."""
    names = ("id", "severity", "remedy", "title", "message", "secret")
    return {
        **{name: data[name] for name in names if name in data},
        "references": tuple(data["references"]),
    }


def _as_list(located: Located) -> None:
    """Make a mapping of ids to rules a list of rules, whose lines are known as well."""
    rules = located.data.get("rules")
    if not isinstance(rules, dict) or not all(isinstance(one, dict) for one in rules.values()):
        return
    for index, (name, rule) in enumerate(rules.items()):
        for rest in ((), *((key,) for key in rule)):
            line = located.line(("rules", name, *rest))
            located.lines[("rules", index, *rest)] = line or 1
    located.data["rules"] = [{"id": name, **rule} for name, rule in rules.items()]


def _fill_in(data: dict[str, Any]) -> None:
    defaults, rules = data.get("defaults"), data.get("rules")
    if isinstance(defaults, dict) and isinstance(rules, list):
        data["rules"] = [{**defaults, **one} if isinstance(one, dict) else one for one in rules]


@dataclass(frozen=True, eq=False)
class RuleKind(Generic[R]):
    """A kind of rules.

    Attributes:
        name: as packs name it.
        format: of its files.
        source: the rules that come with Buttress: a file, or a folder of ``*.yaml``.
    """

    name: str
    format: RuleFormat[R]
    source: Path

    def files(self) -> list[RuleFile[R]]:
        """The files that come with Buttress."""
        paths = sorted(self.source.glob("*.yaml")) if self.source.is_dir() else [self.source]
        return [read(path, self.format, shipped=True) for path in paths]

    @cached_property
    def own(self) -> Mapping[str, R]:
        """The rules that come with Buttress, by id.

        Raises:
            ValueError: an id is given twice.
        """
        found: dict[str, R] = {}
        for rule in (rule for file in self.files() for rule in file.rules):
            if rule.id in found:
                raise ValueError(f"rule {rule.id} is given twice")
            found[rule.id] = rule
        return found

    def with_packs(self, files: Iterable[tuple[str, Path]]) -> Mapping[str, R]:
        """The rules that come with Buttress and those of packs, by id.

        Args:
            files: of packs, each with the name of its pack.

        Raises:
            InputError: a file is not valid, or a rule's id is taken.
        """
        found = dict(self.own)
        for pack, path in files:
            for rule in read(path, self.format).rules:
                if rule.id in found:
                    raise InputError(
                        f"rule '{rule.id}' is in another pack too", file=f"pack {pack}",
                        expected="one of the packs removed",
                    )  # fmt: skip
                found[rule.id] = rule
        return found


PLAIN_RULES: Final = RuleFormat(
    fields={"message": TEXT}, required=(), build=lambda _located, _at, data: Rule(**common(data))
)
