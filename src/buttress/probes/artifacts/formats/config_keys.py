"""Keys of model configurations that make a loader run code, fetch something or leave the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from buttress.evidence.findings import Severity
from buttress.files.visible import shortened
from buttress.probes.artifacts.containers.names import leads_out
from buttress.probes.artifacts.formats import remote_code
from buttress.probes.artifacts.formats.config_names import is_keras, named, paired
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.jinja_template import reaching, suspicious
from buttress.probes.artifacts.named_code import verdict
from buttress.probes.artifacts.scope import Scope

_PICKLED: Final = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
_SCHEMES: Final = ("http://", "https://", "ftp://", "file://", "s3://", "gs://")
# The latter are modules of diffusers.pipelines, where diffusers looks first.
_LIBRARIES: Final = {
    "diffusers", "transformers", "onnxruntime", "k_diffusion", "optimum", "flax", "tokenizers",
    "stable_diffusion", "stable_diffusion_xl", "stable_diffusion_safe", "stable_unclip",
    "kandinsky", "kandinsky2_2", "latent_diffusion", "paint_by_example", "unidiffuser", "audioldm",
    "audioldm2", "shap_e", "wuerstchen", "deepfloyd_if", "stable_cascade", "stable_audio", "flux",
    "alt_diffusion", "versatile_diffusion", "spectrogram_diffusion", "musicldm", "blip_diffusion",
    "controlnet", "animatediff", "deprecated", "ltx", "unclip", "semantic_stable_diffusion",
    "text_to_video_synthesis", "pag", "hunyuan_video", "stable_video_diffusion", "lumina2",
}  # fmt: skip
_CLASS_KEYS: Final = ("class", "class_name", "cls", "function", "func", "name", "attr", "type")
_MAX_NODES: Final = 400_000

_Told = Iterator[tuple[str, Severity | None, str]]


def issues(value: Any, text: bytes, scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of all objects in ``value``, at the byte where their key first stands."""
    todo, seen = [value], 0
    keras = is_keras(value, text)  # that format looks at such pairs itself
    if isinstance(value, list):
        yield from _issues("type", _modules(value, scope), text, scope)
    while todo and seen < _MAX_NODES:
        one = todo.pop()
        seen += 1
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            todo += one.values()
            for key, examine in _EXAMINED.items():
                if key in one:
                    yield from _issues(key, examine(one[key], one, scope), text, scope)
            for key, inner in one.items():
                if isinstance(inner, str):
                    yield from _issues(key, _string(key, inner, scope), text, scope)
            if "module" in one and not keras:
                yield from _issues("module", _pair(one, scope), text, scope)
    if todo:
        scope.record_skip(f"objects and lists beyond the first {_MAX_NODES:,} of the configuration")


def _issues(key: str, told: _Told, text: bytes, scope: Scope) -> Iterator[ArtifactIssue]:
    for rule, severity, message in told:  # most have none, and the search takes long
        at = max(text.find(f'"{key}"'.encode("utf-8", "replace")), 0)
        yield scope.issue(rule, at, message, severity=severity)


def _string(key: str, value: str, scope: Scope) -> _Told:
    """A name under a key that asks for one, a template under any key."""
    if key not in _EXAMINED and (found := named(key, value, scope.names)):
        yield "config-target", found[0], f"The configuration {found[1]}."
    if "{{" in value or "{%" in value:
        chat = key not in _EXAMINED and key.lower().endswith("template")
        if reason := suspicious(value) if chat else reaching(value):
            yield (
                "template-code",
                None,
                f"The value of {shortened(key)!r}, as a template, {reason}.",
            )


def _pair(one: dict[str, Any], scope: Scope) -> _Told:
    for key in _CLASS_KEYS:
        if found := paired(one["module"], one.get(key), scope.names):
            yield "config-target", found[0], f"The configuration {found[1]}."


def _auto_map(value: Any, _all: dict[str, Any], scope: Scope) -> _Told:
    yield from remote_code.issues(value, scope)


def _pipelines(value: Any, _all: dict[str, Any], scope: Scope) -> _Told:
    if isinstance(value, dict):
        named = {name: one.get("impl") for name, one in value.items() if isinstance(one, dict)}
        yield from remote_code.issues(named, scope)


def _trust(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    if value is True or (isinstance(value, str) and value.lower() == "true"):
        message = "The configuration sets trust_remote_code, so that code beside the weights runs."
        yield "hf-remote-code", None, message


def _template(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    templates: list[tuple[str, Any]] = [("", value)]
    if isinstance(value, list):  # several templates, each with a name
        templates = [
            (str(one.get("name", "")), one.get("template"))
            for one in value
            if isinstance(one, dict)
        ]
    elif isinstance(value, dict):
        templates = list(value.items())
    for name, template in templates[:64]:
        if isinstance(template, str) and (reason := suspicious(template)):
            shown = f" {shortened(name)!r}" if name else ""
            yield "template-code", None, f"The chat template{shown} {reason}."


def _weights(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    files = (
        {one for one in value.values() if isinstance(one, str)} if isinstance(value, dict) else ()
    )
    for name in sorted(files)[:1000]:
        if leads_out(name) or name.startswith(_SCHEMES):
            message = f"The index takes weights from {shortened(name)!r}, outside the folder."
            yield "config-path", None, message


def _base(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    if not isinstance(value, str):
        return
    shown = shortened(value)
    if value.lower().startswith(_SCHEMES):
        yield "adapter-base", None, f"The adapter takes its base model from {shown}."
    elif value.lower().endswith(_PICKLED):
        message = f"The adapter's base model {shown!r} is a file that is unpickled."
        yield "adapter-base", None, message
    elif leads_out(value) and ".." in value.replace("\\", "/").split("/"):
        yield "adapter-base", None, f"The adapter's base model {shown!r} lies outside the folder."


def _parent_library(value: Any, _all: dict[str, Any], scope: Scope) -> _Told:
    library = value.get("parent_library") if isinstance(value, dict) else None
    if isinstance(library, str) and (
        found := verdict(f"{library}.{value.get('base_model_class')}", scope.names)
    ):
        yield "config-target", found[0], f"The adapter's auto_mapping {found[1]}."


def _kernels(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    if isinstance(value, str) and "/" in value:
        message = f"The configuration has compiled kernels fetched from {shortened(value)!r}."
        yield "hf-remote-code", "medium", message


def _target(value: Any, _all: dict[str, Any], scope: Scope) -> _Told:
    if isinstance(value, str) and (found := verdict(value, scope.names)):
        yield "config-target", found[0], f"The configuration {found[1]}."


def _pipeline(_value: Any, everything: dict[str, Any], _scope: Scope) -> _Told:
    """model_index.json of diffusers: each part is [library, class]."""
    own = everything.get("_class_name")
    if isinstance(own, list) and own and isinstance(own[0], str) and own[0] not in _LIBRARIES:
        message = (
            f"The pipeline is made by the module {shortened(own[0])!r}, which is code that comes "
            "with the model."
        )
        yield "hf-remote-code", None, message
    for part, pair in everything.items():
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            continue
        library = pair[0].partition(".")[0]
        if library not in _LIBRARIES and not part.startswith("_"):
            message = (
                f"The part {shortened(part)!r} of the pipeline is made by the module "
                f"{shortened(pair[0])!r}, which is code that comes with the model."
            )
            yield "hf-remote-code", None, message


def _core_ml(value: Any, _all: dict[str, Any], _scope: Scope) -> _Told:
    for one in value.values() if isinstance(value, dict) else ():
        path = one.get("path") if isinstance(one, dict) else None
        if isinstance(path, str) and leads_out(path):
            message = f"The package takes a part from {shortened(path)!r}, outside the folder."
            yield "config-path", None, message


def _skops(_value: Any, everything: dict[str, Any], scope: Scope) -> _Told:
    module, name = everything.get("__module__"), everything.get("__class__")
    if everything.get("__loader__") == "FunctionNode" and isinstance(
        everything.get("content"), dict
    ):
        inner = everything["content"]
        module, name = inner.get("module_path", module), inner.get("function", name)
    if not (isinstance(module, str) and isinstance(name, str)) or module == "builtins":
        return
    if found := verdict(f"{module}.{name}", scope.names):
        yield "config-target", found[0], f"The schema {found[1]}."


def _modules(value: list[Any], scope: Scope) -> _Told:
    """modules.json of sentence-transformers: each module has a class and a folder."""
    for one in value[:1000]:
        if not isinstance(one, dict) or "type" not in one or "path" not in one:
            continue
        kind, path = one["type"], one["path"]
        if isinstance(kind, str) and "." in kind and (found := verdict(kind, scope.names)):
            yield "config-target", found[0], f"The list of modules {found[1]}."
        if isinstance(path, str) and leads_out(path):
            message = f"A module is loaded from {shortened(path)!r}, outside the folder."
            yield "config-path", None, message


_EXAMINED: Final[dict[str, Callable[[Any, dict[str, Any], Scope], _Told]]] = {
    "auto_map": _auto_map,
    "custom_pipelines": _pipelines,
    "trust_remote_code": _trust,
    "chat_template": _template,
    "chat_templates": _template,
    "weight_map": _weights,
    "base_model_name_or_path": _base,
    "auto_mapping": _parent_library,
    "_attn_implementation": _kernels,
    "attn_implementation": _kernels,
    "_target_": _target,
    "_diffusers_version": _pipeline,
    "_class_name": _pipeline,
    "itemInfoEntries": _core_ml,
    "__loader__": _skops,
}
