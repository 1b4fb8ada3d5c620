"""Every notice code in the code is explained in the catalogue, and the catalogue holds no code that nothing gives."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from leuko.knowledge import load_library

SOURCE = Path(__file__).parents[2] / "src" / "leuko"
CODE = re.compile(r"LK\d{3}")


def strings(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def values(table: object) -> set[str]:
    if isinstance(table, dict):
        return {found for value in table.values() for found in values(value)}
    if isinstance(table, list):
        return {found for value in table for found in values(value)}
    return {table} if isinstance(table, str) else set()


def given() -> set[str]:
    """Codes that stand alone in a string of the code or of a data table: those that a notice can carry."""
    in_code = {text for path in SOURCE.rglob("*.py") for text in strings(path)}
    tables = [path for path in (SOURCE / "data").rglob("*.toml") if path.parent.name != "notices"]
    in_data = {text for path in tables for text in values(tomllib.loads(path.read_text("utf-8")))}
    return {text for text in in_code | in_data if CODE.fullmatch(text)}


def test_every_code_is_explained() -> None:
    assert given() - load_library().notices.keys() == set()


def test_every_explained_code_can_occur() -> None:
    assert load_library().notices.keys() - given() == set()


def test_an_explanation_says_what_and_what_to_do() -> None:
    for code, entry in load_library().notices.items():
        assert CODE.fullmatch(code)
        assert entry.title.strip(), code
        assert entry.explain.strip(), code
        assert entry.help.strip(), code
