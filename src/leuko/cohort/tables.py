"""The knowledge tables as arrays: what the kernel holds every count against.

An age is a cell: between two neighbouring age limits of all tables (even numbers), or on one of them (odd numbers). A
rule changes nowhere else, so that what holds for an age can be looked up, and what may hold for a span of ages is what
holds in one of its cells.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leuko.counts.derive import ALL, ANC, BANDS, GRANULOCYTES, LINES, SEGMENTS, WBC
from leuko.counts.nucleated import CORRECTED, NRBC
from leuko.errors import KnowledgeError
from leuko.grading import SEXES, check_order
from leuko.knowledge import Library, load_library
from leuko.knowledge.schema import Band, DefinitionRow, GradeRule, GradeScheme, IntervalRow
from leuko.record import Bound, ResultStatus, Sex

BOUNDS: Final[tuple[Bound, ...]] = ("<", "<=", "=", ">", ">=")
"""In the order of their signs as text, which is how the course of a person breaks ties."""
STATUSES: Final[tuple[ResultStatus, ...]] = ("registered", "preliminary", "unknown", "final", "amended", "corrected")
RANKS: Final = (0, 1, 2, 3, 4, 4)
"""Of `STATUSES`, as `leuko.counts.resolve` ranks them."""
SEX_UNKNOWN: Final = 2
MOST_ROWS: Final = 63  # rows of one analyte share the bits of one number
LINE, WHOLE, BESIDE = 1, 2, 4
_OTHER_LINES: Final = ("metamyelocytes", "myelocytes", "promyelocytes", "blasts")
_BESIDE: Final = ("immature_granulocytes", "variant_lymphocytes")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bits = NDArray[np.uint64]


class Named(NamedTuple):
    """The analytes that have a part of their own."""

    wbc: str
    corrected: str
    anc: str
    whole: str
    segments: str
    segments_percent: str
    bands: str
    bands_percent: str
    granulocytes: str
    nrbc: str


class Grades(NamedTuple):
    """Grade rules: `rule_at` [scheme, analyte, sex, cell, nth] holds their numbers, -1 where nothing can be graded.

    The bands of rule r are the columns of `whole` and `real` from first[r] up to first[r + 1]. A limit's kind is 0:
    none, 1: a number, 2: the laboratory's lower limit of normal. `pair` [scheme, analyte] numbers what is graded.
    The rules of a cell hold up to the cell `until` [scheme, analyte, sex, cell]; `alike` [scheme, analyte] where they
    are the same for both sexes. No value above `top` [rule] has a grade, where it is above the laboratory's limit too
    if a band ends there (`to_low` [rule]).

    Between two neighbouring limits of an analyte's bands a grade does not change: these limits are `steps`, those of
    analyte a from `first_step[a]` up to `first_step[a + 1]`. Cells with the same rules share a `kind` [analyte, cell],
    the last one stands for an age that is not known. The cases of analyte a begin at `first_case[a]`
    (`kernel.grades.case_of`).
    """

    rule_at: Ints
    until: Ints
    alike: Ints
    first: Ints
    whole: Ints
    real: Floats
    pair: Ints
    top: Floats
    to_low: Ints
    steps: Floats
    first_step: Ints
    kind: Ints
    first_case: Ints


CASES: Final = 3 * len(BOUNDS) * 4  # of one step and kind of cell: sexes, bounds, places beside the laboratory's limit
GRADE, LOWER_KIND, LOWER_INCLUSIVE, UPPER_KIND, UPPER_INCLUSIVE = range(5)
LOWER, UPPER = range(2)


class Limits(NamedTuple):
    """Rows that say what is low: bits of rows by [analyte, sex, cell], the last cell for an age that is not known.

    The rows of analyte a begin at first[a]; `cut` holds the value of each and whether a count on it is low.
    """

    rows: Bits
    first: Ints
    cut: Floats


class Tables(NamedTuple):
    """All that the kernel needs to know; arrays are indexed by codes of analytes, in the order of their names.

    `whole` and `real` are [number (`kernel.layout`), analyte]; `parts` are the analytes that add up to a differential;
    `nrbc` holds limits and whether a number on them counts.
    """

    named: Ints
    whole: Ints
    real: Floats
    lines: Ints
    line_order: Ints
    parts: Ints
    age_limits: Floats
    definitions: Limits
    intervals: Limits
    grades: Grades
    nrbc: Floats
    ranks: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The knowledge that a cohort is judged by. `analytes` and `pairs` name what the codes in `tables` stand for.

    `words` are the labels and the units of the analytes, `notices` what there is to say: code, severity, title.
    """

    library: Library
    analytes: tuple[str, ...]
    schemes: tuple[GradeScheme, ...]
    pairs: tuple[tuple[str, GradeScheme], ...]
    tables: Tables
    words: tuple[pl.Series, pl.Series]
    notices: pl.DataFrame

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides an answer."""
        return hashlib.sha256(f"{self.library.hash}|{self.analytes}".encode()).hexdigest()

    def edition(self, number: int) -> str:
        """The name of the columns of one edition: "ctcae_5"."""
        return edition_name(self.schemes[number])


def edition_name(scheme: GradeScheme) -> str:
    """How an edition is named in a column."""
    return f"{scheme.id}_{scheme.edition}"


def rules_of(library: Library | None = None) -> Rules:
    """The rules of a library (the shipped one by default) as arrays."""
    return _shipped() if library is None else _rules(library)


@lru_cache(maxsize=1)
def _shipped() -> Rules:
    return _rules(load_library())


def _rules(library: Library) -> Rules:
    names = tuple(sorted(library.analytes))
    schemes = tuple(sorted(library.schemes, key=lambda scheme: (scheme.id, scheme.in_force_from)))
    for scheme in schemes:
        for rule in scheme.rules:
            check_order(rule)
    pairs = tuple(
        (name, scheme) for name in names for scheme in schemes if any(rule.analyte == name for rule in scheme.rules)
    )
    analytes, entries = [library.analytes[name] for name in names], library.notices
    labels = pl.Series([one.label for one in analytes], dtype=pl.String)
    units = pl.Series([one.unit for one in analytes], dtype=pl.String)
    return Rules(
        library=library,
        analytes=names,
        schemes=schemes,
        pairs=pairs,
        tables=_tables(library, names, schemes, pairs),
        words=(labels, units),
        notices=pl.DataFrame(
            [(code, entry.severity, entry.title) for code, entry in entries.items()],
            schema=dict.fromkeys(("code", "severity", "title"), pl.String),
            orient="row",
        ),
    )


def _tables(
    library: Library,
    names: tuple[str, ...],
    schemes: tuple[GradeScheme, ...],
    pairs: tuple[tuple[str, GradeScheme], ...],
) -> Tables:
    code = {name: number for number, name in enumerate(names)}
    definitions, intervals = _house_definitions(library), _house_intervals(library)
    bands = [row.ages for rows in (definitions, intervals, _every_rule(schemes)) for row in rows]
    limits = tuple(sorted({limit for ages in bands for limit in (ages.low_days, ages.high_days) if limit is not None}))
    course = library.course
    method = [row for row in library.definitions if row.category == "method" and row.analyte == NRBC]
    method = [row for row in method if row.basis.drives]
    lows = [row.band.lower for row in method]
    return Tables(
        named=np.array([code.get(name, -1) for name in _named()], dtype=np.int64),
        whole=np.array(
            [
                [_absolute(library, name, code) for name in names],
                [_role(name) for name in names],
                [name in course for name in names],
                [course[name].recovery_values if name in course else 0 for name in names],
            ],
            dtype=np.int64,
        ),
        real=np.array(
            [
                [course[name].recovery_days if name in course else 0.0 for name in names],
                [course[name].hole_days if name in course else 0.0 for name in names],
            ]
        ),
        lines=_lines(code, LINES),
        line_order=_lines(code, (*LINES, *_OTHER_LINES)),
        parts=np.array([number for number, name in enumerate(names) if _role(name) & (LINE | BESIDE)], dtype=np.int64),
        age_limits=np.array(limits, dtype=np.float64),
        definitions=_limits(names, definitions, limits),
        intervals=_limits(names, intervals, limits),
        grades=_grades(names, schemes, pairs, limits),
        nrbc=np.array(
            [
                [float(low) if isinstance(low, (int, float)) else -math.inf for low in lows],
                [float(row.band.lower_inclusive) for row in method],
            ]
        ),
        ranks=np.array(RANKS, dtype=np.int64),
    )


def _named() -> Named:
    return Named(
        WBC, CORRECTED, ANC, ALL, SEGMENTS, f"{SEGMENTS}_percent", BANDS, f"{BANDS}_percent", GRANULOCYTES, NRBC
    )


def _absolute(library: Library, name: str, code: dict[str, int]) -> int:
    row = library.analytes[name]
    if row.quantity != "percent" or row.absolute is None or row.absolute == ANC:
        return -1
    return code[row.absolute]


def _lines(code: dict[str, int], lines: Iterable[str]) -> Ints:
    return np.array([code[f"{line}_percent"] for line in lines], dtype=np.int64)


def _role(name: str) -> int:
    line = name.removesuffix("_percent")
    if line == name:
        return 0
    return LINE * (line in (*LINES, *_OTHER_LINES)) + WHOLE * (line in LINES) + BESIDE * (line in _BESIDE)


# What is low


def _house_definitions(library: Library) -> list[DefinitionRow]:
    return [
        row
        for row in library.definitions
        if (row.category, row.house) == ("definition", True)
        and row.basis.drives
        and isinstance(row.band.upper, (int, float))
        and row.analyte in library.analytes
    ]


def _house_intervals(library: Library) -> list[IntervalRow]:
    """The intervals of people of whom neither pregnancy nor a Duffy phenotype is known."""
    return [
        row
        for row in library.intervals
        if row.house and row.basis.drives and row.duffy_null is not True and row.pregnancy == "no"
    ]


def _limits(
    names: Sequence[str], rows: Sequence[DefinitionRow] | Sequence[IntervalRow], limits: Sequence[float]
) -> Limits:
    own = [[row for row in rows if row.analyte == name] for name in names]
    if max(map(len, own)) > MOST_ROWS:
        raise KnowledgeError("an analyte has more rows than a cohort can hold against it", why=f"at most {MOST_ROWS}")
    cells = _cells(limits)
    flat = [row for found in own for row in found]
    return Limits(
        rows=np.array(
            [[[_bits(found, sex, age) for age in (*cells, None)] for sex in (*SEXES, None)] for found in own],
            dtype=np.uint64,
        ),
        first=np.cumsum([0, *map(len, own)], dtype=np.int64),
        cut=np.array(
            [
                [_low_of(row) for row in flat],
                [float(isinstance(row, DefinitionRow) and row.band.upper_inclusive) for row in flat],
            ]
        ),
    )


def _low_of(row: DefinitionRow | IntervalRow) -> float:
    low = row.band.upper if isinstance(row, DefinitionRow) else row.low
    return float(low) if isinstance(low, (int, float)) else math.nan


def _bits(rows: Iterable[DefinitionRow | IntervalRow], sex: Sex | None, age: float | None) -> int:
    """The rows that hold at an age (None: not known, then those of adults)."""
    return sum(
        1 << number
        for number, row in enumerate(rows)
        if (sex is None or row.sex in {None, sex})
        and (row.ages.high_days is None if age is None else row.ages.holds(age))
    )


def _cells(limits: Sequence[float]) -> list[float]:
    """One age inside each cell."""
    found: list[float] = []
    for lower, upper in zip((-1.0, *limits), limits, strict=False):
        found += [(lower + upper) / 2, upper]
    return [*found, limits[-1] + 1.0 if limits else 0.0]


# Grades


def _every_rule(schemes: Iterable[GradeScheme]) -> list[GradeRule]:
    return [rule for scheme in schemes for rule in scheme.rules]


def _grades(
    names: Sequence[str],
    schemes: Sequence[GradeScheme],
    pairs: Sequence[tuple[str, GradeScheme]],
    limits: Sequence[float],
) -> Grades:
    rules = _every_rule(schemes)
    number = {rule.id: index for index, rule in enumerate(rules)}
    cells = _cells(limits)
    at = [
        [[[_holding(scheme, name, sex, age) for age in cells] for sex in SEXES] for name in names] for scheme in schemes
    ]
    most = max((len(found) for by in at for sexes in by for ages in sexes for found in ages), default=1) or 1
    bands = [(row.grade, row.band) for rule in rules for row in rule.bands]
    pair = {(name, scheme.id, scheme.edition): index for index, (name, scheme) in enumerate(pairs)}
    rule_at = np.array(
        [
            [[[[*(number[r.id] for r in found), *[-1] * (most - len(found))] for found in a] for a in s] for s in by]
            for by in at
        ],
        dtype=np.int64,
    )
    steps = [_steps(rules, name) for name in names]
    kind = np.array([_kinds(rule_at[:, code]) for code in range(len(names))], dtype=np.int64)
    cases = [CASES * (1 + int(own[-1])) * (2 * len(found) + 1) for own, found in zip(kind, steps, strict=True)]
    return Grades(
        rule_at=rule_at,
        until=_until(rule_at),
        alike=(rule_at[:, :, 0] == rule_at[:, :, 1]).all(axis=(2, 3)).astype(np.int64),
        first=np.cumsum([0, *(len(rule.bands) for rule in rules)], dtype=np.int64),
        whole=np.array(
            [
                [grade for grade, _ in bands],
                [_kind(band.lower) for _, band in bands],
                [band.lower_inclusive for _, band in bands],
                [_kind(band.upper) for _, band in bands],
                [band.upper_inclusive for _, band in bands],
            ],
            dtype=np.int64,
        ),
        real=np.array([[_number(getattr(band, end)) for _, band in bands] for end in ("lower", "upper")]),
        pair=np.array([[pair.get((n, s.id, s.edition), -1) for n in names] for s in schemes], dtype=np.int64),
        top=np.array([max((_end(row.band.upper) for row in rule.bands), default=0.0) for rule in rules]),
        to_low=np.array([any(_kind(row.band.upper) == 2 for row in rule.bands) for rule in rules], dtype=np.int64),
        steps=np.array([step for found in steps for step in found], dtype=np.float64),
        first_step=np.cumsum([0, *map(len, steps)], dtype=np.int64),
        kind=kind,
        first_case=np.cumsum([0, *cases], dtype=np.int64),
    )


def _steps(rules: Sequence[GradeRule], name: str) -> list[float]:
    """The limits of all bands of an analyte in ascending order, and nothing at all."""
    bands = [row.band for rule in rules if rule.analyte == name for row in rule.bands]
    ends = {float(end) for band in bands for end in (band.lower, band.upper) if isinstance(end, (int, float))}
    return sorted({0.0, *ends})


def _kinds(rule_at: Ints) -> list[int]:
    """The kind of each cell by the rules that hold there, rule_at [scheme, sex, cell, nth]; last that of no age."""
    found = [rule_at[:, :, cell].tobytes() for cell in range(rule_at.shape[2])]
    kinds = {rules: number for number, rules in enumerate(dict.fromkeys(found))}
    return [*(kinds[rules] for rules in found), len(kinds)]


def _until(rule_at: Ints) -> Ints:
    """The next cell with other rules, from each cell on."""
    cells = rule_at.shape[3]
    until = np.full(rule_at.shape[:4], cells, dtype=np.int64)
    for cell in range(cells - 2, -1, -1):
        same = (rule_at[:, :, :, cell] == rule_at[:, :, :, cell + 1]).all(axis=-1)
        until[:, :, :, cell] = np.where(same, until[:, :, :, cell + 1], cell + 1)
    return until


def _holding(scheme: GradeScheme, name: str, sex: Sex, age: float) -> list[GradeRule]:
    """The rules of an edition at one age and sex; none where any of them cannot grade."""
    found = [r for r in scheme.rules if r.analyte == name and r.ages.holds(age) and r.sex in {None, sex}]
    return found if _able(found) else []


def _able(rules: Sequence[GradeRule]) -> bool:
    return bool(rules) and all(rule.bands and rule.basis.drives for rule in rules)


def _kind(limit: Band | float | str | None) -> int:
    return 0 if limit is None else 2 if limit == "lab_low" else 1


def _end(limit: float | str | None) -> float:
    return math.inf if limit is None else float(limit) if isinstance(limit, (int, float)) else 0.0


def _number(limit: float | str | None) -> float:
    return float(limit) if isinstance(limit, (int, float)) else math.nan
