"""The order of the documentation's site, by the kind of page (a hook of MkDocs): pages are found, none is listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# To learn, to do, to look up, to understand (https://diataxis.fr), and why it is built so.
KINDS = {
    "Learn": "tutorial",
    "Do": "how-to",
    "Look up": "reference",
    "Understand": "explanation",
    "Decisions": "decisions",
}

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./){2}((?!\.\.)[^)]+)\)")


def on_config(config: Any) -> Any:
    """Give MkDocs the pages in order."""
    docs = Path(config["docs_dir"])
    config["nav"] = ["index.md", *({title: _pages(docs, docs / folder)} for title, folder in KINDS.items())]
    return config


def _pages(docs: Path, folder: Path) -> list[Any]:
    """The pages of a folder, its index first; of a page with a folder of its name, that folder below it."""
    pages = sorted(folder.glob("*.md"), key=lambda path: (path.name != "index.md", path.name))
    found: list[Any] = [page.relative_to(docs).as_posix() for page in pages]
    return found + [
        {inner.name.capitalize(): _pages(docs, inner)} for inner in sorted(folder.iterdir()) if inner.is_dir()
    ]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What a page links to beyond the documentation lies in the repository, not on the site: its name is told."""
    return OUTSIDE.sub(lambda link: f"{link[1]} (`{link[2]}`)", markdown)
