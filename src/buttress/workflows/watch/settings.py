"""What a watch checks, how often, and whom it tells: ``watch.yaml``, or a manifest's ``watch``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from buttress.errors import InputError
from buttress.evidence.findings import Severity
from buttress.files import located_yaml
from buttress.files.located_yaml import FieldPath, Located
from buttress.live.scope import Endpoint, endpoints, port_list
from buttress.system.manifest import FILE_NAME as MANIFEST
from buttress.system.manifest import watch_schema
from buttress.workflows import manifest

if TYPE_CHECKING:
    from buttress.system.model import Asset, System

FILE_NAME: Final = "watch.yaml"
PAGES: Final = ("/",)
INTERFACES: Final = ("/openapi.json",)
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LEAST: Final = 10.0  # seconds between checks
YEAR: Final = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class WatchedHost:
    """A host and port with the paths of its pages and of descriptions of its interface."""

    endpoint: Endpoint
    pages: tuple[str, ...] = PAGES
    interfaces: tuple[str, ...] = INTERFACES

    @property
    def asset(self) -> str:
        """The id under which events are told."""
        endpoint = self.endpoint
        return endpoint.asset or f"{endpoint.scheme or 'host'}://{endpoint.shown}{endpoint.base}"


@dataclass(frozen=True, slots=True)
class WatchedBuild:
    """A package, a bundle or a folder of a client."""

    asset: str
    path: Path
    appid: str = ""


@dataclass(frozen=True, slots=True)
class WatchedBehaviour:
    """A model and the probe that asks it ``trials`` questions a check.

    ``reference`` is how many trials make the sample that later ones are compared with; ``limit``
    is a failure rate that is known not to be exceeded. ``answers`` compares the answers too.
    """

    asset: str
    probe: str
    trials: int = 50
    reference: int = 1000
    limit: float | None = None
    answers: bool = True

    @property
    def id(self) -> str:
        """Name of what is compared."""
        return f"{self.probe} of {self.asset}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are posted; the secret is in the environment variable ``secret_env``."""

    url: str
    secret_env: str


@dataclass(frozen=True, slots=True)
class Email:
    """Whom events are mailed to, through which server. ``security`` is starttls, tls or none."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    security: str = "starttls"
    username: str = ""
    password_env: str = ""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """All of it; ``file`` is where it was read. ``every`` is in seconds, ``jitter`` a share."""

    file: Path
    system: System | None = None
    every: float = 86400.0
    jitter: float = 0.1
    hosts: tuple[WatchedHost, ...] = ()
    layers: tuple[str, ...] = ("infrastructure", "link")
    builds: tuple[WatchedBuild, ...] = ()
    behaviour: tuple[WatchedBehaviour, ...] = ()
    false_alarms_per_year: float = 1.0
    fail_on: Severity = "medium"
    tell_at_least: Severity = "low"
    webhook: Webhook | None = None
    email: Email | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Of what is watched."""
        return self.system.name if self.system else self.file.resolve().parent.name or "watch"

    @property
    def assets(self) -> list[str]:
        """Ids of all that is watched, in order."""
        exposed = [one.asset for one in self.hosts] + [one.asset for one in self.builds]
        return [*exposed, *(one.id for one in self.behaviour)]

    @property
    def outcomes_per_year(self) -> list[float]:
        """How many outcomes each stream of answers has in a year."""
        a_year = YEAR / self.every
        return [
            one.trials * a_year for one in self.behaviour for _ in range(2 if one.answers else 1)
        ]


def load(path: Path | None = None) -> WatchSettings:
    """Read a watch.

    Args:
        path: ``watch.yaml``, a manifest with a section ``watch``, or the folder of either; this
            folder where None.

    Raises:
        InputError: naming file, line, field and what is expected there.
    """
    file = _file(path or Path())
    located = located_yaml.load(file)
    data = located.data if isinstance(located.data, dict) else {}
    if "assets" in data:
        if "watch" not in data:
            raise InputError(
                "no section 'watch'", file=str(file), expected="a section 'watch', or watch.yaml"
            )
        return _Reader(located, ("watch",), data["watch"], file, manifest.load(file)).settings()
    schema = dict(watch_schema())
    about = {"type": "string", "description": "path of the manifest that describes the system"}
    schema["properties"] = {**schema["properties"], "manifest": about}
    located_yaml.check(located, schema)
    system = None
    beside = file.parent / MANIFEST
    if "manifest" in data:
        named = file.parent / data["manifest"]
        if not named.exists():
            raise located.error(("manifest",), f"no such file: {data['manifest']}", "a manifest")
        system = manifest.load(named)
    elif beside.is_file():
        system = manifest.load(beside)
    return _Reader(located, (), data, file, system).settings()


def _file(path: Path) -> Path:
    if not path.is_dir():
        if not path.exists():
            raise InputError("no such file", file=str(path), expected="watch.yaml or a manifest")
        return path
    for name in (FILE_NAME, MANIFEST):
        if (path / name).is_file():
            return path / name
    raise InputError(
        f"neither {FILE_NAME} nor {MANIFEST} in it", file=str(path), expected="what to watch"
    )


@dataclass(slots=True)
class _Reader:
    located: Located
    at: FieldPath
    data: Mapping[str, Any]
    file: Path
    system: System | None

    def settings(self) -> WatchSettings:
        data = self.data
        notify = data.get("notify", {})
        every = self._time("every", 86400.0)
        found = WatchSettings(
            file=self.file,
            system=self.system,
            every=every,
            jitter=float(data.get("jitter", 0.1)),
            hosts=tuple(self._hosts()),
            layers=tuple(data.get("layers", ("infrastructure", "link"))),
            builds=tuple(self._builds()),
            behaviour=tuple(
                self._behaviour(place) for place in range(len(data.get("behaviour", ())))
            ),
            false_alarms_per_year=float(data.get("false_alarms_per_year", 1.0)),
            fail_on=data.get("fail_on", "medium"),
            tell_at_least=notify.get("at_least", "low"),
            webhook=Webhook(**notify["webhook"]) if "webhook" in notify else None,
            email=self._email(notify["email"]) if "email" in notify else None,
        )
        if not found.assets:
            raise InputError(
                "nothing to watch", file=str(self.file), field="targets",
                expected="targets, builds or behaviour, or a manifest whose assets have them",
            )  # fmt: skip
        twice = [name for name, count in Counter(found.assets).items() if count > 1]
        if twice:
            raise InputError(
                f"'{twice[0]}' is watched twice", file=str(self.file), expected="each once"
            )
        return found

    def _error(self, path: FieldPath, problem: str, expected: str) -> InputError:
        return self.located.error((*self.at, *path), problem, expected)

    def _time(self, name: str, usual: float) -> float:
        text = self.data.get(name)
        if text is None:
            return usual
        match = re.fullmatch(r"([0-9.]+)([smhd])", text)
        seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if seconds < _LEAST:
            raise self._error((name,), f"'{text}' is too short", f"at least {_LEAST:.0f}s")
        return seconds

    def _hosts(self) -> list[WatchedHost]:
        if "targets" not in self.data:
            from buttress.workflows.survey_settings import system_endpoints

            return (
                [WatchedHost(one) for one in system_endpoints(self.system)] if self.system else []
            )
        found: list[WatchedHost] = []
        for place, entry in enumerate(self.data["targets"]):
            given = {"url": entry} if isinstance(entry, str) else entry
            try:
                ports = port_list(given["ports"]) if "ports" in given else []
                made = endpoints([given["url"]], ports)
            except InputError as error:
                raise self._error(
                    ("targets", place), error.problem, error.expected or "a host"
                ) from None
            except ValueError:
                raise self._error(
                    ("targets", place, "ports"), f"'{given['ports']}' names no ports",
                    "ports such as 80,8000-8010",
                ) from None  # fmt: skip
            pages = tuple(given.get("pages", PAGES))
            interfaces = tuple(given.get("interfaces", INTERFACES))
            for one in made:
                named = replace(one, asset=self._asset_at(one))
                found.append(WatchedHost(named, pages, interfaces))
        return found

    def _asset_at(self, endpoint: Endpoint) -> str:
        """The manifest's asset with that URL; the URL itself where there is none."""
        for asset in self.system.assets if self.system else ():
            if asset.url and replace(endpoints([asset.url], ())[0], asset="") == endpoint:
                return asset.id
        return ""

    def _builds(self) -> list[WatchedBuild]:
        if "builds" not in self.data:
            assets = self.system.assets if self.system else ()
            return [
                WatchedBuild(asset.id, path)
                for asset in assets
                if asset.kind == "client"
                for path in asset.paths
            ]
        found = []
        for entry in self.data["builds"]:
            given = {"path": entry} if isinstance(entry, str) else entry
            path = self.file.parent / given["path"]
            found.append(WatchedBuild(given["path"], path.resolve(), given.get("appid", "")))
        return found

    def _behaviour(self, place: int) -> WatchedBehaviour:
        from buttress.workflows.answering import answering_asset

        given = dict(self.data["behaviour"][place])
        if self.system is None:
            raise self._error(
                ("behaviour", place), "no manifest says which model answers",
                f"{MANIFEST} beside it, or manifest: FILE",
            )  # fmt: skip
        try:
            asset: Asset = answering_asset(self.system, given.get("asset"))
        except InputError as error:
            raise self._error(
                ("behaviour", place), error.problem, error.expected or "a model that answers"
            ) from None
        return WatchedBehaviour(**{**given, "asset": asset.id})

    def _email(self, given: Mapping[str, Any]) -> Email:
        security = given.get("security", "starttls")
        host, colon, port = given["server"].rpartition(":")
        if not colon:
            host, port = given["server"], {"tls": "465", "none": "25"}.get(security, "587")
        if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
            raise self._error(
                ("notify", "email", "server"), f"'{given['server']}' is no server", "HOST:PORT"
            )
        return Email(
            host, int(port), given["from"], tuple(given["to"]), security,
            given.get("username", ""), given.get("password_env", ""),
        )  # fmt: skip
