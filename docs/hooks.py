"""For mkdocs: pages of the checkout's root join the site, links out of ``docs/`` become names.

The site has no address of a repository to link to, so a link to a file beside ``docs/`` is shown as
the file's path.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
# File in the root -> page of the site.
PAGES: Final = {
    "README.md": "index.md",
    "README.zh.md": "index.zh.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
}
_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any, **_: Any) -> Files:
    """Add the root's pages."""
    for name, page in PAGES.items():
        text = rewritten((ROOT / name).read_text(encoding="utf-8"), "")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links from ``docs/`` to files beside it."""
    uri = page.file.src_uri
    if uri in PAGES.values():
        return markdown
    return rewritten(markdown, posixpath.join("docs", posixpath.dirname(uri)))


def rewritten(markdown: str, folder: str) -> str:
    """``markdown`` of a file in ``folder`` of the checkout, with links that hold in the site."""

    def link(match: re.Match[str]) -> str:
        image, text, target, anchor = match[1], match[2], match[3], match[4] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in PAGES:
            inside = PAGES[path]
        elif path.startswith("docs/") and not (ROOT / path).is_dir():
            inside = path.removeprefix("docs/")
        else:
            return f"{text} (`{path}`)"
        home = posixpath.relpath(folder or "docs", "docs")
        return f"{image}[{text}]({posixpath.relpath(inside, home)}{anchor})"

    return _LINK.sub(link, markdown)
