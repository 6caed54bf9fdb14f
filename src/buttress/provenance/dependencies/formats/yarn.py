"""yarn.lock, of the first version and of those from 2 on, which are YAML of one shape."""

from __future__ import annotations

import re
from typing import Final

from buttress.provenance.dependencies.dependency import Dependency, Parsed
from buttress.provenance.dependencies.formats.npm import odd

_FIELD: Final = re.compile(r'^ {2}"?(version|resolved|resolution|integrity|checksum)"?:? "?([^"]*)')
_NAME: Final = re.compile(r"^(@[^/@\s]{1,200}/[^@\s]{1,200}|[^@\s]{1,200})@")
_ALIAS: Final = re.compile(r"^.{1,420}?@npm:(@?[^@\s:]{1,400})@")
_LOCAL: Final = ("workspace:", "link:", "portal:", "file:")


def parse(text: str) -> Parsed:
    """The packages of a lock file; each entry names all ranges that it stands for."""
    parsed, addresses = Parsed(), list[tuple[str, str, int]]()
    head, line, fields = "", 0, dict[str, str]()
    for number, raw in enumerate(text.split("\n"), 1):
        one = raw.rstrip()
        if one.endswith(":") and not raw.startswith((" ", "#")):
            _add(head, line, fields, parsed, addresses)
            head, line, fields = one[:-1], number, {}
        elif head and (match := _FIELD.match(one)):
            fields[match[1]] = match[2]
    _add(head, line, fields, parsed, addresses)
    parsed.issues += odd(addresses)
    return parsed


def _add(
    head: str,
    line: int,
    fields: dict[str, str],
    parsed: Parsed,
    addresses: list[tuple[str, str, int]],
) -> None:
    ranges = [one.strip().strip('"') for one in head.split(",")]
    # An entry stands for an alias too where only its second range names that.
    alias = next((one for one in ranges if _ALIAS.match(one)), ranges[0])
    given = fields.get("resolution") or alias
    name = _ALIAS.match(given) or _NAME.match(given)
    wanted = given[name.end(1) + 1 :] if name else ""
    if not name or not fields.get("version") or wanted.startswith(_LOCAL):
        return
    resolved = fields.get("resolved", "")
    git = next((one for one in (resolved, wanted) if ".git" in one or one.startswith("git")), "")
    if resolved.startswith("http") and not git:
        addresses.append((name[1], resolved, line))
    parsed.add(
        Dependency(
            name[1],
            "npm",
            line,
            version="" if git else fields["version"],
            address=re.sub(r"#(?:commit=)?", "@", git) if git else "",
            hashed=None if git else bool(fields.get("integrity") or fields.get("checksum")),
            locked=True,
        )
    )
