"""From Dockerfiles, compose files and GitLab pipelines to the subjects of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from buttress.files.yaml_documents import YamlDocument
from buttress.probes.deployment.dockerfile import (
    MAX_VALUE,
    Instruction,
    Stage,
    filled,
    instructions,
    stages,
    too_long,
    values_at,
)
from buttress.rules.credentials.scanner import scan
from buttress.rules.shell import image, scripts, shell, variable, variables
from buttress.rules.subject import CONTINUED, Subject, at_line

_LEVELS: Final = 4  # folders above a Dockerfile of which one may be its context
_MAX_SETTINGS: Final = 1 << 19  # bytes of a file of settings that is looked into
_CREDENTIAL: Final = re.compile(r"(?i)_auth|_password|username|certfile|keyfile|://[^/\s]*@")
_SECRETS: Final = {  # what is secret in a file of that name or ending
    ".npmrc": _CREDENTIAL,
    ".pem": re.compile(
        r"PRIVATE KEY|^(?![\s\S]*-----BEGIN [A-Z ]*(?:CERTIFICATE|PUBLIC KEY)-----)"
    ),
}
_GITLAB_KEYWORDS: Final = {
    "default", "include", "stages", "variables", "workflow", "spec", "image", "services", "cache",
    "before_script", "after_script",
}  # fmt: skip


def dockerfile(text: str, path: Path) -> Iterator[Subject]:
    """Subjects of a Dockerfile: images, scripts, variables, what is copied, and the last user."""
    found = list(instructions(text))
    built = stages(found)
    names = {stage.name for stage in built if stage.name}
    lines = text.split("\n")
    if place := too_long(found):
        yield Subject("limit", f"a variable has more than {MAX_VALUE:,} characters", at_line(place))
    for one, known in values_at(found):
        line = at_line(one.line)
        if one.name in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
            yield from _commands(one, known)
            yield Subject("docker.run", dict(one.flags), line)
        elif one.name in ("ENV", "ARG"):
            for name, value, place in one.pairs():
                where = f"docker.{one.name.lower()}"
                yield variable(name, filled(value, known), place, where, near=lines)
            if one.name == "ARG" and "=" not in one.text:
                yield Subject("docker.arg", one.text.strip(), line)
        elif one.name in ("COPY", "ADD"):
            words = one.words()
            copied = {"sources": words[:-1], "flags": dict(one.flags), "instruction": one.name}
            context = {"ignores": _ignores(path), "harmless": _harmless(words[:-1], path)}
            yield Subject("docker.copy", copied, line, context)
        elif one.name == "EXPOSE":
            for port in one.words():
                yield Subject("docker.expose", port, line)
    for stage in built:
        if stage.image not in names and stage.image != "scratch":
            yield image(stage.image, stage.line, "dockerfile")
    if built:
        yield _final(built[-1])


def _commands(one: Instruction, known: Mapping[str, str]) -> Iterator[Subject]:
    text = one.text
    if text.lstrip().startswith("["):
        text = " ".join(one.words())
    if one.documents:
        text = "\n".join((text, *one.documents))
    text = filled(text.replace("\\\n", CONTINUED), known)
    yield Subject("shell", text, at_line(one.line))


def _final(stage: Stage) -> Subject:
    # The image's own user is not known here; these are known to be others than root.
    unprivileged = any(word in stage.image for word in ("nonroot", "unprivileged", "rootless"))
    value = {"user": stage.user or ("image" if unprivileged else "")}
    return Subject("docker.final", value, at_line(stage.user_line or stage.line))


def _ignores(path: Path) -> bool:
    """Whether a file says what stays out of the build: beside the Dockerfile or a level up."""
    names = (path.parent / ".dockerignore", path.parent.parent / ".dockerignore")
    return any(one.is_file() for one in (*names, path.with_name(path.name + ".dockerignore")))


def _harmless(sources: list[str], path: Path) -> frozenset[str]:
    """Settings and certificates without a secret, near the Dockerfile or above it."""
    found = set()
    for source in sources:
        parts = Path(source).parts
        name = parts[-1] if parts else ""
        secret = _SECRETS.get(name) or _SECRETS.get(Path(source).suffix)
        settings = name == ".env" or name.startswith(".env.")
        if not (secret or settings) or ".." in parts or Path(source).is_absolute():
            continue
        for folder in list(path.absolute().parents)[:_LEVELS]:
            file = folder / source
            try:
                plain = file.is_file() and not file.is_symlink()
                if not plain or file.stat().st_size > _MAX_SETTINGS:
                    continue
                text = file.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            held = secret.search(text) if secret else scan(text.encode(), name).found
            if not held:
                found.add(source)
            break
    return frozenset(found)


def compose(document: YamlDocument) -> Iterator[Subject]:
    """Subjects of a compose file: its services, with their images, variables and commands."""
    services = document.data.get("services") if isinstance(document.data, dict) else None
    if not isinstance(services, dict):
        return
    for name, service in services.items():
        if not isinstance(service, dict):
            continue
        path = ("services", name)
        yield _part("compose.service", document, service, path, name=name)
        if isinstance(service.get("image"), str):
            yield image(service["image"], document.line((*path, "image")), "compose")
        given = {"service": service, "called": str(name)}
        place = (*path, "environment")
        yield from variables(document, service.get("environment"), place, "compose", **given)
        for key in ("command", "entrypoint"):
            yield from scripts(document, service.get(key), (*path, key))
        build = service.get("build")
        if isinstance(build, dict):
            yield from variables(document, build.get("args"), (*path, "build", "args"), "compose")


def gitlab(document: YamlDocument) -> Iterator[Subject]:
    """Subjects of a GitLab pipeline: includes, jobs, scripts, images, variables."""
    data = document.data
    if not isinstance(data, dict):
        return
    included = data.get("include")
    for index, one in enumerate(included if isinstance(included, list) else [included]):
        path: tuple[str | int, ...] = ("include", index) if isinstance(included, list) else (
            "include",
        )  # fmt: skip
        value = {"remote" if "://" in one else "local": one} if isinstance(one, str) else one
        if isinstance(value, dict):
            yield _part("gitlab.include", document, value, path)
    yield from variables(document, data.get("variables"), ("variables",), "gitlab")
    for name, job in data.items():
        if name == "default" and isinstance(job, dict):
            yield from _gitlab_job(document, job, (name,))
        elif name not in _GITLAB_KEYWORDS and isinstance(job, dict):
            yield _part("gitlab.job", document, job, (name,), name=name)
            yield from variables(document, job.get("variables"), (name, "variables"), "gitlab")
            yield from _gitlab_job(document, job, (name,))
    yield from _gitlab_job(document, data, ())


def _gitlab_job(
    document: YamlDocument, job: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[Subject]:
    for key in ("before_script", "script", "after_script"):
        value = job.get(key)
        for index, one in enumerate(value) if isinstance(value, list) else ():
            if isinstance(one, str):
                yield shell(one, document.text_line((*path, key, index)), where="gitlab")
        if isinstance(value, str):
            yield shell(value, document.text_line((*path, key)), where="gitlab")
    given = [(("image",), job.get("image"))]
    services = job.get("services")
    if isinstance(services, list):
        given += [(("services", index), one) for index, one in enumerate(services)]  # type: ignore[misc]
    for key_path, one in given:
        reference = one.get("name") if isinstance(one, dict) else one
        if isinstance(reference, str):
            yield image(reference, document.line((*path, *key_path)), "gitlab")
    if isinstance(services, list):
        yield _part("gitlab.services", document, services, (*path, "services"))


def _part(
    kind: str, document: YamlDocument, value: Any, path: tuple[str | int, ...], **context: Any
) -> Subject:
    """A subject for a piece of a document."""
    return Subject(kind, value, lambda below: document.line((*path, *below)), context)
