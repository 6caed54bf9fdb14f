"""Jailbreak templates from a file of the user's; none are shipped.

Shen et al. 2024, "Do Anything Now", collected such templates from forums. MITRE ATLAS AML.T0054,
OWASP LLM01.

Any file of rows that ``buttress.prompts.public.rows`` reads, such as CSV, JSON, JSON Lines, or text
with one template a line. A row has the text under ``template``, ``text`` or ``prompt`` and, if
wanted, a ``name``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from buttress.attacks.template import SLOT, TemplateAttack
from buttress.errors import InputError
from buttress.prompts.public.rows import DatasetRow, read_rows

MAX_TEMPLATES: Final = 20_000
_TEXT_FIELDS: Final = ("template", "text", "prompt")
# Marks for the place of the request that are in use; the most telling first.
_THING: Final = r"(?:request|prompt|query|question|instructions?|goal|behaviou?r|user[ _]input)"
_SLOTS: Final = (
    re.compile(rf"\{{\{{\s*(?:\.\s*)?(?:input|{_THING})\s*\}}\}}", re.I),
    re.compile(
        r"[\[{<(]\s*(?:insert|enter|put|place|add|type|write|paste)\b"
        rf"(?:[^\[\]{{}}<>()\n]{{0,40}}\b{_THING}\b[^\[\]{{}}<>()\n]{{0,40}}|\s+(?:(?:your|the) )?text(?: here)?|\s+here)"
        r"\s*[\]}>)]",
        re.I,
    ),
    re.compile(rf"[\[{{<]\s*(?:(?:your|my|the|user)\s+)?{_THING}(?:\s+here)?\s*[\]}}>]", re.I),
    re.compile(
        r"[\[{<]\s*(?:(?:你的|您的|我的)?(?:问题|请求|提示词?|指令)|在此?(?:输入|填写)[^\]}>]{0,8})\s*[\]}>]"
    ),
)


def with_slot(template: str) -> str:
    """The template with exactly one ``{request}``.

    The last mark of the most telling kind becomes the slot, since templates often name their mark
    in the instructions and use it at the end; a template without a mark gets the request below.
    """
    for pattern in _SLOTS:
        if found := list(pattern.finditer(template)):
            start, end = found[-1].span()
            # What stands elsewhere must not be taken for the slot.
            before, after = (
                part.replace(SLOT, "{request }") for part in (template[:start], template[end:])
            )
            return f"{before}{SLOT}{after}"
    return f"{template.rstrip()}\n\n{SLOT}"


def load(path: Path) -> TemplateAttack:
    """The templates of a file as a family ``library-STEM``, a variant each.

    Equal templates count once. The version is a digest of the templates. A variant without a name
    is called after its place in the file, from 1. Templates serve requests in any language.

    Raises:
        InputError: the file can't be read, is too large or not of its format; a row without text;
            a name that is used twice or not usable; no template, or too many.
    """
    templates: dict[str, Mapping[str, str]] = {}
    seen: set[str] = set()
    digest = hashlib.sha256()
    for number, row in enumerate(read_rows(path), 1):
        text = _text(row)
        if text in seen:
            continue
        variant = _name(row) or f"template-{number}"
        if variant in templates:
            raise row.error(f"name '{variant}' twice", "name", "a name of its own")
        if len(templates) == MAX_TEMPLATES:
            raise row.error("too many templates", expected=f"at most {MAX_TEMPLATES}")
        seen.add(text)
        digest.update(f"{variant}\0{text}\0".encode())
        templates[variant] = dict.fromkeys(("en", "zh"), with_slot(text))
    if not templates:
        raise InputError("no template", file=str(path), expected="at least one")
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "file"
    return TemplateAttack(
        id=f"library-{stem}",
        version=digest.hexdigest()[:12],
        title=f"Templates from {path.name}",
        references=("arXiv:2308.03825", "AML.T0054", "LLM01"),
        templates=templates,
    )


def _text(row: DatasetRow) -> str:
    text = next((row.fields[key] for key in _TEXT_FIELDS if row.fields.get(key)), None)
    if not isinstance(text, str) or not text.strip():
        raise row.error("no text", expected="a column " + ", ".join(_TEXT_FIELDS))
    return text


def _name(row: DatasetRow) -> str:
    name = row.fields.get("name") or ""
    if not isinstance(name, str) or "+" in name:
        raise row.error("unusable name", "name", "a text without +")
    return name
