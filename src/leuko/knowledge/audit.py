"""The audit of the knowledge itself: what breaks its own rules (`check`) and how well it is confirmed (`coverage`).

The loader already refuses what cannot be read at all: mistyped keys, wrong types, repeated ids, unknown sources. Here
stands what can be read and is still wrong: limits that cross, bands that overlap or leave a hole, two house rows for
one person, a unit that is not the analyte's, editions in force side by side without a reason.

`coverage`, `show` and `diff` come from their own modules and are offered here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Literal, Protocol, TypeVar

from leuko.frozen import Frozen
from leuko.knowledge.coverage import Coverage, coverage
from leuko.knowledge.difference import Change, Difference, Shift, diff, shifts
from leuko.knowledge.further import further_kinds, kind_name
from leuko.knowledge.library import Library, every_basis
from leuko.knowledge.probing import SEXES, age_points, holds, is_empty, is_empty_age, say_age, say_band, value_points
from leuko.knowledge.schema import (
    Ages,
    Basis,
    CourseRules,
    DefinitionRow,
    GradeRule,
    GradeScheme,
    IntervalRow,
    Row,
)
from leuko.knowledge.showing import Card, show
from leuko.record import Sex

COMPLETE = ("wbc", "neutrophils", "lymphocytes")
"""The analytes for which a house interval must stand at every age and for both sexes."""

LINES = "lines"
"""What a definition may be about that is no analyte: how many of the three lines are low together."""


class Finding(Frozen, frozen=True, kw_only=True):
    """One thing wrong (`error`) or worth a look (`warning`) in the knowledge; `key` can be given to `show`."""

    severity: Literal["error", "warning"]
    key: str
    text: str


class _Aged(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def ages(self) -> Ages: ...
    @property
    def sex(self) -> Sex | None: ...


RowT = TypeVar("RowT", bound=_Aged)


def check(library: Library) -> tuple[Finding, ...]:
    """Everything that breaks the rules of the knowledge, errors first; an empty result is a clean library."""
    found = [
        *_check_schemes(library),
        *_check_definitions(library),
        *_check_intervals(library),
        *_check_course(library),
        *_check_bases(library),
        *_check_names(library),
    ]
    return tuple(sorted(found, key=lambda finding: (finding.severity, finding.key)))


def _error(key: str, text: str) -> Finding:
    return Finding(severity="error", key=key, text=text)


def _warning(key: str, text: str) -> Finding:
    return Finding(severity="warning", key=key, text=text)


# --- grades ----------------------------------------------------------------------------------------------------------


def _check_schemes(library: Library) -> Iterator[Finding]:
    for scheme in library.schemes:
        if scheme.in_force_to is not None and scheme.in_force_to <= scheme.in_force_from:
            yield _error(_key(scheme), "ends before it begins")
        by_analyte: dict[str, list[GradeRule]] = defaultdict(list)
        for rule in scheme.rules:
            by_analyte[rule.analyte].append(rule)
            yield from _check_rule(library, rule)
        for analyte, rules in by_analyte.items():
            yield from _check_partition(f"{_key(scheme)}:{analyte}", rules, complete=True)
    for first, second in combinations(library.schemes, 2):
        if first.id == second.id and _overlap(first, second) and not (first.overlap and second.overlap):
            yield _error(
                _key(second), f"is in force beside {_key(first)} and neither `overlap` nor an end date says why"
            )


def _key(scheme: GradeScheme) -> str:
    return f"{scheme.id}-{scheme.edition}"


def _overlap(first: GradeScheme, second: GradeScheme) -> bool:
    starts_before_end = second.in_force_to is None or first.in_force_from < second.in_force_to
    ends_after_start = first.in_force_to is None or second.in_force_from < first.in_force_to
    return starts_before_end and ends_after_start


def _check_rule(library: Library, rule: GradeRule) -> Iterator[Finding]:
    yield from _check_unit(library, rule.id, rule.analyte, rule.unit)
    if is_empty_age(rule.ages):
        yield _error(rule.id, "holds for no age")
    if bool(rule.bands) == bool(rule.ungraded):
        yield _error(rule.id, "needs either bands or the reason why there are none (`ungraded`)")
    if [band.grade for band in rule.bands] != sorted({band.grade for band in rule.bands}):
        yield _error(rule.id, "its grades do not rise one by one")
    for graded in rule.bands:
        if is_empty(graded.band):
            yield _error(rule.id, f"grade {graded.grade} holds for no value: {say_band(graded.band)}")
    for milder, worse in pairwise(rule.bands):
        yield from _check_touching(rule.id, milder.grade, milder.band.lower, worse.band.upper)
    yield from _check_once(rule)


def _check_touching(key: str, grade: int, lower: object, upper: object) -> Iterator[Finding]:
    if lower != upper:
        yield _error(key, f"grade {grade} ends at {lower}, but grade {grade + 1} begins at {upper}")


def _check_once(rule: GradeRule) -> Iterator[Finding]:
    """Each number below the top of the rule has exactly one grade."""
    bands = [graded.band for graded in rule.bands]
    tops = [band.upper for band in bands if isinstance(band.upper, int | float)]
    for value in value_points(bands):
        grades = [graded.grade for graded in rule.bands if holds(graded.band, value)]
        if len(grades) > 1:
            yield _error(rule.id, f"{value:g} has the grades {grades} at once")
        if not grades and tops and value < max(tops):
            yield _error(rule.id, f"{value:g} has no grade although values above it have one")


# --- definitions -----------------------------------------------------------------------------------------------------


def _check_definitions(library: Library) -> Iterator[Finding]:
    house: dict[tuple[str, str], list[DefinitionRow]] = defaultdict(list)
    for row in library.definitions:
        key = f"definition:{row.id}"
        if is_empty(row.band) or row.band == type(row.band)():
            yield _error(key, f"holds for no value or for every value: {say_band(row.band)}")
        if is_empty_age(row.ages):
            yield _error(key, "holds for no age")
        if row.analyte not in {LINES, *library.analytes}:
            yield _error(key, f"is about {row.analyte}, which is no analyte")
        if row.house:
            house[row.analyte, row.category].append(row)
            yield from _check_house(key, row.basis)
            if row.condition and row.category != "method":
                yield _error(key, "is a house row but asks for more than a number, age and sex can tell")
    for (analyte, category), rows in house.items():
        yield from _check_one_band(f"{analyte}, {category}", rows)


def _check_one_band(key: str, rows: Sequence[DefinitionRow]) -> Iterator[Finding]:
    """No value may have two house rows of one category at the same age and sex."""
    for age in age_points(row.ages for row in rows):
        for sex in SEXES:
            here = [row for row in rows if _applies(row, age, sex)]
            for value in value_points(row.band for row in here):
                met = [row.id for row in here if holds(row.band, value)]
                if len(met) > 1:
                    yield _error(key, f"{value:g} at {say_age(age)} ({sex}) meets {' and '.join(met)} at once")


def _check_house(key: str, basis: Basis) -> Iterator[Finding]:
    if not basis.drives:
        yield _error(key, f"is a house row, but its confidence is {basis.confidence}: it may not drive a conclusion")


# --- intervals -------------------------------------------------------------------------------------------------------


def _check_intervals(library: Library) -> Iterator[Finding]:
    house: dict[tuple[str, str, bool], list[IntervalRow]] = defaultdict(list)
    for row in library.intervals:
        key = f"interval:{row.id}"
        yield from _check_interval(library, key, row)
        if row.house:
            house[row.analyte, row.pregnancy, row.duffy_null is True].append(row)
            yield from _check_house(key, row.basis)
    for (analyte, pregnancy, duffy_null), rows in house.items():
        general = pregnancy == "no" and not duffy_null
        key = f"{analyte} intervals" + ("" if general else f", {'Duffy-null' if duffy_null else pregnancy}")
        yield from _check_partition(key, rows, complete=general and analyte in COMPLETE)
    for analyte in COMPLETE:
        if (analyte, "no", False) not in house:
            yield _error(f"{analyte} intervals", "no house interval at all")


def _check_interval(library: Library, key: str, row: IntervalRow) -> Iterator[Finding]:
    if row.low is None and row.high is None:
        yield _error(key, "has no limit")
    if row.low is not None and row.high is not None and row.low >= row.high:
        yield _error(key, f"its low {row.low:g} is not below its high {row.high:g}")
    if is_empty_age(row.ages):
        yield _error(key, "holds for no age")
    if row.pregnancy != "no" and row.sex != "female":
        yield _error(key, "is about pregnancy, but not marked female")
    analyte = library.analytes.get(row.analyte)
    if analyte is None:
        yield _error(key, f"is about {row.analyte}, which is no analyte")
        return
    for limit in (row.low, row.high):
        if limit is not None and not _plausible(limit, analyte.plausible_low, analyte.plausible_high):
            yield _error(key, f"{limit:g} {analyte.unit} is no plausible {analyte.label}: is the unit right?")


def _plausible(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


# --- ages and sexes --------------------------------------------------------------------------------------------------


def _check_partition(key: str, rows: Sequence[RowT], *, complete: bool) -> Iterator[Finding]:
    """At every age and for both sexes at most one row; where `complete`, exactly one."""
    for sex in SEXES:
        points = age_points(row.ages for row in rows)
        held = [(age, [row.id for row in rows if _applies(row, age, sex)]) for age in points]
        yield from _runs(key, sex, held, complete=complete)


def _runs(key: str, sex: Sex, held: Sequence[tuple[float, list[str]]], *, complete: bool) -> Iterator[Finding]:
    """One finding per stretch of ages, not one per point."""
    previous: list[str] | None = None
    for age, here in held:
        if here != previous and len(here) > 1:
            yield _error(key, f"at {say_age(age)} ({sex}) {' and '.join(here)} hold at once")
        if here != previous and not here and complete:
            yield _error(key, f"no row holds from about {say_age(age)} on ({sex})")
        previous = here


def _applies(row: _Aged, age: float, sex: Sex) -> bool:
    return bool(row.ages.holds(age)) and row.sex in {None, sex}


# --- course ----------------------------------------------------------------------------------------------------------


def _check_course(library: Library) -> Iterator[Finding]:
    numbers = set(CourseRules.__struct_fields__) - {"analyte", "basis", "bases"}
    for rules in library.course.values():
        key = f"course:{rules.analyte}"
        if rules.analyte not in library.analytes:
            yield _error(key, f"is about {rules.analyte}, which is no analyte")
        if not rules.cuts or list(rules.cuts) != sorted(set(rules.cuts), reverse=True) or rules.cuts[-1] <= 0:
            yield _error(key, "its cuts must fall one by one and stay above zero")
        if not 0 < rules.cyclic_period_low < rules.cyclic_period_high:
            yield _error(key, "its periods are not in order")
        if not 0 < rules.trend_fold_fall < 1:
            yield _error(key, "a fall is a fold between 0 and 1")
        for name in sorted(rules.bases.keys() - numbers):
            yield _error(key, f"gives a basis for {name}, which is none of its numbers")


# --- sources, units, names -------------------------------------------------------------------------------------------


def _check_bases(library: Library) -> Iterator[Finding]:
    used: set[str] = set()
    for key, basis in every_basis(library):
        used.add(basis.source)
        if basis.drives and not (basis.locator or basis.says or basis.note):
            yield _error(key, "drives conclusions, but names neither a place in its source nor what stands there")
    for key, basis in _inner_bases(library):
        used.add(basis.source)
        if basis.source not in library.sources:
            yield _error(key, f"names a source that does not exist: {basis.source}")
    for source in library.sources.values():
        if source.id not in used:
            yield _warning(source.id, "no row rests on this source")
        if not (source.doi or source.pmid or source.url or source.note):
            yield _warning(source.id, "has no identifier and no address: a reader cannot find it")


def _inner_bases(library: Library) -> Iterator[tuple[str, Basis]]:
    """What the rows of the further tables rest on inside: the basis of one field, figure or statement."""
    for kind in further_kinds():
        for row in library.rows(kind):
            yield from ((f"{kind_name(kind)}:{row.id}", basis) for basis in _within(row))


def _within(value: object) -> Iterator[Basis]:
    if isinstance(value, Basis):
        yield value
    elif isinstance(value, Row):
        for name in value.__struct_fields__:
            yield from _within(getattr(value, name))
    elif isinstance(value, (tuple, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _within(item)


def _check_unit(library: Library, key: str, analyte: str, unit: str) -> Iterator[Finding]:
    known = library.analytes.get(analyte)
    if known is None:
        yield _error(key, f"is about {analyte}, which is no analyte")
    elif known.unit != unit:
        yield _error(key, f"is in {unit}, but {analyte} is kept in {known.unit}")


def _check_names(library: Library) -> Iterator[Finding]:
    for code in library.codes.values():
        if code.analyte is not None and code.analyte not in library.analytes:
            yield _error(f"code:{code.system}|{code.code}", f"means {code.analyte}, which is no analyte")
    for analyte in library.analytes.values():
        if analyte.absolute is not None and analyte.absolute not in library.analytes:
            yield _error(f"analyte:{analyte.id}", f"becomes {analyte.absolute}, which is no analyte")


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that must not stand."""
    return tuple(finding for finding in findings if finding.severity == "error")


__all__ = [
    "COMPLETE",
    "LINES",
    "Card",
    "Change",
    "Coverage",
    "Difference",
    "Finding",
    "Shift",
    "check",
    "coverage",
    "diff",
    "errors",
    "shifts",
    "show",
]
