"""The pages of docs/reference/knowledge: one for each grading scheme and each table, every row with its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import NoneType
from typing import Any

from msgspec.structs import fields

from leuko.knowledge import Library
from leuko.knowledge.chapters import Chapter, chapters
from leuko.knowledge.probing import say_ages, say_band
from leuko.knowledge.schema import Ages, Band, Basis, GradeScheme, Row
from leuko.wording import say_number


def pages(library: Library) -> dict[str, str]:
    """Each page by its file name, without the mark of generated pages."""
    found = {}
    for chapter in chapters(library):
        made = _grades(library, chapter.scheme) if chapter.scheme is not None else _page(library, chapter)
        found[f"{chapter.id}.md"] = made
    return found


def links(library: Library, folder: str) -> Iterator[str]:
    """A list of the pages, each under its title."""
    for name, text in pages(library).items():
        yield f"* [{text.partition(chr(10))[0].removeprefix('# ')}]({folder}/{name})"


def _page(library: Library, chapter: Chapter) -> str:
    parts = [f"# {chapter.title}\n"]
    for table in chapter.tables:
        parts += [f"## {table.name}\n\n{plain(table.says)}\n"] if table.name else []
        rows = list(table.rows)
        parts += [_counts(rows), *(_row(library, row) for row in rows)] if rows else ["No row.\n"]
    return "\n".join(parts)


def _counts(rows: list[Any]) -> str:
    driving = sum(row.basis.drives for row in rows)
    return f"{len(rows)} rows; on {driving} of them conclusions may rest.\n"


def _grades(library: Library, scheme: GradeScheme) -> str:
    until = f" until {scheme.in_force_to}" if scheme.in_force_to else ""
    parts = [f"# {scheme.title}\n", f"`{scheme.id}-{scheme.edition}`, in force from {scheme.in_force_from}{until}."]
    parts += [plain(text) for text in (scheme.overlap, scheme.note) if text]
    parts += [_source(library, scheme.basis), ""]
    for rule in scheme.rules:
        who = ", ".join(part for part in (say_ages(rule.ages), rule.sex or "") if part)
        parts += [f"## {plain(rule.id)}\n", f"{plain(rule.term)}; {rule.unit}; {plain(who)}\n"]
        if rule.bands:
            parts += ["| grade | values | in the scheme's words |", "| --- | --- | --- |"]
            parts += [f"| {each.grade} | {cell(say_band(each.band))} | {cell(each.text)} |" for each in rule.bands]
            parts.append("")
        parts += [plain(text) + "\n" for text in (rule.ungraded, rule.clinical) if text]
        parts += [_source(library, rule.basis), ""]
    return "\n".join(parts)


def _row(library: Library, row: Any) -> str:
    name = getattr(row, "id", None) or getattr(row, "code", None) or row.analyte
    told = [f"{field}: {text}" for field, text in _facts(row) if field != "id"]
    lines = [f"* **`{name}`**" + (" (listed only: drives nothing)" if not row.basis.drives else "")]
    lines += [f"  {plain('; '.join(told))}" if told else "", f"  {_source(library, row.basis)}"]
    return "  \n".join(line for line in lines if line) + "\n"


def _facts(row: Any) -> Iterator[tuple[str, str]]:
    """The fields of a row that say more than their default."""
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name != "basis" and value != field.default and value not in (None, "", (), {}):
            yield field.name, _said(value)


def _said(value: Any) -> str:
    for kind, say in _SAYERS:
        if isinstance(value, kind):
            return say(value)
    return _joined(value)


_SAYERS: tuple[tuple[Any, Any], ...] = (
    (Band, say_band),
    (Ages, say_ages),
    (Basis, lambda basis: f"{basis.says} {basis.note} [{basis.source}, {basis.confidence}]".strip()),
    (bool, lambda answer: "yes" if answer else "no"),
    (NoneType, lambda _: "none"),
    (int | float, say_number),
    (str | date, lambda text: " ".join(str(text).split())),
)


def _joined(value: Any) -> str:
    if isinstance(value, Row):
        return "(" + ", ".join(f"{name} {text}" for name, text in _facts(value)) + ")"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_said(inner)}" for name, inner in value.items())
    return ", ".join(_said(inner) for inner in value)


def _source(library: Library, basis: Basis) -> str:
    cited = library.cite(basis)
    where = f", {cited.locator}" if cited.locator else ""
    says = f": {basis.says}" if basis.says else ""
    note = f" Entered: {basis.note}" if basis.note else ""
    return f"*{basis.confidence}*, {plain(cited.title + where + says + note)} (`{basis.source}`)"


def plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    escaped = re.sub(r"([\\*_\[\]`|])", r"\\\1", " ".join(text.split()))
    return escaped.replace("<", "&lt;")


def cell(text: str) -> str:
    """Text in a cell of a table."""
    return plain(text)
