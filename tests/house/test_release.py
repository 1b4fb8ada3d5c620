"""One version everywhere, and nothing in the tree that belongs to one machine."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import leuko

ROOT = Path(__file__).parents[2]
SKIP = {"__pycache__", "node_modules", "out", "build", "dist"}
TEXT = {".py", ".md", ".toml", ".cff", ".json", ".html", ".css", ".js", ".csv", ".txt", ".svg", ".jinja", ".j2", ""}
# A path that begins at the root and goes into someone's own folders.
PRIVATE = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")


def files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts)
        if path.is_file() and not hidden and not SKIP.intersection(parts) and path.suffix in TEXT:
            yield path


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    released = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    cited = re.search(r"^version: \"?([^\"\n]+)", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert released is not None
    assert cited is not None
    assert {project, released[1], cited[1]} == {leuko.__version__}


def test_no_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        for match in PRIVATE.finditer(path.read_text("utf-8", errors="replace"))
    ]
    assert not found


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
