"""The words of `leuko explain`: one function a kind of knowledge row, each giving keys and the text behind them."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from textwrap import fill, indent

from leuko.knowledge import Library
from leuko.knowledge.schema import (
    Ages,
    Analyte,
    Band,
    Basis,
    CodeRow,
    DefinitionRow,
    GradeRule,
    GradeScheme,
    IntervalRow,
    Limit,
    NoticeEntry,
    Source,
)
from leuko.wording import say_unit

Keyed = Iterator[tuple[tuple[str, ...], str]]
_WIDEST = 100


def entries(library: Library) -> Mapping[str, list[str]]:
    """Every key (case-folded) with the texts that explain it; one name may stand for several rows."""
    found: dict[str, list[str]] = defaultdict(list)
    for kind in (_notices, _schemes, _rules, _definitions, _intervals, _analytes, _codes, _sources):
        for keys, text in kind(library):
            for key in {key.casefold() for key in keys}:
                found[key].append(text)
    return found


def _notices(library: Library) -> Keyed:
    for row in library.notices.values():
        yield (row.code,), _notice(row)


def _notice(row: NoticeEntry) -> str:
    return _block(
        f"{row.code} ({row.severity}): {row.title}",
        ("", row.explain),
        ("help", row.help),
        ("example", _verbatim(row.example)),
    )


def _schemes(library: Library) -> Keyed:
    for scheme in library.schemes:
        keys = (f"{scheme.id}-{scheme.edition}", *([scheme.id] if _is_newest(scheme, library) else []))
        yield keys, _scheme(scheme, library)


def _is_newest(scheme: GradeScheme, library: Library) -> bool:
    return scheme.in_force_from == max(s.in_force_from for s in library.schemes if s.id == scheme.id)


def _scheme(scheme: GradeScheme, library: Library) -> str:
    until = f" until {scheme.in_force_to}" if scheme.in_force_to else ""
    return _block(
        f"{scheme.id}-{scheme.edition}: {scheme.title}",
        ("in force", f"from {scheme.in_force_from}{until}"),
        ("beside", scheme.overlap),
        ("note", scheme.note),
        ("grades", ", ".join(rule.id for rule in scheme.rules)),
        *_basis(scheme.basis, library),
    )


def _rules(library: Library) -> Keyed:
    for scheme in library.schemes:
        for rule in scheme.rules:
            yield (rule.id, f"{scheme.id}-{scheme.edition}:{rule.analyte}"), _rule(rule, scheme, library)


def _rule(rule: GradeRule, scheme: GradeScheme, library: Library) -> str:
    bands = [f"grade {band.grade}: {_band(band.band, rule.unit):<34} {band.text}" for band in rule.bands]
    return _block(
        f"{rule.id}: {rule.term} ({scheme.title})",
        ("for", _whom(rule.ages, rule.sex)),
        ("grades", _verbatim("\n".join(bands))),
        ("no grade", rule.ungraded),
        ("and also", rule.clinical),
        *_basis(rule.basis, library),
    )


def _definitions(library: Library) -> Keyed:
    for row in library.definitions:
        yield (row.id,), _definition(row, library)


def _definition(row: DefinitionRow, library: Library) -> str:
    unit = library.analytes[row.analyte].unit if row.analyte in library.analytes else ""
    return _block(
        f"{row.id}: {row.concept} ({row.category}, {row.authority})",
        ("holds", f"{row.analyte} {_band(row.band, unit)}"),
        ("for", _whom(row.ages, row.sex, row.population)),
        ("if", row.condition),
        ("used", "this row gives leuko's own answer where bodies disagree" if row.house else ""),
        *_basis(row.basis, library),
    )


def _intervals(library: Library) -> Keyed:
    for row in library.intervals:
        yield (row.id,), _interval(row, library)


def _interval(row: IntervalRow, library: Library) -> str:
    unit = library.analytes[row.analyte].unit if row.analyte in library.analytes else ""
    duffy = "" if row.duffy_null is None else "Duffy-null (tested)" if row.duffy_null else "not Duffy-null"
    pregnancy = "" if row.pregnancy == "no" else f"pregnancy: {row.pregnancy.replace('_', ' ')}"
    return _block(
        f"{row.id}: reference interval of {row.analyte}",
        ("normal", f"{_end(row.low)} to {_end(row.high)} {unit}"),
        ("for", _whom(row.ages, row.sex, row.population, pregnancy, duffy)),
        ("method", row.method),
        ("used", "used where no interval that fits better is known" if row.house else ""),
        *_basis(row.basis, library),
    )


def _analytes(library: Library) -> Keyed:
    for row in library.analytes.values():
        yield (row.id, row.label, row.short, *row.names), _analyte(row, library)


def _analyte(row: Analyte, library: Library) -> str:
    graded = [rule.id for scheme in library.schemes for rule in scheme.rules if rule.analyte == row.id]
    defined = [found.id for found in library.definitions if found.analyte == row.id]
    intervals = [found.id for found in library.intervals if found.analyte == row.id]
    codes = [found.code for found in library.codes.values() if found.analyte == row.id]
    return _block(
        f"{row.id}: {row.label} ({row.short}), in {row.unit}",
        ("names", ", ".join(row.names)),
        ("codes", ", ".join(codes)),
        ("becomes", f"{row.absolute}, multiplied with the white count" if row.absolute else ""),
        ("believed", f"{_end(row.plausible_low)} to {_end(row.plausible_high)}; a value beyond is reported"),
        ("grades", ", ".join(dict.fromkeys(graded))),
        ("defined", ", ".join(defined)),
        ("normal", ", ".join(intervals)),
        *_basis(row.basis, library),
    )


def _codes(library: Library) -> Keyed:
    for row in library.codes.values():
        yield (row.code,), _code(row, library)


def _code(row: CodeRow, library: Library) -> str:
    return _block(
        f"{row.code} ({row.system})",
        ("means", "a panel of results" if row.panel else row.analyte or ""),
        ("method", row.method or ""),
        ("refused", row.refuse),
        *_basis(row.basis, library),
    )


def _sources(library: Library) -> Keyed:
    for row in library.sources.values():
        yield (row.id,), _source(row)


def _source(row: Source) -> str:
    return _block(
        f"{row.id}: {row.title}",
        ("by", row.publisher),
        ("edition", row.edition),
        ("year", str(row.year or "")),
        ("doi", f"https://doi.org/{row.doi}" if row.doi else ""),
        ("pmid", row.pmid),
        ("at", row.url),
        ("licence", row.licence),
        ("note", row.note),
    )


def _basis(basis: Basis, library: Library) -> tuple[tuple[str, str], ...]:
    """The source behind a row, and whether a conclusion may rest on it."""
    title = library.sources[basis.source].title if basis.source in library.sources else basis.source
    drives = "" if basis.drives else ": listed only, no conclusion rests on it"
    return (
        ("says", basis.says),
        ("source", f"{title} [{basis.source}]" + (f", {basis.locator}" if basis.locator else "")),
        ("standing", f"{basis.confidence}{drives}"),
        ("entered", basis.note),
    )


def _band(band: Band, unit: str) -> str:
    low = "" if band.lower is None else f"{_end(band.lower)} {'≤' if band.lower_inclusive else '<'} "
    high = "" if band.upper is None else f" {'≤' if band.upper_inclusive else '<'} {_end(band.upper)}"
    return f"{low}x{high} {say_unit(unit)}"


def _end(limit: Limit | None) -> str:
    if limit is None:
        return "…"
    return "LLN" if limit == "lab_low" else f"{limit:g}"


def _whom(ages: Ages, *also: str | None) -> str:
    return ", ".join(part for part in (ages.text, *also) if part)


def _verbatim(text: str) -> str:
    """Lines to be kept as they stand, marked so that `_field` does not fill them."""
    return "\n" + text.strip("\n") if text.strip() else ""


def _block(title: str, *fields: tuple[str, str]) -> str:
    """A title and labelled fields; empty fields are left out."""
    return "\n".join([title, *(_field(label, text) for label, text in fields if text)])


def _field(label: str, text: str) -> str:
    head = f"  {label:<9}" if label else "  "
    if text.startswith("\n"):
        lines = text[1:].split("\n")
        return head + ("\n" + " " * len(head)).join(lines) if label else indent(text[1:], "  ")
    width = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns)
    return fill(
        text,
        width=width,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
