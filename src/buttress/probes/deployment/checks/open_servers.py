"""Servers that answer whoever reaches them, and the settings by which they ask for a credential."""

from __future__ import annotations

import re
from typing import Final

_OPEN: Final = re.compile(
    r"(?i)redis-?insights?|redis-?commander|ollama|vllm|text-generation-inference|tritonserver|llama\.?cpp|local-?ai|sglang|lmdeploy|"
    r"xinference|infinity|open-?webui|text-generation-webui|comfyui|stable-diffusion|qdrant|chroma|"
    r"weaviate|milvus|elasticsearch|opensearch|redis|valkey|mongo|memcached|rayproject|jupyter|"
    r"mlflow|tensorboard|langflow|litellm|torchserve|tensorflow/serving|etcd|\bnats(?=[:@\s]|$)"
)
_GIVEN: Final = r"[\"']?[=: ]+[\"']?[^\s\"'=:]"  # a value that is not empty
_ON: Final = r"[\"']?[=: ]+[\"']?(?:true|1|yes|on)\b"
_OFF: Final = r"[\"']?[=: ]+[\"']?(?:false|0|no|off)\b"
_KEY_OPTION: Final = rf"--api-keys?(?:-file)?{_GIVEN}"
# By server: a setting with which it asks for a credential. From the documentation of each.
_ASKS: Final = {
    "ollama": r"(?!)",
    "vllm": rf"{_KEY_OPTION}|\bVLLM_API_KEY{_GIVEN}",
    "text-generation-inference": rf"{_KEY_OPTION}|\bAPI_KEY{_GIVEN}",
    "llamacpp": rf"{_KEY_OPTION}|\bLLAMA_API_KEY{_GIVEN}|\bLLAMA_ARG_API_KEY\w*{_GIVEN}",
    "localai": rf"{_KEY_OPTION}|\b(?:LOCALAI_)?API_KEY{_GIVEN}|\bLOCALAI_AUTH{_ON}",
    "sglang": _KEY_OPTION,
    "lmdeploy": _KEY_OPTION,
    "infinity": rf"{_KEY_OPTION}|\bINFINITY_API_KEY{_GIVEN}",
    "text-generation-webui": rf"{_KEY_OPTION}|--gradio-auth",
    "stable-diffusion": r"--gradio-auth|--api-auth",
    "qdrant": rf"QDRANT__SERVICE__API_KEY{_GIVEN}",
    "chroma": rf"CHROMA_SERVER_AUTHN?_\w+{_GIVEN}",
    "weaviate": rf"AUTHENTICATION_(?:APIKEY|OIDC)_ENABLED{_ON}",
    "milvus": rf"AUTHORIZATION_?ENABLED{_ON}",
    "elasticsearch": rf"xpack\.security\.enabled{_ON}|ELASTIC_PASSWORD{_GIVEN}",
    "opensearch": rf"OPENSEARCH_INITIAL_ADMIN_PASSWORD{_GIVEN}",
    "redis": rf"requirepass{_GIVEN}|\b(?:REDIS|VALKEY)_PASSWORD(?:_FILE)?{_GIVEN}|--aclfile",
    "mongo": rf"MONGO(?:_INITDB_ROOT|DB_ROOT)_PASSWORD(?:_FILE)?{_GIVEN}|--auth\b|--keyFile",
    "mlflow": r"--app-name[= ]+basic-auth",
    "litellm": rf"LITELLM_MASTER_KEY{_GIVEN}",
    "langflow": rf"LANGFLOW_AUTO_LOGIN{_OFF}",
    "nats": rf"--auth|--user|(?:^|\s)--?c(?:onfig)?[= ]|\.conf\b|"
    rf"NATS_(?:USER|PASS|AUTH|TOKEN)\w*{_GIVEN}",
    "etcd": rf"--client-cert-auth|ETCD_CLIENT_CERT_AUTH{_ON}|ETCD_ROOT_PASSWORD{_GIVEN}",
}
# By server: a setting with which it asks nobody, whatever else it says.
_ASKS_NOBODY: Final = {
    "weaviate": rf"ANONYMOUS_ACCESS_ENABLED{_ON}",
    "elasticsearch": rf"xpack\.security\.enabled{_OFF}",
    "opensearch": rf"plugins\.security\.disabled{_ON}|DISABLE_SECURITY_PLUGIN{_ON}",
    "mongo": r"--noauth\b",
    "redis": r"ALLOW_EMPTY_PASSWORD[\"']?[=: ]+[\"']?(?:yes|true|1)",
    "open-webui": rf"WEBUI_AUTH{_OFF}",
}
_SAME: Final = {
    "valkey": "redis",
    "local-ai": "localai",
    "llama.cpp": "llamacpp",
    "openwebui": "open-webui",
}
_ASK_BY_DEFAULT: Final = ("open-webui", "opensearch")
# Elastic's own images ask for a password since version 8; those of Bitnami do not.
_ASKS_SINCE: Final = re.compile(
    r"(?i)(?:^|\s|(?:elastic\.co/|library/)\S*)elasticsearch:(?:[89]|\d\d)\."
)


def open_server(about: str, settings: str = "") -> str:
    """The server that ``about`` names, where its settings leave it open; else an empty text.

    ``settings`` is its command and its variables, one a line, as ``NAME=VALUE``.
    """
    match = _OPEN.search(about)
    if match is None or "exporter" in about.lower():  # it reads a server's figures
        return ""
    name = _SAME.get(match[0].lower(), match[0].lower())
    nobody = _ASKS_NOBODY.get(name)
    if nobody is not None and re.search(rf"(?i){nobody}", settings):
        return match[0]
    asks = (
        name in _ASK_BY_DEFAULT
        or _ASKS_SINCE.search(about)
        or re.search(rf"(?i){_ASKS.get(name, '(?!)')}", settings)
    )
    return "" if asks else match[0]
