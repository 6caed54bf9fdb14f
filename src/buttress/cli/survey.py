"""``buttress survey``: asks running hosts what they are and what they offer to anybody."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buttress.cli.finding_options import add_known, fail_on
from buttress.files.visible import visible

if TYPE_CHECKING:
    from buttress.protocols.live import CanaryAddress
    from buttress.workflows.survey import Surveyor, SurveyResult
    from buttress.workflows.survey_settings import SurveySettings

_FORMATS = ("text", "json", "sarif", "github")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "survey",
        help="ask running hosts: products, versions, open interfaces, known vulnerabilities",
        description="Sends reading requests to the hosts and ports that are named, and to no "
        "other. A redirect, a link or an address that leads elsewhere is recorded, not followed.",
        epilog="exit codes: 0 nothing as grave as --fail-on, 1 findings that are, 2 bad input, "
        "3 no host was reached",
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET",
        help="a URL, HOST:PORT, HOST or a network such as 10.0.0.0/24 with --ports; "
        "none: the assets of buttress.yaml that have a url",
    )  # fmt: skip
    _what(parser.add_argument_group("what is asked"))
    _how(parser.add_argument_group("how it is asked"))
    _which(parser.add_argument_group("which findings count"))
    _where(parser.add_argument_group("what is told"))
    parser.set_defaults(run=run)


def _what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--targets", type=Path, metavar="FILE", dest="targets_file", help="targets, one a line"
    )
    group.add_argument(
        "--ports", type=_ports, default=[], metavar="LIST", help="such as 80,443,8000-8010"
    )
    group.add_argument(
        "--only", metavar="PROBE,…", action="append",
        help="run these live probes only; `buttress probes` lists them",
    )  # fmt: skip
    group.add_argument(
        "--layer", metavar="LAYER,…", action="append",
        help="probes of these layers only: infrastructure, link, service, client; the last "
        "opens pages in a browser (extra browser) and is asked only where it is named",
    )  # fmt: skip
    group.add_argument(
        "--rules", type=Path, metavar="FOLDER",
        help="rules of AI-Infra-Guard as well, from its package or a checkout",
    )  # fmt: skip
    group.add_argument(
        "--rules-as-written", action="store_true",
        help="those rules alone, with every quirk of the original, to compare results",
    )  # fmt: skip
    group.add_argument("--osv", type=Path, metavar="PATH", help="advisories in the OSV format")
    group.add_argument(
        "--active", action="store_true",
        help="also requests that may change something or cost money, such as questions to a model",
    )  # fmt: skip
    group.add_argument(
        "--openapi",
        type=Path,
        metavar="FILE",
        help="a description of the API, for the service layer",
    )
    group.add_argument(
        "--credentials", type=Path, metavar="FILE",
        help="try to sign in with these, [PRODUCT ]USER:PASSWORD a line; `default`: with what "
        "products start with. Hosts note failed attempts and may lock an account",
    )  # fmt: skip
    group.add_argument(
        "--signed", type=Path, metavar="FILE",
        help="a signed request as HTTP/1.1 text, for the link layer with --active: it is sent "
        "changed, and twice as it is",
    )  # fmt: skip
    group.add_argument(
        "--listen", type=_listen, metavar="ADDRESS[:PORT]",
        help="with --active: where hosts on other machines reach this one, to find out whether "
        "they fetch what they are given (default: 127.0.0.1, for hosts on this machine)",
    )  # fmt: skip
    group.add_argument(
        "--as", action="append", dest="users", metavar="NAME=ENV",
        help="ask as this user, whose key is in an environment variable; twice for two users, "
        "one of whom must not see what is the other's",
    )  # fmt: skip


def _how(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dry-run", action="store_true", help="list every request and send nothing")
    group.add_argument(
        "--rate", type=_positive, default=0.0, metavar="N",
        help="requests a second, in all (default: no limit)",
    )  # fmt: skip
    group.add_argument(
        "--per-host", type=_positive, default=0.0, metavar="N",
        help="requests a second to one host (default: no limit; always one at a time)",
    )  # fmt: skip
    group.add_argument(
        "--budget", type=_whole, default=120, metavar="N",
        help="requests that cost money a host may be sent, with --active (default: 120)",
    )  # fmt: skip
    group.add_argument(
        "--timeout-s", type=_positive, default=10.0, metavar="SECONDS",
        help="for a connection and for each answer (default: 10)",
    )  # fmt: skip


def _which(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fail-on", type=fail_on, default=(None, False), metavar="SEVERITY[,skipped]",
        help="least severity that gives exit code 1: info, low, medium, high, critical or never "
        "(default: high); with `skipped`, a host that was not asked all gives exit code 3",
    )  # fmt: skip
    add_known(group)


def _where(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format", choices=_FORMATS, metavar="FORMAT",
        help="on standard output: text, json, sarif, or github for annotations (default: text)",
    )  # fmt: skip
    group.add_argument(
        "--verbose", action="store_true", help="every finding with its proof and remedy"
    )
    group.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    group.add_argument("--sarif", type=Path, metavar="FILE", help="write SARIF 2.1.0 as well")
    group.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML as well")
    group.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    group.add_argument(
        "--language", choices=("en", "zh"), default="en", metavar="CODE",
        help="language of the page: en or zh (default: en)",
    )  # fmt: skip
    group.add_argument(
        "--out", type=Path, metavar="DIR",
        help="write survey.json, survey.html, requests.jsonl (every request sent) and the evidence",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="go on with a survey that was cut off, in --out: what is done is not asked again",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Survey, write files, print."""
    from buttress.errors import InputError
    from buttress.workflows.survey import Surveyor, make_known

    if options.resume and options.out is None:
        raise InputError("needs --out", field="--resume", expected="--out DIR")
    surveyor = Surveyor(_settings(options))
    if options.dry_run:
        _dry_run(surveyor, options.format == "json")
        return 0
    result = surveyor.run(options.out, resume=options.resume)
    if options.write_baseline is not None:
        result = make_known(result, options.write_baseline)
    made = result.document()
    if options.out is not None or options.html is not None:
        from buttress.workflows import survey_outputs
    if options.out is not None:
        survey_outputs.write(result, made, options.out, options.language)
    if options.html is not None:
        survey_outputs.write_page(made, options.html, options.language, "--html")
    if options.sarif is not None:
        from buttress.report import sarif

        sarif.write(made, options.sarif)
    if options.junit is not None:
        from buttress.report import junit

        junit.write(
            result.filtered, result.inspections, result.fails, options.junit, "buttress survey",
            errors=result.not_reached, skipped=result.partly_asked,
        )  # fmt: skip
    _print(options, made, result)
    if result.settings.fail_on_skipped:
        for url, why in (*result.not_reached, *result.partly_asked):
            print(f"not asked: {visible(url)}: {visible(why)}", file=sys.stderr)
    if not any(one.reached for one in result.hosts):
        print("no host was reached, so nothing is proved (exit code 3)", file=sys.stderr)
    return result.code


def _settings(options: argparse.Namespace) -> SurveySettings:
    from buttress.cli.names import split
    from buttress.live.limits import Limits
    from buttress.workflows.survey_settings import SurveySettings

    system = None
    if not options.targets and options.targets_file is None:
        from buttress.system.manifest import FILE_NAME
        from buttress.workflows.manifest import load

        if Path(FILE_NAME).is_file():
            system = load(Path(FILE_NAME))
    least, skipped = options.fail_on
    return SurveySettings(
        targets=options.targets,
        targets_file=options.targets_file,
        ports=options.ports,
        system=system,
        only=None if options.only is None else split(options.only),
        layers=None if options.layer is None else split(options.layer),
        rules=options.rules,
        as_written=options.rules_as_written,
        active=options.active,
        keys=_keys(options.users or []),
        openapi=options.openapi,
        credentials=options.credentials,
        signed=options.signed,
        listen=options.listen,
        osv=options.osv,
        limits=Limits(
            timeout_s=options.timeout_s or 10.0,
            rate=options.rate,
            host_rate=options.per_host,
            budget=options.budget,
        ),
        fail_on="high" if least is None else least,
        fail_on_skipped=skipped,
        suppressions=options.ignore_file,
        suppress=not options.no_ignore_file,
        baseline=options.baseline,
    )


def _ports(text: str) -> list[int]:
    from buttress.live.scope import port_list

    try:
        return port_list(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected ports such as 80,8000-8010") from None


def _listen(text: str) -> CanaryAddress:
    from ipaddress import ip_address

    from buttress.protocols.live import CanaryAddress

    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, "0"
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            "expected an address of this machine, such as 10.0.0.5 or 10.0.0.5:8000"
        ) from None
    return CanaryAddress(host, int(port))


def _keys(users: list[str]) -> dict[str, str]:
    import os

    from buttress.errors import InputError

    found: dict[str, str] = {}
    for text in users:
        name, equals, variable = text.partition("=")
        if not (name and equals and variable) or name in found or len(users) > 2:
            raise InputError(
                f"'{text}' can't be used", field="--as",
                expected="NAME=ENV, for one user or two of different names",
            )  # fmt: skip
        key = os.environ.get(variable, "").strip()
        if not key:
            raise InputError(
                f"the environment variable {variable} is not set", field="--as",
                expected="a key in it",
            )  # fmt: skip
        found[name] = key
    return found


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:7]) > 100_000:
        raise argparse.ArgumentTypeError("expected a whole number from 0 to 100000")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1e6:
        raise argparse.ArgumentTypeError("expected a number from 0 to 1000000")
    return number


def _dry_run(surveyor: Surveyor, as_json: bool) -> None:
    import json

    from buttress.documents.survey import request_row

    for method, url, request in surveyor.dry_run():
        row = request_row(request)
        if as_json:
            print(json.dumps({"method": method, "url": url} | row, ensure_ascii=False))
            continue
        headers = "".join(f"  {name}: {value}" for name, value in row["headers"].items())
        body = f"  {row['body']}" if row["body"] else ""
        print(visible(f"{method} {url}{headers}{body}"))
    if surveyor.context.as_written:
        print(
            "and, as the original does, redirects (at most 10) and the icon that a page names, "
            "on the same host and port",
            file=sys.stderr,
        )


def _print(options: argparse.Namespace, made: dict[str, Any], result: SurveyResult) -> None:
    import json

    from buttress.report.json import encoded_parts

    form = options.format or "text"
    if form == "json":
        sys.stdout.flush()
        sys.stdout.buffer.writelines(encoded_parts(made))
    elif form == "sarif":
        from buttress.report.sarif import log

        print(json.dumps(log(made), indent=2, ensure_ascii=False))
    elif form == "github":
        from buttress.report.scan_terminal import summary
        from buttress.triage.annotations import commands

        for line in commands(result.filtered.counting, summary(result.filtered)):
            print(line)
    else:
        from buttress.report.survey_terminal import show

        show(made, result.filtered, verbose=options.verbose)
