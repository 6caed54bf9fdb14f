"""``buttress report``: renders an assessment again."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="render an assessment again, in any format",
        description="Renders assessment.json, after a check against its schema.",
    )
    parser.add_argument(
        "path", nargs="?", type=Path, default=Path("buttress-out"), metavar="DIR",
        help="folder of an assessment, or its assessment.json (default: buttress-out)",
    )  # fmt: skip
    parser.add_argument(
        "--format", default="html", metavar="NAME",
        help="html, json, sarif or what a package adds (default: html)",
    )  # fmt: skip
    parser.add_argument(
        "--language",
        default="en",
        metavar="CODE",
        help="language of the HTML report: en or zh (default: en)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: into DIR)"
    )
    parser.add_argument(
        "--schema", nargs="?", const="assessment", metavar="DOCUMENT",
        help="print the JSON Schema of a document, such as assessment, scan, survey, data or "
        "align, and stop (default: assessment; an unknown name is answered with all)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the report, or print the schema."""
    from buttress.documents import reading as document

    if options.schema is not None:
        from buttress.documents.schemas import schema_of
        from buttress.report.json import encode

        sys.stdout.write(encode(schema_of(options.schema)).decode())
        return 0
    from buttress import extension
    from buttress.errors import InputError
    from buttress.files.atomic import atomic_path
    from buttress.workflows.assessment.outputs import FILES

    writer = extension.load("reports", options.format)
    translated = options.language != "en"
    if translated:
        if options.format != "html":
            problem = f"{options.format} has no languages"
            raise InputError(problem, field="--language", expected="--format html")
        writer = partial(writer, language=options.language)
    file = document.resolve(options.path)
    loaded = document.load(file)
    name = FILES.get(options.format, f"report.{options.format}")
    if translated:
        name = f"report.{options.language}.html"
    out: Path = options.out or file.parent / name
    with (
        atomic_path(out, "--out") as unfinished,
        extension.naming_plugin("reports", options.format),
    ):
        writer(loaded, unfinished)
    print(out)
    return 0
