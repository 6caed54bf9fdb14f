"""TorchScript and torch.package archives: code that runs with the model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from buttress.files import zip_reader
from buttress.files.byte_source import ByteSource
from buttress.files.visible import shortened
from buttress.files.zip_reader import Member
from buttress.probes.artifacts.containers.zip_member import open_member
from buttress.probes.artifacts.issue import ArtifactIssue
from buttress.probes.artifacts.scope import Scope

_READ: Final = 2 << 20  # of each code member
_MAX_CODE: Final = 2_000
# TorchScript reaches files through these operators, and native code through custom namespaces.
_FILES: Final = re.compile(
    rb"\b(torch\.save|aten::save|torch\.from_file|aten::from_file|torch\.load|prim::rpc|"
    rb"ops\.(?!aten\b|prim\b|prims\b|quantized\b|torchvision\b|image\b|_c10d|inductor\b)\w+\.|"
    rb"image\.(read|write)_file)"
)
_PYTHON: Final = re.compile(
    rb"^\s*(import|from)\s+(os|subprocess|socket|ctypes|sys|shutil)\b", re.M
)


def inspect(source: ByteSource, members: Sequence[Member], scope: Scope) -> Iterator[ArtifactIssue]:
    """Issues of the code members, where the archive is PyTorch's."""
    names = {member.name.rpartition("/")[2] for member in members}
    if not names & {"data.pkl", "constants.pkl", "python_version", "extern_modules"}:
        return
    code = [one for one in members if one.name.endswith((".py", ".py.debug_pkl")) and one.packed]
    code = [one for one in code if one.name.endswith(".py")]
    if not code:
        return
    message = f"The archive carries {len(code)} files of code, which run with the model."
    yield scope.issue("torchscript-code", code[0].header, message, proof=code[0].name)
    if len(code) > _MAX_CODE:
        message = f"Of the archive's code only the first {_MAX_CODE} files were searched."
        yield scope.not_searched(code[_MAX_CODE].header, message)
    for member in code[:_MAX_CODE]:
        local = zip_reader.read_local(source, member.header)
        opened = open_member(source, member, local, scope) if local else None
        if opened is None:
            continue
        text = opened.read_at(0, _READ + 1)
        if len(text) > _READ:
            message = f"The code in the archive is larger than {_READ >> 20} MB; the rest was not "
            yield scope.child(member.name).not_searched(_READ, f"{message}searched.")
        if found := _FILES.search(text) or _PYTHON.search(text):
            inner = scope.child(member.name)
            shown = shortened(found.group().decode("utf-8", "replace").strip())
            message = f"The code in the archive reaches outside the model: {shown}."
            yield inner.issue("torchscript-file-access", found.start(), message, proof=shown)
