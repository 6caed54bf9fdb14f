"""Checks of what is copied into images, of their users, and of compose services."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from buttress.probes.deployment.checks.open_servers import open_server
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar
from buttress.rules.values import is_published

_SECRET_FILES: Final = (
    ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa", "id_ed25519", "id_ecdsa",
    "id_dsa", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".aws", ".ssh", ".kube", ".docker",
    "credentials", "credentials.json", "service-account*.json", "kubeconfig", "secrets.y*ml",
    "secrets.json", ".huggingface",
)  # fmt: skip
_HARMLESS: Final = (
    "*.example",
    "*.sample",
    "*.template",
    "*.dist",
    ".env.ci",
    ".env.test",
    "*.pub",
    "*.gpg.key",  # with which packages are checked
    "*repo*.key",
    "*archive*.key",
    "*pub*.key",
    "*pub*.pem",
    "*ca*bundle*.pem",  # of those who sign, which anybody may have
    "cacert*.pem",
    "ca.pem",
    "ca-cert*.pem",
    "fullchain.pem",
    "global-bundle.pem",
)
_HOST_FOLDERS: Final = re.compile(
    r"^(?:/|/(?:etc|root|proc|sys|dev|boot|home|var/run|run|var/lib/docker|var/lib/kubelet)/?|"
    r"(?:~|\$\{?HOME\}?)(?:/(?:\.ssh|\.aws|\.kube|\.docker|\.config/gcloud))?/?)$"
)

_MONITORS: Final = re.compile(
    r"(?i)(?:^|/)(?:[\w.-]*cadvisor|[\w-]*(?:node|process|dcgm)[-_]exporter|promtail|alloy|fluent-?bit|"
    r"fluentd[\w-]*|(?:file|metric|packet)beat|netdata|telegraf|vector|dozzle|(?:datadog-)?agent|"
    r"otel[\w-]*|opentelemetry-collector[\w-]*|falco|infrastructure|[\w-]*device-plugin|gpu-feature-discovery)(?:$|[:@])"
)
_SOCKET: Final = re.compile(r"(?:docker|containerd|podman|crio)\.sock$")


def is_host_folder(path: str) -> bool:
    """Whether a folder of the host gives away the host or its credentials."""
    return _HOST_FOLDERS.match(path.strip()) is not None


def is_kernel_state(path: str) -> bool:
    """Whether a folder of the host only shows what the kernel does, unless it is written to."""
    return path.strip().rstrip("/") in ("/sys", "/proc")


def _copied_secret(subject: Subject) -> Iterator[SubjectMatch]:
    if "from" in subject.value["flags"]:
        return
    for source in subject.value["sources"]:
        if source in subject.context["harmless"]:
            continue
        for part in source.lower().split("/"):
            if _any(part, _SECRET_FILES) and not _any(part, _HARMLESS):
                yield SubjectMatch(subject.line(()), source)
                break


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, one) for one in patterns)


def _everything(subject: Subject) -> Iterator[SubjectMatch]:
    value = subject.value
    whole = any(one in (".", "./", "*") for one in value["sources"])
    if whole and "from" not in value["flags"] and not subject.context["ignores"]:
        yield SubjectMatch(subject.line(()))


def _added(subject: Subject) -> Iterator[SubjectMatch]:
    value = subject.value
    if value["instruction"] != "ADD" or "checksum" in value["flags"]:
        return
    for source in value["sources"]:
        if re.match(r"(?i)(?:https?|ftp)://|git@", source) and not re.search(
            r"#[0-9a-f]{40}\b", source
        ):
            yield SubjectMatch(subject.line(()), source)


_DEFAULT: Final = re.compile(r"\$\{\w+:?-([^{}]*)\}")


def _volumes(subject: Subject) -> Iterator[tuple[int, str, bool]]:
    """Line and source of each, and whether the service only reads it."""
    given = subject.value.get("volumes")
    for index, one in enumerate(given) if isinstance(given, list) else ():
        if isinstance(one, str):
            source, *_, mode = f"{_by_default(one)}:".split(":")[:3]
            yield subject.line(("volumes", index)), source, "ro" in mode.split(",")
        elif isinstance(one, dict) and isinstance(one.get("source"), str):
            reads = one.get("read_only") is True
            yield subject.line(("volumes", index)), _by_default(one["source"]), reads


def _by_default(text: str) -> str:
    """A text with the defaults of its variables in their place."""
    return _DEFAULT.sub(r"\1", text)


def is_monitor(image: Any) -> bool:
    """Whether an image watches the host, for which its vendor has it mount the host's folders."""
    return bool(_MONITORS.search(scalar(image) or ""))


DOCUMENTED: Final = "as the vendor of this monitor of the host documents it"


def _for_monitor(subject: Subject) -> str:
    return DOCUMENTED if is_monitor(subject.value.get("image")) else ""


def _privileged(subject: Subject) -> Iterator[SubjectMatch]:
    if subject.text("privileged") == "true":
        yield SubjectMatch(subject.line(("privileged",)), "", _for_monitor(subject))


def _socket(subject: Subject) -> Iterator[SubjectMatch]:
    for line, source, _ in _volumes(subject):
        if _SOCKET.search(source):
            yield SubjectMatch(line, source, _for_monitor(subject))


def _host_mount(subject: Subject) -> Iterator[SubjectMatch]:
    for line, source, reads in _volumes(subject):
        if is_host_folder(source) and not (reads and is_kernel_state(source)):
            yield SubjectMatch(line, source, _for_monitor(subject) or _of_its_user(source, reads))


def _of_its_user(source: str, reads: bool) -> str:
    """That a service has the credentials with which its user works, in words; else empty."""
    own = re.match(r"(?:~|\$\{?HOME\}?)/\.(?:aws|config/gcloud|kube)/?$", source)
    return "the service only reads what its user works with" if own and reads else ""


def _ecs_host_path(subject: Subject) -> Iterator[SubjectMatch]:
    host = subject.value.get("host")
    source = scalar(host.get("sourcepath")) if isinstance(host, dict) else None
    if source and (is_host_folder(source) or _SOCKET.search(source)):
        yield SubjectMatch(subject.line(()), source)


def _public_port(subject: Subject) -> Iterator[SubjectMatch]:
    service = subject.value
    about = f"{subject.context['name']} {scalar(service.get('image')) or ''}"
    server = open_server(about, _settings(service))
    ports = service.get("ports")
    if not server or not isinstance(ports, list):
        return
    open_ports = [index for index, port in enumerate(ports) if is_published(port)]
    if open_ports:
        shown = ", ".join(_shown(ports[index]) for index in open_ports)
        yield SubjectMatch(subject.line(("ports", open_ports[0])), f"{server} on port {shown}")


def _settings(service: Mapping[str, Any]) -> str:
    """The commands and variables of a compose service, one a line."""
    lines: list[str] = []
    for key in ("command", "entrypoint"):
        given = service.get(key)
        lines.append(" ".join(map(str, given)) if isinstance(given, list) else str(given or ""))
    given = service.get("environment")
    if isinstance(given, dict):
        lines += [f"{name}={scalar(value) or ''}" for name, value in given.items()]
    elif isinstance(given, list):
        lines += map(str, given)
    return "\n".join(lines)


def _shown(port: Any) -> str:
    return str(port.get("published")) if isinstance(port, dict) else str(port)


def _root(subject: Subject) -> Iterator[SubjectMatch]:
    user = str(subject.value["user"]).split(":")[0].strip()
    if user in ("", "root", "0"):
        yield SubjectMatch(subject.line(()), "is root" if user else "is not set")


CHECKS: Final[dict[str, Check]] = {
    "copied-secret": _copied_secret,
    "copy-everything": _everything,
    "added-url": _added,
    "compose-privileged": _privileged,
    "compose-socket": _socket,
    "compose-host-mount": _host_mount,
    "compose-public-port": _public_port,
    "final-user": _root,
    "ecs-host-path": _ecs_host_path,
}
