"""Where commands fetch what they run from: vendors that publish such a command themselves."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = re.compile(r"(?:\b[a-z][a-z0-9+]{1,8}://|\$\{?\w+\}?)[^\s\"'`<>|;)]*")
# What stands behind a command that fetches, as far as that goes.
_FETCHED: Final = re.compile(
    r"(?i)\b(?:curl|wget|aria2c|axel|fetch|lynx|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|"
    r"DownloadString)\b([^|`;&\n)]*\)?)"
)
_OUTPUT: Final = re.compile(
    r"\s(?:-[a-zA-Z]*[oOP]|--output(?:-document|-dir)?|--directory-prefix)[= ]\s*(?!\S*://)\S+|>\s*\S+"
)
_OF_MAKE: Final = re.compile(r"\$\((\w+)\)")  # a variable, as make writes it
_UNCHECKED: Final = re.compile(
    r"\s(?:-[a-zA-Z]*k[a-zA-Z]*|--insecure|--proxy-insecure|--no-check-certificate|-SkipCertificateCheck)"
    r"(?=[\s\"']|$)"
)
# Of hosts that are a vendor's own, by the page on which it says how to install.
_HOSTS: Final = (
    # languages and their packages
    r"sh\.rustup\.rs", r"static\.rust-lang\.org", r"astral\.sh", r"releases\.astral\.sh",
    r"install\.python-poetry\.org", r"(?:www\.)?pdm-project\.org", r"bootstrap\.pypa\.io",
    r"pixi\.sh", r"micro\.mamba\.pm", r"repo\.(?:anaconda|continuum)\.(?:com|io)", r"pyenv\.run",
    r"(?:deb|rpm)\.nodesource\.com", r"get\.pnpm\.io", r"bun\.(?:sh|com)",
    r"deno\.land/(?:x/)?install", r"get\.volta\.sh", r"fnm\.vercel\.app", r"get\.sdkman\.io",
    r"get\.rvm\.io", r"install\.julialang\.org", r"get-ghcup\.haskell\.org",
    r"get\.haskellstack\.org", r"(?:builds\.)?dotnet\.microsoft\.com", r"dot\.net", r"go\.dev",
    r"dl\.google\.com", r"getcomposer\.org", r"mise\.(?:run|jdx\.dev)", r"apt\.llvm\.org",
    r"wasmtime\.dev", r"get\.wasmer\.io",
    # containers, clusters, clouds
    r"(?:get|download)\.docker\.com", r"dl\.k8s\.io", r"get\.(?:k3s|rke2|helm)\.(?:io|sh)",
    r"get\.k0s\.sh", r"kind\.sigs\.k8s\.io", r"run\.linkerd\.io", r"istio\.io", r"fluxcd\.io",
    r"dl\.min\.io", r"sdk\.cloud\.google\.com", r"awscli\.amazonaws\.com", r"aka\.ms",
    r"packages\.microsoft\.com", r"fly\.io", r"railway\.(?:app|com)", r"get\.pulumi\.com",
    r"dl\.dagger\.io", r"get\.opentofu\.org", r"tailscale\.com", r"cli\.github\.com",
    r"packages\.gitlab\.com", r"developer\.download\.nvidia\.com",
    r"nvidia\.github\.io", r"rclone\.org", r"static\.snyk\.io", r"cli\.doppler\.com",
    r"install\.determinate\.systems", r"nixos\.org", r"taskfile\.dev", r"just\.systems",
    r"install\.duckdb\.org", r"clickhouse\.com", r"sentry\.io", r"cli\.sentry\.dev",
    r"(?:community\.)?chocolatey\.org", r"get\.scoop\.sh", r"starship\.rs", r"code-server\.dev",
    r"coder\.com",
    r"(?:apt\.)?releases\.hashicorp\.com", r"artifacts\.elastic\.co", r"install\.datadoghq\.com",
    r"(?:get\.netdata\.cloud|my-netdata\.io)", r"get\.acme\.sh", r"get\.jetify\.com",
    r"packagecloud\.io/install/repositories/github/git-lfs",
    r"(?:www\.)?npmjs\.(?:com|org)/install", r"(?:dl\.)?yarnpkg\.com", r"get\.nextflow\.io",
    r"download\.swift\.org", r"goreleaser\.com", r"get\.livekit\.io", r"get\.tur\.so",
    r"sh\.vector\.dev", r"aider\.chat", r"gh\.io", r"cli\.kiro\.dev", r"app\.factory\.ai",
    # mirrors of packages and installers that universities and providers run
    r"mirrors\.(?:tuna\.tsinghua\.edu\.cn|ustc\.edu\.cn|aliyun\.com|huaweicloud\.com)",
    r"rsproxy\.cn",
    # models and agents
    r"ollama\.(?:com|ai)", r"(?:hf|huggingface)\.co/cli", r"lmstudio\.ai", r"claude\.ai",
    r"cursor\.com", r"opencode\.ai", r"get\.modular\.com",
)  # fmt: skip
# Repositories of which the vendor's installation page names a script, or releases.
_REPOSITORIES: Final = (
    "nvm-sh/nvm", "homebrew/install", "python-poetry/poetry",
    "pyenv/pyenv-installer", "pypa/get-pip", "pdm-project/pdm",
    "helm/helm", "astral-sh/uv", "astral-sh/ruff", "conda-forge/miniforge", "mamba-org/mamba",
    "ohmyzsh/ohmyzsh", "robbyrussell/oh-my-zsh",
    "anchore/syft", "anchore/grype", "aquasecurity/trivy", "nektos/act",
    "golangci/golangci-lint", "rhysd/actionlint", "k3d-io/k3d", "kubernetes/minikube",
    "kubernetes-sigs/kustomize", "argoproj/argo-cd", "mikefarah/yq", "docker/compose",
    "tj/n", "asdf-vm/asdf", "junegunn/fzf", "denoland/deno", "jdx/mise", "casey/just",
    "infracost/infracost", "terraform-linters/tflint", "hadolint/hadolint", "mozilla/sccache",
    "block/goose", "ollama/ollama", 
    "cloudflare/cloudflared", "huggingface/huggingface_hub", "mitchellh/gon",
)  # fmt: skip
_VENDOR: Final = re.compile(
    rf"https://(?:(?P<host>{'|'.join(_HOSTS)})(?=[/:]|$)|storage\.googleapis\.com/"
    r"(?:minikube|kubernetes-release)/|"
    rf"(?:raw\.githubusercontent|(?:www\.)?github)\.com/(?P<repository>{'|'.join(_REPOSITORIES)})/)",
    re.IGNORECASE,
)
# What a tag, a release or a commit of a repository names stays what it is, as long as its owner is.
_FIXED: Final = re.compile(
    r"https://(?:raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/(?:refs/tags/)?{version}/|"
    r"raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{{40}}/|"
    r"(?:www\.)?github\.com/[\w.-]+/[\w.-]+/(?:releases/download|raw)/{version}/)".format(
        version=r"v?(?:[\w.-]*\d+\.\d[\w.-]*|\d+|\$\{{?\w*(?i:version|tag|ver)\w*\}}?)"
    )
)


def known_source(command: str) -> str:
    """Why what a command fetches is no stranger's, in words; empty where nothing says so.

    All addresses in it count: each must be a vendor's own or name a fixed version of a repository,
    be fetched by HTTPS, with the certificate checked.
    """
    command = _OF_MAKE.sub(r"${\1}", command)
    fetched = " ".join(one[1] for one in _FETCHED.finditer(command))
    addresses = [one[0] for one in _ADDRESS.finditer(_OUTPUT.sub(" ", fetched)) if "/" in one[0]]
    if not addresses or _UNCHECKED.search(fetched):
        return ""
    vendors = [_VENDOR.match(one) for one in addresses]
    if all(vendors) and (first := vendors[0]):
        whose = first["host"] or first["repository"] or "its vendor"
        return f"by HTTPS from {whose}, which is known for such installers"
    if all(vendor or _FIXED.match(one) for vendor, one in zip(vendors, addresses, strict=True)):
        return "by HTTPS, a fixed version of a repository"
    return ""
