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


LINK = re.compile(r"\]\(([^)#]+\.md)")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def on_config(config: Any) -> Any:
    """Give MkDocs the pages in order."""
    docs = Path(config["docs_dir"])
    config["nav"] = [{"Start": "index.md"}, *({title: _pages(docs, docs / folder)} for title, folder in KINDS.items())]
    return config


def _pages(docs: Path, folder: Path) -> list[Any]:
    """The pages of a folder: its index, then those that the first page names, in its order, then by name.

    A page with a folder of its name stands before what is in it.
    """
    named = LINK.findall((docs / "index.md").read_text("utf-8"))
    places = {path: number for number, path in reversed(list(enumerate(named)))}

    def order(page: Path) -> tuple[bool, int, str]:
        return page.name != "index.md", places.get(page.relative_to(docs).as_posix(), len(places)), page.name

    found: list[Any] = []
    for page in sorted(folder.glob("*.md"), key=order):
        inner = folder / page.stem
        found.append({_title(page): page.relative_to(docs).as_posix()})
        if inner.is_dir():
            found.append({f"{_title(page)}: the tables": _pages(docs, inner)})
    return found


def _title(page: Path) -> str:
    """The heading of a page: MkDocs does not find it behind a comment."""
    heading = TITLE.search(page.read_text("utf-8"))
    return heading[1] if heading is not None else page.stem


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What a page links to beyond the documentation lies in the repository, not on the site: its name is told."""
    return OUTSIDE.sub(lambda link: f"{link[1]} (`{link[2]}`)", markdown)
