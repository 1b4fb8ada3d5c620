"""One piece of knowledge, laid open: what it says, in which edition, for whom, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.knowledge.chapters import Chapter
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.library import Library, every_basis
from leuko.knowledge.probing import say_ages, say_band
from leuko.knowledge.schema import (
    Ages,
    Analyte,
    Band,
    Basis,
    CodeRow,
    CourseRules,
    DefinitionRow,
    GradeRule,
    GradeScheme,
    IntervalRow,
    Row,
    Source,
)
from leuko.record import Sex
from leuko.result import Citation

Facts = tuple[tuple[str, str], ...]


class Card(Frozen, frozen=True, kw_only=True):
    """A row of knowledge for people to read: labelled facts in order, and the citation it rests on.

    `drives` says whether a conclusion may rest on it; `see` names the keys of what belongs to it.
    """

    key: str
    title: str
    facts: Facts
    citation: Citation | None = None
    note: str = ""
    drives: bool = True
    see: tuple[str, ...] = ()


def show(library: Library, key: str) -> tuple[Card, ...]:
    """The cards for a key, or UsageError with near matches where nothing has that name.

    A key is a scheme (`ctcae-6`), its rules for an analyte (`ctcae-6:neutrophils`), a row (`interval:RI0054`,
    `definition:SV001`, both also without the first word), `course:neutrophils`, an analyte, a source, or a code
    (`code:http://loinc.org|751-8`, also without the first word).
    """
    places = (_schemes, _rows, _analytes, _sources, _further)
    for cards in (place(library, key) for place in places):
        found = tuple(cards)
        if found:
            return found
    near = dict.fromkeys(filter(None, get_close_matches(key, keys(library), n=8, cutoff=0.5)))
    raise UsageError(
        f"no knowledge is called {key!r}",
        why=f"near it: {', '.join(near)}" if near else "",
        do="name a scheme (ctcae-6), its rules (ctcae-6:neutrophils), a row (RI0054), an analyte (wbc), a source, or a"
        " kind (model), which lists all of it",
    )


def listed(library: Library, kind: str) -> tuple[tuple[str, str], ...]:
    """The rows of one kind, each by its key and what it is called; () where no kind has that name.

    A kind is called as in a key (`model`, `regimen`, `cause`), or in the plural.
    """
    names = {kind, kind.removesuffix("s")}
    own: dict[str, Mapping[str, str]] = {
        "analyte": {row.id: row.label for row in library.analytes.values()},
        "source": {row.id: row.title for row in library.sources.values()},
        "notice": {row.code: row.title for row in library.notices.values()},
    }
    found = [pair for name in names & set(own) for pair in own[name].items()]
    for further in further_kinds():
        name = kind_name(further)
        if names & {name, name.rpartition(".")[2]}:
            found += [(f"{name}:{row.id}", _titled(row)) for row in library.rows(further)]
    return tuple(sorted(found))


def chapter_cards(library: Library, chapter: Chapter) -> Iterator[Card]:
    """The card of every row of a chapter, in its order; of a chapter of grades, first that of the scheme."""
    if chapter.scheme is not None:
        yield _scheme_card(library, chapter.scheme, f"{chapter.scheme.id}-{chapter.scheme.edition}")
    for table in chapter.tables:
        for row in table.rows:
            if isinstance(row, GradeRule):
                yield _rule_card(library, chapter.scheme, row)
            elif type(row) in _CORE:
                yield _CORE[type(row)](library, row)
            else:
                yield _further_card(library, table.name, row)


def source_cards(library: Library) -> Iterator[Card]:
    """The card of every source, with the keys of all that rests on it."""
    resting: dict[str, list[str]] = {}
    for key, basis in every_basis(library):
        resting.setdefault(basis.source, []).append(key)
    yield from (_source_card(source, resting.get(source.id, ())) for source in library.sources.values())


def keys(library: Library) -> tuple[str, ...]:
    """Every key that `show` knows, short forms included."""
    rows = [key for key, _ in every_basis(library)]
    short = [key.partition(":")[2] for key in rows if not key.startswith(("analyte:", "code:", "course:"))]
    return (*rows, *short, *library.analytes, *library.sources)


def _schemes(library: Library, key: str) -> Iterator[Card]:
    for scheme in library.schemes:
        name = f"{scheme.id}-{scheme.edition}"
        if key == name:
            yield _scheme_card(library, scheme, name)
        elif key.startswith(f"{name}:"):
            fitting = (rule for rule in scheme.rules if rule.id == key or rule.id.startswith(f"{key}:"))
            yield from (_rule_card(library, scheme, rule) for rule in fitting)


def _rows(library: Library, key: str) -> Iterator[Card]:
    for definition in library.definitions:
        if key in {definition.id, f"definition:{definition.id}"}:
            yield _definition_card(library, definition)
    for interval in library.intervals:
        if key in {interval.id, f"interval:{interval.id}"}:
            yield _interval_card(library, interval)
    for rules in library.course.values():
        if key == f"course:{rules.analyte}":
            yield _course_card(library, rules)
    for code in library.codes.values():
        if key in {code.code, f"{code.system}|{code.code}", f"code:{code.system}|{code.code}"}:
            yield _code_card(library, code)


def _analytes(library: Library, key: str) -> Iterator[Card]:
    row = library.analytes.get(key.removeprefix("analyte:"))
    if row is not None:
        yield _analyte_card(library, row)


def _sources(library: Library, key: str) -> Iterator[Card]:
    source = library.sources.get(key)
    if source is not None:
        yield _source_card(source, [name for name, basis in every_basis(library) if basis.source == source.id])


def _further(library: Library, key: str) -> Iterator[Card]:
    """Rows of the further tables (causes, medicines, scores, ...): every field that says something, by its name."""
    for kind in further_kinds():
        name = kind_name(kind)
        for row in library.rows(kind):
            if key in {row.id, f"{name}:{row.id}"}:
                yield _further_card(library, name, row)


def _further_card(library: Library, name: str, row: Any) -> Card:
    facts = tuple((field.replace("_", " "), text) for field, text in _said(row))
    return _card(library, f"{name}:{row.id}", f"{_titled(row)} ({name.replace('_', ' ')})", facts, row.basis)


def _titled(row: Any) -> str:
    names = (getattr(row, field, "") for field in ("name", "title", "label", "inn", "condition"))
    return next((str(name) for name in names if name), row.id)


def _said(row: Row) -> Iterator[tuple[str, str]]:
    for field in row.__struct_fields__:
        text = _plain(getattr(row, field)) if field not in {"id", "basis"} else ""
        if text:
            yield field, text


def _plain(value: object) -> str:
    """A value of a row in words; what says nothing (None, empty, no) is empty."""
    if value is None or value is False:
        return ""
    if isinstance(value, Row):
        return _plain_row(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    if isinstance(value, (tuple, list, frozenset)):
        return ", ".join(_plain(one) for one in value)
    return "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


def _plain_row(value: Row) -> str:
    if isinstance(value, Basis):
        return f"{value.says} [{value.source}, {value.confidence}]".strip()
    if isinstance(value, Band):
        return say_band(value)
    return "; ".join(f"{name.replace('_', ' ')} {text}" for name, text in _said(value))


def _card(library: Library, key: str, title: str, facts: Facts, basis: Basis, *, see: tuple[str, ...] = ()) -> Card:
    return Card(
        key=key,
        title=title,
        facts=tuple((label, text) for label, text in facts if text),
        citation=library.cite(basis),
        note=basis.note,
        drives=basis.drives,
        see=see,
    )


def _scheme_card(library: Library, scheme: GradeScheme, name: str) -> Card:
    until = f" to {scheme.in_force_to:%Y-%m-%d}" if scheme.in_force_to else ", still"
    facts = (
        ("in force", f"from {scheme.in_force_from:%Y-%m-%d}{until}"),
        ("beside another edition", scheme.overlap),
        ("note", scheme.note),
    )
    return _card(library, name, scheme.title, facts, scheme.basis, see=tuple(rule.id for rule in scheme.rules))


def _rule_card(library: Library, scheme: GradeScheme, rule: GradeRule) -> Card:
    grades = tuple(
        (f"grade {graded.grade}", f"{say_band(graded.band)} {rule.unit}   [{graded.text}]") for graded in rule.bands
    )
    facts = (*_who(rule.ages, rule.sex), *grades, ("no grade", rule.ungraded), ("not by a number", rule.clinical))
    return _card(library, rule.id, f"{rule.term} — {scheme.title}", facts, rule.basis)


def _definition_card(library: Library, row: DefinitionRow) -> Card:
    facts = (
        ("value", f"{row.analyte} {say_band(row.band)} {_unit(library, row.analyte)}".strip()),
        *_who(row.ages, row.sex),
        ("for", row.population),
        ("also asks", row.condition),
        ("says", row.authority),
        ("house row", "yes: leuko's own answer rests on it" if row.house else ""),
    )
    return _card(library, f"definition:{row.id}", f"{row.concept} ({row.category})", facts, row.basis)


def _interval_card(library: Library, row: IntervalRow) -> Card:
    low, high = (f"{limit:g}" if limit is not None else "open" for limit in (row.low, row.high))
    facts = (
        ("interval", f"{low} to {high} {_unit(library, row.analyte)}".strip()),
        *_who(row.ages, row.sex),
        ("pregnancy", "" if row.pregnancy == "no" else row.pregnancy.replace("_", " ")),
        ("Duffy-null", "tested Duffy-null" if row.duffy_null else ""),
        ("people", row.population),
        ("method", row.method),
        ("house row", "yes: used when no better interval is known" if row.house else ""),
    )
    return _card(library, f"interval:{row.id}", f"{row.analyte} reference interval", facts, row.basis)


def _course_card(library: Library, rules: CourseRules) -> Card:
    unit = _unit(library, rules.analyte)
    facts = (
        ("cuts", f"{', '.join(f'{cut:g}' for cut in rules.cuts)} {unit}".strip()),
        ("recovered when", f"{rules.recovery_values} results of different days, or {rules.recovery_days:g} days"),
        ("persistent from", f"{rules.persistent_days:g} days"),
        ("chronic from", f"{rules.chronic_days:g} days"),
        ("not bridged over", f"{rules.hole_days:g} days without a count"),
        ("a fall", f"to {rules.trend_fold_fall:g} of a baseline of {rules.trend_min_baseline} counts or more"),
        ("cycles asked from", f"{rules.cyclic_min_counts} counts over {rules.cyclic_min_days:g} days"),
        (
            "cycles",
            f"{rules.cyclic_period_low:g} to {rules.cyclic_period_high:g} days, p <= {rules.cyclic_max_false_alarm:g}",
        ),
        *((f"because ({name})", _because(library, basis)) for name, basis in rules.bases.items()),
    )
    return _card(library, f"course:{rules.analyte}", f"course of {rules.analyte}", facts, rules.basis)


def _because(library: Library, basis: Basis) -> str:
    return f"{basis.says} {basis.note} [{library.sources[basis.source].title}, {basis.confidence}]".strip()


def _code_card(library: Library, row: CodeRow) -> Card:
    facts = (
        ("means", row.analyte or ""),
        ("method", row.method or ""),
        ("panel", "yes" if row.panel else ""),
        ("refused", row.refuse),
    )
    return _card(library, f"code:{row.system}|{row.code}", f"{row.code} of {row.system}", facts, row.basis)


def _analyte_card(library: Library, row: Analyte) -> Card:
    low, high = (f"{limit:g}" if limit is not None else "open" for limit in (row.plausible_low, row.plausible_high))
    facts = (
        ("kept in", row.unit),
        ("plausible", f"{low} to {high}"),
        ("called", ", ".join(row.names)),
        ("becomes", row.absolute or ""),
    )
    return _card(library, f"analyte:{row.id}", row.label, facts, row.basis, see=_about(library, row.id))


def _about(library: Library, analyte: str) -> tuple[str, ...]:
    rules = [rule.id for scheme in library.schemes for rule in scheme.rules if rule.analyte == analyte]
    definitions = [f"definition:{row.id}" for row in library.definitions if row.analyte == analyte]
    intervals = [f"interval:{row.id}" for row in library.intervals if row.analyte == analyte]
    course = [f"course:{analyte}"] if analyte in library.course else []
    return (*rules, *definitions, *intervals, *course)


def _source_card(source: Source, resting: Iterable[str]) -> Card:
    facts = (
        ("publisher", source.publisher),
        ("year", str(source.year or "")),
        ("edition", source.edition),
        ("doi", source.doi),
        ("pmid", source.pmid),
        ("address", source.url),
        ("licence", source.licence),
        ("note", source.note),
    )
    shown = tuple((label, text) for label, text in facts if text)
    return Card(key=source.id, title=source.title, facts=shown, see=tuple(resting))


_CORE: Final[Mapping[type, Callable[[Library, Any], Card]]] = {
    DefinitionRow: _definition_card,
    IntervalRow: _interval_card,
    CourseRules: _course_card,
    Analyte: _analyte_card,
    CodeRow: _code_card,
}


def _who(ages: Ages, sex: Sex | None) -> Facts:
    printed = f" (source: {ages.text})" if ages.text else ""
    return (("age", f"{say_ages(ages)}{printed}"), ("sex", sex or ""))


def _unit(library: Library, analyte: str) -> str:
    known = library.analytes.get(analyte)
    return known.unit if known is not None else ""
