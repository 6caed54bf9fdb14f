"""Checks of Kubernetes pods, services and roles."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

from buttress.probes.deployment.checks.containers import (
    DOCUMENTED,
    is_host_folder,
    is_kernel_state,
    is_monitor,
)
from buttress.probes.deployment.checks.open_servers import open_server
from buttress.rules.credentials.defaults import is_made_of_names
from buttress.rules.credentials.literals import is_placeholder
from buttress.rules.credentials.scanner import scan
from buttress.rules.subject import Check, Subject, SubjectMatch, scalar
from buttress.rules.values import stand_in

# The first steps that servers of search document, of a container that ends before them.
_SYSCTL: Final = re.compile(
    r"^\s*(?:(?:/bin/)?(?:ba)?sh\s+-e?c\s+)?(?:/sbin/)?(?:sysctl\s+-w\s+[\w.]+=\d+|"
    r"ulimit\s+-\w\s+\w+)(?:\s*(?:&&|;)\s*(?:sysctl\s+-w\s+[\w.]+=\d+|ulimit\s+-\w\s+\w+))*\s*$"
)
# Objects by which who may do all with them gets all else.
_GRAVE: Final = {
    "secrets", "pods", "nodes", "serviceaccounts", "roles", "rolebindings", "clusterroles",
    "clusterrolebindings", "deployments", "daemonsets", "statefulsets", "jobs", "cronjobs",
    "replicasets", "mutatingwebhookconfigurations",
}  # fmt: skip
_CONSTANT: Final = re.compile(r"[A-Z]{2,}[A-Z0-9]*(?:_[A-Z0-9]+)+")  # the name of a choice
_ACCELERATORS: Final = ("nvidia.com/", "amd.com/gpu", "gpu.intel.com/", "google.com/tpu",
                        "habana.ai/", "huawei.com/")  # fmt: skip


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _strings(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _only_read(pod: Any, volume: Any) -> bool:
    """Whether all containers that mount a volume of a pod only read it."""
    mounts = [
        mount
        for kind in ("containers", "initContainers")
        for one in (_at(pod, kind) if isinstance(_at(pod, kind), list) else ())
        for mount in (
            _at(one, "volumeMounts") if isinstance(_at(one, "volumeMounts"), list) else ()
        )
        if _at(mount, "name") == volume
    ]
    return bool(mounts) and all(_at(one, "readOnly") is True for one in mounts)


def _host_path(subject: Subject, *, grave: bool) -> Iterator[SubjectMatch]:
    volumes = subject.value.get("volumes")
    containers = _at(subject.value, "containers")
    given = containers if isinstance(containers, list) else []
    monitors = [is_monitor(_at(one, "image")) or is_monitor(_at(one, "name")) for one in given]
    lessened = DOCUMENTED if monitors and all(monitors) else ""
    for index, one in enumerate(volumes) if isinstance(volumes, list) else ():
        path = _at(one, "hostPath", "path")
        if isinstance(path, str):
            worst = is_host_folder(path) or path.endswith(".sock")
            if is_kernel_state(path) and _only_read(subject.value, _at(one, "name")):
                worst = False
            if worst == grave:
                yield SubjectMatch(subject.line(("volumes", index, "hostPath")), path, lessened)


def _privileged(subject: Subject) -> Iterator[SubjectMatch]:
    security = _at(subject.value, "securityContext")
    if scalar(_at(security, "privileged")) != "true":
        return
    command = " ".join(
        one
        for key in ("command", "args")
        for one in [scalar(_at(subject.value, key)) or "", *_strings(_at(subject.value, key))]
    )
    why = "it only sets what the kernel allows, and ends" if _SYSCTL.search(command) else ""
    yield SubjectMatch(subject.line(("securityContext", "privileged")), "", why)


def _runs_as_root(subject: Subject) -> Iterator[SubjectMatch]:
    pod = subject.context["pod"]
    own, whole = _at(subject.value, "securityContext"), _at(pod, "securityContext")
    user, non_root = (
        next((_at(one, key) for one in (own, whole) if _at(one, key) is not None), None)
        for key in ("runAsUser", "runAsNonRoot")
    )
    if user == 0:
        yield SubjectMatch(subject.line(("securityContext",)), "runs as user 0")
    elif user is None and non_root is not True and subject.kind != "helm.container":
        yield SubjectMatch(subject.line(()), "may run as root")


def _accelerator_limits(subject: Subject) -> Iterator[SubjectMatch]:
    resources = _at(subject.value, "resources")
    limits, requests = _at(resources, "limits"), _at(resources, "requests")
    names = [str(one) for given in (limits, requests) if isinstance(given, dict) for one in given]
    if any(name.startswith(_ACCELERATORS) for name in names) and _at(limits, "memory") is None:
        yield SubjectMatch(subject.line(("resources",)))


def _public_service(subject: Subject) -> Iterator[SubjectMatch]:
    spec = _at(subject.value, "spec")
    kind = _at(spec, "type")
    if kind not in ("LoadBalancer", "NodePort") or _at(spec, "loadBalancerSourceRanges"):
        return
    metadata = _at(subject.value, "metadata")
    annotations = _at(metadata, "annotations")
    inside = annotations.items() if isinstance(annotations, dict) else ()
    if any("internal" in str(key).lower() or str(one).lower() == "internal" for key, one in inside):
        return
    selector = _at(spec, "selector")
    labels = selector.values() if isinstance(selector, dict) else ()
    about = " ".join([str(_at(metadata, "name") or ""), *(scalar(one) or "" for one in labels)])
    if server := open_server(about):
        yield SubjectMatch(subject.line(("spec", "type")), f"{server} by a {kind}")


def _rules(subject: Subject) -> Iterator[tuple[int, list[str], list[str], list[str]]]:
    """Line, verbs, resources and groups of the rules of a role."""
    given = subject.value.get("rules")
    for index, rule in enumerate(given) if isinstance(given, list) else ():
        if isinstance(rule, dict):
            line = subject.line(("rules", index))
            verbs, resources, groups = (
                _strings(rule.get(key)) for key in ("verbs", "resources", "apiGroups")
            )
            yield line, verbs, resources, groups


def _wildcard_role(subject: Subject) -> Iterator[SubjectMatch]:
    for line, verbs, resources, groups in _rules(subject):
        if "*" in verbs or "*" in resources:
            grave = "*" in resources or _GRAVE & {one.partition("/")[0] for one in resources}
            built_in = not groups or any(
                "." not in one or one.endswith(".k8s.io") for one in groups
            )
            why = "" if grave and built_in else "only of objects that give nothing else away"
            yield SubjectMatch(line, "", why)


def _powerful_role(subject: Subject) -> Iterator[SubjectMatch]:
    for line, verbs, resources, _ in _rules(subject):
        read = {"get", "list", "watch"} & set(verbs)
        powers = {"escalate", "bind", "impersonate"} & set(verbs)
        if powers:
            yield SubjectMatch(line, f"may {sorted(powers)[0]}")
        elif {"pods/exec", "pods/attach"} & set(resources) and "create" in verbs:
            yield SubjectMatch(line, "may run commands in pods")
        elif subject.kind == "k8s.ClusterRole" and "secrets" in resources and read:
            yield SubjectMatch(line, "may read secrets of all namespaces")


# A name in brackets or a variable, which somebody puts a value in place of.
_PUT_IN: Final = re.compile(r"\$|\{\{|<|\[[A-Za-z][\w. -]{2,40}\]")


# Beside the name: a password in an address, a private key, a file of its own, or random signs.
_CREDENTIAL: Final = re.compile(
    r"://[^\s/:@]*:[^\s/@]+@|PRIVATE KEY|\n.*\S|^(?=[^\s:]*\d)(?=[^\s:]*[A-Za-z])[^\s:]{20,}$"
)
_IN_ADDRESS: Final = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_NAMED: Final = re.compile(
    r"(?i)passw|secret|token|key$|credential|(?:^|[_-])(?:pass|pwd|dsn|auth)"
)


def _literal_secret(subject: Subject, *, credential: bool) -> Iterator[SubjectMatch]:
    if subject.text("type") == "kubernetes.io/service-account-token":
        return
    for key in ("data", "stringData"):
        data = subject.value.get(key)
        for name, value in data.items() if isinstance(data, dict) else ():
            given = value.strip() if isinstance(value, str) else ""
            if not given or _PUT_IN.search(given):
                continue
            plain = _decoded(given) if key == "data" else given
            if (
                _PUT_IN.search(plain)
                or _CONSTANT.fullmatch(plain)
                or is_placeholder(given.encode("utf-8", "replace"))
            ):
                continue
            seen = bool(_NAMED.search(str(name)) or _CREDENTIAL.search(plain))
            if seen is credential:
                why = stand_in(plain) or _default(plain, subject) or _public(str(name), plain)
                yield SubjectMatch(subject.line((key, name)), str(name), why)


def _default(plain: str, subject: Subject) -> str:
    """That a secret is made of names around it, in words; of an address, its password."""
    password = _IN_ADDRESS.search(plain)
    near = "\n".join((plain if password else "", *subject.context.get("near", ())[:5_000]))
    made = is_made_of_names(password[1] if password else plain, near)
    return "it is made of words and names around it, as defaults are" if made else ""


def _public(name: str, plain: str) -> str:
    """That a value of several lines holds nothing secret, in words; else empty."""
    if "\n" not in plain.strip() or "PRIVATE KEY" in plain:
        return ""
    if "BEGIN CERTIFICATE" in plain or "BEGIN PUBLIC KEY" in plain:
        return "a certificate, which anybody may have"
    if _NAMED.search(name) or scan(plain.encode("utf-8", "replace"), name).found:
        return ""
    return "a file in which no credential is seen"


def _decoded(value: str) -> str:
    """What base64 stands for; the text itself where it is none."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return value


CHECKS: Final[dict[str, Check]] = {
    "k8s-privileged": _privileged,
    "host-path-grave": lambda subject: _host_path(subject, grave=True),
    "host-path": lambda subject: _host_path(subject, grave=False),
    "runs-as-root": _runs_as_root,
    "accelerator-limits": _accelerator_limits,
    "public-service": _public_service,
    "wildcard-role": _wildcard_role,
    "powerful-role": _powerful_role,
    "literal-secret": lambda subject: _literal_secret(subject, credential=True),
    "literal-value": lambda subject: _literal_secret(subject, credential=False),
}
